"""An operation of an imported network that no layer describes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from striate.errors import LayerError, ShapeError
from striate.graph.attributes import fill
from striate.graph.footprint import VIEW, Footprint
from striate.graph.layer import EVERYTHING, SAME_PLACE, Indices, Layer, Parameter, Reach, Step
from striate.units import Shape, format_shape

__all__ = ["Nature", "Opaque"]

#: What is known of the operation: nothing; each output number is a function of the numbers at its own place (a size of
#: 1 is repeated); numbers are only moved; or only looked at in another order, in the same memory.
Nature = Literal["unknown", "pointwise", "moves", "view"]


@dataclass(frozen=True)
class Opaque(Layer):
    """An operation that was recorded: its name and the shape that leaves it, and no rule how that follows.

    It reads any number of inputs and, as far as the receptive field goes, all of each. It stands in imported networks
    only: it cannot be written in YAML, inline text or with the builder, nor computed by the backend.

    Args:
        operation: what the author called, ``torch.fft.fft2``.
        shape: what leaves it.
        own: the trained tensors it brings.
        cost: its multiply-adds for one image, where they are known; None: not counted, and every report says so.
        nature: what else is known of it.
        expects: the shapes that arrived when it was recorded; other ones are refused. None: not known, any will do.
        behaves: the layer that it computes like, where only its tensors are others: weights that are shared in part,
            computed, or not trained. Multiply-adds, operations, memory and what it reads are then that layer's.

    >>> Opaque("torch.fft.fft2", (3, 8, 8)).output_shape(((3, 8, 8),))
    (3, 8, 8)
    """

    operation: str
    shape: Shape = field(metadata={"described": False})
    own: tuple[Parameter, ...] = field(default=(), metadata={"described": False})
    cost: int | None = None
    nature: Nature = "unknown"
    expects: tuple[Shape, ...] | None = field(default=None, metadata={"described": False})
    behaves: Layer | None = field(default=None, metadata={"described": False})

    kind: ClassVar[str] = "opaque"
    any_arity: ClassVar[bool] = True
    written: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not all(isinstance(size, int) and size >= 0 for size in self.shape) or not self.shape:
            raise LayerError(
                "this is not the shape of what leaves an operation",
                got=f"{self.operation}: {self.shape!r}",
                needs="one size or more, each at least 0",
            )
        fill(self, shape=tuple(self.shape), own=tuple(self.own))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """The shape that was recorded.

        Raises:
            ShapeError: when other shapes arrive than were recorded.
        """
        if self.expects is not None and inputs != self.expects:
            raise ShapeError(
                f"no rule says what {self.operation} makes of another shape",
                got=_listed(inputs),
                needs=f"{_listed(self.expects)}, as it was recorded",
                write="import the network again with the input that is meant",
            )
        return self.shape

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """Those it was recorded with."""
        return self.own

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """``cost`` where it is known, else none: the node is then listed as uncounted."""
        return self.cost or 0

    def backward_macs(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[int, int] | None:
        """Not known, unless there are none forward."""
        if self.behaves is not None:
            return self.behaves.backward_macs(inputs, output)
        return (0, 0) if self.cost == 0 else None

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int | None:
        """One for each number where they are computed one by one, none where they are moved, else not known."""
        if self.behaves is not None:
            return self.behaves.elementwise(inputs, output)
        if self.nature == "pointwise":
            return math.prod(output)
        return None if self.nature == "unknown" else 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint | None:
        """The input itself for a view, nothing where numbers are moved, else not known."""
        if self.behaves is not None:
            return self.behaves.footprint(inputs, output, needs)
        if self.nature == "view" and inputs and math.prod(inputs[0]) == math.prod(output):
            return VIEW
        return Footprint() if self.nature in ("moves", "view") else None

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach | Literal["everything"]:
        """Everything, unless each number has its place."""
        if self.behaves is not None:
            return self.behaves.reach(inputs, position, axis)
        if self.nature != "pointwise" or len(inputs[position]) != len(self.shape):
            return EVERYTHING
        if inputs[position][1 + axis] == self.shape[1 + axis]:
            return SAME_PLACE
        return Reach(0, 0, 0) if inputs[position][1 + axis] == 1 else EVERYTHING

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: Indices) -> Indices:
        """See :meth:`reach`."""
        if self.behaves is not None:
            return self.behaves.reads(inputs, position, axis, outputs)
        if self.reach(inputs, position, axis) == Reach(0, 0, 0):
            return frozenset({0} if outputs else ())
        return super().reads(inputs, position, axis, outputs)

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """Recorded, not derived."""
        yield Step("output shape", f"recorded: {self.operation}", _listed(inputs) or "-", format_shape(self.shape))

    def mac_step(self, inputs: tuple[Shape, ...], output: Shape) -> Step:
        """Known from the shapes, or not known."""
        if self.cost is None:
            return Step("MACs", f"no rule counts {self.operation}", "-", "not counted")
        return Step("MACs", f"multiply-adds of {self.operation}", str(self.cost), f"{self.cost:,}")


def _listed(shapes: tuple[Shape, ...]) -> str:
    return " and ".join(format_shape(shape) for shape in shapes)
