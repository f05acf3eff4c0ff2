"""The dense layer in PyTorch."""

from __future__ import annotations

from torch import nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.dense import Dense

__all__: list[str] = []


@operation(Dense)
def _dense(layer: Dense, inputs: Shapes) -> nn.Module:
    return nn.Linear(inputs[0][0], layer.units, bias=layer.bias)
