"""A part of a map: some of its channels, or some of its rows or columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from striate.errors import LayerError, ShapeError
from striate.graph.attributes import check_count, fill
from striate.graph.footprint import VIEW, Footprint
from striate.graph.layer import SAME_PLACE, Indices, Layer, Reach, Step, axis_names
from striate.units import Shape, format_shape

__all__ = ["Slice"]


@dataclass(frozen=True)
class Slice(Layer):
    """The indices ``start, start + step, …`` below ``stop`` along one axis, as ``x[start:stop:step]`` in Python.

    A bound outside of the map is an error, where Python would take what there is. Receptive fields take all channels
    of a map together; a slice of channels does not change them.

    Args:
        axis: 0 for the channels, 1 for the first spatial axis, and so on.
        start: the first index; a negative one counts from the end.
        stop: the index behind the last; a negative one counts from the end; left out: up to the end.
        step: every which index is taken.

    >>> Slice(start=58).output_shape(((116, 28, 28),)), Slice(axis=2, stop=-1, step=2).output_shape(((8, 7, 7),))
    ((58, 28, 28), (8, 7, 3))
    """

    axis: int = 0
    start: int = 0
    stop: int | None = None
    step: int = 1

    kind: ClassVar[str] = "slice"
    positional: ClassVar[tuple[str, ...]] = ("axis", "start", "stop", "step")

    def __post_init__(self) -> None:
        fill(
            self,
            axis=check_count(self.kind, "axis", self.axis, minimum=0),
            start=_whole("start", self.start),
            stop=None if self.stop is None else _whole("stop", self.stop),
            step=check_count(self.kind, "step", self.step),
        )

    def bounds(self, shape: Shape) -> tuple[int, int]:
        """First index and the one behind the last, both counted from the beginning.

        Raises:
            ShapeError: when there is no such axis or a bound lies outside of it.
        """
        if self.axis >= len(shape):
            raise ShapeError(
                "slice has no such axis to cut",
                got=f"axis: {self.axis}, input {format_shape(shape)}",
                needs=f"an axis from 0 (channels) to {len(shape) - 1}",
                write="axis: 0",
            )
        size = shape[self.axis]
        first = self.start + size if self.start < 0 else self.start
        end = size if self.stop is None else self.stop + size if self.stop < 0 else self.stop
        if not 0 <= first < end <= size:
            stop = "" if self.stop is None else f", stop: {self.stop}"
            raise ShapeError(
                "slice takes what is not there" if first < end else "slice takes nothing",
                got=f"axis: {self.axis}, start: {self.start}{stop} of {size}, input {format_shape(shape)}",
                needs=f"0 ≤ start < stop ≤ {size}, negative numbers counted from the end",
                write=f"slice: {{axis: {self.axis}, start: 0, stop: {max(1, size // 2)}}}",
            )
        return first, end

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """``ceil((stop - start) / step)`` along the axis; the others stay."""
        (shape,) = inputs
        first, end = self.bounds(shape)
        return (*shape[: self.axis], -(-(end - first) // self.step), *shape[self.axis + 1 :])

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """None: numbers are left out."""
        return 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """A part of the input's memory, which stays as a whole."""
        return VIEW

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach:
        """Output y reads ``start + y·step`` along the cut axis, the same place along the others."""
        if self.axis != axis + 1:
            return SAME_PLACE
        first, _ = self.bounds(inputs[0])
        return Reach(first, first, self.step)

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: Indices) -> Indices:
        """``start + y·step``."""
        if self.axis != axis + 1:
            return outputs
        first, _ = self.bounds(inputs[0])
        return frozenset(first + self.step * output for output in outputs)

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """The size of the cut axis."""
        output = self.output_shape(inputs)
        first, end = self.bounds(inputs[0])
        name = ("channels", *axis_names(len(output) - 1))[self.axis]
        numbers = f"ceil(({end} - {first}) / {self.step})"
        yield Step(f"output {name}", "ceil((stop - start) / step)", numbers, str(output[self.axis]))
        yield Step("output shape", "channels × sizes", format_shape(output), format_shape(output))


def _whole(attribute: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise LayerError(
            f"slice cannot use this {attribute}",
            got=f"{attribute}: {value!r}",
            needs="a whole number; a negative one counts from the end",
            write=f"{attribute}: 1",
        )
    return value
