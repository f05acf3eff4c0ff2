"""What stands on the stack of the pickle machine: objects that do nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Call", "Name", "Pairs", "Persistent"]


@dataclass(frozen=True, slots=True)
class Name:
    """Something that a pickle imports."""

    module: str
    name: str

    @property
    def full(self) -> str:
        """``module.name``."""
        return f"{self.module}.{self.name}"


@dataclass(slots=True, eq=False)
class Pairs:
    """A dictionary whose keys may be anything."""

    entries: list[tuple[Any, Any]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Call:
    """What a call would have returned.

    Args:
        function: what is called.
        arguments: with which values.
        state: what the object is given afterwards.
        entries: what is stored in it under keys.
        items: what is appended to it.
    """

    function: Any
    arguments: Any
    state: Any = None
    entries: list[tuple[Any, Any]] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Persistent:
    """A reference to what stands outside of the pickle: in PyTorch's files a storage."""

    key: Any
