"""A CSV table that names the images and their labels.

::

    path,label[,split]              one class per image
    path,labels[,split]             tags, separated by |
    path,value[,split]              a number to regress
    path,value:x,value:y[,split]    several
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from striate.data.columns import Columns, read_labels
from striate.data.naming import examples, printable
from striate.data.parts import SPLIT_NAMES, WHOLE, Files, Listing, split_name
from striate.errors import DataError, near_miss
from striate.findings import Finding
from striate.units import format_bytes

if TYPE_CHECKING:
    from _csv import Reader

    from striate.runs.records import Task

__all__ = ["read_table"]

LARGEST_TABLE = 512 * 1024**2
"""Bytes of text a table may have."""
_NEEDS = "a first line such as path,label or path,label,split"


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of one part."""

    lines: list[int] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    cells: list[tuple[str, ...]] = field(default_factory=list)


def read_table(path: str) -> Listing:
    """The images a CSV file names; paths are relative to it.

    Raises:
        DataError: the header lacks a column or has two kinds of label; a row has too few cells, an unknown split, a
            label that is empty or no number, or a path that stands in another row; splits with different classes.
    """
    size = os.path.getsize(path)
    if size > LARGEST_TABLE:
        raise DataError("the table is too large", where=path, got=format_bytes(size), needs=format_bytes(LARGEST_TABLE))
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            columns, parts, task = _read_rows(csv.reader(file, strict=True), path)
    except UnicodeDecodeError as error:
        raise DataError("the table is not UTF-8 text", where=path, got=str(error), needs="CSV saved as UTF-8") from None
    except csv.Error as error:
        raise DataError("the table is not well-formed CSV", where=path, got=str(error)) from None
    except OSError as error:
        raise DataError("the table cannot be read", where=path, got=str(error)) from None
    labels = {part: (rows.lines, rows.cells) for part, rows in parts.items()}
    classes, encoded, found = read_labels(columns, task, labels, path)
    folder = os.path.dirname(path)
    files = {
        part: Files(
            tuple(os.path.join(folder, name) for name in rows.paths),
            tuple(printable(name) for name in rows.paths),
            encoded[part],
        )
        for part, rows in parts.items()
    }
    if columns.unused:
        found = (*found, Finding("D014", "info", f"columns that are not used: {examples(columns.unused)}", where=path))
    rule = "" if columns.split is None else "given by the split column"
    return Listing("csv", task, classes, files, rule, found)


def _read_rows(reader: Reader, path: str) -> tuple[Columns, dict[str, _Rows], Task]:
    header = next(reader, None)
    if not header or not any(cell.strip() for cell in header):
        raise DataError("the table is empty", where=path, needs=_NEEDS)
    columns, task = _columns([cell.strip() for cell in header], path)
    parts = {part: _Rows() for part in (SPLIT_NAMES if columns.split is not None else (WHOLE,))}
    lines: dict[str, int] = {}
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        line = reader.line_num
        if len(row) != len(header):
            needs = f"{len(header)}, as in the first line"
            raise DataError("wrong number of cells", where=f"{path}:{line}", got=str(len(row)), needs=needs)
        name = row[columns.path].strip()
        _check_path(name, lines, line, path)
        part = WHOLE if columns.split is None else _part(row[columns.split], line, path)
        parts[part].lines.append(line)
        parts[part].paths.append(name)
        parts[part].cells.append(tuple(row[index].strip() for index in columns.labels))
    filled = {part: rows for part, rows in parts.items() if rows.paths}
    if not filled:
        raise DataError("the table names no image", where=path, needs="a row per image below the first line")
    if columns.split is not None and "train" not in filled:
        given = " and ".join(filled)
        raise DataError("there is no training split", where=path, got=f"only {given}", needs="rows with split train")
    return columns, filled, task


def _columns(header: Sequence[str], path: str) -> tuple[Columns, Task]:
    names = [name.lower() for name in header]
    where = f"{path}:1"
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        raise DataError("the cells are not separated by commas", where=where, got=header[0], write="commas")
    twice = [name for name in dict.fromkeys(names) if name and names.count(name) > 1]
    if twice:
        raise DataError("a column stands twice", where=where, got=examples(twice), needs="each once")
    values = [index for index, name in enumerate(names) if name == "value" or name.startswith("value:")]
    kinds: dict[Task, list[int]] = {
        "classes": [names.index("label")] if "label" in names else [],
        "tags": [names.index("labels")] if "labels" in names else [],
        "values": values,
    }
    present: list[Task] = [task for task, indices in kinds.items() if indices]
    if "path" not in names or len(present) != 1 or (len(values) > 1 and "value" in names):
        known = ["path", "label", "labels", "value", "split"]
        close = {name: near_miss(name, known) for name in names if name not in known}
        guesses = [f"{wrong} → {right}" for wrong, right in close.items() if right is not None]
        raise DataError(
            "the table lacks a column" if "path" not in names or not present else "the table has two kinds of label",
            where=where,
            got=",".join(header),
            needs="path, and one kind of label: label (class), labels (tags, a|b), value, or value:NAME columns",
            write=examples(guesses) or None,
        )
    task = present[0]
    split = names.index("split") if "split" in names else None
    used = {names.index("path"), split, *kinds[task]}
    unused = tuple(name or "(without a name)" for index, name in enumerate(header) if index not in used)
    titles = tuple(header[index].partition(":")[2].strip() or header[index] for index in kinds[task])
    return Columns(names.index("path"), tuple(kinds[task]), titles, split, unused), task


def _check_path(name: str, lines: dict[str, int], line: int, path: str) -> None:
    if not name or "\0" in name:
        raise DataError("a row without a path", where=f"{path}:{line}", got=repr(name), needs="the path of an image")
    same = os.path.normpath(name)
    if same in lines:
        raise DataError(
            "an image stands in two rows",
            where=f"{path}:{line}",
            got=f"{printable(name)}, already in line {lines[same]}",
            needs="one row per image: twice it could be trained on and tested on, or have two labels",
            write="remove one of the rows; several tags go into one cell of a column named labels, as a|b",
        )
    lines[same] = line


def _part(cell: str, line: int, path: str) -> str:
    part = split_name(cell)
    if part is None:
        raise DataError("unknown split", where=f"{path}:{line}", got=repr(cell.strip()), needs="train, val or test")
    return part
