"""Values as JSON will give them back, so that what is written equals what is read."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import PurePath

__all__ = ["plain"]


def plain(value: object) -> object:
    """``value`` in JSON's own types.

    Tuples become lists, paths text, NumPy scalars Python numbers, and a number that is not finite None.

    Raises:
        ValueError: for anything else, such as a set, or a key that is not text.

    >>> plain({"kernel": (3, 3), "loss": float("nan")})
    {'kernel': [3, 3], 'loss': None}
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    raise ValueError(f"{value!r} ({type(value).__name__}) cannot be written as JSON")


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise ValueError(f"the key {key!r} is not text")
    return key
