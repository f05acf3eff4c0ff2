"""The place where images enter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import LayerError
from striate.graph.attributes import fill
from striate.graph.footprint import KEEPS_NOTHING, Footprint
from striate.graph.layer import Layer, Step
from striate.units import Shape, format_shape

__all__ = ["Input"]


@dataclass(frozen=True)
class Input(Layer):
    """The shape of one image: ``(channels, *spatial)``, one to three spatial axes.

    >>> Input((3, 32, 32)).output_shape(())
    (3, 32, 32)
    """

    shape: Shape

    kind: ClassVar[str] = "input"
    arity: ClassVar[int | None] = 0
    positional: ClassVar[tuple[str, ...]] = ("shape",)

    def __post_init__(self) -> None:
        shape = self.shape
        good = isinstance(shape, (list, tuple)) and 2 <= len(shape) <= 4
        if not good or not all(isinstance(size, int) and not isinstance(size, bool) and size > 0 for size in shape):
            raise LayerError(
                "this is not the shape of an image",
                got=f"input: {shape!r}",
                needs="channels and one to three spatial sizes, each at least 1",
                write="input: [3, 32, 32]",
            )
        fill(self, shape=tuple(shape))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """The image's shape."""
        return self.shape

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """None."""
        return 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """Nothing of its own; the image stays where the caller has it."""
        return KEEPS_NOTHING

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """Given, not derived."""
        yield Step("output shape", "given", format_shape(self.shape), format_shape(self.shape))
