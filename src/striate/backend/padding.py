"""Padding in PyTorch's spelling."""

from __future__ import annotations

from collections.abc import Sequence

from striate.graph.windows import Window

__all__ = ["flat_pads", "symmetric_pads"]


def symmetric_pads(windows: Sequence[Window]) -> tuple[int, ...] | None:
    """The padding for each axis, or None where some axis has more on one side.

    >>> symmetric_pads([Window(3, before=1, after=1), Window(5, before=2, after=2)])
    (1, 2)
    >>> symmetric_pads([Window(2, before=0, after=1)]) is None
    True
    """
    if any(window.before != window.after for window in windows):
        return None
    return tuple(window.before for window in windows)


def flat_pads(windows: Sequence[Window]) -> list[int]:
    """What `torch.nn.functional.pad` takes: (before, after) pairs in one list, the last axis first.

    >>> flat_pads([Window(3, before=1, after=2), Window(5, before=3, after=4)])
    [3, 4, 1, 2]
    """
    return [pad for window in reversed(windows) for pad in (window.before, window.after)]
