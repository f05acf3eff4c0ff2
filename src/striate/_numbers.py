"""The verbs that look at a network: each loads it from whatever describes it, and asks ``striate.analysis``.

Offered as ``striate.inspect`` and so on; no weights, no torch.
"""

from __future__ import annotations

# `typing` would slow the command line down; type checkers take this name for theirs.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from torch import nn

    from striate.analysis import Comparison, CostReport, Derivation, MemoryReport, Report
    from striate.graph import Graph
    from striate.units import Shape

    #: Whatever describes a network, and the shape of one image of each of its inputs.
    Network = str | Path | Graph | nn.Module
    Images = Shape | tuple[Shape, ...]

__all__ = ["compare", "cost", "derive", "edit", "inspect", "memory"]


def inspect(net: Network, *, input: Images | None = None, classes: int | None = None) -> Report:
    """The exact numbers of a network: shapes, parameters, MACs, receptive fields. No weights, no torch.

    Args:
        net, input, classes: as :func:`load` takes them.

    Raises:
        NetworkError, UsageError: as :func:`load`.

    >>> report = inspect("mnist-cnn")
    >>> report.parameters, report.macs, report.nodes[-1].shape
    (421642, 4241152, (10,))
    """
    from striate.analysis.report import inspect
    from striate.sources import load

    return inspect(load(net, input=input, classes=classes))


def derive(net: Network, layer: str, *, input: Images | None = None, classes: int | None = None) -> Derivation:
    """How each number of one layer follows, step by step.

    Args:
        net, input, classes: as :func:`load` takes them.
        layer: the name of a node, as :func:`inspect` lists it.

    Raises:
        UsageError: when the network has no such layer.
        NetworkError: as :func:`load`.

    >>> [step.numbers for step in derive("simple-cnn", "conv1").shape][:1]
    ['floor((32 + 1 + 1 - 3) / 1) + 1']
    """
    from striate.analysis.derivation import derive
    from striate.sources import load

    return derive(load(net, input=input, classes=classes), layer)


def cost(net: Network, *, input: Images | None = None, classes: int | None = None) -> CostReport:
    """The multiply-adds of a forward and a backward pass for one image, and every other operation, node by node.

    Args:
        net, input, classes: as :func:`load` takes them.

    Raises:
        NetworkError, UsageError: as :func:`load`.

    >>> report = cost("lenet-5")
    >>> report.macs, report.backward, report.operations, report.uncounted
    (416520, 715440, 19330, ())
    """
    from striate.analysis.cost_report import cost
    from striate.sources import load

    return cost(load(net, input=input, classes=classes))


def memory(
    net: Network,
    batch: int = 1,
    *,
    dtype: str = "float32",
    optimizer: str = "adamw",
    input: Images | None = None,
    classes: int | None = None,
) -> MemoryReport:
    """The bytes that running and training a network takes on a CPU, at the peak and at rest.

    How far that is from what PyTorch really uses is said in :mod:`striate.analysis.memory_report`.

    Args:
        net, input, classes: as :func:`load` takes them.
        batch: images in a batch.
        dtype: of weights and activations alike: ``float32``, ``bfloat16``, ``float16`` or ``float64``.
        optimizer: ``sgd``, ``sgd-momentum``, ``adam`` or ``adamw``.

    Raises:
        NetworkError: as :func:`load`.
        UsageError: for a batch below 1, or an unknown type or optimizer.

    >>> report = memory("lenet-5", batch=32)
    >>> report.weights, report.optimizer_state == 2 * report.weights + 10 * 4, report.largest_batch(2**30)
    (246824, True, 17706)
    """
    from striate.analysis.memory_report import memory
    from striate.sources import load

    return memory(load(net, input=input, classes=classes), batch, dtype=dtype, optimizer=optimizer)


def compare(
    *nets: Network, input: Images | None = None, classes: int | None = None, layers: bool | None = None
) -> Comparison:
    """Set networks side by side: parameters, MACs, memory, depth and receptive field.

    Args:
        *nets: two or more, each as :func:`load` takes it.
        input, classes: of all, as :func:`load` takes them.
        layers: whether to set the layers of two networks side by side too; default: where they are versions of one.

    Raises:
        NetworkError: as :func:`load`.
        UsageError: there are fewer than two networks, or layers are asked for and there are more than two.

    >>> [entry.report.parameters for entry in compare("resnet18", "resnet34").networks]
    [11689512, 21797672]
    """
    from striate.analysis.comparison import compare
    from striate.sources import load

    return compare(*(load(net, input=input, classes=classes) for net in nets), layers=layers)


def edit(
    net: Network,
    changes: Mapping[str, Mapping[str, Any]],
    *,
    input: Images | None = None,
    classes: int | None = None,
) -> Graph:
    """The same network with attributes of its layers changed; the one that is given stays as it is.

    Args:
        net, input, classes: as :func:`load` takes them.
        changes: for each layer the attributes to change, ``{"conv1": {"stride": 2}}``.

    Raises:
        UsageError: there is no such layer; a near miss is suggested.
        NetworkError: there is no such attribute, it cannot have that value, or a later layer does not fit any more.

    >>> edit("simple-cnn", {"conv1": {"stride": 2, "padding": 1}}).shapes["conv1"]
    (16, 16, 16)
    """
    from striate.analysis.editing import edit
    from striate.sources import load

    return edit(load(net, input=input, classes=classes), changes)
