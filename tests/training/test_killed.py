"""kill -9 at random moments, also inside the writing of a checkpoint: every run ends as the one left in peace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from striate.cli.program import run
from training.samples import save_npz

REPOSITORY = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")

NET = "conv 4 3 same > batchnorm > relu > dropout 0.5 > flatten > dense classes"
RECIPE = ("--epochs", "60", "--batch", "10", "--threads", "1", "--shift", "1", "--learning-rate", "0.0005")


def test_twelve_kills() -> None:
    """The benchmark kills fifty times; see there for what is compared."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.killing", "12"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 times kill -9" in done.stdout
    assert "inside the writing of a checkpoint" in done.stdout
    assert "every resumed run ended as the uninterrupted one, byte for byte" in done.stdout


def striate(*words: str) -> subprocess.Popen[str]:
    script = "import sys; from striate.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", script, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "300"},
    )


def test_the_command_line_is_killed_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, runs = str(save_npz(tmp_path / "data.npz")), tmp_path / "runs"
    again = ("train", NET, "--data", data, "--runs", str(runs), "--run-folder", "mine", *RECIPE)
    with striate(*again) as process:
        end = time.monotonic() + 60
        while not list((runs / "mine" / "checkpoint").glob("00000[3-9].json")) and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    # The same command again goes on, and says so; a signal stops it and names the verb that goes on, too.
    with striate(*again) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        assert first.startswith("resuming at epoch "), first
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    assert f"write: striate resume {runs / 'mine'}\n" in errors
    assert run(["resume", "mine", "--runs", str(runs)]) == 0
    assert "all 60 epochs were trained" in capsys.readouterr().out
    assert run([*again[:7], "whole", *RECIPE]) == 0
    for name in ("best.safetensors", "last.safetensors"):
        ours, theirs = (runs / folder / "weights" / name for folder in ("mine", "whole"))
        assert ours.read_bytes() == theirs.read_bytes()
    assert run(again) == 2
    assert "this run is finished; there is nothing to resume" in capsys.readouterr().err
