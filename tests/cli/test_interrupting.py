"""Ctrl-C at any moment: exit code 130, no traceback, and a run folder that can be used or none at all. SIGTERM: 143."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import striate as st
from cli.commands import NET, environment

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")

#: Tells when the interpreter has started and `main` begins: before, Ctrl-C belongs to Python.
SCRIPT = "import sys; from striate.cli import main; sys.stderr.write('ready\\n'); sys.stderr.flush(); main()"
FOREVER = ("--epochs", "1000000", "--threads", "1")

RANDOM = random.Random(7)
#: Seconds after the start. Importing torch takes most of the first two.
MOMENTS = sorted(round(RANDOM.uniform(0, 3.5), 2) for _ in range(10))


class Training:
    """A training that never ends by itself, as a process of its own."""

    def __init__(self, photos: Path, runs: Path) -> None:
        self.runs = runs
        words = ["train", NET, "--data", str(photos), "--runs", str(runs), *FOREVER]
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment(),
        )
        self.told = self.wait_for("ready")

    def wait_for(self, text: str) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if text in line:
                return line
        raise AssertionError(f"it ended before it said {text!r}: {self.process.wait()}")

    def interrupt(self, times: int = 1) -> tuple[int, str, str]:
        for _ in range(times):
            self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


def assert_interrupted(training: Training, code: int, out: str, err: str, expected: int = 130) -> None:
    assert code == expected, err
    assert "Traceback" not in err
    assert "fault in Striate" not in err
    assert out == ""
    folders = list(training.runs.glob("*-1"))
    for folder in folders:
        run = st.open_run(folder)
        assert run.record.status == "interrupted"
        assert run.card.classes == ("cat", "dog", "owl")
        assert run.module.get_parameter("conv1.weight").isfinite().all()
        assert f"error: {folder}: interrupted" in err
    if not folders:
        # Before there is a folder, notes on the images and on the machine may have been told already.
        assert err == "" or err.endswith("error: interrupted\n")


@pytest.mark.parametrize("moment", MOMENTS)
def test_at_a_random_moment(photos: Path, tmp_path: Path, moment: float) -> None:
    training = Training(photos, tmp_path / "runs")
    time.sleep(moment)
    assert_interrupted(training, *training.interrupt())


@pytest.mark.parametrize("told", ["arithmetic", "training on", "epoch  1", "epoch  3"])
def test_when_it_has_just_said_something(photos: Path, tmp_path: Path, told: str) -> None:
    training = Training(photos, tmp_path / "runs")
    training.wait_for(told)
    assert_interrupted(training, *training.interrupt())


def test_twice(photos: Path, tmp_path: Path) -> None:
    training = Training(photos, tmp_path / "runs")
    training.wait_for("epoch  2")
    code, out, err = training.interrupt(times=2)
    assert_interrupted(training, code, out, err)


def test_what_is_saved_can_be_used(photos: Path, tmp_path: Path) -> None:
    training = Training(photos, tmp_path / "runs")
    training.wait_for("epoch  2")
    code, _, err = training.interrupt()
    assert code == 130
    run = st.open_run("latest", runs=tmp_path / "runs")
    assert f"write: striate resume {run.folder.path}" in err
    assert st.evaluate(run).count == 12
    assert st.report(run).is_file()


def test_terminated_politely(photos: Path, tmp_path: Path) -> None:
    """SIGTERM, as a scheduler sends it."""
    training = Training(photos, tmp_path / "runs")
    training.wait_for("epoch  1")
    training.process.terminate()
    out, err = training.process.communicate(timeout=60)
    assert_interrupted(training, training.process.returncode, out, err, expected=143)


@pytest.mark.parametrize("words", [["inspect", "resnet152"], ["evaluate"]], ids=" ".join)
def test_other_verbs_at_once(words: list[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "ready\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    # A fast one may have finished just before.
    assert process.returncode == 130 or words[0] == "inspect"
    assert err in ("", "error: interrupted\n")
