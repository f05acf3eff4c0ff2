"""N106: transposed convolutions that write some pixels more often than others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from itertools import product

from striate.graph.layers.transposed_convolution import ConvTranspose
from striate.graph.windows import Window
from striate.lint.geometry import spreading
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject

__all__ = ["checkerboard"]


@rule("N106", "checkerboard", "warning")
def checkerboard(net: Subject) -> Iterator[Evidence]:
    """A transposed convolution writes neighbouring pixels a different number of times.

    What: a transposed convolution whose kernel is no multiple of its stride, so that the taps fall unevenly on the
        phases of the output; where the stride is larger than the kernel, some pixels get nothing but the bias.
    Why: pixels that more weights write differ in strength from their neighbours, in a pattern of the period of the
        stride that training has to undo and seldom does quite: checkerboards in images and in gradients.
    Example: conv 8 3 stride=2 padding=1 > relu > convtranspose 3 3 stride=2 padding=1 output_padding=1
    Instead: conv 8 3 stride=2 padding=1 > relu > convtranspose 3 4 stride=2 padding=1
    Fix: none: a kernel that is a multiple of the stride, or nearest upsampling followed by a convolution.
    Source: Odena, Dumoulin and Olah 2016, "Deconvolution and checkerboard artifacts", Distill.
    """
    for node in net.graph.nodes:
        if not isinstance(node.layer, ConvTranspose):
            continue
        shape = net.graph.shapes[node.inputs[0]]
        windows = spreading(node.layer, len(shape) - 1)
        phases = [_taps(window) if size > 1 else (1,) for window, size in zip(windows, shape[1:], strict=True)]
        if all(len(set(counts)) == 1 for counts in phases):
            continue
        counts = sorted((math.prod(entry) for entry in product(*phases)), reverse=True)
        kernel, stride = ("×".join(str(size) for size in sizes) for sizes in zip(*_sizes(windows), strict=True))
        told = "" if counts[-1] else ", so that some hold nothing but the bias"
        least = windows[0].stride
        yield Evidence(
            node.name,
            f"kernel {kernel} with stride {stride} writes the pixels of its output {_listed(counts)} times{told}",
            fix=f"kernel: {-(-windows[0].kernel // least) * least}, or upsample: {least} and a convolution",
        )


def _sizes(windows: tuple[Window, ...]) -> list[tuple[int, int]]:
    return [(window.kernel, window.stride) for window in windows]


def _taps(window: Window) -> tuple[int, ...]:
    """How many taps write each phase of the output."""
    found = Counter(tap * window.dilation % window.stride for tap in range(window.kernel))
    return tuple(found[phase] for phase in range(window.stride))


def _listed(counts: list[int]) -> str:
    """``4, 2, 2 and 1``, or of many ``1 to 9``."""
    if len(counts) > 9:
        return f"{counts[-1]} to {counts[0]}"
    return ", ".join(str(count) for count in counts[:-1]) + f" and {counts[-1]}"
