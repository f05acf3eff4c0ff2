"""Where the numbers of a tensor stand outside of the ONNX file: only beside it, never elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path, PurePosixPath
from typing import Any

from striate.errors import SourceError
from striate.sources.onnx.faults import short

__all__ = ["external_location", "read_external"]

_EXTERNAL = 1


def external_location(tensor: Any, name: str, folder: Path | None, where: str) -> str | None:
    """The file beside the ONNX file in which a tensor's numbers stand; None where they stand in the file itself.

    Args:
        tensor: the TensorProto.
        name: what errors call it.
        folder: of the ONNX file; None: there is none.
        where: the ONNX file, for errors.

    Raises:
        SourceError: the place is absolute, outside of the folder, behind a link, or no file.
    """
    if tensor.data_location != _EXTERNAL and not tensor.external_data:
        return None
    given = {entry.key: entry.value for entry in tensor.external_data}
    location = str(given.get("location", ""))
    parts = PurePosixPath(location).parts
    unsafe = not parts or location.startswith(("/", "~")) or ".." in parts or any(c in location for c in '\\:\0"')
    if unsafe:
        raise _refused(where, name, location, "a place that is not beside the file")
    for key in ("offset", "length"):
        if key in given and not (given[key].isascii() and given[key].isdecimal() and len(given[key]) < 20):
            raise _refused(where, name, f"{key} {given[key]}", "a place that is no number")
    if folder is not None:
        _check_inside(folder, parts, name, location, where)
    return location


def _check_inside(folder: Path, parts: tuple[str, ...], name: str, location: str, where: str) -> None:
    place = folder
    for position, part in enumerate(parts):
        place = place / part
        try:
            status = os.lstat(place)
        except (OSError, ValueError):
            # What is missing cannot be read by anybody; the network is known without its weights.
            return
        last = position == len(parts) - 1
        if stat.S_ISLNK(status.st_mode):
            raise _refused(where, name, location, "a link, which may lead anywhere")
        if not (stat.S_ISREG if last else stat.S_ISDIR)(status.st_mode):
            raise _refused(where, name, location, "no file")


def read_external(tensor: Any, folder: Path, location: str, count: int) -> bytes | None:
    """The bytes of a small tensor outside of its file; None where they cannot be read.

    Args:
        tensor: the TensorProto, whose place :func:`external_location` has checked.
        folder: of the ONNX file.
        location: what :func:`external_location` answered.
        count: how many bytes are needed.
    """
    given = {entry.key: entry.value for entry in tensor.external_data}
    try:
        descriptor = os.open(folder / location, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with open(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        try:
            stream.seek(int(given.get("offset", "0")))
        except (OSError, OverflowError):
            return None
        content = stream.read(count)
    return content if len(content) == count else None


def _refused(where: str, name: str, location: str, why: str) -> SourceError:
    return SourceError(
        "the numbers of a tensor stand in a place that is not read",
        where=where,
        got=f"{short(name)}: {short(location) or 'an empty name'}: {why}",
        needs="a plain file in the folder of the ONNX file",
        write="onnx.save_model(model, 'net.onnx', save_as_external_data=True, location='net.onnx.data')",
    )
