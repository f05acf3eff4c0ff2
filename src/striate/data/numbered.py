"""Labels that come as an array: which task they mean, and in the form a Split holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data.contract import check_labelled, class_contract
from striate.data.dataset import Labels
from striate.data.integers import check_integers
from striate.data.naming import examples, natural_sort
from striate.data.tags import check_tags
from striate.errors import DataError, near_miss
from striate.runs.records import Task

__all__ = ["read_array_labels"]

Array = npt.NDArray[Any]
Named = tuple[str, Array]
Read = tuple[Task, tuple[str, ...], dict[str, Labels]]


def read_array_labels(arrays: Mapping[str, Named], task: Task | None, names: Sequence[str] | None, where: str) -> Read:
    """Labels as in Split.

    Text and whole numbers (n,) are classes; 0 and 1 (n, tags) are tags; fractions (n,) or (n, values) are values. What
    could be read in two ways needs ``task``.

    Args:
        arrays: by part, where the array comes from and the array; the first part is what is trained on.
        task: what the user says the labels are, or None.
        names: of the classes, tags or values, or None.
        where: the source, for messages.

    Raises:
        DataError: labels in doubt, out of range, not finite, or against the class contract.
    """
    squeezed = {p: (w, a[:, 0] if a.ndim == 2 and a.shape[1] == 1 else a) for p, (w, a) in arrays.items()}
    forms = {
        ("i" if array.dtype.kind in "uib" else array.dtype.kind, array.shape[1:]) for _, array in squeezed.values()
    }
    first, array = next(iter(squeezed.values()))
    if len(forms) > 1:
        got = ", ".join(f"{part} {a.dtype} {a.shape}" for part, (_, a) in squeezed.items())
        raise DataError("the labels of the parts differ in form", where=where, got=got, needs="one form in all parts")
    if array.dtype.kind not in "uibfU" or array.ndim > 2:
        raise DataError("not an array of labels", where=first, got=f"{array.dtype} {array.shape}", needs=_NEEDS)
    task = task or _guess(squeezed)
    origins = {part: origin for part, (origin, _) in squeezed.items()}
    values = {part: labels for part, (_, labels) in squeezed.items()}
    if task == "values":
        return task, *_values(values, names, origins)
    if task == "tags":
        return task, *_tags(values, names, origins, where)
    return task, *_classes(values, names, origins, where)


_NEEDS = "classes (n,) as whole numbers or text, tags (n, tags) of 0 and 1, or values (n,) or (n, values)"


def _guess(arrays: Mapping[str, Named]) -> Task:
    where, array = next(iter(arrays.values()))
    if array.dtype.kind == "f":
        if all((labels == np.rint(labels)).all() for _, labels in arrays.values()):
            got = f"{array.dtype} {array.shape} of whole numbers"
            raise DataError(
                "labels in doubt: classes or values?",
                where=where,
                got=got,
                needs="task='values', or whole-number types for classes",
                write="task='values', or y.astype(int)",
            )
        return "values"
    if array.ndim == 1 or array.dtype.kind == "U":
        return "classes"
    if all((labels.sum(axis=1) == 1).all() for _, labels in arrays.values()):
        raise DataError(
            "labels in doubt: one-hot classes or tags?",
            where=where,
            got=f"{array.dtype} {array.shape}, one 1 in each row",
            needs="task='classes' or task='tags'",
        )
    return "tags"


def _classes(
    values: dict[str, Labels], names: Sequence[str] | None, origins: Mapping[str, str], where: str
) -> tuple[tuple[str, ...], dict[str, Labels]]:
    kind = next(iter(values.values())).dtype.kind
    if kind == "U":
        return _named_classes(values, names, origins, where)
    whole: dict[str, Labels] = {}
    for part, labels in values.items():
        if kind == "f" and not (labels == np.rint(labels)).all():
            index = int(np.flatnonzero((labels != np.rint(labels)).reshape(len(labels), -1).any(axis=1))[0])
            got = f"{labels[index]} at index {index}"
            raise DataError("a class label that is no whole number", where=origins[part], got=got, needs=_NEEDS)
        if labels.ndim == 2:
            _check_binary(labels, origins[part])
            wrong = np.flatnonzero(labels.sum(axis=1) != 1)
            if len(wrong):
                got = f"{int(labels[wrong[0]].sum())} ones at index {wrong[0]}"
                raise DataError(
                    "not one class per image", where=origins[part], got=got, needs="one", write="task='tags'"
                )
            whole[part] = labels.argmax(axis=1).astype(np.int64)
        elif len(labels) and int(labels.max()) > np.iinfo(np.int64).max:
            raise DataError("a label out of range", where=origins[part], got=str(labels.max()), needs=_NEEDS)
        else:
            whole[part] = labels.astype(np.int64)
    width = next(iter(values.values())).shape[1:]
    if width and names is None:
        names = [str(number) for number in range(width[0])]
    return check_integers(whole, names, origins, where), whole


def _named_classes(
    values: dict[str, Labels], names: Sequence[str] | None, origins: Mapping[str, str], where: str
) -> tuple[tuple[str, ...], dict[str, Labels]]:
    if names is None:
        present = {part: natural_sort(map(str, labels.ravel())) for part, labels in values.items()}
        class_contract(present, where=where)
        names = next(iter(present.values()))
    number = {name: index for index, name in enumerate(names)}
    encoded: dict[str, Labels] = {}
    for part, labels in values.items():
        if labels.ndim != 1:
            raise DataError("not one class per image", where=origins[part], got=f"{labels.shape}", needs="text (n,)")
        for index, label in enumerate(map(str, labels)):
            if label not in number:
                raise DataError(
                    "a label that is not among the classes",
                    where=origins[part],
                    got=f"{label!r} at index {index}",
                    needs=examples([repr(name) for name in names], shown=10),
                    write=near_miss(label, names),
                )
        encoded[part] = np.array([number[str(label)] for label in labels], np.int64)
    check_labelled(encoded, names, where)
    return tuple(names), encoded


def _tags(
    values: dict[str, Labels], names: Sequence[str] | None, origins: Mapping[str, str], where: str
) -> tuple[tuple[str, ...], dict[str, Labels]]:
    for part, labels in values.items():
        if labels.ndim != 2:
            got = f"{labels.dtype} {labels.shape}"
            raise DataError("not tags", where=origins[part], got=got, needs="0 and 1, (n, tags)")
        _check_binary(labels, origins[part])
    tags = _titles(names, next(iter(values.values())).shape[1], "tag", where)
    encoded: dict[str, Labels] = {part: labels.astype(np.uint8) for part, labels in values.items()}
    check_tags(encoded, tags, where)
    return tags, encoded


def _values(
    values: dict[str, Labels], names: Sequence[str] | None, origins: Mapping[str, str]
) -> tuple[tuple[str, ...], dict[str, Labels]]:
    encoded: dict[str, Labels] = {}
    for part, labels in values.items():
        if labels.dtype.kind == "U":
            raise DataError("text cannot be values", where=origins[part], got=str(labels.dtype), needs="numbers")
        table = labels.reshape(len(labels), -1)
        wrong = np.flatnonzero(~(np.abs(table.astype(np.float64)) <= np.finfo(np.float32).max).all(axis=1))
        if len(wrong):
            got = f"{labels[wrong[0]]} at index {wrong[0]}"
            raise DataError("a value that is no finite number", where=origins[part], got=got, needs="float32 numbers")
        encoded[part] = np.ascontiguousarray(table, np.float32)
    count = next(iter(encoded.values())).shape[1]
    return _titles(names, count, "value", next(iter(origins.values()))), encoded


def _check_binary(labels: Labels, origin: str) -> None:
    wrong = np.argwhere((labels != 0) & (labels != 1))
    if len(wrong):
        row, column = (int(number) for number in wrong[0])
        got = f"{labels[row, column]} at index {row}, column {column}"
        raise DataError("a tag that is neither 0 nor 1", where=origin, got=got, needs="0 or 1 for each tag")


def _titles(names: Sequence[str] | None, count: int, noun: str, where: str) -> tuple[str, ...]:
    if names is None:
        return (noun,) if count == 1 else tuple(str(number) for number in range(count))
    if len(names) != count:
        got = f"{len(names)} names for {count} columns"
        raise DataError("names and columns of labels differ in number", where=where, got=got, needs=str(count))
    return tuple(names)
