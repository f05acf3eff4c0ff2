"""Arrays of images in the layouts and types people store, to uint8 (images, channels, height, width)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data.dataset import Images
from striate.errors import DataError
from striate.findings import Finding

__all__ = ["to_uint8"]

Array = npt.NDArray[Any]
Named = tuple[str, Array]
CHUNK = 1 << 22
_WRITE = "numpy.uint8 images 0..255; for x in 0..1: (x * 255).round().astype('uint8')"


def to_uint8(arrays: Mapping[str, Named]) -> tuple[dict[str, Images], tuple[Finding, ...]]:
    """Bring all parts to uint8 (images, channels, height, width), by one rule for all of them.

    uint8 is taken as it is; whole numbers 0..255 are taken as they are; floats are taken as 0..255 when all are whole
    numbers with one above 1, and as 0..1 when each, times 255, is a whole number but for rounding. Anything else is
    in doubt, and an error.

    Args:
        arrays: by part, where the array comes from and the array: (n, height, width), (n, height, width, channels) or
            (n, channels, height, width).

    Raises:
        DataError: says what the values or the layout are, and what to write.
    """
    axes = {part: _channel_axis(*named) for part, named in arrays.items()}
    scale, found = _scale(arrays)
    images = {}
    for part, (_, array) in arrays.items():
        numbers = _convert(array, scale)
        if axes[part] is None:
            numbers = numbers[:, None]
        elif axes[part] == 3:
            numbers = numbers.transpose(0, 3, 1, 2)
        images[part] = np.ascontiguousarray(numbers)
    forms = {part: image.shape[1] for part, image in images.items()}
    if len(set(forms.values())) > 1:
        where, got = next(iter(arrays.values()))[0], ", ".join(f"{part} {count}" for part, count in forms.items())
        raise DataError("the parts differ in channels", where=where, got=got, needs="one number in all parts")
    return images, found


def _channel_axis(where: str, array: Array) -> int | None:
    shape = array.shape
    needs = "(n, height, width), (n, height, width, channels) or (n, channels, height, width), 1 or 3 channels"
    if array.size == 0:
        raise DataError("there are no images", where=where, got=f"shape {shape}", needs=needs)
    if len(shape) == 3:
        return None
    if len(shape) == 4:
        candidates = [axis for axis in (1, 3) if shape[axis] in (1, 3)]
        if len(candidates) == 1:
            return candidates[0]
        if candidates:
            raise DataError(
                "the channel axis cannot be told",
                where=where,
                got=f"shape {shape}",
                needs=needs,
                write="x[:, 0] or x[..., 0] for grey images, so that three axes are left",
            )
        write = "x[..., :3] to leave out a fourth channel" if 4 in (shape[1], shape[3]) else None
        raise DataError("no axis holds 1 or 3 channels", where=where, got=f"shape {shape}", needs=needs, write=write)
    write = "x.reshape(-1, height, width)" if len(shape) == 2 else None
    raise DataError("not an array of images", where=where, got=f"shape {shape}", needs=needs, write=write)


def _chunks(array: Array) -> Iterator[Array]:
    step = max(1, CHUNK // max(1, array[0].size))
    for start in range(0, len(array), step):
        yield array[start : start + step]


def _holds(arrays: Mapping[str, Named], test: Callable[[Array], bool]) -> str | None:
    """Where the test first fails, or None when it holds for all."""
    return next((where for where, array in arrays.values() if not all(map(test, _chunks(array)))), None)


def _scale(arrays: Mapping[str, Named]) -> tuple[int, tuple[Finding, ...]]:
    """1 when the numbers are 0..255, 255 when they are 0..1."""
    kinds = {array.dtype.kind for _, array in arrays.values()}
    first = next(iter(arrays.values()))[0]
    if all(array.dtype == np.uint8 for _, array in arrays.values()):
        return 1, ()
    if not kinds <= set("uif"):
        dtypes = ", ".join(sorted({str(array.dtype) for _, array in arrays.values()}))
        raise DataError("not numbers of pixels", where=first, got=dtypes, needs="uint8", write=_WRITE)
    beyond_one = _holds(arrays, lambda chunk: bool((chunk <= 1).all())) is not None
    whole = _holds(arrays, lambda chunk: bool(((chunk >= 0) & (chunk <= 255) & (chunk == np.rint(chunk))).all()))
    if whole is None and beyond_one:
        text = "whole numbers 0..255 that were not stored as uint8; taken as they are"
        return 1, (Finding("D015", "info", text, where=first),)
    share = _holds(arrays, _is_share)
    if share is None and "f" in kinds and kinds == {"f"} and _holds(arrays, _is_binary) is not None:
        text = "numbers 0..1 that are whole when multiplied by 255; multiplied by 255"
        return 255, (Finding("D015", "info", text, where=first),)
    where = whole or share or first
    array = next(array for name, array in arrays.values() if name == where)
    raise DataError(
        "it cannot be told how these numbers become pixels 0..255",
        where=where,
        got=_described(array),
        needs="uint8 (mean and standard deviation are worked out and applied later)",
        write=_WRITE,
    )


def _is_share(chunk: Array) -> bool:
    # half a unit of rounding in float16 is 255 · 2⁻¹¹ = 0.125 of a level; float32 and float64 are far closer
    slack = 0.125 if chunk.dtype == np.float16 else 1e-3
    levels = chunk.astype(np.float64) * 255
    return bool(((chunk >= 0) & (chunk <= 1) & (np.abs(levels - np.rint(levels)) <= slack)).all())


def _is_binary(chunk: Array) -> bool:
    return bool(((chunk == 0) | (chunk == 1)).all())


def _convert(array: Array, scale: int) -> Images:
    if array.dtype == np.uint8:
        return array
    out: Images = np.empty(array.shape, np.uint8)
    start = 0
    for chunk in _chunks(array):
        out[start : start + len(chunk)] = chunk if scale == 1 else np.rint(chunk.astype(np.float64) * scale)
        start += len(chunk)
    return out


def _described(array: Array) -> str:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return f"{array.dtype} with values that are not finite"
    return f"{array.dtype} from {array.min():g} to {array.max():g}"
