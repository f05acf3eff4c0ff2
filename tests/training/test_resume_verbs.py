"""``striate resume`` and what ``striate train`` says about stopping and going on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import striate as st
from striate import training
from striate.cli.program import run
from striate.errors import InterruptedRun
from striate.training.events import Event, StepDone
from striate.training.verifying import ProvenPart, ResumeProof
from training.samples import NET, save_npz


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return save_npz(tmp_path / "data.npz")


@pytest.fixture
def stopped(tmp_path: Path, data: Path) -> Path:
    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and event.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(InterruptedRun):
        st.train(NET, data, epochs=3, threads=1, runs=tmp_path / "runs", folder="mine", listen=listen)
    return tmp_path / "runs" / "mine"


def test_resume_writes_the_report_and_shows_the_evaluation(stopped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["resume", "mine", "--runs", str(stopped.parent), "--checkpoint-every", "5s"]) == 0
    told = capsys.readouterr()
    assert "resuming at epoch " in told.err
    assert "all 3 epochs were trained" in told.out
    assert str(stopped / "report.html") in told.out
    assert (stopped / "report.html").is_file()
    assert not (stopped / "checkpoint").exists()
    assert run(["resume", "mine", "--runs", str(stopped.parent)]) == 2
    assert "this run is finished; there is nothing to resume" in capsys.readouterr().err


def test_moved_images_and_json(stopped: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    moved = data.rename(data.with_name("moved.npz"))
    assert run(["resume", str(stopped)]) == 3
    assert "the images of the run are not where they were" in capsys.readouterr().err
    assert run(["resume", str(stopped), "--data", str(moved), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["status"] == "done"
    assert len(record["resumed"]) == 1


def test_the_twin_in_python(stopped: Path) -> None:
    resumed = st.resume("mine", runs=stopped.parent)
    assert resumed.record.reason == "all 3 epochs were trained"
    assert resumed.folder.report_html.is_file()


@pytest.mark.parametrize("verb", ["train", "resume"])
def test_a_time_that_is_none(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([verb, "--checkpoint-every", "often"]) == 2
    told = capsys.readouterr().err
    assert "this is not a time" in told
    assert "write: --checkpoint-every 30s" in told


@pytest.mark.parametrize(("flag", "value"), [("--run-folder", "mine"), ("--checkpoint-every", "5s")])
def test_options_without_effect_on_a_proof(flag: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "--verify-resume", flag, value]) == 2
    assert f"{flag} has no effect beside --verify-resume" in capsys.readouterr().err


@pytest.mark.parametrize("equal", [True, False])
def test_a_proof_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], equal: bool) -> None:
    other = "a" * 64 if equal else "b" * 64
    parts = (ProvenPart("weights", 1, "a" * 64, other), ProvenPart("position", 0, "c" * 64, "c" * 64))

    def prove(*arguments: Any, **options: Any) -> ResumeProof:
        return ResumeProof(20, 20, "a new process", parts)

    monkeypatch.setattr(training, "verify_resume", prove, raising=False)
    assert run(["train", "--verify-resume"]) == (0 if equal else 2)
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[0] == "40 steps straight on, and 20 + 20 resumed in a new process:"
    assert lines[1].split() == [
        "weights",
        "1",
        "tensor",
        "sha256",
        "a" * 16,
        *(["equal"] if equal else ["DIFFERENT:", "resumed", "b" * 16]),
    ]
    assert ("a resumed training is not the same" in told.err) is not equal
    assert run(["train", "--verify-resume", "--json"]) == (0 if equal else 2)
    assert json.loads(capsys.readouterr().out)["equal"] is equal
