"""The arithmetic of sliding windows, shared by convolution and pooling.

With n inputs, kernel k, dilation d, stride s and padding before/after, the window spans K = d·(k-1) + 1 inputs and
there are floor((n + before + after - K) / s) + 1 outputs (Dumoulin and Visin, "A guide to convolution arithmetic for
deep learning", 2016, relationship 15, with the two paddings kept apart).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from striate.errors import ShapeError
from striate.graph.layer import Indices, Reach, Step
from striate.units import Shape, format_shape

__all__ = ["Window", "fold_back", "slide", "window_steps"]


@dataclass(frozen=True, slots=True)
class Window:
    """A sliding window along one axis.

    >>> Window(kernel=5, stride=2, before=2, after=2).outputs(28)
    14
    >>> Window(kernel=3, dilation=3).span
    7
    """

    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1
    ceil: bool = False

    @property
    def span(self) -> int:
        """K, the number of inputs from the first tap to the last."""
        return self.dilation * (self.kernel - 1) + 1

    def outputs(self, size: int) -> int:
        """How many places the window takes on ``size`` inputs; 0 or less when it does not fit."""
        room = size + self.before + self.after - self.span
        if not self.ceil:
            return room // self.stride + 1 if room >= 0 else 0
        # Rounded up, PyTorch takes even a single window that is larger than its input, by less than the stride.
        count = -(-room // self.stride) + 1
        # A last window that would start in the padding behind the input is dropped, as PyTorch does.
        return count - 1 if (count - 1) * self.stride >= size + self.before else count

    @property
    def reach(self) -> Reach:
        """Output y reads from ``y·s - before`` to ``y·s - before + K - 1``."""
        return Reach(-self.before, self.span - 1 - self.before, self.stride)

    def taps(self, outputs: Indices) -> Iterator[int]:
        """Every index the given outputs read, padding included (negative, or at least the input's size)."""
        for output in outputs:
            start = output * self.stride - self.before
            for tap in range(self.kernel):
                yield start + tap * self.dilation


def fold_back(taps: Iterable[int], size: int, mode: str) -> Indices:
    """Where padded indices really read: nothing under zero padding, else the mirrored, edge or wrapped pixel."""
    if mode == "zero":
        return frozenset(tap for tap in taps if 0 <= tap < size)
    if mode == "replicate":
        return frozenset(min(max(tap, 0), size - 1) for tap in taps)
    if mode == "circular":
        return frozenset(tap % size for tap in taps)
    return frozenset(-tap if tap < 0 else 2 * (size - 1) - tap if tap >= size else tap for tap in taps)


def slide(kind: str, windows: tuple[Window, ...], shape: Shape) -> tuple[int, ...]:
    """The spatial sizes that leave.

    Raises:
        ShapeError: when a window is larger than its padded input.
    """
    sizes = []
    for window, size in zip(windows, shape[1:], strict=True):
        count = window.outputs(size)
        if count < 1:
            padded = size + window.before + window.after
            padding = f" ({size} with padding {window.before}+{window.after})" if padded != size else ""
            raise ShapeError(
                f"the window of {kind} is larger than its input",
                got=f"a window of {window.span} on {padded} pixels{padding}, input {format_shape(shape)}",
                needs=f"an input of at least {window.span - window.before - window.after} along every axis",
                write=f"a kernel of at most {padded}, more padding, fewer poolings before it, or a larger input",
            )
        sizes.append(count)
    return tuple(sizes)


def window_steps(windows: tuple[Window, ...], shape: Shape, names: tuple[str, ...], channels: int) -> Iterator[Step]:
    """The derivation of a window's output shape, axis by axis."""
    for window, size, name in zip(windows, shape[1:], names, strict=True):
        if window.dilation > 1:
            yield Step(
                f"window {name}", "K = d·(k - 1) + 1", f"{window.dilation}·({window.kernel} - 1) + 1", str(window.span)
            )
        count, bracket = window.outputs(size), "ceil" if window.ceil else "floor"
        room = size + window.before + window.after - window.span
        places = -(-room // window.stride) + 1 if window.ceil else count
        yield Step(
            f"output {name}",
            f"{bracket}((n + before + after - K) / s) + 1",
            f"{bracket}(({size} + {window.before} + {window.after} - {window.span}) / {window.stride}) + 1",
            str(places),
        )
        if places != count:
            yield Step(f"output {name}", "less a last window that starts behind the input", f"{places} - 1", str(count))
    output = (channels, *(window.outputs(size) for window, size in zip(windows, shape[1:], strict=True)))
    yield Step("output shape", "channels × " + " × ".join(names), format_shape(output), format_shape(output))
