"""Where the decoded pixels of image files are kept, if anywhere, and why there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from striate.data.cache_folder import room_for_pixels
from striate.data.memory import fits, memory_bound
from striate.data.options import Options
from striate.errors import UsageError
from striate.units import Shape, format_bytes

__all__ = ["Keeping", "choose_keeping", "refuse_idle_workers", "refuse_other_keeping"]


@dataclass(frozen=True, slots=True)
class Keeping:
    """A place and the reason for it.

    Args:
        place: in memory, in a memory-mapped file on the disk, or nowhere.
        told: both, in one sentence without its full stop.
    """

    place: Literal["memory", "disk", "stream"]
    told: str


def choose_keeping(options: Options, count: int, shape: Shape) -> Keeping:
    """The place that was asked for; else memory where the pixels fit into it, else the disk where they fit, else none.

    Args:
        options: what the user asked for.
        count: images.
        shape: (channels, height, width) of each.

    Raises:
        UsageError: a number of processes is asked for, and they would have nothing to do.
    """
    size = count * math.prod(shape)
    needed, bound = format_bytes(size), format_bytes(memory_bound())
    names = {"memory": "in memory", "disk": "in a file on the disk", "stream": "decoded whenever they are needed"}
    place: Literal["memory", "disk", "stream"]
    if options.cache != "auto":
        place, why = options.cache, "as asked"
    elif fits(count, shape):
        place, why = "memory", f"where at most {bound} may be taken"
    elif size <= (room := room_for_pixels()):
        place, why = "disk", f"for memory may hold {bound} of them"
    else:
        place, why = "stream", f"for memory may hold {bound} of them, and the disk {format_bytes(room)}"
    told = f"{needed} of pixels {names[place]}, {why}"
    if place != "stream":
        refuse_idle_workers(options, told)
    return Keeping(place, told)


def refuse_idle_workers(options: Options, told: str) -> None:
    """Refuse a number of processes where the images are decoded once.

    Args:
        options: what the user asked for.
        told: where the pixels are.

    Raises:
        UsageError: a number was asked for.
    """
    if options.workers is not None:
        raise UsageError(
            "workers has no effect on images that are decoded once",
            where="workers",
            got=f"workers={options.workers}, and {told}",
            write="cache='stream', or no workers",
        )


def refuse_other_keeping(options: Options, where: str) -> None:
    """Refuse a place for the decoded pixels of a source that has no image files.

    Raises:
        UsageError: one was asked for.
    """
    if options.workers is not None:
        raise UsageError(
            "workers has no effect on images that are not decoded",
            where="workers",
            got=f"workers={options.workers} for {where}, which holds arrays",
            write="no workers",
        )
    if options.cache in ("auto", "memory"):
        return
    raise UsageError(
        "only the pixels of image files are kept elsewhere than in memory",
        where="cache",
        got=f"cache={options.cache!r} for {where}, which holds arrays",
        needs="a folder of image files, or a CSV table of them",
        write="no cache",
    )
