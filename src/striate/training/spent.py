"""Where the time of a training goes: a clock on which each moment belongs to one part."""

from __future__ import annotations

import time
from collections.abc import Callable

from striate.runs.spent_record import PARTS, Part, SpentRecord

__all__ = ["Spent"]


class Spent:
    """Adds up seconds by part. All parts together are the time from the first moment to the newest mark.

    A mark is one look at the clock and one sum, less than a microsecond, so that it is always on. On a device that
    computes while Python goes on, time is counted where it is waited for: the backward pass has the forward's too.

    Args:
        now: the clock, in seconds.

    >>> ticks = iter([0.0, 2.0, 5.0])
    >>> spent = Spent(lambda: next(ticks))
    >>> spent.mark("forward")
    >>> spent.mark("backward")
    >>> spent.as_record().seconds["backward"], spent.as_record().whole
    (3.0, 5.0)
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._seconds: dict[Part, float] = dict.fromkeys(PARTS, 0.0)
        self._changes: dict[str, float] = {}
        self._behind = SpentRecord()
        self._last = now()

    def mark(self, part: Part, change: str | None = None) -> None:
        """What has passed since the mark before belongs to ``part``; of ``augment``, to one random change."""
        now = self._now()
        passed, self._last = now - self._last, now
        self._seconds[part] += passed
        if change is not None:
            self._changes[change] = self._changes.get(change, 0.0) + passed

    def add(self, part: Part, seconds: float) -> None:
        """Time that had passed before this clock was there."""
        self._seconds[part] += seconds

    def epoch_over(self) -> SpentRecord:
        """What was spent since the epoch before was over; the next one begins."""
        now, before = self.as_record(), self._behind
        self._behind = now
        return SpentRecord(
            seconds={part: max(0.0, value - before.seconds.get(part, 0.0)) for part, value in now.seconds.items()},
            changes={name: max(0.0, value - before.changes.get(name, 0.0)) for name, value in now.changes.items()},
        )

    def carry_on(self, spent: SpentRecord, in_epochs: SpentRecord) -> None:
        """Go on from where another process stood; the time of this one so far counts too.

        Args:
            spent: by that process and those before it.
            in_epochs: of that, up to the end of the newest epoch.
        """
        for part, seconds in spent.seconds.items():
            self._seconds[part] += seconds
        for name, seconds in spent.changes.items():
            self._changes[name] = self._changes.get(name, 0.0) + seconds
        self._behind = in_epochs

    def as_record(self) -> SpentRecord:
        """So far."""
        return SpentRecord(seconds=dict(self._seconds), changes=dict(self._changes))

    def in_epochs(self) -> SpentRecord:
        """Up to the end of the newest epoch."""
        return self._behind
