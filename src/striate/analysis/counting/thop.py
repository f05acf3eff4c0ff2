"""thop 0.1.1: hooks on the module types it knows, by their exact type; 0 for every other."""

from __future__ import annotations

import math

from striate.analysis.counting.reading import FUNCTION, Amounts, Reading, Rules
from striate.graph.layers.activation import Softmax
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.global_pooling import AdaptiveAvgPool, GlobalAvgPool
from striate.graph.layers.normalization import BatchNorm, InstanceNorm, LayerNorm
from striate.graph.layers.pooling import AvgPool
from striate.graph.layers.prelu import PReLU
from striate.graph.layers.resample import Resize, Upsample
from striate.graph.layers.transposed_convolution import ConvTranspose

__all__ = ["RULES"]

#: Operations for each output of an interpolation, by the number of axes; trilinear is taken for none.
_INTERPOLATION = {1: 5, 2: 11, 3: 0}


def _multiplied(reading: Reading) -> Amounts:
    return [(FUNCTION, -reading.macs)] if reading.function else []


def _transposed(reading: Reading) -> Amounts:
    if reading.function:
        return [(FUNCTION, -reading.macs)]
    channels, *taps = reading.layer.parameters(reading.inputs)[0].shape
    by_output = reading.leaving * (channels // reading.layer.groups) * math.prod(taps[1:])
    return [("a transposed convolution is counted at its output positions", by_output - reading.macs)]


def _normalization(reading: Reading) -> Amounts:
    layer = reading.layer
    # What normalises the channels of a map is a class of its own in ConvNeXt, which thop does not know.
    unknown = isinstance(layer, LayerNorm) and layer.over == "channels" and reading.rank > 0 and not reading.module
    if reading.function or unknown:
        return []
    factor = 4 if layer.affine else 2
    return [("normalisation: 2 for each number, 4 with scale and shift", factor * reading.arriving)]


def _average(reading: Reading) -> Amounts:
    return [] if reading.function else [("average pooling: 1 for each output", reading.leaving)]


def _adaptive(reading: Reading) -> Amounts:
    if reading.function:
        return []
    sizes = reading.output[1:] or (1,) * reading.rank
    window = math.prod(size / count for size, count in zip(reading.inputs[0][1:], sizes, strict=True))
    return [("adaptive pooling: window + 1 for each output", int((window + 1) * reading.leaving))]


def _softmax(reading: Reading) -> Amounts:
    channels, *places = reading.output
    return [] if reading.function else [("softmax: 3·C - 1 at each place", math.prod(places) * (3 * channels - 1))]


def _slopes(reading: Reading) -> Amounts:
    return [] if reading.function else [("prelu: 1 for each number", reading.arriving)]


def _upsample(reading: Reading) -> Amounts:
    if reading.function:
        return []
    factor = _INTERPOLATION[reading.rank] if reading.layer.mode == "linear" else 1
    return [("interpolation: 1, 5 (linear) or 11 (bilinear) for each output", factor * reading.leaving)]


RULES: Rules = {
    Conv: _multiplied,
    ConvTranspose: _transposed,
    Dense: _multiplied,
    **dict.fromkeys((BatchNorm, InstanceNorm, LayerNorm), _normalization),
    AvgPool: _average,
    **dict.fromkeys((AdaptiveAvgPool, GlobalAvgPool), _adaptive),
    Softmax: _softmax,
    PReLU: _slopes,
    **dict.fromkeys((Resize, Upsample), _upsample),
}
