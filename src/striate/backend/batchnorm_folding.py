"""Batch normalisation folded into the layer before it: the same network at inference, with fewer layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from striate.graph import Graph, Node
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.normalization import BatchNorm
from striate.graph.layers.transposed_convolution import ConvTranspose

__all__ = ["fold_batchnorm"]


def fold_batchnorm(graph: Graph, weights: Mapping[str, torch.Tensor]) -> tuple[Graph, dict[str, torch.Tensor]]:
    """The network at inference without the batch normalisations that follow a convolution or dense layer.

    With ``s = γ / sqrt(variance + ε)`` the folded layer has the weight ``s·w`` and the bias ``s·(b − mean) + β``
    (Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only inference",
    section 3.2, equation 14). The products are taken in float64 and stored in the type of the weight. In training the
    network would not be the same: the statistics of the batch are gone.

    Args:
        graph: any network; it stays as it is.
        weights: its tensors under ``<node>.<name>``; they stay as they are.

    Returns:
        The smaller network and its tensors; what is not folded is handed on.

    >>> from striate.backend import build_module
    >>> from striate.graph import network
    >>> net = network("n", (1, 8, 8)).conv(4, 3, bias=False).batchnorm().relu().build()
    >>> folded, tensors = fold_batchnorm(net, build_module(net).state_dict())
    >>> [node.layer.kind for node in folded.nodes], list(tensors)
    (['input', 'conv', 'relu'], ['conv1.weight', 'conv1.bias'])
    """
    pairs = _pairs(graph)
    if not pairs:
        return graph, dict(weights)
    gone = {norm.name: linear.name for linear, norm in pairs.values()}
    tensors = {name: tensor for name, tensor in weights.items() if name.rpartition(".")[0] not in gone}
    nodes = []
    for node in graph.nodes:
        if node.name in gone:
            continue
        layer = node.layer
        if node.name in pairs:
            layer = replace(layer, bias=True)  # type: ignore[type-var]
            tensors.update(_folded(node, pairs[node.name][1], weights))
        nodes.append(replace(node, layer=layer, inputs=tuple(gone.get(name, name) for name in node.inputs)))
    folded = replace(graph, nodes=tuple(nodes), outputs=tuple(gone.get(name, name) for name in graph.outputs))
    order = [name for name, _ in folded.parameters()]
    return folded, {**{name: tensors[name] for name in order}, **tensors}


def _folded(linear: Node, norm: Node, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The new weight and bias of one layer."""
    weight = weights[f"{linear.name}.weight"]
    assert isinstance(norm.layer, BatchNorm)
    variance = weights[f"{norm.name}.running_var"].double()
    scale = (variance + norm.layer.epsilon).rsqrt()
    shift = torch.zeros_like(scale)
    if norm.layer.affine and norm.layer.scale:
        scale = scale * weights[f"{norm.name}.weight"].double()
    if norm.layer.affine:
        shift = weights[f"{norm.name}.bias"].double()
    old = weights.get(f"{linear.name}.bias")
    bias = torch.zeros_like(scale) if old is None else old.double()
    axis = 1 if isinstance(linear.layer, ConvTranspose) else 0
    shape = [1] * weight.dim()
    shape[axis] = -1
    groups = getattr(linear.layer, "groups", 1)
    if axis == 1 and groups > 1:  # (in, out / groups, …): each group of inputs has its own outputs
        rows = scale.reshape(groups, 1, -1).expand(groups, weight.shape[0] // groups, -1).reshape(weight.shape[0], -1)
        factor = rows.reshape(weight.shape[0], weight.shape[1], *[1] * (weight.dim() - 2))
    else:
        factor = scale.reshape(shape)
    return {
        f"{linear.name}.weight": (weight.double() * factor).to(weight.dtype),
        f"{linear.name}.bias": ((bias - weights[f"{norm.name}.running_mean"].double()) * scale + shift).to(
            weight.dtype
        ),
    }


def _pairs(graph: Graph) -> dict[str, tuple[Node, Node]]:
    """By the name of the layer: each layer that only a batch normalisation reads, with that."""
    readers: dict[str, list[Node]] = {node.name: [] for node in graph.nodes}
    shared = {node.shares for node in graph.nodes if node.shares} | {node.name for node in graph.nodes if node.shares}
    for node in graph.nodes:
        for name in node.inputs:
            readers[name].append(node)
    found = {}
    for node in graph.nodes:
        if not isinstance(node.layer, Conv | ConvTranspose | Dense) or node.name in graph.outputs:
            continue
        if len(readers[node.name]) != 1 or node.name in shared:
            continue
        norm = readers[node.name][0]
        if isinstance(norm.layer, BatchNorm) and norm.name not in shared:
            found[node.name] = (node, norm)
    return found
