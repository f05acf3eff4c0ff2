"""A NumPy ``.npz`` file of images and labels.

Recognised names: ``x_train, y_train[, x_val, y_val][, x_test, y_test]``, ``train_images, train_labels`` and so on,
or, without splits, ``images, labels`` or ``x, y``. ``classes`` may hold the class names, ``classes_train`` and so on
those of one split.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from striate.data.arrays import ArrayPart, collect_arrays
from striate.data.contract import class_contract
from striate.data.layouts import to_uint8
from striate.data.memory import memory_bound
from striate.data.naming import count_of, examples, natural_sort
from striate.data.numbered import read_array_labels
from striate.data.options import Options
from striate.data.parts import SPLIT_NAMES, WHOLE, Collected
from striate.errors import DataError
from striate.findings import Finding
from striate.units import format_bytes

__all__ = ["collect_npz"]

Array = npt.NDArray[Any]

_PAIRS: dict[str, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(SPLIT_NAMES, (("x_{}", "y_{}"), ("{}_images", "{}_labels"))),
    WHOLE: (("images", "labels"), ("x", "y")),
}
_NEEDS = "x_train and y_train (x_val, y_val, x_test, y_test), or images and labels"


def collect_npz(path: str, options: Options) -> Collected:
    """Images and labels of an ``.npz`` file. Nothing in it is unpickled.

    Raises:
        DataError: damaged, pickled or too large arrays, missing names, layouts or values that leave a doubt, labels
            out of range, or splits with different classes.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()}
            pairs = _pairs(set(names), path)
            wanted = [name for pair in pairs.values() for name in pair]
            class_names = [name for name in ("classes", *(f"classes_{split}" for split in pairs)) if name in names]
            wanted += class_names
            _check_sizes([names[name] for name in wanted], path)
            arrays = {name: _read_array(archive, names[name], path) for name in wanted}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError("the npz file is damaged", where=path, got=str(error), needs="a file of numpy.savez") from None
    except OSError as error:
        raise DataError("the file cannot be read", where=path, got=str(error)) from None
    given = _class_names({name: arrays[name] for name in class_names}, path)
    images, found = to_uint8({part: (f"{path}: {x}", arrays.pop(x)) for part, (x, _) in pairs.items()})
    raw = {part: (f"{path}: {y}", arrays[y]) for part, (_, y) in pairs.items()}
    for part, (_, values) in raw.items():
        if len(values.shape) == 0 or len(values) != len(images[part]):
            got = f"{count_of(len(images[part]), 'image')}, labels of shape {values.shape}"
            raise DataError("images and labels differ in number", where=raw[part][0], got=got, needs="one per image")
    task, classes, labels = read_array_labels(raw, options.task, given, path)
    unused = natural_sort(names.keys() - set(wanted))
    if unused:
        found = (*found, Finding("D014", "info", f"arrays that are not used: {examples(unused)}", where=path))
    parts = {p: ArrayPart(images[p], labels[p], "images" if p == WHOLE else p) for p in pairs}
    rule = "" if WHOLE in pairs else "given by arrays"
    return collect_arrays("npz", task, classes, parts, rule, options, path, found)


def _pairs(names: set[str], path: str) -> dict[str, tuple[str, str]]:
    pairs: dict[str, tuple[str, str]] = {}
    for part, forms in _PAIRS.items():
        for form in forms:
            images, labels = (word.format(part) for word in form)
            if images not in names and labels not in names:
                continue
            if images not in names or labels not in names:
                lacking, there = (images, labels) if images not in names else (labels, images)
                raise DataError("an array is missing", where=path, got=there, needs=f"{lacking} beside it")
            if part in pairs:
                both = f"{pairs[part][0]} and {images}"
                raise DataError("two arrays mean the same images", where=path, got=both, needs="one of them")
            pairs[part] = (images, labels)
    if ("train" in pairs) == (WHOLE in pairs):
        got = examples(natural_sort(names), shown=8) or "an empty file"
        raise DataError("the arrays of images and labels are not found", where=path, got=got, needs=_NEEDS)
    if WHOLE in pairs and len(pairs) > 1:
        got = ", ".join(images for images, _ in pairs.values())
        raise DataError("there is no training split", where=path, got=got, needs=_NEEDS)
    return pairs


def _check_sizes(entries: list[zipfile.ZipInfo], path: str) -> None:
    total = sum(entry.file_size for entry in entries)
    if total > memory_bound():
        needs = f"at most {format_bytes(memory_bound())}, half of the available memory"
        raise DataError("the arrays do not fit in memory", where=path, got=format_bytes(total), needs=needs)


def _read_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: str) -> Array:
    """One array, allocated only after its header is found to agree with the size the archive states."""
    where = f"{path}: {entry.filename}"
    try:
        with archive.open(entry) as file:
            shape, dtype, start = _read_header(file)
        if dtype.hasobject:
            raise DataError(
                "an array of Python objects, which only running code could read",
                where=where,
                needs="an array of numbers or text",
                write="numpy.asarray(x, dtype=numpy.uint8) for images, dtype=str for names",
            )
        stated = math.prod(shape) * dtype.itemsize + start
        if stated != entry.file_size:
            got = f"{dtype} {shape} = {stated:,} bytes in {entry.file_size:,}"
            raise DataError("the array does not have the size its header says", where=where, got=got)
        with archive.open(entry) as file:
            array: Array = np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, SyntaxError, KeyError, TypeError) as error:
        got = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise DataError("not a NumPy array", where=where, got=got, needs="a file of numpy.savez") from None
    return array


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        raise ValueError(f"format version {version[0]}.{version[1]}")
    if any(length < 0 for length in shape):
        raise ValueError(f"shape {shape}")
    return shape, dtype, file.tell()


def _class_names(arrays: dict[str, Array], path: str) -> tuple[str, ...] | None:
    named = {}
    for name, array in arrays.items():
        if array.ndim != 1 or array.dtype.kind != "U":
            got, write = f"{array.dtype} {array.shape}", f"{name}=numpy.array(['cat', 'dog'])"
            raise DataError("class names must be text", where=f"{path}: {name}", got=got, write=write)
        named[name] = tuple(str(entry) for entry in array)
    if not named:
        return None
    class_contract(named, where=path)
    return next(iter(named.values()))
