"""Flattening whose gradient keeps the memory order of the maps, for training in channels-last order."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from striate.graph import Graph
from striate.graph.layers.reshape import Flatten

__all__ = ["FlattenMaps", "flattens_maps", "with_flat_gradients"]


def flattens_maps(graph: Graph) -> bool:
    """Whether a network flattens maps of two spatial axes.

    >>> from striate.graph import network
    >>> flattens_maps(network("n", (1, 8, 8)).conv(4, 3).flatten().dense(2).build())
    True
    """
    return bool(_flattened(graph))


def with_flat_gradients(graph: Graph, module: nn.Module) -> nn.Module:
    """Flatten maps by :class:`FlattenMaps`; the numbers stay as they are.

    Args:
        graph: the network.
        module: built from it by :func:`striate.backend.build_module`; it is changed.

    Returns:
        The same module.
    """
    for name in _flattened(graph):
        old = module.get_submodule(name)
        if type(old) is nn.Flatten:
            new = FlattenMaps(1).train(old.training)
            for part, inner in old.named_children():
                new.add_module(part, inner)
            module.set_submodule(name, new)
    return module


def _flattened(graph: Graph) -> list[str]:
    return [
        node.name for node in graph.nodes if isinstance(node.layer, Flatten) and len(graph.input_shapes(node)[0]) == 3
    ]


class FlattenMaps(nn.Flatten):
    """``torch.nn.Flatten(1)`` whose gradient has the memory order of the maps.

    Maps in channels-last order are copied when they are flattened, and torch gives their gradient in the order of the
    copy. The layers before would go through two orders at once, which takes several times as long as one more copy. It
    is for training: what transforms modules (tracing, scripting, forward-mode derivatives) knows torch's own better.

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
