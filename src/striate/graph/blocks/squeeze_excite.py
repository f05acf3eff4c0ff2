"""The squeeze-and-excitation gate: every channel multiplied by a number that the whole map decides."""

from __future__ import annotations

import functools
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from striate.errors import LayerError
from striate.graph.attributes import check_choice, check_count, fill
from striate.graph.block import Block, PointType
from striate.graph.layers import layer_class, layer_classes
from striate.graph.layers.activation import Activation
from striate.graph.layers.convolution import Conv
from striate.graph.layers.global_pooling import GlobalAvgPool
from striate.graph.layers.merge import Multiply

__all__ = ["SqueezeExcite"]


@dataclass(frozen=True)
class SqueezeExcite(Block):
    """``x · gate(W₂ · activation(W₁ · mean(x)))`` (Hu, Shen, Sun, "Squeeze-and-excitation networks", 2018, equation 3).

    The nodes are ``<name>.avgpool``, ``.fc1``, ``.activation``, ``.fc2``, ``.gate`` and ``.scale``; the matrices are
    1×1 convolutions, as in torchvision, whose names the first four are.

    Args:
        reduced: channels between the two matrices; left out: the channels that arrive divided by ``ratio``.
        ratio: by how much, rounded down, at least 1 channel; the paper uses 16.
        activation: between the matrices: the kind of an activation without attributes that must be given.
        gate: behind the second matrix, likewise; ``hardsigmoid`` in MobileNetV3.

    >>> from striate.graph import network
    >>> x = network("n", (64, 16, 16)).squeezeexcite(ratio=16)
    >>> x.shape, x.build().parameter_count == 64 * 4 + 4 + 4 * 64 + 64
    ((64, 16, 16), True)
    """

    reduced: int | None = None
    ratio: int = 4
    activation: str = "relu"
    gate: str = "sigmoid"

    kind: ClassVar[str] = "squeezeexcite"
    aliases: ClassVar[tuple[str, ...]] = ("squeezeexcitation", "squeezeandexcitation", "se")
    positional: ClassVar[tuple[str, ...]] = ("reduced",)

    def __post_init__(self) -> None:
        fill(
            self,
            reduced=None if self.reduced is None else check_count(self.kind, "reduced", self.reduced),
            ratio=check_count(self.kind, "ratio", self.ratio),
            activation=self._activation("activation", self.activation),
            gate=self._activation("gate", self.gate),
        )

    def _activation(self, attribute: str, value: object) -> str:
        if isinstance(value, str) and value in _activations():
            return value
        # What an error suggests stands first.
        kinds = sorted(_activations(), key=lambda kind: kind != getattr(type(self), attribute))
        with suppress(LayerError):
            # By its alias too, as everywhere.
            value = layer_class(value).kind if isinstance(value, str) else value
        return check_choice(self.kind, attribute, value, kinds)

    def expand(self, chain: PointType, name: str) -> PointType:
        """The gate from the mean of each channel, and the product."""
        channels = chain.channels
        reduced = max(1, channels // self.ratio) if self.reduced is None else self.reduced
        gate = chain.then(GlobalAvgPool(keep=True), name=f"{name}.avgpool")
        gate = gate.then(Conv(reduced, 1), name=f"{name}.fc1")
        gate = gate.then(layer_class(self.activation)(), name=f"{name}.activation")
        gate = gate.then(Conv(channels, 1), name=f"{name}.fc2")
        gate = gate.then(layer_class(self.gate)(), name=f"{name}.gate")
        return chain.then(Multiply(), gate, name=f"{name}.scale")


@functools.cache
def _activations() -> tuple[str, ...]:
    """The kinds of all activations."""
    return tuple(kind for kind, cls in layer_classes().items() if issubclass(cls, Activation))
