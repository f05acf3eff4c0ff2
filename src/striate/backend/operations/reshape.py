"""Flatten and identity in PyTorch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.reshape import Flatten, Identity

__all__ = ["FlattenMaps"]


class FlattenMaps(nn.Flatten):
    """``torch.nn.Flatten(1)`` whose gradient has the memory order of the maps.

    Maps in channels-last order are copied when they are flattened, and torch gives their gradient in the order of the
    copy. The layers before would go through two orders at once, which takes several times as long as one more copy.

    >>> maps = torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last).requires_grad_()
    >>> (gradient,) = torch.autograd.grad(FlattenMaps()(maps).square().sum(), maps)
    >>> gradient.is_contiguous(memory_format=torch.channels_last)
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        """(batch, …) → (batch, numbers)."""
        channels_last = input.dim() == 4 and input.is_contiguous(memory_format=torch.channels_last)
        if input.requires_grad and channels_last and not input.is_contiguous():
            flat: Tensor = _Flattened.apply(input)  # type: ignore[no-untyped-call]
            return flat
        return super().forward(input)


class _Flattened(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(maps: Tensor) -> Tensor:
        return maps.flatten(1)

    @staticmethod
    def setup_context(context: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        context.shape = inputs[0].shape

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        # As a copy in the order (batch, height, width, channels), which also a batch of gradients can be brought to.
        return gradient.reshape(context.shape).permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)


@operation(Flatten)
def _flatten(layer: Flatten, inputs: Shapes) -> nn.Module:
    return FlattenMaps(1)


@operation(Identity)
def _identity(layer: Identity, inputs: Shapes) -> nn.Module:
    return nn.Identity()
