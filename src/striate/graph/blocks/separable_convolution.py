"""Depthwise separable convolution: every channel for itself, then all channels at each place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from striate.errors import LayerError
from striate.graph.attributes import Pads, Sizes, check_count, fill
from striate.graph.block import Block, PointType
from striate.graph.layers.convolution import Conv

__all__ = ["SeparableConv"]


@dataclass(frozen=True)
class SeparableConv(Block):
    """A depthwise convolution and a 1×1 convolution (Sifre 2014; Chollet, "Xception", 2017, section 1.2).

    The nodes are ``<name>.depthwise`` and ``<name>.pointwise``.

    Args:
        filters: output channels, of the 1×1 convolution.
        kernel: window size of the depthwise convolution, as its stride, padding, dilation and padding_mode.
        stride: step of the window.
        padding: as in :class:`striate.graph.layers.convolution.Conv`.
        dilation: distance between the taps.
        multiplier: how many outputs the depthwise convolution has for each channel.
        bias: whether both convolutions add a number to each output; Keras adds it behind the second alone, which is
            ``depthwise_bias: false``.
        depthwise_bias: whether the depthwise convolution does; left out: as ``bias``.
        padding_mode: what stands in the padding.

    >>> from striate.graph import network
    >>> x = network("n", (32, 16, 16)).separableconv(64, 3, padding="same", bias=False)
    >>> x.shape, x.build().parameter_count == 32 * 9 + 32 * 64
    ((64, 16, 16), True)
    """

    filters: int
    kernel: Sizes
    stride: Sizes = 1
    padding: Pads = 0
    dilation: Sizes = 1
    multiplier: int = 1
    bias: bool = True
    depthwise_bias: bool | None = None
    padding_mode: str = "zero"

    kind: ClassVar[str] = "separableconv"
    aliases: ClassVar[tuple[str, ...]] = ("separableconv1d", "separableconv2d", "depthwiseseparableconv")
    positional: ClassVar[tuple[str, ...]] = ("filters", "kernel")
    words: ClassVar[str | None] = "padding"

    def __post_init__(self) -> None:
        fill(self, multiplier=check_count(self.kind, "multiplier", self.multiplier))
        try:
            # The layers know what their attributes may be; the channels that arrive come later.
            depthwise, pointwise = self._depthwise(1), self._pointwise()
        except LayerError as error:
            error.problem = error.problem.replace("conv ", f"{self.kind} ", 1)
            raise
        names = ("kernel", "stride", "padding", "dilation", "padding_mode")
        fill(self, filters=pointwise.filters, **{name: getattr(depthwise, name) for name in names})

    def _depthwise(self, channels: int) -> Conv:
        return Conv(
            channels * self.multiplier,
            self.kernel,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=channels,
            bias=self.bias if self.depthwise_bias is None else self.depthwise_bias,
            padding_mode=self.padding_mode,
        )

    def _pointwise(self) -> Conv:
        return Conv(self.filters, 1, bias=self.bias)

    def expand(self, chain: PointType, name: str) -> PointType:
        """Depthwise, then 1×1."""
        chain = chain.then(self._depthwise(chain.channels), name=f"{name}.depthwise")
        return chain.then(self._pointwise(), name=f"{name}.pointwise")
