"""Block: several layers written as one word. It expands into plain nodes, so that everything sees the parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from striate.graph.word import Word

if TYPE_CHECKING:
    from striate.graph.builder import Chain

__all__ = ["Block"]


class Block(Word, ABC):
    """What every block answers. Subclasses are frozen dataclasses and set ``kind``, as layers do."""

    @abstractmethod
    def expand(self, chain: Chain, name: str) -> Chain:
        """Append the block's nodes to ``chain``, called ``<name>.<part>``; the point behind the last of them.

        Raises:
            NetworkError: when what arrives does not fit.
        """
