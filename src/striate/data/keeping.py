"""Where the decoded pixels of image files are kept, and why there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from striate.data.memory import fits, memory_bound
from striate.data.options import Options
from striate.errors import UsageError
from striate.units import Shape, format_bytes

__all__ = ["Keeping", "choose_keeping", "refuse_other_keeping"]


@dataclass(frozen=True, slots=True)
class Keeping:
    """A place and the reason for it.

    Args:
        place: in memory, or in a memory-mapped file on the disk.
        told: both, in one sentence without its full stop.
    """

    place: Literal["memory", "disk"]
    told: str


def choose_keeping(options: Options, count: int, shape: Shape) -> Keeping:
    """The place that was asked for; else memory where the pixels fit into it, else the disk.

    Args:
        options: what the user asked for.
        count: images.
        shape: (channels, height, width) of each.
    """
    needed, bound = format_bytes(count * math.prod(shape)), format_bytes(memory_bound())
    names = {"memory": "in memory", "disk": "in a file on the disk"}
    if options.cache != "auto":
        return Keeping(options.cache, f"{needed} of pixels {names[options.cache]}, as asked")
    if fits(count, shape):
        return Keeping("memory", f"{needed} of pixels in memory, where at most {bound} may be taken")
    return Keeping("disk", f"{needed} of pixels in a file on the disk, for memory may hold {bound} of them")


def refuse_other_keeping(options: Options, where: str) -> None:
    """Refuse a place for the decoded pixels of a source that has no image files.

    Raises:
        UsageError: one was asked for.
    """
    if options.cache in ("auto", "memory"):
        return
    raise UsageError(
        "only the pixels of image files are kept elsewhere than in memory",
        where="cache",
        got=f"cache={options.cache!r} for {where}, which holds arrays",
        needs="a folder of image files, or a CSV table of them",
        write="no cache",
    )
