"""On healthy trainings the monitors are silent, and cost no more than they may."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from striate.lint.diagnosis import diagnose
from striate.training import make_recipe, train
from striate.training.events import Event, Note

#: Said of any training on few images: how far its accuracy is known, and that it could go on.
SAID = {"T409", "T410"}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("net", ["simple-cnn", "mnist-cnn"])
def test_digits(tmp_path: Path, net: str, seed: int) -> None:
    lines: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            lines.append(event.text)

    recipe = make_recipe({"epochs": 8, "seed": seed, "threads": 1})
    run = train(net, "digits", recipe, runs=tmp_path, listen=listen)
    assert [finding.code for finding in run.folder.findings() if finding.code.startswith("T")] == []
    assert not [line for line in lines if line.startswith(("warning T", "error T"))]
    found = diagnose(run.folder.path)
    assert {finding.code for finding in found.findings if finding.code.startswith("T")} <= SAID
    assert found.overhead["samples"] >= 3
    assert found.overhead["share"] < 0.2
    last = json.loads((run.folder.path / "monitors.jsonl").read_text().splitlines()[-1])
    assert last["kind"] == "overhead"
    *_, looked, spent, advice = lines
    assert looked.startswith(f"monitors: {last['samples']} of {last['steps']} steps looked at, ")
    assert spent.startswith("time: ")
    assert advice.startswith("advice: ")


def test_samples_stay_few_however_long_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from striate.training.monitors import watch
    from training.samples import quick_run

    monkeypatch.setattr(watch, "SHARE", 1e9)
    monkeypatch.setattr(watch, "BETWEEN", 0.05)
    run = quick_run(tmp_path, epochs=60, batch=16)
    rows = [json.loads(line) for line in (run.folder.path / "monitors.jsonl").read_text().splitlines()]
    steps = [row["step"] for row in rows if row["kind"] == "sample"]
    assert steps[:10] == list(range(1, 11))
    assert 15 <= len(steps) <= 10 + 20
    assert steps[-1] > 170
