"""Branches that meet without looking at the same place of the image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from striate.analysis.receptive_field import AxisField, plain_rational, receptive_fields
from striate.graph import Graph, Node
from striate.graph.layer import EVERYTHING, Rational

__all__ = ["Branch", "Misalignment", "misalignments"]


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the branches that meet.

    Args:
        source: the node it ends with.
        centre: the middle of the field of unit 0 along the axis, in pixels of the image.
        jump: how many pixels the field moves from one unit to the next.
        end: the last pixel of the field of unit 0.
    """

    source: str
    centre: Rational
    jump: Rational
    end: Rational


@dataclass(frozen=True)
class Misalignment:
    """A place where branches meet whose units at one index see different places of the image.

    Args:
        node: where they meet.
        axis: the axis of the image, counted from 0.
        branches: those that see a part of the image, in the order of the inputs.
        centre: how far the centres of their units 0 lie apart, in pixels of the image.
        drift: how much further apart they lie with each unit; above 0 the jumps differ.
    """

    node: str
    axis: int
    branches: tuple[Branch, ...]
    centre: Rational
    drift: Rational

    @property
    def causal(self) -> bool:
        """Whether the branches end at the same place and only begin at others, as causal convolutions make them."""
        return not self.drift and len({branch.end for branch in self.branches}) == 1

    def as_dict(self) -> dict[str, Any]:
        """The record as JSON-ready data; fractions as ``"1/2"``."""
        return {
            "node": self.node,
            "axis": self.axis,
            "centre_offset": plain_rational(self.centre),
            "drift": plain_rational(self.drift),
            "branches": [
                {"source": branch.source, "centre": plain_rational(branch.centre), "jump": plain_rational(branch.jump)}
                for branch in self.branches
            ],
        }


def misalignments(graph: Graph, seen: Mapping[str, tuple[AxisField, ...]] | None = None) -> tuple[Misalignment, ...]:
    """Every merge, and every axis of it, where the branches do not look at the same place.

    A branch that sees the whole image (a gate) is aligned with everything; one behind a drift is not looked at again.

    Args:
        graph: any network.
        seen: its receptive fields by node, where they are known already.

    >>> from striate.graph import network
    >>> x = network("shifted", (1, 8, 8)).conv(4, 1)
    >>> net = x.conv(4, 2, padding="same").add(x).build()
    >>> [(entry.node, str(entry.centre), str(entry.drift)) for entry in misalignments(net)]
    [('add1', '1/2', '0'), ('add1', '1/2', '0')]
    """
    seen = receptive_fields(graph) if seen is None else seen
    rank = len(graph.shapes[graph.inputs[0].name]) - 1
    found: list[Misalignment] = []
    for node in graph.nodes:
        if len(node.inputs) > 1 and len(graph.shapes[node.name]) > 1:
            for axis in range(rank):
                branches = tuple(_branches(graph, node, axis, seen))
                centre, drift = _spread([one.centre for one in branches]), _spread([one.jump for one in branches])
                if centre or drift:
                    found.append(Misalignment(node.name, axis, branches, centre, drift))
    return tuple(found)


def _branches(graph: Graph, node: Node, axis: int, seen: Mapping[str, tuple[AxisField, ...]]) -> Iterator[Branch]:
    shapes = graph.input_shapes(node)
    for position, source in enumerate(node.inputs):
        field = seen[source][axis] if source in seen and len(shapes[position]) > 1 else None
        if field is None or field.kind != "local" or position in node.layer.shape_only:
            continue
        reach = node.layer.reach(shapes, position, axis)
        if reach == EVERYTHING or reach.step == 0:
            continue
        # The middle of an interval that a fractional step cut to whole pixels is still the middle of its two ends.
        middle = Fraction(field.low + field.high) + (reach.low + reach.high) * field.jump
        end = Fraction(field.high + reach.high * field.jump)
        yield Branch(source, _short(middle / 2), _short(Fraction(field.jump * reach.step)), _short(end))


def _spread(values: list[Rational]) -> Rational:
    return max(values) - min(values) if values else 0


def _short(value: Fraction) -> Rational:
    return value.numerator if value.denominator == 1 else value
