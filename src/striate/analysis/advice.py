"""Advice on the input size: which sizes fit, which is the smallest that runs, which the largest that is of use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from striate.analysis.head import joining_layer, last_map
from striate.analysis.receptive_field import AxisField, receptive_fields
from striate.analysis.sizing import Fit, Misfit, Sizing
from striate.graph import Graph
from striate.graph.layer import axis_names
from striate.graph.layers.input import Input
from striate.units import Shape

__all__ = ["AxisAdvice", "SizeAdvice", "advise", "smallest_size"]

FAR = 136
"""Sizes are tried this far below and above the present one: four times what the deepest usual networks divide by."""
SCANNED = 1024
"""Up to here every size is tried for the smallest that runs; beyond, sizes are bisected."""


@dataclass(frozen=True)
class AxisAdvice:
    """What to know about the size along one axis, or along all axes where they are alike.

    Args:
        axes: the axes it is about (``height``, ``width``), which are changed together.
        size: the present size.
        misfits: the layers that the present size does not fit; see :class:`striate.analysis.sizing.Misfit`.
        even: nearest sizes, at most two below and two above and the present one, that drop no pixel and pad evenly in
            every layer.
        whole: the same for sizes that drop no pixel, padded evenly or not.
        smallest: the smallest size that runs.
        scanned: whether every smaller size was tried; else the smallest was found by bisection.
        sees: how many pixels one unit of the last map before the head sees, gates left aside (the one that sees most);
            None where that is all of them or differs without a rule.
        useful: the largest useful size: ``sees``, where the head only pools the places of that map. In a larger image
            none of its units sees the whole, and nothing joins what they see. None where size sets no such limit.
        reason: why there is no largest useful size; empty where there is one.
    """

    axes: tuple[str, ...]
    size: int
    misfits: tuple[Misfit, ...]
    even: tuple[int, ...]
    whole: tuple[int, ...]
    smallest: int
    scanned: bool
    sees: int | None
    useful: int | None
    reason: str = ""


@dataclass(frozen=True)
class SizeAdvice:
    """Advice on the input size of a network (``striate inspect NET --advice``).

    Args:
        network: its name.
        input: the present shape of one image.
        head: the last map before the head; the output, where there is no head.
        gates: whether its units see more through gates (squeeze-and-excitation), which are left aside here.
        axes: one entry for each axis, or one for all where they are alike.
    """

    network: str
    input: Shape
    head: str
    gates: bool
    axes: tuple[AxisAdvice, ...]

    def as_dict(self) -> dict[str, Any]:
        """The advice as JSON-ready data."""
        return {
            "format": 1,
            "network": self.network,
            "input": list(self.input),
            "head": self.head,
            "gates_left_aside": self.gates,
            "axes": [
                {
                    "axes": list(axis.axes),
                    "size": axis.size,
                    "misfits": [
                        {"node": entry.node, "axis": entry.axis, "kind": entry.kind, "pixels": entry.pixels}
                        for entry in axis.misfits
                    ],
                    "even": list(axis.even),
                    "whole": list(axis.whole),
                    "smallest": axis.smallest,
                    "scanned": axis.scanned,
                    "head_sees": axis.sees,
                    "largest_useful": axis.useful,
                    "reason": axis.reason,
                }
                for axis in self.axes
            ],
        }


def advise(graph: Graph, build: Callable[[Shape], Graph] | None = None) -> SizeAdvice:
    """Advice on the input size of a network.

    Each size is judged by the layers' own shape rules, run on that size: a window must end where its padded input ends.
    Along the other axes the present size is kept, except where all axes are alike: then they are changed together.

    Args:
        graph: a network with one input.
        build: makes the network for another shape, where its layers depend on the size or some sizes are refused, as
            :attr:`striate.zoo.Architecture.per_size` says; default: the same layers at every size.

    Raises:
        UsageError: it has several inputs.

    >>> from striate import zoo
    >>> (advice,) = advise(zoo.build("resnet18")).axes
    >>> advice.even, advice.whole[:2], advice.smallest, advice.useful
    ((161, 193, 225, 257), (222, 223), 1, 435)
    """
    sizing = Sizing(graph, build)
    shape = graph.input_shape
    names = axis_names(len(shape) - 1)
    seen = receptive_fields(graph, gates=False)
    head = last_map(graph, seen)
    gated = seen.get(head) != receptive_fields(graph).get(head)
    groups = [tuple(range(len(names)))] if _alike(graph) else [(axis,) for axis in range(len(names))]
    field, limits = seen.get(head, ()), _limits(graph, head)
    found = [_axis_advice(sizing, group, names, field, limits) for group in groups]
    same = len({replace(axis, axes=(), misfits=()) for axis in found}) == 1
    return SizeAdvice(graph.name, shape, head, gated, (_joined(found),) if same else tuple(found))


def _joined(found: list[AxisAdvice]) -> AxisAdvice:
    """The advice for axes about which the same is to be said."""
    names = tuple(name for axis in found for name in axis.axes)
    return replace(found[0], axes=names, misfits=tuple(entry for axis in found for entry in axis.misfits))


def _axis_advice(
    sizing: Sizing, group: tuple[int, ...], names: tuple[str, ...], field: tuple[AxisField, ...], unlimited: str
) -> AxisAdvice:
    shape, size = sizing.shape, sizing.shape[1 + group[0]]
    present = sizing.fit(shape)
    misfits = present.misfits if present is not None else ()

    def fit(other: int) -> Fit | None:
        return sizing.fit(_resized(shape, group, other))

    smallest, scanned = smallest_size(lambda other: sizing.runs(_resized(shape, group, other)), size)
    even, whole = _nearest(fit, size, smallest, frozenset(group))
    seen = field[group[0]] if field else None
    reason = _everything(seen) or unlimited
    image = math.prod(shape[1:]) > 1
    sees = seen.size if image and seen is not None and seen.kind == "local" else None
    useful = None if reason else sees
    concerned = tuple(entry for entry in misfits if entry.axis in group)
    return AxisAdvice(
        tuple(names[axis] for axis in group), size, concerned, even, whole, smallest, scanned, sees, useful, reason
    )


def smallest_size(runs: Callable[[int], bool], size: int) -> tuple[int, bool]:
    """The smallest size that runs, and whether every smaller one was tried.

    Args:
        runs: whether a size runs.
        size: one that does.

    >>> smallest_size(lambda size: size % 32 == 0, 224)
    (32, True)
    >>> smallest_size(lambda size: size >= 3070, 16000)
    (3070, False)
    """
    for tried in range(1, min(size, SCANNED) + 1):
        if runs(tried):
            return tried, True
    below, above = SCANNED, size
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if runs(middle) else (middle, above)
    return above, False


def _nearest(
    fit: Callable[[int], Fit | None], size: int, smallest: int, axes: frozenset[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The nearest sizes that fit in every way, and those that drop no pixel."""
    even: list[int] = []
    whole: list[int] = []
    for candidates in (range(size, size + 1), range(size + 1, size + FAR), _down(size, smallest)):
        found = [0, 0]
        for other in candidates:
            if found[0] == 2:
                break
            judged = fit(other)
            if judged is None:
                continue
            concerned = [entry for entry in judged.misfits if entry.axis in axes]
            if not concerned:
                even.append(other)
                found[0] += 1
            if found[1] < 2 and not any(entry.kind == "dropped" for entry in concerned):
                whole.append(other)
                found[1] += 1
    return tuple(sorted(even)), tuple(sorted(whole))


def _down(size: int, smallest: int) -> range:
    return range(size - 1, max(smallest, size - FAR) - 1, -1)


def _everything(field: AxisField | None) -> str:
    """Why the field of the last map sets no largest useful size; empty where it may."""
    if field is None:
        return "the output does not depend on the image"
    if field.kind == "whole":
        return "every unit sees the whole image before the head already"
    if field.kind == "mixed":
        return "branches with different strides met, so that units see different amounts"
    return ""


def _limits(graph: Graph, head: str) -> str:
    """Why what the units of the last map see sets no largest useful size; empty where it does."""
    if math.prod(graph.input_shape[1:]) == 1:
        return "the input is a vector, not an image"
    joins = joining_layer(graph, head)
    if joins is not None:
        return f"{joins} joins all that the units of {head}, the last map before the head, see"
    if math.prod(graph.shapes[head][1:]) > 1 and head in graph.outputs:
        return f"the answer is a map, {head}, of which each unit judges what it sees itself"
    return ""


def _alike(graph: Graph) -> bool:
    """Whether height and width play the same part: equal sizes, and no attribute that names one for each axis."""
    if len(set(graph.input_shape[1:])) != 1:
        return False
    return not any(
        isinstance(value, tuple)
        for node in graph.nodes
        if not isinstance(node.layer, Input)
        for value in _attributes(node.layer)
    ) and not any(hasattr(node.layer, "axis") for node in graph.nodes)


def _attributes(layer: object) -> Iterator[object]:
    return (getattr(layer, entry.name) for entry in fields(layer))  # type: ignore[arg-type]


def _resized(shape: Shape, group: tuple[int, ...], size: int) -> Shape:
    return tuple(size if place - 1 in group else old for place, old in enumerate(shape))
