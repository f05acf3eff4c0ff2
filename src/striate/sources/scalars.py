"""Values → YAML words and flow lists, quoted only where a reader could take them for something else."""

from __future__ import annotations

import re

__all__ = ["flow", "word"]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
#: Words that YAML 1.1 or 1.2 takes for null, true or false, in lower case.
_TAKEN = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def word(text: str) -> str:
    """A text as YAML.

    >>> word("conv1"), word("yes"), word("a: b")
    ('conv1', '"yes"', '"a: b"')
    """
    if _PLAIN.fullmatch(text) and text.lower() not in _TAKEN:
        return text
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    # Separators and the like are printable to YAML but fold lines or vanish; surrogates are not text at all.
    if char == " " or char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def flow(value: object) -> str:
    """A value of an attribute as YAML on one line.

    >>> flow((3, (1, 2))), flow(True), flow(1e-5), flow("same")
    ('[3, [1, 2]]', 'true', '1e-05', 'same')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(flow(entry) for entry in value)}]"
    return word(value) if isinstance(value, str) else str(value)
