"""What the tests of the command line share: running it, a few small photographs, and a run to look at."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.commands import NET, Result, Run, command, digest, write_classes
from striate.cli import main


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
