"""The label cells of a table: class names, tags or numbers, to arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from striate.data.contract import class_contract
from striate.data.dataset import Labels
from striate.data.leftovers import same_but_for_case
from striate.data.naming import examples, natural_sort
from striate.data.tags import check_tags
from striate.errors import DataError
from striate.findings import Finding

if TYPE_CHECKING:
    from striate.runs.records import Task

__all__ = ["Columns", "read_labels"]

Cells = tuple[Sequence[int], Sequence[tuple[str, ...]]]
"""Line numbers, and the label cells of each line."""
Read = tuple[tuple[str, ...], dict[str, Labels], tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where things stand in a row.

    Args:
        path: index of the path.
        labels: indices of the label columns.
        titles: their names; those of value columns without ``value:``.
        split: index of the split, or None.
        unused: names of the other columns.
    """

    path: int
    labels: tuple[int, ...]
    titles: tuple[str, ...]
    split: int | None
    unused: tuple[str, ...]


def read_labels(columns: Columns, task: Task, parts: Mapping[str, Cells], path: str) -> Read:
    """Labels as arrays.

    Args:
        columns: of the table.
        task: what the label columns hold.
        parts: by part, the cells to read.
        path: of the table, for messages.

    Returns:
        The names (classes, tags or value columns), the labels by part as in Split, and findings.

    Raises:
        DataError: an empty class, a value that is no finite number, or parts that break the class contract.
    """
    if task == "classes":
        return _read_classes(parts, path)
    if task == "tags":
        return _read_tags(parts, path)
    return columns.titles, {part: _read_values(cells, columns.titles, path) for part, cells in parts.items()}, ()


def _read_classes(parts: Mapping[str, Cells], path: str) -> Read:
    for lines, cells in parts.values():
        for line, (cell,) in zip(lines, cells, strict=True):
            if not cell:
                raise DataError("an image without a label", where=f"{path}:{line}", needs="the name of its class")
    names = {part: natural_sort(cell for (cell,) in cells) for part, (_, cells) in parts.items()}
    class_contract(names, where=path)
    classes = tuple(next(iter(names.values())))
    number = {name: index for index, name in enumerate(classes)}
    encoded: dict[str, Labels] = {
        part: np.array([number[cell] for (cell,) in cells], np.int64) for part, (_, cells) in parts.items()
    }
    return classes, encoded, same_but_for_case(classes)


def _read_tags(parts: Mapping[str, Cells], path: str) -> Read:
    sets = {part: [_tags(cell) for (cell,) in cells] for part, (_, cells) in parts.items()}
    train = next(iter(sets.values()))
    tags = tuple(natural_sort(tag for found in train for tag in found))
    number = {tag: index for index, tag in enumerate(tags)}
    for part, (lines, _) in parts.items():
        for line, found in zip(lines, sets[part], strict=True):
            unknown = natural_sort(found - number.keys())
            if unknown:
                raise DataError(
                    f"a tag in {part} that no training image has",
                    where=f"{path}:{line}",
                    got=examples([repr(tag) for tag in unknown]),
                    needs=f"tags of the training images: {examples([repr(tag) for tag in tags], shown=10)}",
                )
    encoded: dict[str, Labels] = {}
    for part, found_sets in sets.items():
        labels = np.zeros((len(found_sets), len(tags)), np.uint8)
        for row, found in enumerate(found_sets):
            labels[row, [number[tag] for tag in found]] = 1
        encoded[part] = labels
    check_tags(encoded, tags, path)
    return tags, encoded, same_but_for_case(tags)


def _tags(cell: str) -> set[str]:
    return {tag.strip() for tag in cell.split("|") if tag.strip()}


def _read_values(cells: Cells, titles: Sequence[str], path: str) -> Labels:
    values = np.zeros((len(cells[0]), len(titles)), np.float32)
    largest = float(np.finfo(np.float32).max)
    for row, (line, texts) in enumerate(zip(*cells, strict=True)):
        for column, text in enumerate(texts):
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            if not abs(value) <= largest:
                raise DataError(
                    f"no number in column {titles[column]!r}",
                    where=f"{path}:{line}",
                    got=repr(text),
                    needs="a finite number, with a point for the decimals",
                )
            values[row, column] = value
    return values
