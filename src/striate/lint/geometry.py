"""What rules about sizes share: which layers slide a window, what of a map is read, which image sizes fit, words."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from striate.analysis.sizing import Fit, Sizing
from striate.graph import Graph, Layer, Node
from striate.graph.attributes import per_axis
from striate.graph.layer import EVERYTHING
from striate.graph.layers.convolution import Conv
from striate.graph.layers.crop import Crop, CropLike
from striate.graph.layers.opaque import Opaque
from striate.graph.layers.pooling import Pool
from striate.graph.layers.slicing import Slice
from striate.graph.layers.transposed_convolution import ConvTranspose
from striate.graph.windows import Window
from striate.lint.subject import Subject
from striate.lint.traits import sharers
from striate.units import Shape, format_shape

__all__ = [
    "CUTS",
    "alone",
    "behind_unknown",
    "demanded",
    "gives_vectors",
    "line_words",
    "listed",
    "live_taps",
    "meets",
    "nearest_sizes",
    "read_ends",
    "sliding",
    "spatial",
    "spreading",
]

#: Layers that leave pixels out on purpose.
CUTS: tuple[type[Layer], ...] = (Crop, CropLike, Slice)

#: How far from the present size others are tried: the step between fitting sizes of networks that divide by 32.
_FAR = 33

Ends = tuple[int, int]


def sliding(net: Subject) -> Iterator[tuple[Node, Shape, tuple[Window, ...]]]:
    """Every convolution and pooling with the shape it reads and its window along each axis."""
    for node in net.graph.nodes:
        if isinstance(node.layer, (Conv, Pool)):
            shape = net.graph.shapes[node.inputs[0]]
            yield node, shape, node.layer.windows(len(shape) - 1)


def spreading(layer: ConvTranspose, rank: int) -> tuple[Window, ...]:
    """The window that a transposed convolution writes, along each axis: its padding is what it cuts off."""
    columns = (
        per_axis(layer.kind, name, getattr(layer, name), rank) for name in ("kernel", "stride", "padding", "dilation")
    )
    return tuple(Window(k, s, p, p, d) for k, s, p, d in zip(*columns, strict=True))


def alone(net: Subject, node: Node) -> bool:
    """Whether no other node uses the node's tensors."""
    return node.shares is None and node.name not in sharers(net.graph)


def live_taps(window: Window, size: int) -> int:
    """How many taps of a window meet a pixel at some place.

    >>> live_taps(Window(7, before=3, after=3), 2), live_taps(Window(3, before=12, after=12, dilation=12), 8)
    (3, 1)
    """
    starts = (tap * window.dilation - window.before for tap in range(window.kernel))
    return sum(meets(start, window.stride, window.outputs(size), size) for start in starts)


def meets(start: int, step: int, count: int, size: int) -> bool:
    """Whether one of ``count`` places start, start + step, … lies inside 0 … size - 1.

    >>> meets(-3, 2, 2, 4), meets(-3, 2, 3, 4)
    (False, True)
    """
    first = max(-(start // step), 0)
    return first < count and start + first * step < size


def read_ends(layer: Layer, shapes: tuple[Shape, ...], position: int, axis: int, outputs: Ends) -> Ends:
    """First and last line of an input along an axis that some outputs read; never less than they really read.

    What lies between two windows that are further apart than they are wide counts as read, and what a cut leaves out.

    >>> read_ends(Conv(8, 3, stride=2), ((3, 32, 32),), 0, 0, (0, 14))
    (0, 30)
    """
    last = shapes[position][1 + axis] - 1
    reach = layer.reach(shapes, position, axis)
    if isinstance(layer, CUTS) or reach == EVERYTHING or reach.step == 0:
        return 0, last
    gap = max(reach.step - 1 - (reach.high - reach.low), 0)
    low = max(math.floor(outputs[0] * reach.step + reach.low), 0)
    high = math.ceil(outputs[1] * reach.step + reach.high + gap)
    mode = getattr(layer, "padding_mode", getattr(layer, "mode", "zero"))
    if mode == "circular":
        return 0, last
    if mode in ("reflect", "replicate"):
        # A mirrored front shows pixels as far inside as it is wide.
        low, high = 0, max(high, math.ceil(-reach.low))
    return low, min(max(high, low), last)


def demanded(graph: Graph) -> Mapping[str, tuple[Ends, ...]]:
    """For every node that reaches an output, first and last line along each axis that count for any output.

    >>> from striate.graph import network
    >>> net = network("n", (3, 9, 9)).maxpool(2).conv(4, 3, stride=2).build()
    >>> demanded(net)["input"]
    ((0, 5), (0, 5))
    """
    found: dict[str, tuple[Ends, ...]] = {
        name: tuple((0, size - 1) for size in graph.shapes[name][1:]) for name in graph.outputs
    }
    for node in reversed(graph.nodes):
        if node.name not in found:
            continue
        shapes = graph.input_shapes(node)
        for position, source in enumerate(node.inputs):
            if position in node.layer.shape_only:
                continue
            ends = []
            for axis in range(len(shapes[position]) - 1):
                own = found[node.name][axis] if axis < len(found[node.name]) else (0, 0)
                ends.append(read_ends(node.layer, shapes, position, axis, own))
            before = found.get(source)
            if before is not None:
                ends = [(min(a[0], b[0]), max(a[1], b[1])) for a, b in zip(ends, before, strict=True)]
            found[source] = tuple(ends)
    return found


def behind_unknown(graph: Graph) -> frozenset[str]:
    """The nodes that depend on an operation of which is not known what it reads; what they see cannot be told."""
    found: set[str] = set()
    for node in graph.nodes:
        unknown = isinstance(node.layer, Opaque) and node.layer.nature != "pointwise"
        if unknown or any(name in found for name in node.inputs):
            found.add(node.name)
    return frozenset(found)


def gives_vectors(graph: Graph) -> bool:
    """Whether every output is about the image as a whole: a vector, or a map of one position."""
    return all(math.prod(graph.shapes[name][1:]) == 1 for name in graph.outputs)


def nearest_sizes(graph: Graph, fits: Callable[[Fit], bool]) -> tuple[str, ...]:
    """The nearest image sizes above and below the present one that fit, as text; all axes change by as much.

    Empty where there is none within 32 pixels and half the size, and for networks with several inputs.

    >>> from striate import zoo
    >>> nearest_sizes(zoo.build("resnet18"), lambda fit: not fit.misfits)
    ('225×225', '193×193')
    """
    if len(graph.inputs) != 1:
        return ()
    sizing = Sizing(graph)
    channels, *sizes = graph.input_shape
    found = []
    for step in (1, -1):
        for amount in range(1, _FAR):
            changed = [size + step * amount for size in sizes]
            if any(2 * new < old for new, old in zip(changed, sizes, strict=True)):
                break
            fit = sizing.fit((channels, *changed))
            if fit is not None and fits(fit):
                found.append(format_shape(tuple(changed)) + (" pixels" if len(changed) == 1 else ""))
                break
    return tuple(found)


def spatial(shape: Shape) -> str:
    """The size of a map without its channels, as it stands before the word map.

    >>> spatial((64, 7, 9)), spatial((64, 100))
    ('7×9', '100-pixel')
    """
    return format_shape(shape[1:]) + ("-pixel" if len(shape) == 2 else "")


def line_words(rank: int, axes: Sequence[int], count: int = 2) -> str:
    """What the lines across the given axes are called.

    >>> line_words(2, (0, 1)), line_words(2, (1,), 1), line_words(1, (0,))
    ('rows and columns', 'column', 'positions')
    """
    words = {1: ("position",), 2: ("row", "column"), 3: ("frame", "row", "column")}[rank]
    plural = "" if count == 1 else "s"
    chosen = [words[axis] + plural for axis in axes]
    return chosen[0] if len(chosen) == 1 else ", ".join(chosen[:-1]) + " and " + chosen[-1]


def listed(names: Sequence[str], most: int = 3) -> str:
    """Names in a sentence, the first of many.

    >>> listed(["a", "b"]), listed(["a", "b", "c", "d", "e"])
    ('a and b', 'a, b, c and 2 more')
    """
    if len(names) > most + 1:
        return ", ".join(names[:most]) + f" and {len(names) - most} more"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
