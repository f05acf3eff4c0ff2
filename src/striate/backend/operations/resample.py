"""Upsampling in PyTorch."""

from __future__ import annotations

from torch import nn

from striate.backend.registry import Shapes, operation
from striate.graph.attributes import per_axis
from striate.graph.layers.resample import Upsample

__all__: list[str] = []

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}

# torch's `nearest` computes floor(y · float32(1 / scale)), which is one pixel off for some scales from 41 on;
# `nearest-exact` computes floor((y + 1/2) · float32(1 / scale)), which is right, but not every exporter knows it.
_LARGEST_NEAREST = 40


@operation(Upsample)
def _upsample(layer: Upsample, inputs: Shapes) -> nn.Module:
    rank = len(inputs[0]) - 1
    scales = per_axis(layer.kind, "scale", layer.scale, rank)
    factors = tuple(float(scale) for scale in scales)
    if layer.mode == "linear":
        return nn.Upsample(scale_factor=factors, mode=_LINEAR[rank], align_corners=False)
    return nn.Upsample(scale_factor=factors, mode="nearest" if max(scales) <= _LARGEST_NEAREST else "nearest-exact")
