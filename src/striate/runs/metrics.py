"""metrics.jsonl: one JSON object per line, appended while a network is trained and readable at any moment.

A row is what one step or one epoch measured. It is with the system as soon as `MetricsWriter.append` returns, so
killing the process loses nothing; a power cut may cut the last line, which reading reports.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from striate.errors import RunError
from striate.runs.atomic import storage_error, write_bytes
from striate.runs.bounded import read_bounded
from striate.runs.plain import plain

__all__ = ["METRICS_LIMIT", "Metrics", "MetricsWriter", "read_metrics"]

METRICS_LIMIT = 256 * 1024**2
"""The largest metrics.jsonl that is read, in bytes: a million rows and more."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """The rows of a metrics file in the order they were written.

    Args:
        rows: one dict per line; a number that was not finite is None.
        note: said when the last line is cut off and was left out; else None.
    """

    rows: list[dict[str, object]]
    note: str | None = None


class MetricsWriter:
    """Appends rows to a metrics file; a context manager.

    Args:
        path: the file, made when it is missing. A last line that is cut off is removed first.
        keep_rows: keep only that many rows and drop what follows, for a run resumed from an earlier checkpoint.

    Raises:
        StorageError: the file cannot be written.
        RunError: the file is there but damaged, or holds fewer rows than are to be kept.
    """

    def __init__(self, path: Path, keep_rows: int | None = None) -> None:
        self.path = path
        self.rows = _trim(path, keep_rows)
        try:
            # Unbuffered: each row is one call to the system, and what failed is not written again on closing.
            self._stream = open(path, "ab", buffering=0)  # noqa: SIM115 (closed by `close`)
        except OSError as error:
            raise storage_error(error, path) from error

    def append(self, row: Mapping[str, object]) -> None:
        """Write one row; numbers that are not finite become null.

        Raises:
            ValueError: something in the row cannot be written as JSON; nothing is written.
            StorageError: the disk is full or gone; the rows before this one stay whole.
        """
        line = json.dumps(plain(row), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        start = os.fstat(self._stream.fileno()).st_size
        try:
            written = 0
            while written < len(line):
                written += self._stream.write(line[written:])
        except OSError as error:
            self._cut(start)
            raise storage_error(error, self.path) from error
        self.rows += 1

    def flush(self) -> None:
        """Have the system put every row on the disk, so that not even a power cut takes one.

        Raises:
            StorageError: the disk is full or gone.
        """
        try:
            os.fsync(self._stream.fileno())
        except OSError as error:
            raise storage_error(error, self.path) from error

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def __enter__(self) -> MetricsWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _cut(self, size: int) -> None:
        try:
            self._stream.truncate(size)
        except OSError:
            return  # the line stays cut off, which reading reports; the write that failed is what the user is told


def read_metrics(path: Path) -> Metrics:
    """Read a metrics file, also while it is being written.

    Raises:
        RunError: the file is missing, too large, or a line other than the last is not a JSON object.
    """
    lines = read_bounded(path, METRICS_LIMIT).split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    rows: list[dict[str, object]] = []
    for number, line in enumerate(lines, start=1):
        row = _row(line)
        if row is not None:
            rows.append(row)
        elif number == len(lines):
            return Metrics(rows, f"{path}:{number}: the last line is cut off and was left out; {len(rows)} rows read")
        else:
            got = line[:60].decode(errors="replace")
            raise RunError("not a JSON object", where=f"{path}:{number}", got=got, needs="one JSON object per line")
    return Metrics(rows)


def _row(line: bytes) -> dict[str, object] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _trim(path: Path, keep_rows: int | None) -> int:
    """Cut what follows the rows to keep, or a last line that was never finished; the number of rows left."""
    if not path.exists():
        if keep_rows:
            raise RunError(f"{keep_rows} rows are to be kept, and this file is missing", where=str(path))
        return 0
    rows = read_metrics(path).rows
    keep = len(rows) if keep_rows is None else keep_rows
    if keep > len(rows):
        raise RunError(f"{keep} rows are to be kept, and it holds {len(rows)}", where=str(path))
    content = read_bounded(path, METRICS_LIMIT)
    kept = b"".join(line + b"\n" for line in content.split(b"\n")[:keep])
    if kept != content:
        write_bytes(path, kept)
    return keep
