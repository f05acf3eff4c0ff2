"""Activations in PyTorch. None works in place, so that every node's value can be looked at."""

from __future__ import annotations

from torch import nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.activation import GELU, Hardswish, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh
from striate.graph.layers.clipped import Hardsigmoid, ReLU6
from striate.graph.layers.prelu import PReLU
from striate.graph.layers.smooth import ELU, Mish, Softplus

__all__: list[str] = []


@operation(ReLU)
def _relu(layer: ReLU, inputs: Shapes) -> nn.Module:
    return nn.ReLU()


@operation(LeakyReLU)
def _leaky_relu(layer: LeakyReLU, inputs: Shapes) -> nn.Module:
    return nn.LeakyReLU(layer.slope)


@operation(SiLU)
def _silu(layer: SiLU, inputs: Shapes) -> nn.Module:
    return nn.SiLU()


@operation(GELU)
def _gelu(layer: GELU, inputs: Shapes) -> nn.Module:
    return nn.GELU(approximate=layer.approximate)


@operation(Sigmoid)
def _sigmoid(layer: Sigmoid, inputs: Shapes) -> nn.Module:
    return nn.Sigmoid()


@operation(Tanh)
def _tanh(layer: Tanh, inputs: Shapes) -> nn.Module:
    return nn.Tanh()


@operation(Hardswish)
def _hardswish(layer: Hardswish, inputs: Shapes) -> nn.Module:
    return nn.Hardswish()


@operation(Softmax)
def _softmax(layer: Softmax, inputs: Shapes) -> nn.Module:
    return nn.Softmax(dim=1)


@operation(ReLU6)
def _relu6(layer: ReLU6, inputs: Shapes) -> nn.Module:
    return nn.ReLU6()


@operation(Hardsigmoid)
def _hardsigmoid(layer: Hardsigmoid, inputs: Shapes) -> nn.Module:
    return nn.Hardsigmoid()


@operation(ELU)
def _elu(layer: ELU, inputs: Shapes) -> nn.Module:
    return nn.ELU(layer.alpha)


@operation(PReLU)
def _prelu(layer: PReLU, inputs: Shapes) -> nn.Module:
    return nn.PReLU(inputs[0][0] if layer.channels else 1, init=layer.initial)


@operation(Mish)
def _mish(layer: Mish, inputs: Shapes) -> nn.Module:
    return nn.Mish()


@operation(Softplus)
def _softplus(layer: Softplus, inputs: Shapes) -> nn.Module:
    return nn.Softplus()
