"""N102: the last lines of a map that no window reaches."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from striate.graph import Node
from striate.graph.layers.convolution import Conv
from striate.graph.layers.pooling import Pool
from striate.lint.geometry import CUTS, demanded, line_words, nearest_sizes, read_ends, spatial
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import Shape, format_share

__all__ = ["pixels_never_read"]

#: From a tenth of a map on, what is lost is a warning.
_MUCH = 10


@rule("N102", "pixels-never-read", "info")
def pixels_never_read(net: Subject) -> Iterator[Evidence]:
    """The last rows or columns of a map are read by no window.

    What: lines at the end of a map behind the last window of whatever reads it, or lines of the image that reach no
        output. What crops and slices leave out is meant, and what lies between windows is N104. A warning where a tenth
        of the map or more is lost (a limit of judgement: below, the loss is smaller than what padding disturbs).
    Why: what stands there was computed for nothing, and in the image an object at that edge is not seen.
    Example: conv 16 3 > relu > maxpool 4 > conv 32 3 > relu > globalavgpool > dense 10
    Instead: conv 16 3 padding=1 > relu > maxpool 4 > conv 32 3 > relu > globalavgpool > dense 10
    Fix: none: ceil_mode: true for a pooling, padding for a convolution, or another image size; all change the result.
    Source: Dumoulin and Visin 2016, chapter 2: the floor in the output size drops what is left over.
    """
    advice: list[str] = []
    direct: dict[str, tuple[int, ...]] = {}
    for node in net.graph.nodes:
        shape = net.graph.shapes[node.name]
        if len(shape) == 1 or node.name in net.graph.outputs:
            continue
        lost, reader = _lost(net, node, shape)
        if reader is not None:
            direct[node.name] = lost
            severity = "warning" if _MUCH * _kept(shape, lost) <= (_MUCH - 1) * math.prod(shape[1:]) else "info"
            advice = advice or [_sizes(net)]
            yield Evidence(
                reader.name,
                f"no window of it reaches the last {_said(lost)} of the {spatial(shape)} map {node.name}: "
                f"{format_share(math.prod(shape[1:]) - _kept(shape, lost), math.prod(shape[1:]))} of it is never read",
                fix=_remedy(reader) + advice[0],
                severity="warning" if severity == "warning" else "info",
            )
    yield from _of_images(net, direct, advice)


def _lost(net: Subject, node: Node, shape: Shape) -> tuple[tuple[int, ...], Node | None]:
    """How many lines at the end of a map nothing reads along each axis, and the first node to blame; else None."""
    lost = [shape[1 + axis] for axis in range(len(shape) - 1)]
    to_blame: Node | None = None
    for reader in net.readers[node.name]:
        shapes, output = net.graph.input_shapes(reader), net.graph.shapes[reader.name]
        for position, source in enumerate(reader.inputs):
            if source != node.name or position in reader.layer.shape_only or isinstance(reader.layer, CUTS):
                continue
            if to_blame is None and isinstance(reader.layer, (Conv, Pool)):
                to_blame = reader
            for axis, size in enumerate(shape[1:]):
                outputs = (0, output[1 + axis] - 1) if axis < len(output) - 1 else (0, 0)
                last = read_ends(reader.layer, shapes, position, axis, outputs)[1]
                lost[axis] = min(lost[axis], size - 1 - last)
    return tuple(lost), to_blame if any(lost) else None


def _of_images(net: Subject, direct: Mapping[str, tuple[int, ...]], advice: list[str]) -> Iterator[Evidence]:
    """Lines of the images that reach no output, where that is more than their readers drop."""
    needed = demanded(net.graph)
    for node in net.graph.inputs:
        if node.name not in needed:
            continue
        shape = net.graph.shapes[node.name]
        lost = tuple(size - 1 - last for size, (_, last) in zip(shape[1:], needed[node.name], strict=True))
        if any(lost) and lost != direct.get(node.name):
            pixels = math.prod(shape[1:])
            yield Evidence(
                node.name,
                f"the last {_said(lost)} of the {spatial(shape)} image reach no output: "
                f"{format_share(pixels - _kept(shape, lost), pixels)} of its pixels",
                fix=(advice[0] if advice else _sizes(net)).removeprefix(", or "),
                severity="warning" if _MUCH * _kept(shape, lost) <= (_MUCH - 1) * pixels else "info",
            )


def _kept(shape: Shape, lost: tuple[int, ...]) -> int:
    return math.prod(size - count for size, count in zip(shape[1:], lost, strict=True))


def _said(lost: tuple[int, ...]) -> str:
    """``2 rows and columns``; ``1 row and 3 columns``."""
    axes = [axis for axis, count in enumerate(lost) if count]
    if len({lost[axis] for axis in axes}) == 1:
        return _counted(lost[axes[0]], line_words(len(lost), axes, lost[axes[0]]))
    return " and ".join(_counted(lost[axis], line_words(len(lost), (axis,), lost[axis])) for axis in axes)


def _counted(count: int, words: str) -> str:
    return words if count == 1 else f"{count} {words}"


def _remedy(reader: Node) -> str:
    return "ceil_mode: true" if hasattr(reader.layer, "ceil_mode") else "padding"


def _sizes(net: Subject) -> str:
    found = nearest_sizes(net.graph, lambda fit: not fit.dropped)
    return f", or an image of {' or '.join(found)}" if found else ", or another image size"
