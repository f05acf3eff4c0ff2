"""Running the command line, and the small photographs it is given."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

__all__ = ["NET", "QUICK", "Result", "Run", "command", "digest", "environment", "write_classes"]

#: A network and options that make a training a matter of a tenth of a second.
NET = "conv 4 3 > relu > flatten > dense classes"
QUICK = ("--epochs", "1", "--threads", "1")


@dataclass(frozen=True)
class Result:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The error message, which has to be there exactly once, and no traceback anywhere."""
        assert "Traceback" not in self.out + self.err
        assert "fault in Striate" not in self.err
        before, found, after = self.err.partition("error: ")
        assert found, f"no error on standard error:\n{self.err}"
        assert "error: " not in after
        # Only progress and notes may stand before it, each in lines of their own.
        assert before == "" or before.endswith("\n")
        return after


Run = Callable[..., Result]


def command(words: Sequence[str | Path]) -> list[str]:
    """The command that starts ``striate`` with the interpreter that runs the tests."""
    return [sys.executable, "-m", "striate", *map(str, words)]


def write_image(path: Path, pixels: np.ndarray[Any, np.dtype[np.uint8]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def write_classes(folder: Path, counts: dict[str, int]) -> Path:
    """A folder of class folders with noisy 8×8 images, brighter from class to class."""
    random = np.random.default_rng(0)
    for level, (name, count) in enumerate(counts.items(), 1):
        for number in range(count):
            write_image(folder / name / f"{number}.png", random.integers(0, 70 * level, (8, 8)).astype(np.uint8))
    return folder


def digest(folder: Path) -> dict[str, str]:
    """Every file below a folder with a hash of its content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def environment(**changes: str) -> dict[str, str]:
    """The environment of this process, with changes, and without what would colour or break lines."""
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    return {**kept, **changes}
