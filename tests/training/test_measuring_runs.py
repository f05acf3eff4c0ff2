"""A run measured on its own images, read again and proven to be the same, and on others."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.data.matching import load_matching
from striate.errors import DataError, UsageError
from striate.training import TrainedRun, open_trained, train
from striate.training.measuring import evaluate_run, run_split
from striate.training.recipe import make_recipe
from training.samples import NAMES, draw_images, make_dataset, quick_run, save_npz


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("measuring")


@pytest.fixture(scope="module")
def run(place: Path) -> TrainedRun:
    """Opened from its folder: the images have to be read again."""
    done = quick_run(place / "runs", save_npz(place / "data.npz"), epochs=6, batch=16, learning_rate=0.02, val=0.2)
    return open_trained(done.folder.path)


def write_folder(root: Path, labels: dict[str, int], size: tuple[int, int] = (6, 6)) -> Path:
    """Class folders with images like those of the samples; the number is the class they show."""
    for name, shown in labels.items():
        (root / name).mkdir(parents=True)
        images, truth = draw_images("classes", 12, seed=5)
        for index, image in enumerate(images[truth == shown]):
            Image.fromarray(image[0]).resize(size).save(root / name / f"{index}.png")
    return root


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_each_split_is_read_again(run: TrainedRun, split: str) -> None:
    evaluation = evaluate_run(run, split=split)
    assert evaluation.count == run.card.splits[split].count  # type: ignore[index]
    if split != "train":
        assert evaluation == run.folder.evaluation(split)


def test_the_images_in_memory_are_not_read_again(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "data.npz")
    done = quick_run(tmp_path / "runs", path)
    path.unlink()
    assert evaluate_run(done) == done.folder.evaluation("test")
    with pytest.raises(DataError, match="there is no such source"):
        evaluate_run(open_trained(done.folder.path))


def test_a_run_can_be_measured_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_npz(tmp_path / "data.npz")
    monkeypatch.chdir(tmp_path)
    done = quick_run(Path("runs"), "data.npz")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    run = open_trained(tmp_path / done.folder.path)
    assert run.card.source == str((tmp_path / "data.npz").resolve())
    assert evaluate_run(run).count == 12


def test_the_digits_stay_the_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    run = open_trained(quick_run(tmp_path / "runs", "digits", "flatten > dense classes", epochs=1).folder.path)
    assert run.card.source == "digits"
    assert evaluate_run(run) == run.folder.evaluation("test")


def test_a_split_the_run_has_not_is_refused(run: TrainedRun) -> None:
    with pytest.raises(UsageError) as raised:
        evaluate_run(run, split="tets")
    assert "the run has no split 'tets'" in str(raised.value)
    assert "write: test" in str(raised.value)


def test_images_that_changed_are_refused(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "data.npz")
    run = open_trained(quick_run(tmp_path / "runs", path).folder.path)
    save_npz(path, seed=77)
    with pytest.raises(DataError) as raised:
        evaluate_run(run)
    text = str(raised.value)
    assert "the test images are not those of the run any more" in text
    assert f"needs: 12 images, hash {run.card.splits['test'].hash[:12]}" in text
    assert f"--data {path}" in text
    assert evaluate_run(run, path).count == 12


def test_a_split_that_is_gone_is_told(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "data.npz")
    run = open_trained(quick_run(tmp_path / "runs", path, val=0.2).folder.path)
    images, labels = draw_images("classes", 12)
    np.savez(path, x_train=images[:, 0], y_train=labels, x_val=images[:, 0], y_val=labels)
    with pytest.raises(DataError, match="own val split"):
        run_split(run, "test")


def test_the_seed_and_the_options_of_the_run_divide_again(tmp_path: Path) -> None:
    images, labels = draw_images("classes", 60)
    np.savez(tmp_path / "whole.npz", images=images[:, 0], labels=labels)
    done = quick_run(tmp_path / "runs", tmp_path / "whole.npz", seed=9, val=0.2, test=0.3)
    run = open_trained(done.folder.path)
    for split in ("train", "val", "test"):
        assert run_split(run, split).ids == done.dataset.splits[split].ids  # type: ignore[union-attr]


@pytest.mark.parametrize("task", ["tags", "values"])
def test_other_tasks_are_read_again_too(tmp_path: Path, task: str) -> None:
    done = quick_run(tmp_path / "runs", save_npz(tmp_path / "data.npz", task))  # type: ignore[arg-type]
    assert evaluate_run(open_trained(done.folder.path)) == done.folder.evaluation("test")


def test_images_loaded_beforehand_with_another_seed_are_found_again(tmp_path: Path) -> None:
    from striate.data import load_data

    images, labels = draw_images("classes", 60)
    np.savez(tmp_path / "whole.npz", images=images[:, 0], labels=labels)
    dataset = load_data(tmp_path / "whole.npz", seed=5)
    recipe = make_recipe({"epochs": 1, "threads": 1, "seed": 3})
    done = train("flatten > dense classes", dataset, recipe, runs=tmp_path / "runs")
    assert evaluate_run(open_trained(done.folder.path)) == done.folder.evaluation("test")


def test_images_whose_task_had_to_be_said_are_found_again(tmp_path: Path) -> None:
    from striate.data import load_data

    images, labels = draw_images("classes", 60)
    # 0.0, 1.0 and 2.0 could be classes or values.
    np.savez(tmp_path / "doubt.npz", images=images[:, 0], labels=labels.astype(np.float32))
    with pytest.raises(DataError, match="in doubt"):
        load_data(tmp_path / "doubt.npz")
    dataset = load_data(tmp_path / "doubt.npz", task="values")
    done = train("flatten > dense classes", dataset, make_recipe({"epochs": 1, "threads": 1}), runs=tmp_path / "runs")
    run = open_trained(done.folder.path)
    assert evaluate_run(run) == done.folder.evaluation("test")
    assert evaluate_run(run, tmp_path / "doubt.npz").count == 60


def test_other_data_of_the_same_classes(run: TrainedRun, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "other", {"cat": 0, "dog": 1, "eel": 2})
    evaluation = evaluate_run(run, folder)
    assert evaluation.split == "all"
    assert evaluation.count == 12
    assert evaluation.accuracy == 1.0


def test_the_classes_are_matched_by_name_and_may_be_fewer(run: TrainedRun, tmp_path: Path) -> None:
    # Here dog is class 0 and eel class 1; the run counts cat, dog, eel.
    folder = write_folder(tmp_path / "fewer", {"dog": 1, "eel": 2})
    evaluation = evaluate_run(run, folder)
    assert evaluation.classes == NAMES["classes"]
    assert evaluation.accuracy == 1.0
    assert [score.count for score in evaluation.per_class] == [0, 4, 4]
    assert evaluation.per_class[0].recall is None
    assert evaluation.confusion == ((0, 0, 0), (0, 4, 0), (0, 0, 4))


def test_images_of_another_size_and_colour_are_brought_to_the_network(run: TrainedRun, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "large", {"cat": 0, "dog": 1, "eel": 2}, size=(24, 12))
    assert load_matching(folder, run.card).parts["all"].images.shape == (12, 1, 6, 6)
    evaluate_run(run, folder)


def test_splits_of_class_folders_may_be_small_and_of_any_kind(run: TrainedRun, tmp_path: Path) -> None:
    for number, given in enumerate((("train", "test"), ("train", "val"), ("train", "val", "test"))):
        for split in given:
            for shown, name in enumerate(("cat", "dog")):
                folder = tmp_path / str(number) / split / name
                folder.mkdir(parents=True)
                Image.fromarray(draw_images("classes", 3)[0][shown, 0]).save(folder / "only.png")
        assert evaluate_run(run, tmp_path / str(number), given[-1]).count == 2


def test_an_unknown_class_is_an_error(run: TrainedRun, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "unknown", {"cat": 0, "dgo": 1})
    with pytest.raises(DataError) as raised:
        evaluate_run(run, folder)
    text = str(raised.value)
    assert "the network was not trained on 'dgo'" in text
    assert "needs: cat, dog, eel" in text
    assert "write: dog" in text


def test_what_was_left_out_of_other_data_is_told(run: TrainedRun, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "broken", {"cat": 0, "dog": 1})
    (folder / "cat" / "bad.png").write_bytes(b"no image")
    notes: list[object] = []
    assert evaluate_run(run, folder, listen=notes.append).count == 8
    assert any("bad.png" in str(note) or "1 image" in str(note) for note in notes)


def test_splits_of_other_data_are_chosen_by_name(run: TrainedRun, place: Path) -> None:
    other = save_npz(place / "other.npz", seed=40)
    assert evaluate_run(run, other).split == "test"
    assert evaluate_run(run, other, "train").count == 48
    with pytest.raises(UsageError) as raised:
        evaluate_run(run, other, "val")
    assert "the data have no split 'val'" in str(raised.value)
    assert "needs: one of train, test" in str(raised.value)


def test_another_task_is_refused(run: TrainedRun, place: Path) -> None:
    with pytest.raises((DataError, UsageError)):
        evaluate_run(run, save_npz(place / "values.npz", "values"))


def write_csv(path: Path, header: list[str], rows: list[list[str]]) -> Path:
    images, _ = draw_images("classes", len(rows))
    for index, image in enumerate(images):
        Image.fromarray(image[0]).save(path.parent / f"{index}.png")
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows([[f"{index}.png", *row] for index, row in enumerate(rows)])
    return path


def test_tags_are_matched_by_name_and_may_be_fewer(tmp_path: Path) -> None:
    run = quick_run(tmp_path / "runs", make_dataset("tags"), epochs=1)
    table = write_csv(tmp_path / "tags.csv", ["path", "labels"], [["wet"], ["red|wet"], ["red"], ["wet"]])
    labels = load_matching(table, run.card).parts["all"].labels
    # red, round, wet
    assert labels.tolist() == [[0, 0, 1], [1, 0, 1], [1, 0, 0], [0, 0, 1]]
    assert evaluate_run(run, table).count == 4
    table = write_csv(tmp_path / "tags.csv", ["path", "labels"], [["wet|blue"], ["blue"], ["wet"]])
    with pytest.raises(DataError, match="the network was not trained on 'blue'"):
        evaluate_run(run, table)


def test_values_are_matched_by_name_and_must_all_be_there(tmp_path: Path) -> None:
    run = quick_run(tmp_path / "runs", make_dataset("values"), epochs=1)
    table = write_csv(tmp_path / "v.csv", ["path", "value:mass", "value:age"], [["0.5", "0.25"], ["1.5", "2.25"]])
    assert load_matching(table, run.card).parts["all"].labels.tolist() == [[0.25, 0.5], [2.25, 1.5]]
    table = write_csv(tmp_path / "v.csv", ["path", "value:mass"], [["0.5"], ["1.5"]])
    with pytest.raises(DataError, match="there are no values of 'age'"):
        evaluate_run(run, table)
