"""Spatially separable convolution: a window taken apart into one along each axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from striate.errors import LayerError
from striate.graph.attributes import Sizes, check_choice, check_sizes, fill, need_spatial, per_axis
from striate.graph.block import Block, PointType
from striate.graph.layer import axis_names
from striate.graph.layers.convolution import Conv

__all__ = ["SpatialSeparableConv"]

_WORDS = ("same", "valid", "full", "causal")


@dataclass(frozen=True)
class SpatialSeparableConv(Block):
    """A k×1 and a 1×k convolution (Szegedy et al., "Rethinking the inception architecture", 2016, section 3.2).

    One for each spatial axis, called ``<name>.height`` and ``<name>.width`` (``.depth`` before them, on maps of three
    axes; ``.length`` alone on maps of one); every one of them has ``filters`` outputs and strides along its own axis.

    Args:
        filters: output channels.
        kernel: window size.
        stride: step of the window.
        padding: ``same`` (stride 1), ``valid``, ``full``, ``causal``, a number, or one for each axis.
        dilation: distance between the taps.
        bias: whether a number is added to each output.

    >>> from striate.graph import network
    >>> x = network("n", (32, 16, 16)).spatialseparableconv(64, 3, padding="same", bias=False)
    >>> x.shape, x.build().parameter_count == 3 * 32 * 64 + 3 * 64 * 64
    ((64, 16, 16), True)
    """

    filters: int
    kernel: Sizes
    stride: Sizes = 1
    padding: str | Sizes = 0
    dilation: Sizes = 1
    bias: bool = True

    kind: ClassVar[str] = "spatialseparableconv"
    positional: ClassVar[tuple[str, ...]] = ("filters", "kernel")
    words: ClassVar[str | None] = "padding"

    def __post_init__(self) -> None:
        kind = self.kind
        if isinstance(self.padding, str):
            fill(self, padding=check_choice(kind, "padding", self.padding, _WORDS))
        else:
            fill(self, padding=check_sizes(kind, "padding", self.padding, minimum=0))
        try:
            # The layer knows what its attributes may be.
            conv = Conv(self.filters, self.kernel, self.stride, self.padding, self.dilation, bias=self.bias)
        except LayerError as error:
            error.problem = error.problem.replace("conv ", f"{kind} ", 1)
            raise
        fill(self, filters=conv.filters, kernel=conv.kernel, stride=conv.stride, dilation=conv.dilation)

    def expand(self, chain: PointType, name: str) -> PointType:
        """One convolution along each axis."""
        rank = need_spatial(self.kind, chain.shape)
        for axis, part in enumerate(axis_names(rank)):
            padding = self.padding if isinstance(self.padding, str) else self._along("padding", rank, axis, 0)
            conv = Conv(
                self.filters,
                self._along("kernel", rank, axis, 1),
                stride=self._along("stride", rank, axis, 1),
                padding=padding,
                dilation=self._along("dilation", rank, axis, 1),
                bias=self.bias,
            )
            chain = chain.then(conv, name=f"{name}.{part}")
        return chain

    def _along(self, attribute: str, rank: int, axis: int, elsewhere: int) -> tuple[int, ...]:
        """An attribute that works along one axis only."""
        value = per_axis(self.kind, attribute, getattr(self, attribute), rank)[axis]
        return tuple(value if other == axis else elsewhere for other in range(rank))
