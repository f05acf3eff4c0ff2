"""torchinfo 1.8: parameters × output positions where the class name contains "Conv", else parameters, leaf by leaf."""

from __future__ import annotations

import math

from striate.analysis.counting.reading import FUNCTION, Amounts, Reading, Rules, bias
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from striate.graph.layers.prelu import PReLU
from striate.graph.layers.transposed_convolution import ConvTranspose

__all__ = ["RULES"]


def _with_bias(reading: Reading) -> Amounts:
    return [(FUNCTION, -reading.macs)] if reading.function else bias(reading)


def _transposed(reading: Reading) -> Amounts:
    if reading.function:
        return [(FUNCTION, -reading.macs)]
    by_output = reading.weights * (reading.places - math.prod(reading.inputs[0][1:]))
    return [("a transposed convolution is counted at its output positions", by_output), *bias(reading)]


def _parameters(reading: Reading) -> Amounts:
    return [] if reading.function else [("each parameter of a normalisation or slope counts once", reading.parameters)]


def _linear(reading: Reading) -> Amounts:
    if reading.function:
        return [(FUNCTION, -reading.macs)]
    once = [("a linear layer counts once, not at each position", reading.weights - reading.macs)]
    bias = [("the bias is counted, one for each output", reading.output[0])] if reading.layer.bias else []
    return [*(once if reading.places > 1 else []), *bias]


RULES: Rules = {
    Conv: _with_bias,
    ConvTranspose: _transposed,
    Dense: _linear,
    **dict.fromkeys((BatchNorm, GroupNorm, InstanceNorm, LayerNorm, PReLU), _parameters),
}
