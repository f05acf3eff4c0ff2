"""N104: a stride so large that windows leave pixels out between them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.graph import Node
from striate.graph.layers.convolution import Conv
from striate.graph.layers.pooling import Pool
from striate.graph.windows import Window
from striate.lint.geometry import sliding, spatial
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import Shape, format_share

__all__ = ["stride_skips_pixels"]


@rule("N104", "stride-skips-pixels", "warning")
def stride_skips_pixels(net: Subject) -> Iterator[Evidence]:
    """A stride leaves pixels out between its windows.

    What: a convolution or pooling with a stride larger than its kernel, or whose dilation and stride share a factor, so
        that some lines lie under no tap of any window. Information where something else reads them, as the main branch
        beside a strided 1×1 shortcut does.
    Why: what the layer leaves out was computed for nothing, or says nothing in this branch: a 1×1 convolution with
        stride 2 ignores three quarters of its input.
    Example: conv 16 3 padding=1 > relu > conv 32 1 stride=2 > relu > globalavgpool > dense 10
    Instead: conv 16 3 padding=1 > relu > avgpool 2 > conv 32 1 > relu > globalavgpool > dense 10
    Fix: none: average pooling by the stride before a convolution without one (the shortcut of ResNet-D), a kernel as
        large as the stride, or a smaller stride; all change the result.
    Source: He et al. 2019, "Bag of tricks for image classification with convolutional neural networks", section 4.2.
    """
    for node, shape, windows in sliding(net):
        if not _skips(windows, shape):
            continue
        source = net.source(node)
        read = math.prod(_lines(window, size) for window, size in zip(windows, shape[1:], strict=True))
        pixels = math.prod(shape[1:])
        if source.name in net.graph.outputs or not _all_skip_alike(net, source, windows):
            severity, rest = "info", "what is left out is read elsewhere"
        else:
            severity, rest = "warning", "nothing else reads what is left out"
        stride = "×".join(str(window.stride) for window in windows)
        yield Evidence(
            node.name,
            f"with stride {stride} and a window of {'×'.join(str(window.span) for window in windows)} it skips "
            f"{format_share(pixels - read, pixels)} of the {spatial(shape)} map {source.name}; {rest}",
            fix=_remedy(node, windows),
            severity="info" if severity == "info" else "warning",
        )


def _skips(windows: tuple[Window, ...], shape: Shape) -> bool:
    return any(_lines(window, size) < _covered(window, size) for window, size in zip(windows, shape[1:], strict=True))


def _lines(window: Window, size: int) -> int:
    """How many lines are read."""
    if window.dilation == 1 and window.kernel >= window.stride:
        return _covered(window, size)
    if window.dilation == 1:
        # Windows do not touch: all are whole, but for the first and the last.
        count = window.outputs(size)
        whole = max(count - 2, 0) * window.kernel
        ends = {place for place in (0, count - 1) if place >= 0}
        return whole + sum(_inside(place * window.stride - window.before, window.kernel, size) for place in ends)
    residues = {tap * window.dilation % window.stride for tap in range(window.kernel)}
    if len(residues) == window.stride:
        return _covered(window, size)
    return len({tap for tap in window.taps(frozenset(range(window.outputs(size)))) if 0 <= tap < size})


def _covered(window: Window, size: int) -> int:
    """How many lines lie between the first and the last that are read, and in the gap behind."""
    end = (window.outputs(size) - 1) * window.stride - window.before + max(window.span, window.stride)
    return min(end, size)


def _inside(start: int, length: int, size: int) -> int:
    return max(min(start + length, size) - max(start, 0), 0)


def _all_skip_alike(net: Subject, source: Node, windows: tuple[Window, ...]) -> bool:
    """Whether everything that reads a map leaves out the same lines."""

    def places(entry: Window) -> tuple[int, frozenset[int]]:
        return entry.stride, frozenset((t * entry.dilation - entry.before) % entry.stride for t in range(entry.kernel))

    wanted = [places(window) for window in windows]
    return all(
        isinstance(reader.layer, (Conv, Pool)) and [places(w) for w in reader.layer.windows(len(windows))] == wanted
        for reader in net.readers[source.name]
    )


def _remedy(node: Node, windows: tuple[Window, ...]) -> str:
    stride = "×".join(str(entry) for entry in sorted({window.stride for window in windows}))
    if isinstance(node.layer, Conv) and all(window.kernel == 1 for window in windows):
        return f"avgpool: {stride} before it and stride: 1, as in ResNet-D"
    return f"a kernel of at least {stride} without a dilation that shares a factor with the stride"
