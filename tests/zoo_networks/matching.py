"""A network of the zoo by its name against a plain PyTorch module, with the constants that no tensor shows."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from striate import zoo
from striate.backend import build_module
from striate.units import Shape
from zoo_networks.comparison import assert_equal_outputs, assert_equal_state

__all__ = ["Oracle", "assert_same_outputs", "assert_same_structure"]

Oracle = Callable[[int, int], nn.Module]
"""From input channels and classes to a module."""


def assert_same_structure(name: str, oracle: Oracle) -> None:
    """At the network's own size: the oracle's tensors in the oracle's order, and its constants; nothing is computed."""
    entry = zoo.find(name)
    assert entry is not None
    with torch.device("meta"):
        theirs = oracle(entry.input[0], entry.classes)
    graph = entry.build()
    assert_equal_state(graph, theirs)
    ours = build_module(graph, device="meta")
    modules = dict(ours.named_modules())
    for key, module in theirs.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            assert (modules[key].eps, modules[key].momentum) == (module.eps, module.momentum), key
    assert _dropouts(ours) == _dropouts(theirs)


def _dropouts(module: nn.Module) -> list[float]:
    return [entry.p for entry in module.modules() if isinstance(entry, nn.Dropout)]


def assert_same_outputs(name: str, oracle: Oracle, input: Shape, classes: int | None) -> None:
    """With the oracle's random weights, loaded strictly, the network gives the oracle's outputs.

    ``classes`` is None for a network that tells none apart.
    """
    with torch.device("meta"):
        theirs = oracle(input[0], classes or 0)
    assert_equal_outputs(zoo.build(name, input, classes), theirs)
