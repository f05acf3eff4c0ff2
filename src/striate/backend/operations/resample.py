"""Resampling in PyTorch: its own interpolation; the modules below where it would miss a pixel, or needs a reference."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from striate.backend.registry import Shapes, operation
from striate.graph.attributes import per_axis
from striate.graph.layers.resample import Resize, ResizeLike, Upsample
from striate.units import Shape

__all__ = ["InterpolateLike", "WholeNearest", "torch_is_exact"]

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}

# torch's `nearest` computes floor(y · float32(1 / scale)), which is one pixel off for some scales from 41 on;
# `nearest-exact` computes floor((y + 1/2) · float32(1 / scale)), which is right, but not every exporter knows it.
_LARGEST_NEAREST = 40


def torch_is_exact(size: int, outputs: int) -> bool:
    """Whether torch's ``nearest``, which computes in float32, takes the pixels ``floor(y · size / outputs)``.

    >>> torch_is_exact(7, 14), torch_is_exact(3, 123)
    (True, False)
    """
    if outputs == size or outputs == 2 * size:
        return True
    places = torch.arange(outputs, device="cpu")
    exact = places * size // outputs
    scale = torch.tensor(size, dtype=torch.float32, device="cpu") / outputs
    return bool(((places.float() * scale).floor().long().clamp(max=size - 1) == exact).all())


class WholeNearest(nn.Module):
    """The nearest pixel, ``floor(y · n / m)``, in whole numbers.

    Args:
        size: of the output, for each spatial axis; None: that of a reference.
    """

    def __init__(self, size: tuple[int, ...] | None) -> None:
        super().__init__()
        self.size = size

    def forward(self, input: Tensor, *reference: Tensor) -> Tensor:
        """(batch, channels, *spatial) → (batch, channels, *size)."""
        for axis, wanted in enumerate(reference[0].shape[2:] if self.size is None else self.size, start=2):
            places = torch.arange(wanted, device=input.device) * input.shape[axis] // wanted
            input = input.index_select(axis, places)
        return input

    def extra_repr(self) -> str:
        """The attributes."""
        return f"size={'of the reference' if self.size is None else self.size}"


class InterpolateLike(nn.Module):
    """A map brought to the spatial size of another.

    Args:
        mode: as `torch.nn.functional.interpolate` names it.
        align_corners: as there; None for ``nearest``.
    """

    def __init__(self, mode: str, align_corners: bool | None) -> None:
        super().__init__()
        self.mode, self.align_corners = mode, align_corners

    def forward(self, input: Tensor, reference: Tensor) -> Tensor:
        """(batch, channels, *spatial) and a reference → (batch, channels, *the reference's spatial sizes)."""
        return functional.interpolate(input, reference.shape[2:], mode=self.mode, align_corners=self.align_corners)

    def extra_repr(self) -> str:
        """The attributes."""
        return f"mode={self.mode}, align_corners={self.align_corners}"


@operation(Upsample)
def _upsample(layer: Upsample, inputs: Shapes) -> nn.Module:
    rank = len(inputs[0]) - 1
    scales = per_axis(layer.kind, "scale", layer.scale, rank)
    factors = tuple(float(scale) for scale in scales)
    if layer.mode == "linear":
        return nn.Upsample(scale_factor=factors, mode=_LINEAR[rank], align_corners=layer.align_corners)
    return nn.Upsample(scale_factor=factors, mode="nearest" if max(scales) <= _LARGEST_NEAREST else "nearest-exact")


@operation(Resize)
def _resize(layer: Resize, inputs: Shapes) -> nn.Module:
    sizes = layer.output_shape(inputs)[1:]
    if layer.mode == "linear":
        return nn.Upsample(sizes, mode=_LINEAR[len(sizes)], align_corners=layer.align_corners)
    return nn.Upsample(sizes, mode="nearest") if _exact(inputs[0], sizes) else WholeNearest(sizes)


@operation(ResizeLike)
def _resize_like(layer: ResizeLike, inputs: Shapes) -> nn.Module:
    sizes = inputs[1][1:]
    if layer.mode == "linear":
        return InterpolateLike(_LINEAR[len(sizes)], layer.align_corners)
    return InterpolateLike("nearest", None) if _exact(inputs[0], sizes) else WholeNearest(None)


def _exact(shape: Shape, sizes: tuple[int, ...]) -> bool:
    return all(torch_is_exact(size, wanted) for size, wanted in zip(shape[1:], sizes, strict=True))
