"""Paddings and sizes of sliding windows as ONNX writes them: per axis, before and after, or by a word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from striate.graph.windows import Window
from striate.sources.onnx.faults import fault
from striate.sources.onnx.maps import Sizes

if TYPE_CHECKING:
    from striate.sources.onnx.model import Operation

__all__ = ["Axis", "axes_of", "slide_sizes", "transposed_pads", "transposed_sizes"]

Axis = Window
_WORDS = ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")


def axes_of(operation: Operation, sizes: Sizes, kernel: Sequence[int]) -> tuple[Window, ...]:
    """The window along each spatial axis, with ``auto_pad`` turned into numbers.

    Args:
        operation: a convolution or pooling.
        sizes: the spatial sizes of its input.
        kernel: of the window.

    Raises:
        SourceError: an attribute is of another length, negative where it cannot be, or an unknown word.
    """
    rank = len(sizes)
    strides, dilations, pads = _lists(operation, rank, kernel)
    word = operation.text("auto_pad", "NOTSET")
    ceil = bool(operation.integer("ceil_mode", 0))
    windows = []
    for axis, (size, taps, stride, dilation) in enumerate(zip(sizes, kernel, strides, dilations, strict=True)):
        before, after = pads[axis], pads[axis + rank]
        if word.startswith("SAME"):
            total = max((-(-size // stride) - 1) * stride + dilation * (taps - 1) + 1 - size, 0)
            before = total // 2 if word == "SAME_UPPER" else total - total // 2
            after = total - before
        elif word == "VALID":
            before = after = 0
        windows.append(Window(taps, stride, before, after, dilation, ceil and not word.startswith("SAME")))
    return tuple(windows)


def _lists(operation: Operation, rank: int, kernel: Sequence[int]) -> tuple[Sizes, Sizes, Sizes]:
    stated = operation.integers("kernel_shape", rank) if rank else None
    if not 1 <= rank <= 3 or len(kernel) != rank or (stated is not None and tuple(stated) != tuple(kernel)):
        raise fault(
            f"the window of {operation.op} does not fit its input",
            got=f"a window of {list(kernel)}, kernel_shape {stated and list(stated)}, {rank} spatial axes",
            needs="a size for each of one to three spatial axes",
        )
    strides = operation.integers("strides", rank) or (1,) * rank
    dilations = operation.integers("dilations", rank) or (1,) * rank
    pads = operation.integers("pads", 2 * rank) or (0,) * (2 * rank)
    if min(*strides, *dilations, *kernel) < 1 or min(pads) < 0:
        raise fault(
            f"the window of {operation.op} is impossible",
            got=f"kernel {list(kernel)}, strides {list(strides)}, dilations {list(dilations)}, pads {list(pads)}",
            needs="sizes, strides and dilations of at least 1, pads of at least 0",
        )
    word = operation.text("auto_pad", "NOTSET")
    if word not in _WORDS:
        raise fault(f"{operation.op} cannot use this auto_pad", got=word, needs=f"one of {', '.join(_WORDS)}")
    return strides, dilations, pads


def slide_sizes(operation: Operation, sizes: Sizes, kernel: Sequence[int]) -> Sizes:
    """The spatial sizes that leave a convolution or pooling.

    Raises:
        SourceError: a window is larger than its padded input.
    """
    windows = axes_of(operation, sizes, kernel)
    found = tuple(window.outputs(size) for window, size in zip(windows, sizes, strict=True))
    if min(found) < 1:
        raise fault(
            f"the window of {operation.op} is larger than its input",
            got=f"windows of {[window.span for window in windows]} on {list(sizes)}",
            needs="an input that the window fits into",
        )
    return found


def transposed_pads(operation: Operation, sizes: Sizes, kernel: Sequence[int]) -> tuple[tuple[int, int, int], ...]:
    """``(before, after, output padding)`` along each axis of a transposed convolution.

    With ``output_shape`` or a word, as much is cut off as makes the size: ``s·(n - 1) + extra + K - size``, the larger
    half behind for SAME_UPPER and before otherwise (ONNX operator specification, ConvTranspose).
    """
    rank = len(sizes)
    strides, dilations, pads = _lists(operation, rank, kernel)
    extras = operation.integers("output_padding", rank) or (0,) * rank
    wanted = operation.integers("output_shape", rank)
    word = operation.text("auto_pad", "NOTSET")
    found = []
    for axis, (size, taps, stride, dilation, extra) in enumerate(
        zip(sizes, kernel, strides, dilations, extras, strict=True)
    ):
        before, after = pads[axis], pads[axis + rank]
        if wanted is not None or word.startswith("SAME"):
            goal = wanted[axis] if wanted is not None else size * stride
            total = stride * (size - 1) + extra + dilation * (taps - 1) + 1 - goal
            before, after = total // 2, total - total // 2
            if word != "SAME_UPPER":
                before, after = after, before
            if total < 0:
                # A size beyond what the windows reach is made by numbers behind.
                found.append((0, 0, extra - total))
                continue
        elif word == "VALID":
            before = after = 0
        if extra < 0:
            raise fault("ConvTranspose cannot use this output_padding", got=extra, needs="at least 0")
        found.append((before, after, extra))
    return tuple(found)


def transposed_sizes(operation: Operation, sizes: Sizes, kernel: Sequence[int]) -> Sizes:
    """The spatial sizes that leave a transposed convolution."""
    strides, dilations, _ = _lists(operation, len(sizes), kernel)
    found = []
    pads = transposed_pads(operation, sizes, kernel)
    for size, taps, stride, dilation, (before, after, extra) in zip(
        sizes, kernel, strides, dilations, pads, strict=True
    ):
        found.append(stride * (size - 1) + extra + dilation * (taps - 1) + 1 - before - after)
    if min(found) < 1:
        raise fault("the padding of ConvTranspose cuts off the whole output", got=found, needs="sizes of at least 1")
    return tuple(found)
