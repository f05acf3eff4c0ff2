"""report.html is written for every kind of run, whatever is missing."""

from __future__ import annotations

import builtins
import errno
import signal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from striate.errors import InterruptedRun, RunError, StorageError
from striate.insight import write_report
from striate.runs.records import Task
from striate.training import TrainedRun, open_trained
from striate.training.events import Event, StepDone
from training.samples import make_dataset, quick_run, save_npz


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.pictures: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.pictures.append(dict(attrs).get("alt") or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(path: Path) -> tuple[str, list[str]]:
    """The words of a page, and what is said of its pictures."""
    parser = _Text()
    parser.feed(path.read_text(encoding="utf-8"))
    return " ".join(" ".join(parser.words).split()), parser.pictures


def reopened(run: TrainedRun) -> TrainedRun:
    return open_trained(run.folder.path)


@pytest.mark.parametrize("task", ["classes", "tags", "values"])
def test_every_task_has_a_report(tmp_path: Path, task: Task) -> None:
    run = quick_run(tmp_path, make_dataset(task))
    page = write_report(run)
    assert page == run.folder.report_html
    words, pictures = read(page)
    assert run.folder.name in words
    assert any("filter 1 of conv1" in caption for caption in pictures)
    assert any("channel 0 of relu1" in caption for caption in pictures)
    assert any("test/0" in caption for caption in pictures)
    assert "pictures are left out" not in words


def test_mistakes_are_shown(tmp_path: Path) -> None:
    run = quick_run(tmp_path, epochs=1, learning_rate=1e-9)
    evaluation = run.folder.evaluation("test")
    assert evaluation.accuracy is not None
    assert evaluation.accuracy < 1
    wrong = round(12 * (1 - evaluation.accuracy))
    _, pictures = read(write_report(run))
    assert sum("test/" in caption for caption in pictures) == wrong + 1  # and the image of the feature maps


def test_the_images_are_read_again_where_they_are_not_at_hand(tmp_path: Path) -> None:
    run = quick_run(tmp_path / "runs", save_npz(tmp_path / "data.npz"))
    whole = write_report(run).read_text()
    assert write_report(reopened(run)).read_text() == whole
    assert write_report(reopened(run), run.dataset).read_text() == whole


@pytest.mark.parametrize("how", ["gone", "changed", "divided"])
def test_without_its_images_the_page_says_so_and_shows_the_rest(tmp_path: Path, how: str) -> None:
    path = save_npz(tmp_path / "data.npz")
    run = quick_run(tmp_path / "runs", path, val=0.2)
    path.unlink()
    if how == "changed":
        save_npz(path, seed=8)
    elif how == "divided":
        import numpy as np

        from training.samples import draw_images

        images, labels = draw_images("classes", 12)
        np.savez(path, x_train=images[:, 0], y_train=labels, x_val=images[:, 0], y_val=labels)
    words, pictures = read(write_report(reopened(run)))
    assert "pictures are left out" in words
    assert any("filter 1 of conv1" in caption for caption in pictures)
    assert not any("channel" in caption for caption in pictures)


def test_without_test_or_validation_the_training_images_are_shown(tmp_path: Path) -> None:
    _, pictures = read(write_report(quick_run(tmp_path, make_dataset(val=0, test=0))))
    assert any("train/0" in caption for caption in pictures)
    _, pictures = read(write_report(quick_run(tmp_path, make_dataset(test=0))))
    assert any("val/0" in caption for caption in pictures)


def test_a_run_interrupted_before_its_first_epoch_has_a_report(tmp_path: Path) -> None:
    def listen(event: Event) -> None:
        if isinstance(event, StepDone):
            signal.raise_signal(signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(InterruptedRun):
            quick_run(tmp_path / "runs", save_npz(tmp_path / "data.npz"), listen=listen)
    finally:
        signal.signal(signal.SIGTERM, before)
    words, pictures = read(write_report(open_trained("latest", root=tmp_path / "runs")))
    assert "nterrupted" in words
    assert any("filter 1 of conv1" in caption for caption in pictures)


def test_a_run_that_diverged_has_a_report(tmp_path: Path) -> None:
    from striate.errors import DivergedError

    with pytest.raises(DivergedError):
        quick_run(tmp_path / "runs", save_npz(tmp_path / "data.npz"), learning_rate=1e30, optimizer="sgd")
    words, _ = read(write_report(open_trained("latest", root=tmp_path / "runs")))
    assert "iverged" in words


def test_metrics_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    run = quick_run(tmp_path)
    lines = run.folder.metrics_jsonl.read_bytes()
    run.folder.metrics_jsonl.write_bytes(lines[:-5])
    assert "the last line is cut off" in read(write_report(run))[0]
    run.folder.metrics_jsonl.write_bytes(b"garbage\n" + lines)
    assert "curves are left out: not a JSON object" in read(write_report(run))[0]
    run.folder.metrics_jsonl.unlink()
    assert "curves are left out: this file is missing" in read(write_report(run))[0]


def test_a_network_of_dense_layers_has_a_report(tmp_path: Path) -> None:
    _, pictures = read(write_report(quick_run(tmp_path, net="flatten > dense 4 > relu > dense classes")))
    assert not any("filter" in caption or "channel" in caption for caption in pictures)


def test_damaged_weights_are_told(tmp_path: Path) -> None:
    run = quick_run(tmp_path)
    run.folder.best_weights.write_bytes(b"\x00" * 40)
    with pytest.raises(RunError, match="safetensors"):
        write_report(reopened(run))


def test_a_full_disk_keeps_the_page_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = quick_run(tmp_path)
    page = write_report(run)
    before = page.read_bytes()

    def full(*arguments: Any) -> Any:
        if "w" in arguments[1]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return builtins.open(*arguments)

    monkeypatch.setattr("striate.runs.atomic.open", full, raising=False)
    with pytest.raises(StorageError, match="the disk is full"):
        write_report(run)
    assert page.read_bytes() == before
    assert run.folder.record().status == "done"
