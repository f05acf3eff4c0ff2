"""What the tests of the command line share: running it, a few small photographs, and a run to look at."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from striate.cli import main

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


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests decides how the output looks."""
    for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "STRIATE_DEBUG", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def striate(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""

    def run(*words: str | Path) -> Result:
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            main([str(word) for word in words])
        captured = capfd.readouterr()
        assert isinstance(caught.value.code, int)
        return Result(caught.value.code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def process() -> Run:
    """Run the command line as a process of its own."""

    def run(*words: str | Path, **options: Any) -> Result:
        done = subprocess.run(
            command(words), capture_output=True, text=True, timeout=120, check=False, encoding="utf-8", **options
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run


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


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 grey images of 8×8 pixels in three classes."""
    return write_classes(tmp_path_factory.mktemp("data") / "photos", {"cat": 20, "dog": 20, "owl": 20})


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Path:
    """A folder of runs with one in it, ``photos-inline-1``; not to be changed."""
    import striate as st

    folder = tmp_path_factory.mktemp("runs")
    st.train(NET, photos, epochs=1, threads=1, runs=folder)
    return folder


@pytest.fixture
def untouched(runs: Path) -> Iterator[Path]:
    """The folder of the finished run; whatever the test does, it has to be the same afterwards."""
    run = runs / "photos-inline-1"
    before = digest(run)
    yield run
    assert digest(run) == before


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
