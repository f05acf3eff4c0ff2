"""Where decoded pixels are is an option of a training like any other, and the weights do not depend on it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from striate.cli.program import run
from striate.errors import RunError, UsageError
from striate.training import TrainedRun, make_recipe, measuring, train
from striate.training.events import Event, Note
from striate.training.measuring import run_split
from striate.training.resuming import check_same_request
from training.samples import NET, make_dataset


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pixels"


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Three classes of 12 JPEGs of 8×8, each class with a bright row of its own."""
    random = np.random.default_rng(0)
    for place, name in enumerate(("cat", "dog", "eel")):
        (tmp_path / "photographs" / name).mkdir(parents=True)
        for number in range(12):
            pixels = random.integers(0, 120, (8, 8, 3)).astype(np.uint8)
            pixels[2 * place] += 120
            Image.fromarray(pixels).save(tmp_path / "photographs" / name / f"{number}.jpg", quality=95)
    return tmp_path / "photographs"


def test_processes_are_asked_for_again_only_where_images_are_streamed(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(photographs, tmp_path / "runs")
    seen: dict[str, object] = {}
    monkeypatch.setattr(measuring, "load_data", lambda source, **options: seen.update(options))
    for cache, workers in (("auto", None), ("stream", 4)):
        recipe = {**run.record.recipe, "cache": cache, "workers": 4}
        record = run.record.model_copy(update={"recipe": recipe})
        measuring.read_again(SimpleNamespace(card=run.card, record=record))  # type: ignore[arg-type]
        assert seen.pop("workers", None) == workers
        assert seen["cache"] == cache


def test_where_pixels_are_does_not_make_another_recipe(photographs: Path, tmp_path: Path) -> None:
    run = trained(photographs, tmp_path / "runs")
    dataset = measuring.read_again(run)
    check_same_request(run.folder, run.graph, dataset, make_recipe({**run.record.recipe, "cache": "disk"}))
    with pytest.raises(RunError, match="another recipe"):
        check_same_request(run.folder, run.graph, dataset, make_recipe({**run.record.recipe, "flip": "horizontal"}))
    # A run from before there were these options.
    record = json.loads(run.folder.run_json.read_text())
    for name in ("cache", "workers", "device", "deterministic"):
        del record["recipe"][name]
    run.folder.run_json.write_text(json.dumps(record))
    check_same_request(run.folder, run.graph, dataset, make_recipe(dict(run.record.recipe)))


def trained(photographs: Path, runs: Path, told: list[str] | None = None, **options: object) -> TrainedRun:
    def listen(event: Event) -> None:
        if isinstance(event, Note) and told is not None:
            told.append(event.text)

    recipe = make_recipe({"epochs": 2, "threads": 1, "batch": 8, "val": 0.2, "test": 0.2, **options})
    return train(NET, photographs, recipe, runs=runs, listen=listen)


def weights(run: TrainedRun) -> list[bytes]:
    return [path.read_bytes() for path in (run.folder.best_weights, run.folder.last_weights)]


def test_the_same_weights_from_the_disk(photographs: Path, tmp_path: Path, store: Path) -> None:
    told: list[str] = []
    memory = trained(photographs, tmp_path / "a", told)
    assert not store.exists()
    assert [note for note in told if note.startswith("images: 6.8 KiB of pixels in memory, where at most ")]
    told.clear()
    disk = trained(photographs, tmp_path / "b", told, cache="disk")
    assert "images: 6.8 KiB of pixels in a file on the disk, as asked" in told
    assert weights(disk) == weights(memory)
    assert len(list(store.iterdir())) == 1
    # Whoever measures the run finds that file again.
    again = TrainedRun(disk.folder)
    before = [path.stat().st_mtime_ns for path in store.iterdir()]
    assert (run_split(again, "val").images == memory.dataset.splits["val"].images).all()  # type: ignore[union-attr]
    assert [path.stat().st_mtime_ns for path in store.iterdir()] != before


def test_it_is_a_flag(photographs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], store: Path) -> None:
    words = ("--data", str(photographs), "--epochs", "1", "--runs", str(tmp_path / "runs"))
    assert run(["train", NET, *words, "--cache", "disk"]) == 0
    assert "images: 6.8 KiB of pixels in a file on the disk, as asked" in " ".join(capsys.readouterr().err.split())
    assert list(store.iterdir())
    assert run(["train", NET, *words, "--cache", "discs"]) == 2
    assert "--cache: the option 'cache' cannot have this value" in " ".join(capsys.readouterr().err.split())
    assert run(["train", NET, "--cache", "disk", *words[2:]]) == 2
    assert "only the pixels of image files are kept elsewhere" in " ".join(capsys.readouterr().err.split())


def test_it_has_no_effect_on_loaded_images(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cache has no effect on images that are already loaded"):
        train(NET, make_dataset(), make_recipe({"epochs": 1, "cache": "disk"}), runs=tmp_path)
