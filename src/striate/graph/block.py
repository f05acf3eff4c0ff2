"""Block: several layers written as one word. It expands into plain nodes, so that everything sees the parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol, Self, TypeVar

from striate.graph.layer import Layer
from striate.graph.word import Word
from striate.units import Shape

__all__ = ["Block", "Point", "PointType"]


class Point(Protocol):
    """A point in a network being built, as blocks see it; the builder's ``Chain`` is one."""

    @property
    def shape(self) -> Shape:
        """The shape here, ``(channels, *spatial)``."""

    @property
    def channels(self) -> int:
        """The channels here."""

    def then(self, layer: Layer, *others: Self, name: str | None = None) -> Self:
        """Append a layer; ``others`` are its further inputs."""


PointType = TypeVar("PointType", bound=Point)


class Block(Word, ABC):
    """What every block answers. Subclasses are frozen dataclasses and set ``kind``, as layers do."""

    @abstractmethod
    def expand(self, chain: PointType, name: str) -> PointType:
        """Append the block's nodes to ``chain``, called ``<name>.<part>``; the point behind the last of them.

        Raises:
            NetworkError: when what arrives does not fit.
        """
