"""``striate diagnose`` and ``st.diagnose``: from files alone, worst first, without torch, and clear about bad files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import striate as st
from striate.cli.program import run as command
from striate.errors import RunError
from striate.training.monitors.rows import rows_path
from training.samples import quick_run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return quick_run(tmp_path_factory.mktemp("runs"), epochs=4).folder.path


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def edit(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_a_run_its_folder_and_the_latest_are_the_same(finished: Path) -> None:
    by_folder = st.diagnose(finished)
    assert st.diagnose(st.open_run(finished)) == by_folder
    assert st.diagnose(runs=finished.parent) == by_folder
    assert by_folder.status == "done"


def test_no_torch_is_needed(finished: Path) -> None:
    script = f"import sys, striate; striate.diagnose({str(finished)!r}); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"


def test_worst_first_with_weights_and_ending(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = load_file(copied / "weights" / "best.safetensors")
    weights["conv1.weight"] = np.full_like(weights["conv1.weight"], np.nan)
    from safetensors import safe_open

    with safe_open(copied / "weights" / "best.safetensors", "numpy") as stored:
        metadata = stored.metadata()
    save_file(weights, copied / "weights" / "best.safetensors", metadata)
    edit(copied / "run.json", status="interrupted", reason="stopped by the user")
    found = st.diagnose(copied)
    severities = [finding.severity for finding in found.findings]
    assert severities == sorted(severities, key=("error", "warning", "info").index)
    codes = {finding.code for finding in found.findings}
    assert "T411" in codes
    assert any(code.startswith("N7") for code in codes)
    assert command(["diagnose", str(copied)]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"{copied}: ")
    assert "T411 ended-early: it was interrupted after 4 epochs" in " ".join(out.split())
    assert "fix: striate resume RUN" in " ".join(out.split())
    assert "the monitors looked at" in " ".join(out.split())


def test_json(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["diagnose", str(finished), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert list(data) == ["run", "network", "status", "findings", "monitors", "spent"]
    assert data["monitors"]["samples"] >= 1
    assert data["spent"]["seconds"]["forward"] > 0


def test_a_run_without_monitors_is_judged_by_its_curves(copied: Path) -> None:
    rows_path(st.open_run(copied).folder).unlink()
    found = st.diagnose(copied)
    assert found.overhead == {}
    assert found.status == "done"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"kind": "sample", "epoch": 1}, "this row does not have its form"),
        ({"kind": "sample", "epoch": "x", "step": 1}, "this row does not have its form"),
        ({"kind": "start", "images": 3}, "this row does not have its form"),
        ({"nothing": 1}, "this row does not have its form"),
        ([1, 2], "not a JSON object"),
    ],
    ids=str,
)
def test_a_damaged_row_is_named(copied: Path, row: object, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = copied / "monitors.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], json.dumps(row), *lines[1:]]) + "\n")
    with pytest.raises(RunError) as raised:
        st.diagnose(copied)
    assert raised.value.problem == problem
    assert raised.value.where == f"{path}:2"
    assert command(["diagnose", str(copied)]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_damaged_metrics_are_named(copied: Path) -> None:
    path = copied / "metrics.jsonl"
    path.write_text('{"kind":"epoch","step":3}\n' + path.read_text())
    with pytest.raises(RunError, match="this row does not have its form"):
        st.diagnose(copied)


def test_there_is_no_such_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["diagnose", "nothing", "--runs", str(tmp_path)]) == 2
    assert "nothing" in capsys.readouterr().err


def test_the_report_shows_what_the_monitors_found(tmp_path: Path) -> None:
    run = st.train("flatten > dense classes", "digits", epochs=4, learning_rate=1e-9, runs=tmp_path, threads=1)
    assert "T401" in {finding.code for finding in run.folder.findings()}
    assert "T401" in run.folder.report_html.read_text()
