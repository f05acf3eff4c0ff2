"""Flatten and identity in PyTorch."""

from __future__ import annotations

from torch import nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.reshape import Flatten, Identity

__all__: list[str] = []


@operation(Flatten)
def _flatten(layer: Flatten, inputs: Shapes) -> nn.Module:
    return nn.Flatten(1)


@operation(Identity)
def _identity(layer: Identity, inputs: Shapes) -> nn.Module:
    return nn.Identity()
