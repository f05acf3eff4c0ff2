"""The text of a rule: the docstring of the function that is one, as a title and named sections."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["rule_text"]


def rule_text(function: Callable[..., Any], code: str, names: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    """The first line of a docstring and its sections, each introduced by ``Name:`` at the start of a line.

    Args:
        function: with the docstring.
        code: of the rule, for the message.
        names: of the sections; each must be there, in this order, and say something.

    Raises:
        ValueError: the docstring has another form.

    >>> def check():
    ...     '''A network without layers.
    ...
    ...     Why: It can
    ...     do nothing.
    ...     '''
    >>> rule_text(check, "N999", ("Why",))
    ('A network without layers', {'Why': 'It can\\ndo nothing.'})
    """
    title, sections = _read(inspect.cleandoc(function.__doc__ or ""), names)
    if tuple(sections) != names or not all(sections.values()) or not title:
        raise ValueError(f"the docstring of {code} needs a title and {', '.join(names)}, in this order")
    return title, sections


def _read(text: str, names: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    title, _, rest = text.partition("\n")
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in rest.splitlines():
        name, colon, words = line.partition(":")
        starts = bool(colon) and name in names
        if starts:
            current = sections.setdefault(name, [])
        current.append((words if starts else line).strip())
    return title.strip().rstrip("."), {name: "\n".join(lines).strip() for name, lines in sections.items()}
