"""Shapes, counts and bytes: their types, and how they are printed.

A shape is ``(channels, *spatial)`` with the batch left out. Cost is counted in MACs: a multiply-add is one
(FLOPs = 2 × MACs). Bytes are powers of two and say so.
"""

from __future__ import annotations

from fractions import Fraction

__all__ = ["Shape", "format_bytes", "format_count", "format_fraction", "format_shape", "format_share", "parse_shape"]

Shape = tuple[int, ...]


def format_shape(shape: Shape) -> str:
    """A shape as people write it.

    >>> format_shape((64, 56, 56))
    '64×56×56'
    """
    return "×".join(str(size) for size in shape)


def parse_shape(text: str) -> Shape:
    """Read ``3x64x48``, ``3×64×48`` or ``3,64,48``.

    Raises:
        ValueError: when a part is not a whole number of at least 1.

    >>> parse_shape("3x64x48")
    (3, 64, 48)
    """
    parts = [part.strip() for part in text.lower().replace("×", "x").replace(",", "x").split("x")]
    # int() would also take signs, underscores and the digits of other scripts.
    if not all(part.isascii() and part.isdecimal() and int(part) for part in parts):
        raise ValueError(text)
    return tuple(int(part) for part in parts)


def format_count(count: int) -> str:
    """A whole number with thousands separated.

    >>> format_count(421642)
    '421,642'
    """
    return f"{count:,}"


def format_share(part: int, whole: int) -> str:
    """A share in percent, with as many digits as it takes not to round a part to nothing or to everything.

    >>> format_share(75_648, 150_529_000), format_share(150_453_352, 150_529_000), format_share(1, 3)
    ('0.05 %', '99.95 %', '33.3 %')
    >>> format_share(150_527_208, 150_529_000), format_share(0, 5), format_share(5, 5)
    ('99.999 %', '0 %', '100 %')
    """
    if whole == 0 or part == 0:
        return "0 %"
    if part == whole:
        return "100 %"
    percent = Fraction(100 * part, whole)
    nearest_end = min(percent, abs(100 - percent))
    digits = 1
    while abs(round(percent, digits) - percent) > nearest_end / 4:
        digits += 1
    return f"{float(round(percent, digits)):.{digits}f} %"


def format_bytes(count: int) -> str:
    """Bytes in powers of two, with the unit named.

    >>> format_bytes(1536), format_bytes(8 * 1024**2), format_bytes(12)
    ('1.5 KiB', '8.0 MiB', '12 B')
    """
    if count < 1024:
        return f"{count} B"
    size, unit = count / 1024, "KiB"
    for larger in ("MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.1f} {unit}"


def format_fraction(value: Fraction) -> str:
    """A fraction as a whole number where it is one, else as ``3/2``.

    >>> format_fraction(Fraction(4)), format_fraction(Fraction(1, 2))
    ('4', '1/2')
    """
    return str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
