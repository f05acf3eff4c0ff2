"""How sure a share is that was measured on a sample."""

from __future__ import annotations

import math

from striate.runs.records import Interval

__all__ = ["wilson_interval"]

_Z = 1.959963984540054
"""The 97.5 % point of the standard normal distribution: two tails of 2.5 % leave 95 %."""


def wilson_interval(hits: int, count: int) -> Interval:
    """95 % Wilson score interval of the share ``hits / count``.

    Unlike the textbook interval p ± z √(p(1 − p)/n) it stays inside 0..1 and does not shrink to a point when every
    answer, or none, is right. With z = 1.95996 and n = ``count`` its ends are

        (hits + z²/2 ± z √(hits (n − hits) / n + z²/4)) / (n + z²)

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the
    American Statistical Association 22 (1927), 209-212; recommended in Brown, Cai, DasGupta (2001), section 4.1.1.

    Args:
        hits: successes, 0..count.
        count: trials; of none nothing is known, and the interval is 0..1.

    Raises:
        ValueError: ``hits`` is outside 0..count.

    >>> interval = wilson_interval(90, 100)
    >>> round(interval.low, 4), round(interval.high, 4)
    (0.8256, 0.9448)
    """
    if not 0 <= hits <= count:
        raise ValueError(f"hits must lie in 0..{count}, got {hits}")
    if count == 0:
        return Interval(low=0.0, high=1.0)
    centre = hits + _Z**2 / 2
    half = _Z * math.sqrt(hits * (count - hits) / count + _Z**2 / 4)
    whole = count + _Z**2
    low = 0.0 if hits == 0 else (centre - half) / whole
    high = 1.0 if hits == count else (centre + half) / whole
    return Interval(low=low, high=high)
