"""Files that are no network at all, as findings: in a review they stand at their line, beside the others."""

from __future__ import annotations

import os
import re
from pathlib import Path

from striate.errors import NetworkError
from striate.findings import Finding
from striate.lint.catalogue import INVALID, other_codes
from striate.lint.result import LintResult

__all__ = ["invalid_result"]

_LINE = re.compile(r"(.+?:[0-9]+)(?:,\s*(.*))?$", re.DOTALL)


def invalid_result(source: str, error: NetworkError) -> LintResult | None:
    """The result for a file that cannot be read as a network; None where no file is meant, but a name or a text.

    Args:
        source: what was asked for.
        error: why it cannot be read.
    """
    home = source.rpartition(":")[0]
    path = home if home.endswith(".py") else source
    if "\n" in source or "\0" in source or not Path(path).is_file():
        return None
    place, rest = _short(error.where or ""), None
    if path == home and not _LINE.match(place):
        # What is asked of the file is wrong, not what stands in it.
        return None
    if (place.startswith(path) or path == home) and (found := _LINE.match(place)):
        place, rest = found[1], found[2]
    elif place == path:
        place = f"{path}:1"
    else:
        place, rest = f"{path}:1", place or None
    message = error.problem if rest is None else f"{rest}: {error.problem}"
    details = [f"{label} {text}" for label, text in (("got", error.got), ("needs", error.needs)) if text]
    finding = Finding(
        INVALID,
        "error",
        "; ".join([message, *details]).replace("\n", " "),
        fix=error.write,
        rule=other_codes()[INVALID].name,
        origin=place,
    )
    return LintResult(source, "", (finding,), ("none",))


def _short(place: str) -> str:
    """A place below the working folder, as it is opened from there."""
    here = os.getcwd() + os.sep
    return place[len(here) :] if place.startswith(here) else place
