"""What a network reads, found by gradients: the network with everything that could hide a path made positive, linear.

All weights lie in [0.5, 1) and all biases are 0; maxima become sums over the same taps, activations the identity,
products sums, and a normalisation adds the mean of what it normalises over. Then no two paths cancel, and in float64
the gradient of a unit is 0 exactly where the unit reads nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from properties.positive_parts import more_replacement
from properties.running import node_values, random_inputs
from striate.backend import build_module
from striate.graph import Graph, Node
from striate.graph.attributes import per_axis
from striate.graph.layers.activation import Activation
from striate.graph.layers.global_pooling import AdaptiveMaxPool, GlobalMaxPool
from striate.graph.layers.merge import Multiply
from striate.graph.layers.normalization import BatchNorm, LayerNorm, Normalization
from striate.graph.layers.pooling import MaxPool

__all__ = ["gradient_support", "positive_module"]

Support = tuple[frozenset[int], ...]


class _Sum(nn.Module):
    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            first = first + other
        return first


class _AddMean(nn.Module):
    """x plus the mean over every axis but the batch (``all``: channels too, ``False``: only the channels)."""

    def __init__(self, channels_only: bool) -> None:
        super().__init__()
        self.channels_only = channels_only

    def forward(self, input: Tensor) -> Tensor:
        axes = [1] if self.channels_only else list(range(1, input.dim()))
        return input + input.mean(axes, keepdim=True)


class _Mean(nn.Module):
    def __init__(self, keep: bool) -> None:
        super().__init__()
        self.keep = keep

    def forward(self, input: Tensor) -> Tensor:
        return input.mean(tuple(range(2, input.dim())), keepdim=self.keep)


class _WindowSum(nn.Module):
    """The sum over the taps that a max pooling of torch looks at, as a depthwise convolution with ones."""

    def __init__(self, layer: MaxPool, rank: int, output: tuple[int, ...]) -> None:
        super().__init__()
        self.kernel = per_axis("", "", layer.kernel, rank)
        self.stride = self.kernel if layer.stride is None else per_axis("", "", layer.stride, rank)
        self.dilation = per_axis("", "", layer.dilation, rank)
        self.output = output
        spans = [d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True)]
        if layer.padding == "same":
            self.before = [(span - 1) // 2 for span in spans]
        else:
            padding = (0,) * rank if layer.padding == "valid" else layer.padding
            entries = (padding,) * rank if isinstance(padding, int) else padding
            self.before = [entry if isinstance(entry, int) else entry[0] for entry in entries]
        self.spans = spans

    def forward(self, input: Tensor) -> Tensor:
        pads: list[int] = []
        for size, out, span, stride, before in zip(
            input.shape[2:], self.output, self.spans, self.stride, self.before, strict=True
        ):
            # Just as much behind as the last window needs (cutting off what no window reaches).
            pads = [before, (out - 1) * stride + span - size - before, *pads]
        channels = input.shape[1]
        ones = torch.ones((channels, 1, *self.kernel), dtype=input.dtype)
        convolve = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}[len(self.kernel)]
        return convolve(functional.pad(input, pads), ones, stride=self.stride, dilation=self.dilation, groups=channels)


def _replacement(node: Node, graph: Graph) -> nn.Module | None:
    layer, shape = node.layer, graph.shapes[node.name]
    rank = len(shape) - 1
    if isinstance(layer, Activation):
        return nn.Identity()
    if isinstance(layer, Multiply):
        return _Sum()
    if isinstance(layer, MaxPool):
        return _WindowSum(layer, rank, shape[1:])
    if isinstance(layer, AdaptiveMaxPool):
        cls = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}[rank]
        return cls(per_axis("", "", layer.size, rank))
    if isinstance(layer, GlobalMaxPool):
        return _Mean(layer.keep)
    if isinstance(layer, Normalization) and not isinstance(layer, BatchNorm):
        return _AddMean(channels_only=isinstance(layer, LayerNorm) and layer.over == "channels")
    return None


def positive_module(graph: Graph) -> fx.GraphModule:
    """The network in float64, in eval mode, positive and linear."""
    module = build_module(graph, seed=None).double().eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in graph.parameters():
            if parameter.role == "weight":
                values = torch.rand(parameter.shape, generator=generator, dtype=torch.float64) / 2 + 0.5
                module.get_parameter(name).copy_(values)
    for node in graph.nodes:
        if not node.inputs:
            continue
        positive = _replacement(node, graph) or more_replacement(node, graph, module.get_submodule(node.name))
        if positive is not None:
            module.set_submodule(node.name, positive)
    return module


def gradient_support(graph: Graph, node: str, position: tuple[int, ...]) -> list[Support]:
    """For each input of the graph and each of its spatial axes: the indices that a unit's gradient reaches.

    The unit is all channels of ``node`` at ``position`` (empty for a vector), together.
    """
    inputs = [entry.requires_grad_() for entry in random_inputs(graph, batch=1, dtype=torch.float64)]
    value = node_values(positive_module(graph), *inputs)[node]
    unit = value[(0, slice(None), *position)].sum()
    gradients = torch.autograd.grad(unit, inputs, allow_unused=True)
    supports = []
    for entry, gradient in zip(inputs, gradients, strict=True):
        nonzero = torch.zeros(entry.shape, dtype=torch.bool) if gradient is None else gradient != 0
        places = nonzero[0].any(0)
        supports.append(
            tuple(
                frozenset(places.movedim(axis, 0).flatten(1).any(1).nonzero().flatten().tolist())
                if places.dim() > 1
                else frozenset(places.nonzero().flatten().tolist())
                for axis in range(places.dim())
            )
        )
    return supports
