"""N105: kernels without a middle, which shift the map or change its size."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from striate.graph import Node
from striate.graph.layer import axis_names
from striate.graph.layers.convolution import Conv
from striate.graph.windows import Window
from striate.lint.geometry import sliding, spatial
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_fraction

__all__ = ["even_kernel"]


@rule("N105", "even-kernel", "warning")
def even_kernel(net: Subject) -> Iterator[Evidence]:
    """A padded kernel of even size has no middle.

    What: a convolution or pooling with stride 1, padding, and a window of even size: with as much padding before as
        behind the map changes its size by one, with one more behind (``same``) it is shifted by half a step. Silent
        without padding, with a stride (a window of 4 with stride 2 and padding 1 has its middle between two pixels on
        purpose) and where all padding stands before (a causal convolution).
    Why: the shifts of layer after layer add up and the features move to one corner; Wu et al. measure how that erodes
        them and lowers the accuracy.
    Example: conv 16 4 same > relu > globalavgpool > dense 10
    Instead: conv 16 3 same > relu > globalavgpool > dense 10
    Fix: none: an odd kernel, or for the shift padding on another side in each quarter of the channels, as Wu et al. do.
    Source: Wu et al. 2019, "Convolution with even-sized kernels and symmetric padding", NeurIPS.
    """
    for node, shape, windows in sliding(net):
        if getattr(node.layer, "padding", None) == "full":
            continue
        axes = [axis for axis, size in enumerate(shape[1:]) if size > 1 and _lacks_middle(windows[axis])]
        if not axes:
            continue
        first = windows[axes[0]]
        if first.before == first.after:
            told = f"the map changes from {spatial(shape)} to {spatial(net.graph.shapes[node.name])}"
        else:
            names = " and ".join(axis_names(len(windows))[axis] for axis in axes)
            told = f"the map is shifted by half a step{_pixels(net, node, axes[0])} along the {names}"
        odd = f"{max(first.kernel - 1, 1)} or {first.kernel + 1}"
        yield Evidence(
            node.name,
            f"its window of {'×'.join(str(window.span) for window in windows)} has no middle, with padding "
            f"{first.before} before and {first.after} behind: {told}",
            fix=f"kernel: {odd}" if isinstance(node.layer, Conv) else f"kernel: {first.kernel + 1}",
        )


def _lacks_middle(window: Window) -> bool:
    """Whether rounding half a window moves it; padding that is further to one side is so on purpose."""
    half = window.span // 2
    if window.stride != 1 or window.span % 2 or not window.after:
        return False
    return (window.before, window.after) in {(half, half), (half - 1, half - 1), (half - 1, half), (half, half - 1)}


def _pixels(net: Subject, node: Node, axis: int) -> str:
    """How many pixels of the image that is, where units of the map stand regularly on it."""
    fields = net.numbers[node.inputs[0]].field
    if axis >= len(fields) or fields[axis].kind != "local" or not fields[axis].jump:
        return ""
    shift = Fraction(fields[axis].jump) / 2
    return f" ({format_fraction(shift)} {'pixel' if shift <= 1 else 'pixels'} of the image)"
