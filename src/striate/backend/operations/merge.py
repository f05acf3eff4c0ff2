"""Merges in PyTorch: small modules without parameters, so that each node is a module one can hook."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.merge import Add, Concat, Multiply

__all__ = ["Concatenation", "Product", "Sum"]


class Sum(nn.Module):
    """The sum of maps of one shape."""

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        """Maps of one shape → their sum, added from left to right."""
        for other in others:
            first = first + other
        return first


class Product(nn.Module):
    """The product of maps; an axis of size 1 is repeated."""

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        """Maps that broadcast → their product, multiplied from left to right."""
        for other in others:
            first = first * other
        return first


class Concatenation(nn.Module):
    """Channels one after the other."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """(batch, channels_i, *spatial) → (batch, Σ channels_i, *spatial)."""
        return torch.cat(inputs, dim=1)


@operation(Add)
def _add(layer: Add, inputs: Shapes) -> nn.Module:
    return Sum()


@operation(Multiply)
def _multiply(layer: Multiply, inputs: Shapes) -> nn.Module:
    return Product()


@operation(Concat)
def _concat(layer: Concat, inputs: Shapes) -> nn.Module:
    return Concatenation()
