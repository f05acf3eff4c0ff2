"""fvcore 0.1.5: operators of a trace; 0 for every operator it does not know."""

from __future__ import annotations

from striate.analysis.counting.reading import Amounts, Reading, Rules, nothing
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.global_pooling import AdaptiveAvgPool, GlobalAvgPool
from striate.graph.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from striate.graph.layers.resample import Resize, ResizeLike, Upsample
from striate.graph.layers.transposed_convolution import ConvTranspose

__all__ = ["RULES"]


def _convolution(reading: Reading) -> Amounts:
    # Conv2d(padding="same") calls aten::_convolution_mode, which is not in its table. With another padding mode torch
    # pads first and calls the usual operator.
    word = reading.layer.padding in ("same", "valid") and reading.layer.padding_mode == "zero"
    return [("a convolution with padding as a word is an operator it does not know", -reading.macs)] if word else []


def _batch(reading: Reading) -> Amounts:
    # It looks at the scale alone.
    factor = 2 if reading.layer.affine and reading.layer.scale else 1
    return [("batch normalisation: 1 for each number, 2 with a scale", factor * reading.arriving)]


def _normalization(reading: Reading) -> Amounts:
    factor = 5 if reading.layer.affine else 4
    return [("normalisation: 4 for each number, 5 with scale and shift", factor * reading.arriving)]


def _adaptive(reading: Reading) -> Amounts:
    return [("adaptive average pooling: 1 for each input number", reading.arriving)] if reading.rank == 2 else []


def _upsample(reading: Reading) -> Amounts:
    factor = 4 if reading.layer.mode == "linear" else 1
    reason = "interpolation: 1 (nearest) or 4 (bilinear) for each output"
    return [(reason, factor * reading.leaving)] if reading.rank == 2 else []


RULES: Rules = {
    Conv: _convolution,
    ConvTranspose: nothing,
    Dense: nothing,
    BatchNorm: _batch,
    **dict.fromkeys((GroupNorm, InstanceNorm, LayerNorm), _normalization),
    **dict.fromkeys((AdaptiveAvgPool, GlobalAvgPool), _adaptive),
    **dict.fromkeys((Resize, ResizeLike, Upsample), _upsample),
}
