"""Text from files and folders, made safe to print on a terminal."""

from __future__ import annotations

__all__ = ["visible"]

# C0 controls have pictures of their own in Unicode (␀ to ␟, ␡); C1 controls, which terminals heed as well, do not.
_PICTURES = {**{code: 0x2400 + code for code in range(32)}, 127: 0x2421, **dict.fromkeys(range(128, 160), 0xFFFD)}
_BUT_LINES = {code: picture for code, picture in _PICTURES.items() if chr(code) != "\n"}


def visible(text: str, *, lines: bool = False) -> str:
    """Control characters as pictures of themselves, so that a class or file name cannot steer the terminal.

    Args:
        text: any.
        lines: whether line feeds stay.

    >>> visible("cat\\x1b[2J\\n")
    'cat␛[2J␊'
    """
    return text.translate(_BUT_LINES if lines else _PICTURES)
