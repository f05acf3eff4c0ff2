"""Normalisation: by batch, by image, by group of channels, by channel and image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from striate.errors import LayerError, ShapeError
from striate.graph.attributes import check_choice, check_count, check_flag, check_number, fill, need_spatial
from striate.graph.footprint import Extra, Footprint
from striate.graph.layer import EVERYTHING, SAME_PLACE, Layer, Parameter, Reach
from striate.units import Shape, format_shape

__all__ = ["BatchNorm", "GroupNorm", "InstanceNorm", "LayerNorm", "Normalization"]


class Normalization(Layer):
    """What all share: ``(x - mean) / sqrt(variance + epsilon) · weight + bias``, the shape stays."""

    affine: bool
    epsilon: float

    def _check(self) -> None:
        fill(
            self,
            affine=check_flag(self.kind, "affine", self.affine),
            epsilon=check_number(self.kind, "epsilon", self.epsilon, low=0.0),
        )

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """As the input."""
        return inputs[0]

    def _affine_shape(self, shape: Shape) -> Shape:
        return (shape[0],)

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """``weight`` (γ) and ``bias`` (β), where ``affine``."""
        if not self.affine:
            return ()
        shape = self._affine_shape(inputs[0])
        return Parameter("weight", shape, "scale"), Parameter("bias", shape, "shift")

    def _statistics(self, shape: Shape) -> int:
        """How many means are taken of one image."""
        return 1

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """``5·n + 2·g``, and ``2·n`` where ``affine``, for n numbers in g groups with a mean of their own.

        Mean n, variance 3·n (subtract, square, add up and divide), epsilon and root 2·g, multiply n, scale and shift.
        """
        count = math.prod(output)
        return 5 * count + 2 * self._statistics(output) + (2 * count if self.affine else 0)

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The input, and the mean and the inverse deviation of each group."""
        count = self._statistics(output)
        names = ("mean", "inverse deviation")
        return Footprint((0,), extras=tuple(Extra(name, count, "statistic", inference=True) for name in names))


@dataclass(frozen=True)
class BatchNorm(Normalization):
    """Normalise each channel over the batch and all positions; at inference with running averages.

    Ioffe and Szegedy, "Batch normalization", 2015, algorithms 1 and 2.

    Args:
        epsilon: added to the variance.
        momentum: share of the new batch in the running averages (PyTorch's convention; Keras writes 1 minus it).
        affine: learn a scale and a shift for each channel.
        scale: false: of the two learn the shift alone, the scale stays 1.

    >>> [p.name for p in BatchNorm().parameters(((64, 8, 8),))]
    ['weight', 'bias']
    >>> [p.name for p in BatchNorm(scale=False).parameters(((64, 8, 8),))]
    ['bias']
    """

    epsilon: float = 1e-5
    momentum: float = 0.1
    affine: bool = True
    scale: bool = True

    kind: ClassVar[str] = "batchnorm"
    aliases: ClassVar[tuple[str, ...]] = ("bn", "batchnormalization", "batchnorm1d", "batchnorm2d", "batchnorm3d")

    def __post_init__(self) -> None:
        self._check()
        fill(
            self,
            momentum=check_number(self.kind, "momentum", self.momentum, low=0.0, high=1.0),
            scale=check_flag(self.kind, "scale", self.scale),
        )
        if not (self.affine or self.scale):
            raise LayerError(
                "scale: false has no effect on a batchnorm without scale and shift",
                got="affine: false, scale: false",
                needs="one of them",
                write="affine: false",
            )

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """``weight`` (γ), where ``scale``, and ``bias`` (β), where ``affine``."""
        return tuple(entry for entry in super().parameters(inputs) if self.scale or entry.role != "scale")

    def buffers(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """Running mean and variance, and how many batches they have seen."""
        shape = (inputs[0][0],)
        return (
            Parameter("running_mean", shape, "buffer"),
            Parameter("running_var", shape, "buffer"),
            Parameter("num_batches_tracked", (), "buffer"),
        )

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """One multiplication and one addition for each number: at inference the statistics are constants."""
        return 2 * math.prod(output)

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """The input, and the mean and the inverse deviation of each channel over the batch."""
        names = ("mean", "inverse deviation")
        return Footprint((0,), extras=tuple(Extra(name, output[0], "statistic", shared=True) for name in names))


@dataclass(frozen=True)
class LayerNorm(Normalization):
    """Normalise each image on its own (Ba, Kiros, Hinton, "Layer normalization", 2016, section 3).

    Args:
        over: ``all`` (channels and positions together; one scale for each number) or ``channels`` (at each position,
            over the channels; one scale for each channel, as ConvNeXt does).
        epsilon: added to the variance.
        affine: learn a scale and a shift.
    """

    over: str = "all"
    epsilon: float = 1e-5
    affine: bool = True

    kind: ClassVar[str] = "layernorm"
    aliases: ClassVar[tuple[str, ...]] = ("ln", "layernormalization")
    words: ClassVar[str | None] = "over"

    def __post_init__(self) -> None:
        self._check()
        fill(self, over=check_choice(self.kind, "over", self.over, ("all", "channels")))

    def _affine_shape(self, shape: Shape) -> Shape:
        return shape if self.over == "all" else (shape[0],)

    def _statistics(self, shape: Shape) -> int:
        return 1 if self.over == "all" else math.prod(shape[1:])

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach | Literal["everything"]:
        """The whole map through its mean and variance; one position when normalising over channels."""
        return EVERYTHING if self.over == "all" else SAME_PLACE


@dataclass(frozen=True)
class InstanceNorm(Normalization):
    """Normalise each channel of each image on its own (Ulyanov et al., "Instance normalization", 2016).

    Args:
        epsilon: added to the variance.
        affine: learn a scale and a shift for each channel; off by default, as in PyTorch.
    """

    epsilon: float = 1e-5
    affine: bool = False

    kind: ClassVar[str] = "instancenorm"
    aliases: ClassVar[tuple[str, ...]] = ("instancenorm1d", "instancenorm2d", "instancenorm3d")

    def __post_init__(self) -> None:
        self._check()

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """As the input, which must have more than one position to take a variance of."""
        need_spatial(self.kind, inputs[0])
        if all(size == 1 for size in inputs[0][1:]):
            raise ShapeError(
                "instancenorm has a single position to normalise over",
                got=format_shape(inputs[0]),
                needs="a map larger than 1 along some axis: one value minus its own mean is always 0",
                write="layernorm, or put it before the pooling",
            )
        return inputs[0]

    def _statistics(self, shape: Shape) -> int:
        return shape[0]

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint:
        """As the others; and the scale, repeated for each image, as is the shift, which is not kept."""
        usual = super().footprint(inputs, output, needs)
        scale = Extra("repeated scale", output[0], inference=True)
        shift = Extra("repeated shift", output[0], kept=False, inference=True)
        return Footprint(usual.inputs, extras=(*usual.extras, *((scale, shift) if self.affine else ())))

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach | Literal["everything"]:
        """The whole map, through its mean and variance."""
        return EVERYTHING


@dataclass(frozen=True)
class GroupNorm(Normalization):
    """Normalise groups of channels of each image on their own (Wu and He, "Group normalization", 2018, section 3).

    Args:
        groups: how many groups; must divide the channels.
        epsilon: added to the variance.
        affine: learn a scale and a shift for each channel.
    """

    groups: int
    epsilon: float = 1e-5
    affine: bool = True

    kind: ClassVar[str] = "groupnorm"
    aliases: ClassVar[tuple[str, ...]] = ("gn",)
    positional: ClassVar[tuple[str, ...]] = ("groups",)

    def __post_init__(self) -> None:
        self._check()
        fill(self, groups=check_count(self.kind, "groups", self.groups))

    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """As the input, whose channels must be a multiple of the groups, with more than one value in each group."""
        channels = inputs[0][0]
        if channels % self.groups:
            # Only a sensible number of channels is tried out: text may ask for billions of them.
            divisors = [d for d in range(1, channels + 1) if channels % d == 0] if channels <= 65_536 else []
            nearest = max((d for d in divisors if d <= self.groups), default=math.gcd(channels, self.groups))
            raise ShapeError(
                "groupnorm cannot divide its channels among its groups",
                got=f"{channels} channels, groups: {self.groups}",
                needs=f"a divisor of {channels}" + (f": {', '.join(map(str, divisors))}" if divisors else ""),
                write=f"groups: {nearest}",
            )
        if math.prod(inputs[0]) == self.groups:
            raise ShapeError(
                "groupnorm has a single value in each group to normalise over",
                got=f"{format_shape(inputs[0])}, groups: {self.groups}",
                needs="two values or more in each group: one value minus its own mean is always 0",
                write="fewer groups, or put it before the pooling",
            )
        return inputs[0]

    def _statistics(self, shape: Shape) -> int:
        return self.groups

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach | Literal["everything"]:
        """The whole map, through its mean and variance."""
        return EVERYTHING
