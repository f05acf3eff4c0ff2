"""Activations in PyTorch. None works in place, so that every node's value can be looked at."""

from __future__ import annotations

from torch import nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.activation import GELU, Hardswish, LeakyReLU, ReLU, Sigmoid, SiLU, Softmax, Tanh

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
