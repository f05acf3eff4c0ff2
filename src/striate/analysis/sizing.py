"""How a network fits other input sizes: whether it runs, what its windows leave over, where padding is uneven."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from striate.errors import NetworkError
from striate.graph import Graph, Layer
from striate.graph.attributes import per_axis
from striate.graph.layers.convolution import Conv
from striate.graph.layers.crop import Crop, CropLike
from striate.graph.layers.global_pooling import AdaptivePool
from striate.graph.layers.input import Input
from striate.graph.layers.pooling import Pool
from striate.graph.layers.slicing import Slice
from striate.graph.windows import Window
from striate.units import Shape

__all__ = ["Fit", "Misfit", "Sizing"]

#: Layers that leave pixels out on purpose: what they drop is no fault, and what others drop they do not save.
_CUTS = (Crop, CropLike, Slice)


@dataclass(frozen=True, slots=True)
class Misfit:
    """A layer that a size does not fit.

    Args:
        node: the layer.
        axis: the spatial axis, counted from 0.
        kind: ``dropped``, the last pixels of what arrives are read by no layer; ``uneven``, the padding behind is used
            less (or, with ``ceil_mode``, more) than the padding in front; ``bins``, adaptive pooling with bins of
            unequal size.
        pixels: how many pixels are dropped, or how many places of the padding are unused; 0 for bins.
    """

    node: str
    axis: int
    kind: Literal["dropped", "uneven", "bins"]
    pixels: int


@dataclass(frozen=True, slots=True)
class Fit:
    """How one input shape fits a network that runs on it.

    Args:
        shape: of one image.
        misfits: every layer that it does not fit, in order; empty where no pixel is dropped and all padding is even.
    """

    shape: Shape
    misfits: tuple[Misfit, ...]

    @property
    def dropped(self) -> tuple[Misfit, ...]:
        """The layers behind which pixels are lost."""
        return tuple(entry for entry in self.misfits if entry.kind == "dropped")


class Sizing:
    """A network's shape rules, ready to be run on many input sizes.

    Args:
        graph: a network with one input.
        build: makes the network for another shape, where its layers depend on the size or some sizes are refused;
            default: the same layers at every size.

    Raises:
        UsageError: it has several inputs.

    >>> from striate.graph import network
    >>> sizing = Sizing(network("n", (3, 15, 15)).conv(8, 3, padding=1).maxpool(2).build())
    >>> [entry.node for entry in sizing.fit((3, 15, 16)).dropped], sizing.fit((3, 16, 16)).misfits
    (['maxpool1'], ())
    >>> sizing.fit((3, 1, 1)) is None
    True
    """

    def __init__(self, graph: Graph, build: Callable[[Shape], Graph] | None = None) -> None:
        self.shape = graph.input_shape
        self._build = build
        self._names = [node.name for node in graph.nodes]
        places = {name: place for place, name in enumerate(self._names)}
        # Equal layers of a network share their results: ResNet-152 has 515 nodes and 24 different layers.
        known: dict[Layer, int] = {}
        self._numbers = [known.setdefault(node.layer, len(known)) for node in graph.nodes]
        self._layers = list(known)
        self._inputs = [tuple(places[name] for name in node.inputs) for node in graph.nodes]
        self._leaves = {places[name] for name in graph.outputs}
        self._results: dict[tuple[int, tuple[Shape, ...]], Shape] = {}
        self._slacks: dict[tuple[int, Shape], tuple[tuple[int, int, bool], ...]] = {}

    def shapes(self, shape: Shape) -> list[Shape]:
        """The shape that leaves each node, for an image of another shape.

        Raises:
            NetworkError: a layer does not fit.
        """
        if self._build is not None:
            return list(self._build(shape).shapes.values())
        found: list[Shape] = []
        for number, inputs in zip(self._numbers, self._inputs, strict=True):
            layer = self._layers[number]
            if isinstance(layer, Input):
                found.append(shape)
                continue
            key = number, tuple([found[place] for place in inputs])
            result = self._results.get(key)
            if result is None:
                result = self._results[key] = layer.output_shape(key[1])
            found.append(result)
        return found

    def runs(self, shape: Shape) -> bool:
        """Whether every layer accepts what arrives for an image of this shape."""
        try:
            self.shapes(shape)
        except NetworkError:
            return False
        return True

    def fit(self, shape: Shape) -> Fit | None:
        """How an image of this shape fits; None where the network does not run on it."""
        try:
            if self._build is not None:
                return Sizing(self._build(shape)).fit(shape)
            shapes = self.shapes(shape)
        except NetworkError:
            return None
        lost: dict[tuple[int, int], tuple[int, int]] = {}
        misfits: dict[tuple[int, int], Misfit] = {}
        for place, (number, inputs) in enumerate(zip(self._numbers, self._inputs, strict=True)):
            layer = self._layers[number]
            windowed = isinstance(layer, (Conv, Pool, AdaptivePool))
            for position, source in enumerate(inputs):
                if position in layer.shape_only:
                    continue
                slacks = self._slack(number, shapes[source]) if windowed else ()
                for axis in range(len(shapes[source]) - 1):
                    if isinstance(layer, _CUTS) and shapes[place][1 + axis] < shapes[source][1 + axis]:
                        continue
                    dropped, padding, bins = slacks[axis] if slacks else (0, 0, False)
                    if padding or bins:
                        kind: Literal["uneven", "bins"] = "bins" if bins else "uneven"
                        misfits[place, axis] = Misfit(self._names[place], axis, kind, padding)
                    # A pixel is lost only when no layer that reads the map reads it.
                    before = lost.get((source, axis))
                    lost[source, axis] = (dropped, place) if before is None else min(before, (dropped, place))
        for (source, axis), (dropped, place) in lost.items():
            if dropped and source not in self._leaves:
                misfits[place, axis] = Misfit(self._names[place], axis, "dropped", dropped)
        return Fit(shape, tuple(misfits[key] for key in sorted(misfits)))

    def _slack(self, number: int, shape: Shape) -> tuple[tuple[int, int, bool], ...]:
        """For each axis: pixels dropped at the end, unused padding, unequal bins."""
        key = number, shape
        found = self._slacks.get(key)
        if found is None:
            found = self._slacks[key] = tuple(_slacks(self._layers[number], shape))
        return found


def _slacks(layer: Layer, shape: Shape) -> Iterator[tuple[int, int, bool]]:
    rank = len(shape) - 1
    if isinstance(layer, AdaptivePool):
        for size, bins in zip(shape[1:], per_axis(layer.kind, "size", layer.size, rank), strict=True):
            yield 0, 0, size % bins != 0
    elif isinstance(layer, (Conv, Pool)):
        for size, window in zip(shape[1:], layer.windows(rank), strict=True):
            yield (*_left_over(window, size), False)


def _left_over(window: Window, size: int) -> tuple[int, int]:
    """Pixels dropped behind the last window, and places of the padding that are used on one side only."""
    end = (window.outputs(size) - 1) * window.stride + window.span
    slack = size + window.before + window.after - end
    # Between windows that are further apart than they are wide pixels are left out on purpose, and so they may be at
    # the end.
    gap = max(window.stride - window.span, 0)
    dropped = max(slack - window.after - gap, 0)
    padded = window.before or window.after or slack < 0
    return dropped, abs(slack) if padded and not dropped else 0
