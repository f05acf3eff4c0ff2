"""Transposes and reshapes that have been kept aside, and what they amount to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from striate.graph.layer import Layer
from striate.graph.layers.reshape import Flatten
from striate.graph.layers.shuffle import ChannelShuffle, PixelShuffle
from striate.sources.onnx.maps import Map, Sizes, View

__all__ = ["amounts_to", "channels_moved", "reshaped", "sizes_behind"]


def sizes_behind(base: Sizes, views: Sequence[View]) -> Sizes:
    """The sizes of ``base`` behind some views."""
    sizes = base
    for view in views:
        sizes = view.by if view.kind == "reshape" else tuple(sizes[axis] for axis in view.by)
    return sizes


def reshaped(value: Map, sizes: Sizes) -> Map:
    """The value in another shape; nothing is left to do where that undoes what came before.

    >>> flat = reshaped(Map("x", (1, 3, 8, 9), (1, 3, 8, 9)), (1, 216))
    >>> len(flat.views), reshaped(flat, (1, 3, 8, 9)).views
    (1, ())
    """
    views = value.views
    if _only_reshapes(value):
        views = ()
    elif views[-1].kind == "reshape":
        views = views[:-1]
    if sizes_behind(value.base, views) != sizes:
        views = (*views, View("reshape", sizes))
    return replace(value, sizes=sizes, views=views)


def _only_reshapes(value: Map) -> bool:
    """Whether no number changes its place: transposes that move axes of one entry are reshapes."""
    sizes = value.base
    for view in value.views:
        if view.kind == "transpose":
            # The batch counts as an axis that matters even where it is 1.
            moving = [axis for axis in view.by if sizes[axis] != 1 or axis == 0]
            if moving != sorted(moving):
                return False
        sizes = sizes_behind(sizes, (view,))
    return True


def channels_moved(value: Map) -> bool:
    """Whether the numbers of a flattened map stand in another order than channel by channel."""
    return not _only_reshapes(value)


def amounts_to(value: Map) -> Layer | None:
    """The layer that describes all views of a value together; None where none does."""
    views, base, sizes = value.views, value.base, value.sizes
    if not value.batched or sizes[:1] != base[:1]:
        return None
    if sizes == (base[0], math.prod(base[1:])) and len(base) > 2:
        keeps_batch = views[0].kind == "reshape" or views[0].by[0] == 0
        if _only_reshapes(value) or (len(views) <= 2 and keeps_batch and views[-1].kind == "reshape"):
            return Flatten()
    if [view.kind for view in views] == ["reshape", "transpose", "reshape"]:
        return _shuffle(base, views[0].by, views[1].by, sizes)
    return None


def _shuffle(base: Sizes, parts: Sizes, order: Sizes, sizes: Sizes) -> Layer | None:
    """Channels split into parts that change places."""
    rank = len(base) - 2
    if rank < 1 or parts[0] != base[0] or parts[len(parts) - rank :] != base[2:]:
        return None
    if len(parts) == rank + 3 and sizes == base and order == (0, 2, 1, *range(3, rank + 3)):
        return ChannelShuffle(parts[1])
    scale = parts[2] if len(parts) > 2 else 0
    blocks = (scale,) * rank
    wanted = (0, 1, *(axis for place in range(rank) for axis in (2 + rank + place, 2 + place)))
    larger = (base[0], parts[1], *(size * scale for size in base[2:]))
    if len(parts) == 2 * rank + 2 and parts[2 : 2 + rank] == blocks and order == wanted and sizes == larger:
        return PixelShuffle(scale)
    return None
