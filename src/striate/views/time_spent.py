"""One line on where the time of a training went."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

from striate.views.number_wording import format_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from striate.runs.spent_record import SpentRecord

__all__ = ["shares_in_percent", "time_spent_line"]

Name = TypeVar("Name", bound=str)

_WORDS = {"decode": "reading images", "wait": "waiting for images"}


def time_spent_line(spent: SpentRecord) -> str:
    """Total and shares of the parts; those that come to 0 % are left out, and the others add up to 100.

    >>> from striate.runs.spent_record import SpentRecord
    >>> time_spent_line(SpentRecord(seconds={"wait": 1.0, "forward": 3.0, "backward": 5.0}))
    'time: 9.0 s, waiting for images 11 %, forward 33 %, backward 56 %'
    """
    shares = shares_in_percent(spent.seconds)
    words = [f"{_WORDS.get(part, part)} {share} %" for part, share in shares.items() if share]
    return ", ".join([f"time: {format_duration(spent.whole)}", *words])


def shares_in_percent(seconds: Mapping[Name, float]) -> dict[Name, int]:
    """Whole percentages that add up to 100, by the method of the largest remainder (Hare quota); all 0 of nothing.

    >>> shares_in_percent({"a": 1, "b": 1, "c": 1})
    {'a': 34, 'b': 33, 'c': 33}
    """
    whole = sum(seconds.values())
    if whole <= 0:
        return dict.fromkeys(seconds, 0)
    exact = {part: 100 * value / whole for part, value in seconds.items()}
    shares = {part: math.floor(value) for part, value in exact.items()}
    by_remainder = sorted(exact, key=lambda part: shares[part] - exact[part])
    for part in by_remainder[: 100 - sum(shares.values())]:
        shares[part] += 1
    return shares
