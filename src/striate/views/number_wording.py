"""How shares, losses, times and large counts are written; shared by the terminal and the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.runs.records import Interval

__all__ = [
    "format_accuracy",
    "format_compact",
    "format_duration",
    "format_interval",
    "format_measure",
    "format_percent",
]


def format_percent(share: float, digits: int = 1) -> str:
    """A share of 0..1 in percent; as many more digits as it takes not to round a part to nothing or to everything.

    >>> format_percent(0.98333, 2), format_percent(0.99996), format_percent(1.0), format_percent(0.0)
    ('98.33', '99.996', '100', '0')
    """
    percent = 100 * share
    if percent in (0.0, 100.0):
        return f"{percent:.0f}"
    while digits < 12 and float(f"{percent:.{digits}f}") in (0.0, 100.0):
        digits += 1
    return f"{percent:.{digits}f}"


def format_interval(interval: Interval) -> str:
    """The two ends of an interval, in percent, without the unit."""
    return f"{format_percent(interval.low)} to {format_percent(interval.high)}"


def format_accuracy(accuracy: float, interval: Interval | None) -> str:
    """An accuracy with its 95 % interval: ``98.33 % (96.4 to 99.2)``."""
    value = f"{format_percent(accuracy, 2)} %"
    return value if interval is None else f"{value} ({format_interval(interval)})"


def format_measure(value: float | None) -> str:
    """A loss, an error or a rate with four significant digits.

    >>> format_measure(0.05321987), format_measure(12.0), format_measure(3e-5), format_measure(None)
    ('0.05322', '12', '3e-05', '–')
    >>> format_measure(float("nan"))
    'not a number'
    """
    if value is None:
        return "–"
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return "infinite" if value > 0 else "minus infinity"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def format_compact(count: int) -> str:
    """A large count with four digits and k (thousand), M (million), G (10⁹) or T (10¹²).

    >>> format_compact(15_470_264_320), format_compact(4_241_152), format_compact(950)
    ('15.47 G', '4.241 M', '950')
    """
    if count < 10_000:
        return f"{count:,}"
    size = float(count)
    for unit in ("", "k", "M", "G", "T"):
        if size < 999.95 or unit == "T":
            return f"{size:.4g} {unit}"
        size /= 1000
    raise AssertionError("unreachable")


def format_duration(seconds: float) -> str:
    """A time as people say it.

    >>> format_duration(0.0042), format_duration(4.25), format_duration(83), format_duration(7500)
    ('4.2 ms', '4.2 s', '1 min 23 s', '2 h 5 min')
    """
    if not math.isfinite(seconds) or seconds < 0:
        return "–"
    if seconds < 0.9995:
        return f"{1000 * seconds:.2g} ms" if seconds < 0.0995 else f"{1000 * seconds:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
