"""Operations besides MACs, against scalar code that computes the layer and counts what it does."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

import pytest

from striate.analysis.cost_report import cost
from striate.graph import Graph, network


class Tally:
    """How many operations scalar code has done."""

    count = 0


class Number:
    """A number that counts what is done with it: arithmetic, comparisons, functions."""

    def __init__(self, value: float) -> None:
        self.value = value

    def _made(self, value: float) -> Number:
        Tally.count += 1
        return Number(value)

    def __add__(self, other: Any) -> Number:
        return self._made(self.value + float(other))

    def __sub__(self, other: Any) -> Number:
        return self._made(self.value - float(other))

    def __mul__(self, other: Any) -> Number:
        return self._made(self.value * float(other))

    def __truediv__(self, other: Any) -> Number:
        return self._made(self.value / float(other))

    def __float__(self) -> float:
        return self.value

    def larger(self, other: Number) -> Number:
        return self._made(max(self.value, other.value))

    def apply(self, function: Any = abs) -> Number:
        return self._made(function(self.value))


def numbers(count: int) -> list[Number]:
    return [Number(0.5 + index) for index in range(count)]


def total(values: Iterable[Number]) -> Number:
    first, *rest = values
    for value in rest:
        first = first + value
    return first


def mean(values: list[Number]) -> Number:
    return total(values) / len(values)


def largest(values: list[Number]) -> Number:
    first, *rest = values
    for value in rest:
        first = first.larger(value)
    return first


def normalise(values: list[Number], affine: bool) -> None:
    middle = mean(values)
    distances = [value - middle for value in values]
    variance = mean([distance * distance for distance in distances])
    factor = (variance + 1e-5).apply(lambda value: 1 / math.sqrt(value))
    for distance in distances:
        result = distance * factor
        if affine:
            result = result * 2.0 + 1.0


def softmax(values: list[Number]) -> None:
    exponentials = [value.apply(math.exp) for value in values]
    whole = total(exponentials)
    for value in exponentials:
        value / whole


def respond(values: list[Number], size: int) -> None:
    squares = [value * value for value in values]
    padded = [Number(0.0)] * (size // 2) + squares + [Number(0.0)] * ((size - 1) // 2)
    for index, value in enumerate(values):
        divisor = (total(padded[index : index + size]) * 0.1 + 2.0).apply(lambda entry: entry**0.75)
        value / divisor


def interpolate(corners: list[Number]) -> Number:
    """Along one axis after the other, ``a + t·(b - a)``."""
    while len(corners) > 1:
        corners = [(last - first) * 0.25 + first for first, last in zip(corners[::2], corners[1::2], strict=True)]
    return corners[0]


def each(count: int, work: Any) -> None:
    for _ in range(count):
        work()


def bins(size: int, count: int) -> list[int]:
    return [math.ceil((i + 1) * size / count) - math.floor(i * size / count) for i in range(count)]


def chain(shape: tuple[int, ...], *steps: tuple[str, dict[str, Any]]) -> Graph:
    x = network("n", shape)
    for kind, attributes in steps:
        x = getattr(x, kind)(**attributes)
    return x.build()


MAP = (4, 5, 6)
PLACES = 30
COUNT = 120

CASES: list[tuple[str, Graph, Any]] = [
    ("relu", chain(MAP, ("relu", {})), lambda: each(COUNT, Number(1).apply)),
    ("gelu", chain(MAP, ("gelu", {})), lambda: each(COUNT, Number(1).apply)),
    ("softmax", chain(MAP, ("softmax", {})), lambda: each(PLACES, lambda: softmax(numbers(4)))),
    ("batchnorm", chain(MAP, ("batchnorm", {})), lambda: each(COUNT, lambda: Number(1) * 2.0 + 1.0)),
    ("layernorm", chain(MAP, ("layernorm", {})), lambda: normalise(numbers(COUNT), True)),
    (
        "layernorm over channels",
        chain(MAP, ("layernorm", {"over": "channels", "affine": False})),
        lambda: each(PLACES, lambda: normalise(numbers(4), False)),
    ),
    ("groupnorm", chain(MAP, ("groupnorm", {"groups": 2})), lambda: each(2, lambda: normalise(numbers(60), True))),
    ("instancenorm", chain(MAP, ("instancenorm", {})), lambda: each(4, lambda: normalise(numbers(PLACES), False))),
    (
        "localresponsenorm",
        chain(MAP, ("localresponsenorm", {"size": 3})),
        lambda: each(PLACES, lambda: respond(numbers(4), 3)),
    ),
    (
        "maxpool",
        chain(MAP, ("maxpool", {"kernel": (2, 3), "stride": 1, "padding": (1, 0)})),
        lambda: each(4 * 6 * 4, lambda: largest(numbers(6))),
    ),
    (
        "avgpool",
        chain(MAP, ("avgpool", {"kernel": 2, "stride": (1, 2)})),
        lambda: each(4 * 4 * 3, lambda: mean(numbers(4))),
    ),
    ("globalavgpool", chain(MAP, ("globalavgpool", {})), lambda: each(4, lambda: mean(numbers(PLACES)))),
    ("globalmaxpool", chain(MAP, ("globalmaxpool", {})), lambda: each(4, lambda: largest(numbers(PLACES)))),
    (
        "adaptiveavgpool",
        chain(MAP, ("adaptiveavgpool", {"size": (3, 4)})),
        lambda: each(4, lambda: [mean(numbers(a * b)) for a, b in itertools.product(bins(5, 3), bins(6, 4))]),
    ),
    (
        "adaptivemaxpool",
        chain(MAP, ("adaptivemaxpool", {"size": (3, 4)})),
        lambda: each(4, lambda: [largest(numbers(a * b)) for a, b in itertools.product(bins(5, 3), bins(6, 4))]),
    ),
    ("upsample", chain(MAP, ("upsample", {"scale": 2})), lambda: None),
    (
        "upsample bilinear",
        chain(MAP, ("upsample", {"scale": 2, "mode": "linear"})),
        lambda: each(4 * 10 * 12, lambda: interpolate(numbers(4))),
    ),
    (
        "resize trilinear",
        chain((2, 3, 3, 3), ("resize", {"size": 2, "mode": "linear"})),
        lambda: each(16, lambda: interpolate(numbers(8))),
    ),
    ("layerscale", chain(MAP, ("layerscale", {})), lambda: each(COUNT, lambda: Number(1) * 2.0)),
    ("rescale", chain(MAP, ("rescale", {"factor": 0.5})), lambda: each(COUNT, lambda: Number(1) * 0.5)),
    ("dropout", chain(MAP, ("dropout", {})), lambda: None),
    ("flatten", chain(MAP, ("flatten", {})), lambda: None),
    (
        "bias of a conv",
        chain(MAP, ("conv", {"filters": 3, "kernel": 3})),
        lambda: each(3 * 3 * 4, lambda: Number(1) + 1.0),
    ),
    ("no bias", chain(MAP, ("conv", {"filters": 3, "kernel": 3, "bias": False})), lambda: None),
    (
        "bias of a convtranspose",
        chain(MAP, ("convtranspose", {"filters": 3, "kernel": 2, "stride": 2})),
        lambda: each(3 * 10 * 12, lambda: Number(1) + 1.0),
    ),
    ("bias of a dense", chain(MAP, ("flatten", {}), ("dense", {"units": 7})), lambda: each(7, lambda: Number(1) + 1.0)),
]


@pytest.mark.parametrize(("graph", "work"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_operations_are_those_of_scalar_code(graph: Graph, work: Any) -> None:
    Tally.count = 0
    work()
    report = cost(graph)
    assert report.uncounted == ()
    assert report.operations == Tally.count


def test_merging_several_maps() -> None:
    x = network("n", (2, 3, 3))
    y, z = x.relu(), x.relu()
    gate = x.globalavgpool(keep=True)
    kinds = {"add": x.add(y, z), "multiply": x.multiply(y, gate), "concat": x.concat(y, z)}
    Tally.count = 0
    each(18, lambda: total(numbers(3)))
    added = Tally.count
    nodes = {node.kind: node.operations for node in cost(kinds["concat"].build()).nodes if node.kind in kinds}
    assert nodes == {"add": added, "multiply": added, "concat": 0}


def test_operations_by_kind_begin_with_the_largest_share() -> None:
    report = cost(
        chain(MAP, ("conv", {"filters": 8, "kernel": 1}), ("batchnorm", {}), ("relu", {}), ("maxpool", {"kernel": 2}))
    )
    assert report.operations_by_kind == {"batchnorm": 480, "conv": 240, "relu": 240, "maxpool": 144}
