"""What a diagram shows: boxes, frames around them, and arrows between them.

A layer and the normalisation and activation right behind it share a box; equal neighbours are drawn once, in a frame
that says how often.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.units import format_count, format_shape
from striate.views.layer_wording import layer_words
from striate.views.outline import Group, Item, Leaf, Repeat, alike, outline, unfolded
from striate.views.outline_rows import folded_name, layer_counts

if TYPE_CHECKING:
    from striate.analysis.report import NodeReport, Report

__all__ = ["WEIGHTED", "Box", "Diagram", "Frame", "diagram"]

WEIGHTED = ("conv", "convtranspose", "dense")
"""Kinds whose boxes are blue: where the weights are."""

MOST_BOXES = 140
"""A diagram without a given depth is as deep as it can be with so many boxes."""

#: Layers that leave the shape alone and are drawn in the box of the layer they follow.
_FOLLOWERS = frozenset(
    (
        *("batchnorm", "layernorm", "instancenorm", "groupnorm", "localresponsenorm", "layerscale"),
        "rescale",
        *("relu", "leakyrelu", "relu6", "prelu", "silu", "gelu", "elu", "mish", "softplus", "sigmoid", "hardsigmoid"),
        *("tanh", "hardswish", "softmax", "dropout", "stochasticdepth", "identity"),
    )
)
#: Attributes that a diagram leaves to the tables.
_DETAILS = ("bias", "padding", "epsilon", "momentum", "ceil_mode", "count_include_pad", "padding_mode", "classes")


@dataclass(frozen=True, slots=True)
class Box:
    """One layer with its followers, or a collapsed group.

    Args:
        nodes: what it stands for; where it is folded, of every unit.
        times: how many equal ones it stands for.
        title: the layer in a few words.
        followers: what shares its box.
        name: of its first node, or of the group.
        shape: what leaves it.
        details: a sentence with its exact numbers.
        group: whether it is a collapsed group.
    """

    nodes: tuple[NodeReport, ...]
    times: int
    title: str
    followers: str
    name: str
    shape: str
    details: str
    group: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """Boxes and frames that belong together.

    Args:
        label: their common name; empty for the root, which is not drawn.
        times: how often they follow each other.
        parts: what is in it.
    """

    label: str
    times: int
    parts: tuple[Part, ...]


Part = Box | Frame


@dataclass(frozen=True, slots=True)
class Diagram:
    """A whole diagram.

    Args:
        root: everything, in a frame that is not drawn.
        arrows: pairs of boxes, from and to, by their place in :attr:`boxes`.
    """

    root: Frame
    arrows: tuple[tuple[int, int], ...]

    @property
    def boxes(self) -> tuple[Box, ...]:
        """Every box, in order."""
        return tuple(_boxes(self.root))


def diagram(report: Report, depth: int | None = None) -> Diagram:
    """The diagram of a network.

    Args:
        report: of any network.
        depth: groups with so many parts in their name are one box; default: as deep as is still readable.

    >>> from striate import zoo
    >>> from striate.analysis import inspect
    >>> len(diagram(inspect(zoo.build("resnet152"))).boxes)
    41
    """
    items = outline(report)
    builder = _Builder(report, depth)
    root = builder.frame("", 1, [(item,) for item in items], 0)
    if depth is None:
        deepest = max(node.name.count(".") for node in report.nodes)
        for level in range(deepest, 0, -1):
            if sum(1 for _ in _boxes(root)) <= MOST_BOXES:
                break
            builder = _Builder(report, level)
            root = builder.frame("", 1, [(item,) for item in items], 0)
    return Diagram(root, builder.arrows(root))


def _boxes(part: Part) -> Iterator[Box]:
    if isinstance(part, Box):
        yield part
    else:
        for inner in part.parts:
            yield from _boxes(inner)


class _Builder:
    def __init__(self, report: Report, depth: int | None) -> None:
        self.depth = depth
        self.shapes = {node.name: node.shape for node in report.nodes}
        self.readers: dict[str, int] = {}
        for node in report.nodes:
            for name in node.inputs:
                self.readers[name] = self.readers.get(name, 0) + 1

    def frame(self, label: str, times: int, bundles: list[tuple[Item, ...]], level: int) -> Frame:
        """Equal items side by side as one frame; runs of layers become boxes."""
        parts: list[Part] = []
        run: list[tuple[NodeReport, ...]] = []
        for bundle in bundles:
            nodes = tuple(item.node for item in bundle if isinstance(item, Leaf))
            if nodes and run and self._follows(run[-1][0], nodes[0]):
                run.append(nodes)
                continue
            parts += self._layers(run)
            run = [nodes] if nodes else []
            if not nodes:
                part = self._part(bundle, level)
                parts += part.parts if isinstance(part, Frame) and not part.label else (part,)
        parts += self._layers(run)
        return Frame(label, times, tuple(parts))

    def _part(self, bundle: tuple[Item, ...], level: int) -> Part:
        first = bundle[0]
        inner = list(alike(bundle))
        if isinstance(first, Repeat):
            return self._repeated(first, len(bundle), inner, level)
        assert isinstance(first, Group)
        names = folded_name([item.name for item in bundle if isinstance(item, Group)])
        if self.depth is not None and level + 1 >= self.depth:
            return self._collapsed(bundle, names)
        frame = self.frame(names, 1, inner, level + 1)
        drawn = len(frame.parts) > 1 and (level == 0 or _branches(first))
        return frame if drawn else Frame("", 1, frame.parts)

    def _repeated(self, first: Repeat, outer: int, inner: list[tuple[Item, ...]], level: int) -> Part:
        times = len(first.units)
        if len(inner) == 1 and isinstance(inner[0][0], Group):
            group = inner[0]
            names = folded_name([item.name for item in group[:times] if isinstance(item, Group)])
            if self.depth is not None and level + 1 >= self.depth:
                return self._collapsed(group, names)
            parts = self.frame("", 1, list(alike(group)), level + 1).parts
            only = parts[0]
            nested = len(parts) == 1 and isinstance(only, Frame) and only.times == 1
            return Frame(names, times, only.parts if nested and isinstance(only, Frame) else parts)
        names = folded_name([next(unfolded(unit)).name for unit in first.units])
        return Frame(names, times, self.frame("", 1, inner, level).parts)

    def _follows(self, node: NodeReport, follower: NodeReport) -> bool:
        alone = follower.inputs == (node.name,) and self.readers[node.name] == 1
        return alone and follower.kind in _FOLLOWERS and node.shape == follower.shape and node.kind != "input"

    def _layers(self, run: list[tuple[NodeReport, ...]]) -> list[Part]:
        if not run:
            return []
        first, last = run[0], run[-1]
        nodes = tuple(node for unit in zip(*run, strict=True) for node in unit)
        name = folded_name([node.name for node in first])
        box = Box(
            nodes=nodes,
            times=len(first),
            title=self._title(first[0]),
            followers=", ".join(nodes[0].kind for nodes in run[1:]),
            name=name,
            shape=format_shape(last[0].shape),
            details=_details(nodes, folded_name([node.name for node in nodes[: len(run)]]), len(first)),
        )
        return [box]

    def _title(self, node: NodeReport) -> str:
        kept = {name: value for name, value in node.attributes.items() if name not in _DETAILS}
        arriving = self.shapes[node.inputs[0]] if node.inputs else node.shape
        return layer_words(node.kind, kept, len(arriving) - 1, arriving[0])

    def _collapsed(self, bundle: tuple[Item, ...], name: str) -> Part:
        nodes = tuple(unfolded(bundle))
        times = len(bundle)
        one = nodes[: len(nodes) // times]
        if len(one) == 1:
            return self._layers([nodes])[0]
        words = layer_counts(one)
        title, _, kinds = words.partition(": ")
        title = title if times == 1 else f"{times} × {title}"
        shape = format_shape(nodes[-1].shape)
        return Box(nodes, times, title, kinds, name, shape, _details(nodes, name, times), group=True)

    def arrows(self, root: Frame) -> tuple[tuple[int, int], ...]:
        """What each box reads; of folded units, what the first one reads."""
        boxes = list(_boxes(root))
        home = {node.name: number for number, box in enumerate(boxes) for node in box.nodes}
        found: dict[tuple[int, int], None] = {}
        for number, box in enumerate(boxes):
            for node in box.nodes[: len(box.nodes) // box.times]:
                for name in node.inputs:
                    if home[name] != number:
                        found[home[name], number] = None
        return tuple(found)


def _branches(group: Group) -> bool:
    """Whether something in a group reads several nodes."""
    return any(len(node.inputs) > 1 for node in unfolded((group,)))


def _details(nodes: tuple[NodeReport, ...], names: str, times: int) -> str:
    parameters, macs = sum(node.parameters for node in nodes), sum(node.macs for node in nodes)
    counted = f"{format_count(parameters)} parameters, {format_count(macs)} MACs"
    return f"{names}: {counted}" + (f" in all {times}" if times > 1 else "")
