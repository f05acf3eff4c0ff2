"""ptflops 0.7.5, both backends: hooks on modules and on functions (the default), and PyTorch's dispatcher (aten)."""

from __future__ import annotations

import math

from striate.analysis.counting.reading import FUNCTION, Amounts, Reading, Rule, Rules, bias
from striate.graph.layers.activation import GELU, LeakyReLU, ReLU, SiLU, Softmax
from striate.graph.layers.clipped import ReLU6
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.global_pooling import AdaptiveAvgPool, AdaptiveMaxPool, GlobalAvgPool, GlobalMaxPool
from striate.graph.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LayerNorm
from striate.graph.layers.pooling import AvgPool, MaxPool
from striate.graph.layers.prelu import PReLU
from striate.graph.layers.resample import Resize, ResizeLike, Upsample
from striate.graph.layers.response_norm import LocalResponseNorm
from striate.graph.layers.smooth import ELU
from striate.graph.layers.transposed_convolution import ConvTranspose

__all__ = ["ATEN_RULES", "RULES"]

_TWICE = ": counted at the module, and again at the function it calls"


def _multiplied(reading: Reading) -> Amounts:
    return [(FUNCTION, -reading.macs)] if reading.function else bias(reading)


def _normalization(reading: Reading) -> Amounts:
    layer = reading.layer
    unknown = isinstance(layer, LayerNorm) and layer.over == "channels" and reading.rank > 0 and not reading.module
    if reading.function or unknown:
        return []
    # The rule asks for `affine`; torch's LayerNorm calls it `elementwise_affine`.
    factor = 2 if layer.affine and not isinstance(layer, LayerNorm) else 1
    return [("normalisation: 1 for each number, 2 with scale and shift (layernorm: 1)", factor * reading.arriving)]


def _seen(what: str, *, module: bool, function: bool, outputs: bool = False) -> Rule:
    """One for each number, at the module, at the function, or at both."""

    def rule(reading: Reading) -> Amounts:
        count = reading.leaving if outputs else reading.arriving
        times = function + (module and not reading.function)
        each = "output" if outputs else "input number"
        reason = f"{what}: 1 for each {each}" + (_TWICE if times == 2 else "")
        return [(reason, times * count)] if times else []

    return rule


def _response(reading: Reading) -> Amounts:
    """The function squares by ``mul``, averages over padded channels, multiplies and adds: all are patched."""
    layer, shape = reading.layer, reading.inputs[0]
    padded = (shape[0] + layer.size - 1) * math.prod(shape[1:])
    return [("local response normalisation: its mul, average, mul and add", 3 * reading.arriving + padded)]


_BOTH = {"module": True, "function": True}

RULES: Rules = {
    **dict.fromkeys((Conv, ConvTranspose, Dense), _multiplied),
    **dict.fromkeys((BatchNorm, GroupNorm, InstanceNorm, LayerNorm), _normalization),
    **dict.fromkeys((ReLU, GELU, ELU, PReLU), _seen("activation", **_BOTH)),
    LeakyReLU: _seen("activation", module=True, function=False),
    **dict.fromkeys((SiLU, Softmax), _seen("activation", module=False, function=True)),
    **dict.fromkeys(
        (MaxPool, AvgPool, AdaptiveAvgPool, AdaptiveMaxPool, GlobalAvgPool, GlobalMaxPool), _seen("pooling", **_BOTH)
    ),
    **dict.fromkeys((Resize, Upsample), _seen("interpolation", outputs=True, **_BOTH)),
    ResizeLike: _seen("interpolation", module=False, function=True, outputs=True),
    LocalResponseNorm: _response,
}


def _relu6(reading: Reading) -> Amounts:
    # The module calls hardtanh, which is not patched; F.relu6 is.
    return [("activation: 1 for each input number", reading.arriving)]


RULES = {**RULES, ReLU6: _relu6}

#: The dispatcher sees every convolution and matrix product, whoever calls it.
ATEN_RULES: Rules = dict.fromkeys((Conv, ConvTranspose, Dense), bias)
