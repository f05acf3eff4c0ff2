"""Channels of zeros put beside those of a map."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from striate.graph.attributes import check_count, fill
from striate.graph.footprint import KEEPS_NOTHING, Footprint
from striate.graph.layer import Layer, Step
from striate.units import Shape, format_shape

__all__ = ["ChannelPad"]


@dataclass(frozen=True)
class ChannelPad(Layer):
    """Channels of zeros behind, or before, those that arrive: the shortcut "with extra zero entries padded" (option A
    of He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2015, section 3.3).

    Receptive fields take all channels of a map together; channels of zeros do not change them.

    Args:
        after: how many behind.
        before: how many before.

    >>> ChannelPad(16).output_shape(((16, 16, 16),)), ChannelPad(8, 8).output_shape(((16,),))
    ((32, 16, 16), (32,))
    """

    after: int
    before: int = 0

    kind: ClassVar[str] = "channelpad"
    aliases: ClassVar[tuple[str, ...]] = ("padchannels",)
    positional: ClassVar[tuple[str, ...]] = ("after", "before")

    def __post_init__(self) -> None:
        fill(
            self,
            after=check_count(self.kind, "after", self.after, minimum=0),
            before=check_count(self.kind, "before", self.before, minimum=0),
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """``channels + before + after``; the sizes stay."""
        (shape,) = inputs
        return (shape[0] + self.before + self.after, *shape[1:])

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """None: numbers are only moved."""
        return 0

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """Nothing."""
        return KEEPS_NOTHING

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """The channels with the zeros."""
        output = self.output_shape(inputs)
        numbers = f"{inputs[0][0]} + {self.before} + {self.after}"
        yield Step("output channels", "channels + before + after", numbers, str(output[0]))
        yield Step("output shape", "channels × sizes", format_shape(output), format_shape(output))
