"""Every exception a user can meet, as one small tree.

    StriateError            anything below; carries an exit code and a four-part message
    ├── UsageError          a wrong option or argument                                    exit 2
    ├── NetworkError        the network cannot be built as written                        exit 2
    │   ├── LayerError      one layer's attribute is wrong
    │   ├── ShapeError      what arrives at a layer does not fit it
    │   └── SourceError     the text or file that holds the network is wrong
    ├── RunError            a folder is not a run, or is damaged                          exit 2
    │   └── WeightsError    a weights file does not fit its network, or is damaged
    ├── DataError           the images or labels cannot be used                           exit 3
    ├── DivergedError       training reached a loss that is not a number                  exit 4
    ├── StorageError        the disk is full or the folder cannot be written              exit 1
    └── InterruptedRun      stopped by the user; everything so far is saved               exit 130

A message says where, what is wrong, what was got, what is needed, and what to write instead.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "DataError",
    "DivergedError",
    "InterruptedRun",
    "LayerError",
    "NetworkError",
    "RunError",
    "ShapeError",
    "SourceError",
    "StorageError",
    "StriateError",
    "UsageError",
    "WeightsError",
    "near_miss",
]

_BEGINNING = 3
"""So many characters are enough to be the beginning of a name."""


class StriateError(Exception):
    """The root of the tree.

    Args:
        problem: one sentence, no full stop at the end.
        where: file, line, layer, option: whatever the reader has to open.
        got: what was received.
        needs: what would have been right.
        write: what to type instead.

    >>> print(StriateError("unknown layer", where="net.yaml:4", got="convv", write="conv"))
    net.yaml:4: unknown layer
      got:   convv
      write: conv
    """

    exit_code = 2

    def __init__(
        self,
        problem: str,
        *,
        where: str | None = None,
        got: str | None = None,
        needs: str | None = None,
        write: str | None = None,
    ) -> None:
        self.problem = problem
        self.where = where
        self.got = got
        self.needs = needs
        self.write = write
        super().__init__(problem)

    def at(self, where: str) -> StriateError:
        """The same error, told from further out: ``where`` is put before the place already known."""
        place = where if self.where is None else f"{where}, {self.where}"
        return type(self)(self.problem, where=place, got=self.got, needs=self.needs, write=self.write)

    def __str__(self) -> str:
        lines = [self.problem if self.where is None else f"{self.where}: {self.problem}"]
        for label, text in (("got:  ", self.got), ("needs:", self.needs), ("write:", self.write)):
            if text is not None:
                lines.append(f"  {label} {text}")
        return "\n".join(lines)


class UsageError(StriateError):
    """A wrong option or argument."""


class NetworkError(StriateError):
    """The network cannot be built as written."""


class LayerError(NetworkError):
    """An attribute of one layer is wrong, before any input is looked at."""


class ShapeError(NetworkError):
    """What arrives at a layer does not fit it."""


class SourceError(NetworkError):
    """The text or file that holds the network is wrong."""


class RunError(StriateError):
    """A folder is not a run, or is damaged."""


class WeightsError(RunError):
    """A weights file does not fit its network, or is damaged."""


class DataError(StriateError):
    """The images or labels cannot be used."""

    exit_code = 3


class DivergedError(StriateError):
    """Training reached a loss or weight that is not a finite number."""

    exit_code = 4


class StorageError(StriateError):
    """The disk is full, or the folder cannot be written."""

    exit_code = 1


class InterruptedRun(StriateError):
    """Stopped by the user (Ctrl-C or SIGTERM); everything so far is saved."""

    exit_code = 130


def near_miss(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to a mistyped one, or None when nothing is close.

    A name of three characters or more that known ones begin with is the first of those.

    >>> near_miss("maxpol", ["maxpool", "avgpool"]), near_miss("Net V3", ["net_v2", "net_v3_large", "net_v3_small"])
    ('maxpool', 'net_v3_large')
    >>> near_miss("xyz", ["maxpool"]) is None
    True
    """
    folded = {_folded(entry): entry for entry in known}
    wanted = _folded(name)
    if len(wanted) >= _BEGINNING:
        for text, entry in folded.items():
            if text.startswith(wanted):
                return entry
    matches = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None


def _folded(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")
