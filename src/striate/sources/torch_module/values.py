"""What is known of each tensor that a forward pass meets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from striate.graph.layer import Layer
from striate.sources.torch_module.layout import Layout
from striate.units import Shape

__all__ = ["Found", "Pending", "Place", "Value", "image_shape", "tensors_in"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operation was called.

    Args:
        path: the module whose forward ran, by its path; empty for the outermost.
        leaf: whether that is one of torch's own modules, which stands for a single operation.
        origin: the author's file and line.
    """

    path: str
    leaf: bool
    origin: str | None


@dataclass(slots=True, eq=False)
class Value:
    """A tensor without numbers, and where it comes from.

    Args:
        tensor: on the device meta, with the batch.
        node: which node gives it; None for one that does not depend on the inputs.
        layout: how its axes lie in that node's map; None where the batch is not its first axis alone.
        weights: the names of the module's parameters that it depends on, for one without a node.
        parameter: its name, where it is a parameter itself.
        real: the tensor with numbers, where it is small, does not depend on parameters and may be read.
        zero: whether it is a constant of zeros.
        stray: whether it is a parameter that the module does not list as its own (kept in a plain list, for instance).
        place: where its layout was made.
        operation: what made its layout.
        stale: nodes that wrote into its memory since.
    """

    tensor: Tensor
    node: int | None = None
    layout: Layout | None = None
    weights: frozenset[str] = frozenset()
    parameter: str | None = None
    real: Tensor | None = None
    zero: bool = False
    stray: bool = False
    place: Place | None = None
    operation: str = "reshape"
    stale: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Found:
    """The layer that an operation was found to be.

    Args:
        layer: the layer.
        inputs: the nodes it reads.
        weights: its tensors, in the order of the layer's parameters.
        layout: how the result's axes lie in the layer's map; None: as the map.
        alike: the operation computes something else than the layer, which reads and moves the same numbers.
    """

    layer: Layer
    inputs: tuple[int, ...]
    weights: tuple[Value, ...] = ()
    layout: Layout | None = None
    alike: bool = False


@dataclass(slots=True)
class Pending:
    """A node before it has its name.

    Args:
        layer: its layer.
        inputs: the nodes it reads, by number.
        shape: what leaves it.
        place: where it was called.
        weights: the full names of its own parameters.
        shares: the node whose parameters it uses again.
        name: its name, where that is settled.
    """

    layer: Layer
    inputs: tuple[int, ...]
    shape: Shape
    place: Place
    weights: tuple[str, ...] = ()
    shares: int | None = None
    name: str | None = None


def image_shape(shape: Shape, batch: int) -> tuple[Shape, bool, bool]:
    """The shape for one image, whether the batch is the first axis alone, and whether there is a batch at all.

    >>> image_shape((61, 3, 8), 61), image_shape((122, 8), 61), image_shape((5, 61, 8), 61), image_shape((5,), 61)
    (((3, 8), True, True), ((2, 8), False, True), ((5, 8), False, True), ((5,), False, False))
    """
    if shape and shape[0] == batch:
        return shape[1:] or (1,), len(shape) > 1, True
    if shape and shape[0] and shape[0] % batch == 0:
        return (shape[0] // batch, *shape[1:]), False, True
    for axis, size in enumerate(shape):
        if size == batch:
            return (*shape[:axis], *shape[axis + 1 :]) or (1,), False, True
    for axis, size in enumerate(shape):
        if size and size % batch == 0:
            return (*shape[:axis], size // batch, *shape[axis + 1 :]), False, True
    return shape or (1,), False, False


def tensors_in(tree: Any) -> list[Tensor]:
    """Every tensor in lists, tuples, mappings and dataclasses, in order."""
    found: list[Tensor] = []
    waiting: list[Any] = [tree]
    seen: set[int] = set()
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, Tensor):
            found.append(entry)
            continue
        if id(entry) in seen:
            continue
        seen.add(id(entry))
        if isinstance(entry, dict):
            waiting += reversed(list(entry.values()))
        elif isinstance(entry, (list, tuple, set, frozenset)):
            waiting += reversed(list(entry))
        elif hasattr(entry, "__dict__") and not isinstance(entry, type) and not callable(entry):
            waiting += reversed(list(vars(entry).values()))
    return found
