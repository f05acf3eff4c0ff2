"""Nodes that use the tensors of an earlier node: one tensor, under several names of a module."""

from __future__ import annotations

from collections.abc import Container, Mapping

from torch import Tensor, nn

from striate.graph import Graph

__all__ = ["names_once", "share_tensors"]


def share_tensors(module: nn.Module, graph: Graph) -> None:
    """Give every node that shares the tensors of an earlier one that node's own, in place.

    An equal layer is the same module under both names, so that its statistics stay one wherever it is moved; another
    layer is a module of its own with the same parameters.
    """
    for node in graph.nodes:
        if node.shares is None:
            continue
        owner, own = graph[node.shares], module.get_submodule(node.shares)
        place, _, last = node.name.rpartition(".")
        here = module.get_submodule(node.name)
        if owner.layer == node.layer and not any((*own.named_children(), *here.named_children())):
            module.get_submodule(place)._modules[last] = own
            continue
        shapes = graph.input_shapes(node), graph.input_shapes(owner)
        for ours, theirs in zip(node.layer.parameters(shapes[0]), owner.layer.parameters(shapes[1]), strict=True):
            here._parameters[ours.name] = own._parameters[theirs.name]
        for ours, theirs in zip(node.layer.buffers(shapes[0]), owner.layer.buffers(shapes[1]), strict=True):
            here._buffers[ours.name] = own._buffers[theirs.name]


def names_once(held: Mapping[str, Tensor], preferred: Container[str]) -> list[str]:
    """One name for each tensor of a module: the first that is preferred, else its first.

    >>> import torch
    >>> shared = torch.zeros(1)
    >>> names_once({"a": shared, "b": shared, "c": torch.zeros(1)}, {"b"})
    ['b', 'c']
    """
    names: dict[int, str] = {}
    for name, tensor in held.items():
        chosen = names.get(id(tensor))
        if chosen is None or (chosen not in preferred and name in preferred):
            names[id(tensor)] = name
    return list(names.values())
