"""The options of load_data, checked before anything is opened."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast

from striate.errors import UsageError, near_miss
from striate.runs.records import Task

__all__ = ["Cache", "Fit", "Options", "check_options"]

Cache = Literal["auto", "memory", "disk", "stream"]
"""Where the decoded pixels of image files are kept: in memory, on the disk, or nowhere; ``auto``: where they fit."""
MOST_WORKERS = 256
Fit = Literal["exact", "crop", "stretch"]
"""How an image gets its size; see Preprocessing."""
LARGEST_SIZE = 8192


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for; None means: choose.

    Args:
        size: (height, width) in pixels.
        channels: 1 or 3.
        fit: as in Preprocessing.
        seed: of the split.
        val: share 0..1 of the training images to hold out; 0 means none.
        test: share 0..1 of all images to hold out; 0 means none.
        broken: ``skip`` or ``error``.
        task: of the labels.
        cache: where decoded pixels are kept.
        workers: processes that decode a stream; None: one for each processor.
    """

    size: tuple[int, int] | None = None
    channels: Literal[1, 3] | None = None
    fit: Fit | None = None
    seed: int = 0
    val: float | None = None
    test: float | None = None
    broken: Literal["skip", "error"] = "skip"
    task: Task | None = None
    cache: Cache = "auto"
    workers: int | None = None


def check_options(
    *,
    size: object,
    channels: object,
    fit: object,
    seed: object,
    val: object,
    test: object,
    broken: object,
    task: object,
    cache: object = "auto",
    workers: object = None,
) -> Options:
    """Options, if every value is one that can be used.

    Raises:
        UsageError: names the option, what it got and what it takes.
    """
    if channels not in (None, 1, 3) or isinstance(channels, bool):
        raise UsageError("wrong channels", where="channels", got=repr(channels), needs="1 (grey) or 3 (RGB)")
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise UsageError("wrong seed", where="seed", got=repr(seed), needs="a whole number")
    count = isinstance(workers, int) and not isinstance(workers, bool) and 1 <= workers <= MOST_WORKERS
    if workers is not None and not count:
        needs = f"a whole number from 1 to {MOST_WORKERS}"
        raise UsageError("wrong number of workers", where="workers", got=repr(workers), needs=needs)
    return Options(
        size=_size(size),
        channels=channels,
        fit=cast("Fit | None", _word("fit", fit, ("exact", "crop", "stretch"))),
        seed=seed,
        val=_share("val", val),
        test=_share("test", test),
        broken=cast("Literal['skip', 'error']", _word("broken", broken, ("skip", "error"), optional=False)),
        task=cast("Task | None", _word("task", task, ("classes", "tags", "values"))),
        cache=cast("Cache", _word("cache", cache, ("auto", "memory", "disk", "stream"), optional=False)),
        workers=cast("int | None", workers),
    )


def _size(size: object) -> tuple[int, int] | None:
    if size is None:
        return None
    pair = tuple(size) if isinstance(size, tuple | list) else (size, size)
    whole = all(isinstance(side, int) and not isinstance(side, bool) and 1 <= side <= LARGEST_SIZE for side in pair)
    if len(pair) != 2 or not whole:
        raise UsageError(
            "wrong image size",
            where="size",
            got=repr(size),
            needs=f"pixels, 1 to {LARGEST_SIZE}: one number for a square, or (height, width)",
            write="size=64 or size=(48, 64)",
        )
    return cast("tuple[int, int]", pair)


def _share(name: str, share: object) -> float | None:
    if share is None:
        return None
    number = isinstance(share, int | float) and not isinstance(share, bool) and math.isfinite(share)
    if not number or not 0 <= cast("float", share) < 1:
        raise UsageError(
            f"wrong share for {name}",
            where=name,
            got=repr(share),
            needs="a share from 0 (none) to less than 1",
            write=f"{name}=0.2",
        )
    return float(cast("float", share))


def _word(name: str, word: object, known: tuple[str, ...], *, optional: bool = True) -> str | None:
    if (word is None and optional) or word in known:
        return word
    near = near_miss(word, known) if isinstance(word, str) else None
    raise UsageError(
        f"unknown {name}",
        where=name,
        got=repr(word),
        needs=" or ".join(known),
        write=f"{name}={near!r}" if near else None,
    )
