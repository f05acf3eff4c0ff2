"""What ``striate lint --fix`` does to files: the text of a network is replaced as a whole, or not at all."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from striate.errors import StorageError

if TYPE_CHECKING:
    from striate.lint.target import Target

__all__ = ["difference", "network_text", "rewrite"]

_MARK = b"\xef\xbb\xbf"
"""What some editors on Windows put before a text in UTF-8."""


def network_text(target: Target) -> str:
    """A network as it is written: its YAML, else inline text where it came as such, else new YAML."""
    from striate.errors import SourceError
    from striate.sources import to_inline, to_yaml

    if target.yaml is not None:
        return target.yaml.text
    if target.kind == "inline":
        try:
            return to_inline(target.subject.graph) + "\n"
        except SourceError:
            pass
    return to_yaml(target.subject.graph)


def difference(before: Target, after: Target) -> str:
    """The unified difference of the two texts; empty where there is none."""
    old, new = network_text(before), network_text(after)
    name = str(before.yaml.path) if before.yaml is not None and before.yaml.path is not None else before.name
    return "".join(_ended(difflib.unified_diff(_lines(old), _lines(new), name, name)))


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _ended(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def rewrite(before: Target, after: Target) -> None:
    """Write the text of a network into its file, atomically; rights, line ends and a byte order mark stay.

    Raises:
        StorageError: the file cannot be written, or somebody has changed it meanwhile.
    """
    from striate.runs.atomic import replacing

    old, new = before.yaml, after.yaml
    if old is None or new is None or old.path is None:
        raise TypeError(f"{before.name} is not a file")
    path = Path(os.path.realpath(old.path))
    try:
        content = path.read_bytes()
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise StorageError("this file cannot be read again", where=str(old.path), got=error.strerror) from None
    mark = _MARK if content.startswith(_MARK) else b""
    if content != mark + old.text.encode():
        raise StorageError(
            "this file was changed while it was looked at", where=str(old.path), write="the same command again"
        )
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(mark + new.text.encode())
            os.chmod(temporary, mode)
    except StorageError as error:
        raise StorageError(error.problem, where=str(old.path), got=error.got) from None
