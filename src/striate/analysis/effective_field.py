"""The effective receptive field of a unit, from the gradients measured at the image, beside the theoretical one.

The theoretical field is the pixels that a unit can read. How much each of them matters is measured: the size of the
unit's gradient at it (Luo, Li, Urtasun, Zemel, "Understanding the effective receptive field in deep convolutional
neural networks", 2016, section 1). It falls off from the centre, so that most of it lies in a small part of the field.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.analysis.coverage import view_unit
from striate.analysis.unit_boxes import unit_boxes
from striate.units import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from striate.graph import Graph

__all__ = ["SHARE", "EffectiveAxis", "EffectiveField", "effective_field_of"]

#: Of the gradient; the share of a normal distribution within two deviations, which Luo et al. cut at.
SHARE = 0.9545


@dataclass(frozen=True, slots=True)
class EffectiveAxis:
    """The effective field along one axis of the image.

    Args:
        size: pixels of the image.
        theory: first and last pixel of the theoretical field inside the image.
        effective: first and last pixel of the shortest interval that holds ``SHARE`` of the gradient.
        centre: the gradient's centre of mass, in pixels.
        deviation: its standard deviation about the centre, in pixels.
        sums: the share of the gradient in each row (column, …) of the image; they add up to 1.
    """

    size: int
    theory: tuple[int, int]
    effective: tuple[int, int]
    centre: float
    deviation: float
    sums: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Length of the effective interval over that of the theoretical one, at most 1."""
        return (self.effective[1] - self.effective[0] + 1) / (self.theory[1] - self.theory[0] + 1)


@dataclass(frozen=True)
class EffectiveField:
    """What matters to a unit, beside what it can read.

    Args:
        network: the network's name.
        node: the unit's node.
        position: its place along each spatial axis; ``()`` for a vector, whose units are taken together.
        shape: what leaves the node.
        input: the shape of one image.
        weights: where the weights are from, in words.
        images: what the gradient was averaged over, in words.
        axes: one entry for each axis of the image; empty where no gradient arrives at any pixel.
        area: pixels in the smallest set that holds ``SHARE`` of the gradient.
        touched: pixels at which the gradient is not 0.
        theory: pixels of the theoretical field inside the image, without its holes.
        outside: pixels outside the theoretical field at which the gradient is not 0. It is 0 unless a rule is wrong.
        gradient: the mean size of the gradient at each pixel, its channels added up, float64 (\\*spatial).
    """

    network: str
    node: str
    position: tuple[int, ...]
    shape: Shape
    input: Shape
    weights: str
    images: str
    axes: tuple[EffectiveAxis, ...]
    area: int
    touched: int
    theory: int
    outside: int
    gradient: NDArray[np.float64] = field(repr=False, compare=False)

    @property
    def ratio(self) -> float:
        """The effective area over the theoretical one; 0 where no gradient arrives."""
        return self.area / self.theory if self.theory else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The field as JSON-ready data; the map is left out, its sums along each axis are there."""
        return {
            "format": 1,
            "network": self.network,
            "node": self.node,
            "position": list(self.position),
            "shape": list(self.shape),
            "input": list(self.input),
            "weights": self.weights,
            "images": self.images,
            "share": SHARE,
            "effective_area": self.area,
            "theoretical_area": self.theory,
            "ratio": self.ratio,
            "touched_pixels": self.touched,
            "outside_pixels": self.outside,
            "axes": [
                {
                    "size": axis.size,
                    "theoretical": list(axis.theory),
                    "effective": list(axis.effective),
                    "ratio": axis.ratio,
                    "centre": axis.centre,
                    "deviation": axis.deviation,
                    "sums": [round(value, 9) for value in axis.sums],
                }
                for axis in self.axes
            ],
        }


def effective_field_of(
    graph: Graph, node: str, position: tuple[int, ...], gradient: NDArray[np.float64], *, weights: str, images: str
) -> EffectiveField:
    """Sum up a measured map of gradients.

    Args:
        graph: the network; where it has several inputs, the first is looked at.
        node: the unit's node.
        position: its index along each spatial axis; ``()`` for a vector.
        gradient: the mean size of the unit's gradient at each pixel, (\\*spatial), at least 0.
        weights: where the weights are from, in words.
        images: what was averaged over, in words.

    Raises:
        UsageError: there is no such node or unit.

    >>> from striate.graph import network
    >>> net = network("n", (1, 5)).conv(1, 3, padding=1).build()
    >>> found = effective_field_of(net, "conv1", (2,), np.array([0, 1, 2, 1, 0.0]), weights="by hand", images="none")
    >>> found.area, found.theory, found.outside, found.axes[0].deviation
    (3, 3, 0, 0.7071067811865476)
    """
    view = view_unit(graph, node, position)
    total = float(gradient.sum())
    boxes, _ = unit_boxes(graph, node, position, graph.inputs[0].name)
    readable = np.zeros(gradient.shape, bool)
    for box in boxes:
        readable[np.ix_(*(sorted(axis) for axis in box))] = True
    axes = tuple(
        _axis(
            gradient.sum(axis=tuple(other for other in range(gradient.ndim) if other != number)) / total,
            one.first,
            one.last,
        )
        for number, one in enumerate(view.axes)
        if total > 0
    )
    return EffectiveField(
        network=graph.name,
        node=node,
        position=position,
        shape=view.shape,
        input=view.input,
        weights=weights,
        images=images,
        axes=axes,
        area=_smallest(np.sort(gradient, axis=None)[::-1], SHARE * total) if total > 0 else 0,
        touched=int(np.count_nonzero(gradient)),
        theory=view.read,
        outside=int(np.count_nonzero(gradient[~readable])),
        gradient=gradient,
    )


def _axis(sums: NDArray[np.float64], first: int, last: int) -> EffectiveAxis:
    places = np.arange(len(sums))
    centre = float(places @ sums)
    deviation = math.sqrt(float(((places - centre) ** 2) @ sums))
    interval = _shortest(sums.tolist(), SHARE * float(sums.sum()))
    return EffectiveAxis(len(sums), (first, last), interval, centre, deviation, tuple(sums.tolist()))


def _smallest(descending: NDArray[np.float64], wanted: float) -> int:
    """How many of the largest numbers add up to ``wanted``."""
    return min(int(np.searchsorted(np.cumsum(descending), wanted)) + 1, len(descending))


def _shortest(values: list[float], wanted: float) -> tuple[int, int]:
    """First and last place of the shortest interval that adds up to ``wanted``; of equal ones that with the most.

    >>> _shortest([0, 1, 2, 5, 2, 1, 0], 9)
    (2, 4)
    """
    best, weight, start, held = (0, len(values) - 1), 0.0, 0, 0.0
    for end, value in enumerate(values):
        held += value
        while held - values[start] >= wanted and start < end:
            held -= values[start]
            start += 1
        length = best[1] - best[0]
        if held >= wanted and (end - start < length or (end - start == length and held > weight)):
            best, weight = (start, end), held
    return best
