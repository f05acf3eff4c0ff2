"""checkpoint/: at every moment the newest whole checkpoint of a run, and the one before it.

A checkpoint is two files, ``<number>.safetensors`` and ``<number>.json``. The tensors are written first, each file
atomically; with the name of the second the checkpoint exists, and only then an old one is removed. Whoever is killed
in between leaves files that no record names; the next writer removes them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from striate.errors import RunError, StorageError
from striate.runs.atomic import remove_leftovers, storage_error, write_bytes
from striate.runs.bounded import read_bounded
from striate.runs.record_base import FORMAT, parse_record
from striate.units import format_bytes

if TYPE_CHECKING:
    from striate.runs.checkpoint_record import CheckpointRecord

__all__ = ["Checkpoints", "Found"]

_NAME = re.compile(r"(\d{6,})\.(json|safetensors)")


@dataclass(frozen=True)
class Found:
    """A checkpoint that is whole.

    Args:
        record: what it says.
        tensors: its file of tensors, whose checksum was right.
        damaged: newer ones that could not be used, each with what is wrong with it.
    """

    record: CheckpointRecord
    tensors: Path
    damaged: tuple[RunError, ...] = ()


class Checkpoints:
    """The checkpoints of one run. Only one process may write them; see :func:`striate.runs.lock.alone_in`.

    Args:
        path: the folder; made when the first checkpoint is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept: int | None = None

    def find(self) -> Found | None:
        """The newest whole checkpoint; None when there never was one.

        Raises:
            RunError: there are some and all are damaged, or one was written by a newer Striate.
        """
        damaged: list[RunError] = []
        for number in sorted(self._numbers("json"), reverse=True):
            try:
                record = self._record(number)
                self._check_tensors(record)
            except _NewerFormatError:
                raise
            except RunError as error:
                damaged.append(error)
                continue
            return Found(record, self._file(number, "safetensors"), tuple(damaged))
        if damaged:
            raise _all_damaged(self.path, damaged)
        return None

    def keep(self, found: Found) -> None:
        """Keep this one beside the next, whatever else is there."""
        self._kept = found.record.number

    @property
    def next_number(self) -> int:
        """One more than any file there bears."""
        return max((*self._numbers("json"), *self._numbers("safetensors")), default=0) + 1

    def write(self, record: CheckpointRecord, tensors: bytes) -> None:
        """Write a checkpoint under its number, keep the one before it, and remove all others.

        Args:
            record: with the size and checksum of the tensors, and its seal.
            tensors: a file of safetensors.

        Raises:
            StorageError: the checkpoints that were there are still there.
        """
        try:
            self.path.mkdir(exist_ok=True)
        except OSError as error:
            raise storage_error(error, self.path) from error
        try:
            write_bytes(self._file(record.number, "safetensors"), tensors)
            write_bytes(self._file(record.number, "json"), record.json_bytes())
        except StorageError:
            # Whatever the record of it says, half a checkpoint is none; on a full disk its tensors are in the way.
            self._remove({record.number}, missing_record=True)
            raise
        numbers = {*self._numbers("json"), *self._numbers("safetensors")}
        self._remove(numbers - {record.number, self._kept})
        self._kept = record.number

    def clean(self) -> None:
        """Remove what a killed process left half written.

        Raises:
            StorageError: something could not be removed.
        """
        if self.path.is_dir():
            remove_leftovers(self.path)
            self._remove(self._numbers("safetensors") - self._numbers("json"))

    def remove(self) -> None:
        """Remove the folder: a run that is over is never resumed.

        Raises:
            StorageError: something could not be removed.
        """
        if not self.path.is_dir():
            return
        try:
            for entry in sorted(self.path.iterdir()):
                entry.unlink(missing_ok=True)
            self.path.rmdir()
        except OSError as error:
            raise storage_error(error, self.path) from error

    def _file(self, number: int, kind: str) -> Path:
        return self.path / f"{number:06d}.{kind}"

    def _numbers(self, kind: str) -> set[int]:
        if not self.path.is_dir():
            return set()
        try:
            found = (_NAME.fullmatch(entry.name) for entry in self.path.iterdir())
            return {int(match[1]) for match in found if match and match[2] == kind}
        except OSError as error:
            raise RunError("cannot be read", where=str(self.path), got=error.strerror or str(error)) from error

    def _remove(self, numbers: set[int], *, missing_record: bool = False) -> None:
        """Remove checkpoints, the record first: without it the tensors are nothing."""
        for number in sorted(numbers):
            for kind in ("json", "safetensors"):
                try:
                    self._file(number, kind).unlink(missing_ok=True)
                except OSError as error:
                    if not missing_record:
                        raise storage_error(error, self._file(number, kind)) from error

    def _record(self, number: int) -> CheckpointRecord:
        from striate.runs.checkpoint_record import CheckpointRecord, sealed

        path = self._file(number, "json")
        content = read_bounded(path)
        _refuse_other_format(content, str(path))
        record = parse_record(CheckpointRecord, content, str(path))
        if record != sealed(record) or record.number != number:
            raise RunError("changed since it was written: its seal does not fit", where=str(path))
        return record

    def _check_tensors(self, record: CheckpointRecord) -> None:
        path = self._file(record.number, "safetensors")
        try:
            size = path.stat().st_size
            if size != record.tensors_bytes:
                got, needs = format_bytes(size), format_bytes(record.tensors_bytes)
                got, needs = (f"{size} bytes", f"{record.tensors_bytes} bytes") if got == needs else (got, needs)
                raise RunError("cut off, or not the file that was written", where=str(path), got=got, needs=needs)
            with open(path, "rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except FileNotFoundError:
            raise RunError("this file is missing", where=str(path)) from None
        except OSError as error:
            raise RunError("cannot be read", where=str(path), got=error.strerror or str(error)) from error
        if found != record.tensors_hash:
            got, needs = f"sha256 {found[:12]}", f"sha256 {record.tensors_hash[:12]}"
            raise RunError("changed since it was written", where=str(path), got=got, needs=needs)


class _NewerFormatError(RunError):
    """No damage: falling back to an older checkpoint would throw good steps away."""


def _refuse_other_format(content: bytes, where: str) -> None:
    try:
        version = json.loads(content)["format"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return  # reading it as a record says what is wrong
    if isinstance(version, int) and version != FORMAT:
        raise _NewerFormatError(
            "this checkpoint was written by another version of Striate",
            where=where,
            got=f"format {version}",
            needs=f"format {FORMAT}",
            write="the Striate that trained this run; run.json names it under versions",
        )


def _all_damaged(path: Path, damaged: Sequence[RunError]) -> RunError:
    first = damaged[0]
    more = "" if len(damaged) == 1 else f" (and {len(damaged) - 1} more)"
    return RunError(
        "every checkpoint is damaged, so this run cannot be continued",
        where=str(path),
        got=f"{Path(first.where or '').name}: {first.problem}{more}",
        needs="one whole checkpoint",
        write="striate train begins anew; the weights saved so far stay in the run",
    )
