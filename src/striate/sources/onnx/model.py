"""What stands in an ONNX file, checked and as plain data: nothing behind this module meets protobuf."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from striate.sources.onnx.faults import fault

__all__ = ["DEFAULT_DOMAINS", "Attribute", "Dimension", "OnnxModel", "Operation", "StoredTensor", "Subgraph"]

DEFAULT_DOMAINS = ("", "ai.onnx")
Dimension = int | str | None
"""A size, the name of one that is left open, or nothing known."""


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor in the file: what is known of it without its numbers.

    Args:
        name: as the file calls it.
        sizes: its shape.
        kind: the ONNX number of its type (1 is float32, 7 int64).
        content: the TensorProto, for whoever needs the numbers of a small one.
        external: the file beside it where its numbers stand; None: they stand in this one.
    """

    name: str
    sizes: tuple[int, ...]
    kind: int
    content: Any = field(repr=False, compare=False)
    external: str | None = None


@dataclass(frozen=True, slots=True)
class Subgraph:
    """A graph inside of an operation (If, Loop, Scan): only what it takes from outside."""

    reads: tuple[str, ...]


Attribute = int | float | str | StoredTensor | Subgraph | tuple[int, ...] | tuple[float, ...] | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One node of the file.

    Args:
        op: what it computes (``Conv``).
        domain: whose operation that is; empty: ONNX's own.
        name: as the file calls it, possibly empty.
        inputs: names of values; an empty one stands for an input that is left out.
        outputs: names of values; an empty one is not used.
        attributes: by name.
        scopes: the modules it stands in, from the outermost, where the exporter noted them.
    """

    op: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    scopes: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """What errors call it."""
        kind = self.op if self.domain in DEFAULT_DOMAINS else f"{self.domain}.{self.op}"
        return f"{kind} {self.name!r}" if self.name else f"{kind} that makes {next(iter(self.outputs), '')!r}"

    def reads(self) -> tuple[str, ...]:
        """Every value it needs, those that its subgraphs take included."""
        inside = (name for value in self.attributes.values() if isinstance(value, Subgraph) for name in value.reads)
        return (*(name for name in self.inputs if name), *inside)

    def integer(self, name: str, default: int) -> int:
        """A whole number among the attributes.

        Raises:
            SourceError: it is of another type.
        """
        value = self.attributes.get(name, default)
        if not isinstance(value, int):
            raise self._wrong(name, value, "a whole number")
        return value

    def number(self, name: str, default: float) -> float:
        """A number among the attributes.

        Raises:
            SourceError: it is of another type.
        """
        value = self.attributes.get(name, default)
        if not isinstance(value, (int, float)):
            raise self._wrong(name, value, "a number")
        return float(value)

    def text(self, name: str, default: str) -> str:
        """A text among the attributes.

        Raises:
            SourceError: it is of another type.
        """
        value = self.attributes.get(name, default)
        if not isinstance(value, str):
            raise self._wrong(name, value, "a text")
        return value

    def integers(self, name: str, length: int | None = None) -> tuple[int, ...] | None:
        """Whole numbers among the attributes; None where they are left out.

        Raises:
            SourceError: they are of another type, or not ``length`` of them.
        """
        value = self.attributes.get(name)
        if value is None:
            return None
        if not isinstance(value, tuple) or not all(isinstance(entry, int) for entry in value):
            raise self._wrong(name, value, "a list of whole numbers")
        if length is not None and len(value) != length:
            raise self._wrong(name, value, f"{length} whole numbers")
        return tuple(int(entry) for entry in value)

    def _wrong(self, name: str, value: Attribute, needs: str) -> Exception:
        return fault(f"{self.op} cannot use this {name}", got=f"{name}: {value!r}"[:120], needs=needs)


@dataclass(frozen=True)
class OnnxModel:
    """A file: its operations in an order in which each comes after those it reads.

    Args:
        name: of the graph.
        opset: the version of ONNX's own operations.
        operations: those that lead to an output.
        inputs: the values that are given from outside, with their sizes; None: their number is not known either.
        outputs: the values that leave.
        tensors: the stored tensors by name.
        stated: the sizes that the file states for values.
        dead: how many operations lead to no output.
    """

    name: str
    opset: int
    operations: tuple[Operation, ...]
    inputs: Mapping[str, tuple[Dimension, ...] | None]
    outputs: tuple[str, ...]
    tensors: Mapping[str, StoredTensor]
    stated: Mapping[str, tuple[Dimension, ...]]
    dead: int = 0
