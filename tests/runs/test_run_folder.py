"""Run folders: made without collisions, found by path, name or ``latest``, and errors that say what to open."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from striate.errors import RunError, StorageError
from striate.findings import Finding
from striate.runs.bounded import JSON_LIMIT
from striate.runs.folder import create_run, open_run, run_names
from striate.runs.layout import RunFolder
from striate.runs.records import DataCard, Evaluation, Preprocessing, RunRecord, SplitCard


def a_record(name: str) -> RunRecord:
    return RunRecord(
        name=name, command="striate train", created="2025-01-31T12:00:00Z", status="running", network="simple-cnn",
        parameters=421_642, asked={}, recipe={}, resolved={}, versions={}, seed=0,
    )  # fmt: skip


def a_run(root: Path, stem: str = "digits-simple-cnn") -> RunFolder:
    run = create_run(root, stem)
    run.write_record(a_record(run.name))
    return run


def test_runs_are_numbered_and_latest_leads_to_the_newest(tmp_path: Path) -> None:
    root = tmp_path / "deep" / "runs"
    names = [create_run(root, stem).name for stem in ("digits-simple-cnn", "digits-simple-cnn", "mnist-lenet")]
    assert names == ["digits-simple-cnn-1", "digits-simple-cnn-2", "mnist-lenet-1"]
    assert os.readlink(root / "latest") == "mnist-lenet-1"
    assert (root / "mnist-lenet-1" / "weights").is_dir()
    assert sorted(entry.name for entry in root.iterdir()) == sorted([*names, "latest"])


def test_a_removed_run_does_not_give_its_number_away(tmp_path: Path) -> None:
    for _ in range(3):
        create_run(tmp_path, "a")
    shutil.rmtree(tmp_path / "a-2")
    assert create_run(tmp_path, "a").name == "a-4"


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("My Images/2024-ResNet", "My-Images-2024-ResNet-1"),
        ("../../etc/passwd", "etc-passwd-1"),
        ("", "run-1"),
        ("...", "run-1"),
        ("Ü", "run-1"),
        ("a" * 300, "a" * 100 + "-1"),
    ],
)
def test_any_stem_becomes_a_plain_name(tmp_path: Path, stem: str, name: str) -> None:
    run = create_run(tmp_path, stem)
    assert run.name == name
    assert run.path.parent == tmp_path


def test_threads_never_share_a_run(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        names = list(pool.map(lambda _: create_run(tmp_path, "a").name, range(40)))
    assert sorted(names) == sorted(f"a-{n}" for n in range(1, 41))
    assert os.readlink(tmp_path / "latest") in names


def make_names(root: Path) -> list[str]:
    return [create_run(root, "a").name for _ in range(10)]


def test_processes_never_share_a_run(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4, mp_context=multiprocessing.get_context("fork")) as pool:
        names = [name for future in [pool.submit(make_names, tmp_path) for _ in range(4)] for name in future.result()]
    assert sorted(names) == sorted(f"a-{n}" for n in range(1, 41))
    assert not list(tmp_path.glob(".*"))


def test_a_run_is_found_by_name_path_and_latest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = a_run(tmp_path / "runs"), a_run(tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    for asked in (first.name, first.path, f"runs/{first.name}", f"runs/{first.name}/", f"./runs/{first.name}"):
        assert open_run(asked).path.resolve() == first.path
    for asked in ("latest", "runs/latest", tmp_path / "runs" / "latest"):
        assert open_run(asked).name == second.name
    monkeypatch.chdir(tmp_path / "runs")
    assert open_run(first.name).name == first.name
    monkeypatch.chdir("/")
    assert open_run("latest", root=tmp_path / "runs").name == second.name


def test_latest_is_a_text_file_where_links_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError("symbolic link privilege not held")

    monkeypatch.setattr(os, "symlink", refuse)
    a_run(tmp_path)
    run = a_run(tmp_path)
    assert (tmp_path / "latest").read_text() == f"{run.name}\n"
    assert not (tmp_path / "latest").is_symlink()
    assert open_run("latest", tmp_path).path == run.path
    monkeypatch.undo()
    third = a_run(tmp_path)
    assert open_run("latest", tmp_path).path == third.path


@pytest.mark.parametrize("content", ["", "../elsewhere", "a/b", "\x00", "x" * 5000])
def test_a_damaged_latest_file_is_refused(tmp_path: Path, content: str) -> None:
    a_run(tmp_path)
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").write_text(content)
    with pytest.raises(RunError) as caught:
        open_run("latest", tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_latest_that_leads_nowhere(tmp_path: Path) -> None:
    first, second = a_run(tmp_path), a_run(tmp_path)
    shutil.rmtree(second.path)
    with pytest.raises(RunError) as caught:
        open_run("latest", tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / 'latest'}: leads to {second.name}, which is gone\n"
        f"  needs: one of: {first.name}\n  write: {first.path}"
    )


def test_a_folder_named_latest_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()
    with pytest.raises(StorageError, match="a folder stands where the link 'latest' goes"):
        create_run(tmp_path, "a")


def test_an_unknown_name_is_told_the_nearest(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    with pytest.raises(RunError) as caught:
        open_run("digit-simplecnn-1", tmp_path)
    assert str(caught.value) == f"digit-simplecnn-1: no such run\n  needs: one of: {run.name}\n  write: {run.path}"
    with pytest.raises(RunError) as caught:
        open_run(tmp_path / "digit-simplecnn-1", tmp_path / "elsewhere")
    assert caught.value.write == str(run.path)


def test_where_there_is_no_run_at_all(tmp_path: Path) -> None:
    with pytest.raises(RunError) as caught:
        open_run("latest", tmp_path / "runs")
    assert str(caught.value) == (
        f"latest: no such run\n  needs: a run in {tmp_path / 'runs'}, which holds none\n  write: striate train"
    )


def test_a_folder_that_is_not_a_run(tmp_path: Path) -> None:
    run = a_run(tmp_path / "runs")
    with pytest.raises(RunError, match=r"not a run: it holds no run\.json") as caught:
        open_run(tmp_path / "runs")
    assert caught.value.write == str(run.path)
    with pytest.raises(RunError, match=r"not a run: it holds no run\.json") as caught:
        open_run(tmp_path)
    assert caught.value.write is None


def test_a_file_inside_a_run(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    run.best_weights.write_bytes(b"")
    with pytest.raises(RunError, match="a run is a folder, and this is a file") as caught:
        open_run(run.best_weights)
    assert caught.value.write == str(run.path)


def test_a_damaged_run_json_is_named(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    whole = run.run_json.read_bytes()
    run.run_json.write_bytes(whole[:50])
    with pytest.raises(RunError) as caught:
        open_run(run.path)
    assert caught.value.where == str(run.run_json)
    assert caught.value.problem == "not JSON, or cut off in the middle"
    run.run_json.write_bytes(whole.replace(b'"running"', b'"walking"'))
    with pytest.raises(RunError, match="status: Input should be 'running'") as caught:
        open_run(run.path)
    assert caught.value.got == "'walking'"
    with open(run.run_json, "wb") as stream:
        stream.truncate(JSON_LIMIT + 1)
    with pytest.raises(RunError, match="too large to be read"):
        open_run(run.path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    os.mkfifo(run.data_json)
    with pytest.raises(RunError, match="not a file"):
        run.data_card()


def test_everything_written_is_read_back(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    card = DataCard(
        source="digits", kind="digits", task="classes", classes=("0", "1"),
        splits={"train": SplitCard(count=2, counts={"0": 1, "1": 1}, hash="ab")}, split_seed=0, split_rule="given",
        preprocessing=Preprocessing(channels=1, height=8, width=8, fit="exact", mean=(0.3,), std=(0.4,)),
    )  # fmt: skip
    evaluation = Evaluation(
        split="val", task="classes", classes=("0", "1"), count=2, loss=0.5, accuracy=0.5, interval=None,
        confusion=((1, 0), (1, 0)),
    )  # fmt: skip
    findings = (Finding("D003", "info", "3 images carry an EXIF rotation; it was applied", where="train"),)
    run.write_data_card(card)
    run.write_evaluation(evaluation)
    run.write_findings(findings)
    run.write_net_text("name: simple-cnn  # Größe\n")
    run.write_report("<!doctype html>")
    with run.metrics_writer() as writer:
        writer.append({"epoch": 1})
    assert run.record() == a_record(run.name)
    assert run.data_card() == card
    assert run.evaluation("val") == evaluation
    assert run.evaluated_splits() == ("val",)
    assert run.findings() == findings
    assert run.net_text() == "name: simple-cnn  # Größe\n"
    assert run.metrics().rows == [{"epoch": 1}]
    assert run.report_html.read_text() == "<!doctype html>"
    names = sorted(entry.name for entry in run.path.iterdir())
    assert names == [
        "data.json", "evaluation-val.json", "findings.json", "metrics.jsonl", "net.yaml", "report.html", "run.json",
        "weights",
    ]  # fmt: skip


def test_a_file_that_is_missing_or_not_text(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    for read in (run.data_card, run.findings, run.net_text, run.metrics, lambda: run.evaluation("test")):
        with pytest.raises(RunError, match="this file is missing"):
            read()
    run.net_yaml.write_bytes(b"name: \xff")
    with pytest.raises(RunError, match="not UTF-8 text"):
        run.net_text()
    with pytest.raises(RunError, match="not the name of a split"):
        run.evaluation("../../secret")


def test_the_runs_cannot_be_made_under_a_file(tmp_path: Path) -> None:
    (tmp_path / "runs").write_bytes(b"")
    with pytest.raises(StorageError) as caught:
        create_run(tmp_path / "runs", "a")
    assert str(caught.value) == (
        f"{tmp_path / 'runs'}: a file stands where the folder of the runs goes\n  write: --runs DIR"
    )
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        create_run(tmp_path / "runs" / "deeper", "a")


def test_the_run_written_to_last_comes_last_and_only_runs_count(tmp_path: Path) -> None:
    for age, stem in enumerate(("c", "a", "b")):
        os.utime(a_run(tmp_path, stem).path, (1_000_000 - age, 1_000_000 - age))
    create_run(tmp_path, "unfinished")
    (tmp_path / "notes.txt").write_text("")
    assert run_names(tmp_path) == ["b-1", "a-1", "c-1"]
    assert run_names(tmp_path / "none") == []
    assert run_names(tmp_path / "notes.txt") == []


def test_a_name_no_system_takes(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be read"):
        open_run("x" * 5000, tmp_path)
    with pytest.raises(RunError, match="no such run"):
        open_run("a\x00b", tmp_path)
