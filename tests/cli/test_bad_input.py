"""Whatever is wrong with a network, images or labels ends in one clear message and the right exit code.

Never a traceback; nothing half done is left behind, and a finished run stays as it is, to the byte.
"""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import striate as st
from cli.commands import NET, QUICK, Result, Run, write_classes


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG file (PNG specification, section 5.3)."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


#: A PNG of a few bytes that says it is 100,000 × 100,000 pixels.
HUGE = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0))
    + chunk(b"IDAT", zlib.compress(bytes(100)))
    + chunk(b"IEND", b"")
)

NETWORKS = {
    "an unknown layer": ("layers:\n  - convv: 3", 3, "there is no layer 'convv'"),
    "a wrong attribute": ("layers:\n  - conv: {filters: 4, kernle: 3}", 3, "conv has no attribute 'kernle'"),
    "a missing attribute": ("layers:\n  - conv: {filters: 4}", 3, "conv needs kernel"),
    "an impossible value": ("layers:\n  - conv: {filters: 4, kernel: -3}", 3, ""),
    "a kernel larger than its input": ("layers:\n  - conv: {filters: 4, kernel: 9}", 3, "is larger than its input"),
    "shapes that cannot be added": (
        "layers:\n  - residual:\n      - conv: {filters: 4, kernel: 3}",
        3,
        "these shapes cannot be added",
    ),
    "a missing flatten": ("layers:\n  - conv: {filters: 4, kernel: 3}\n  - dense: 3", 4, "flatten is missing"),
    "a dangling name": ("layers:\n  - relu\n  - add: nowhere", 4, "no layer called 'nowhere'"),
    "a cycle": ("layers:\n  - add: later\n  - {relu: {}, as: later}", 3, "a network has no cycles"),
    "no layers": ("", None, ""),
    "YAML that is none": ("layers: [conv", None, ""),
}


def assert_refused(result: Result, code: int, *parts: str) -> None:
    assert result.code == code
    assert result.out == ""
    for part in parts:
        assert part in result.error


@pytest.mark.parametrize("fault", NETWORKS)
@pytest.mark.parametrize("verb", ["inspect", "train"])
def test_networks(striate: Run, verb: str, fault: str, tmp_path: Path, photos: Path) -> None:
    body, line, problem = NETWORKS[fault]
    file = tmp_path / "net.yaml"
    file.write_text(f"input: [1, 8, 8]\n{body}\n")
    words = ["--data", photos, "--runs", tmp_path / "runs", *QUICK] if verb == "train" else []
    result = striate(verb, file, *words)
    assert_refused(result, 2, str(file) if line is None else f"{file}:{line}", problem)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("empty.yaml", b"", "there is no network in this text"),
        ("binary.yaml", bytes(range(256)), "this is a binary file, not YAML"),
        ("latin.yaml", "name: café".encode("latin-1"), "this file is not text in UTF-8"),
        ("image.png", HUGE, "not a YAML file by its name"),
        ("large.yaml", b"# " + b"x" * 20_000_000, "this file is too large"),
    ],
)
def test_files_that_are_no_network(striate: Run, name: str, content: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    assert_refused(striate("inspect", tmp_path / name), 2, name, problem)


def test_classes_that_do_not_match(striate: Run, photos: Path, tmp_path: Path) -> None:
    words = ("--data", photos, "--runs", tmp_path / "runs", *QUICK)
    result = striate("train", "flatten > dense 7", *words)
    assert_refused(result, 2, "do not match the classes", "7 out, 3 classes (cat, dog, owl)")
    assert not (tmp_path / "runs").exists()


def test_evaluation_on_other_classes(striate: Run, untouched: Path, tmp_path: Path) -> None:
    folder = write_classes(tmp_path / "other", {"cat": 3, "fox": 3})
    assert_refused(striate("evaluate", untouched, "--data", folder), 3, "fox")


IMAGES = {
    "0 bytes": (b"", "0 bytes"),
    "truncated": (None, "cut off"),
    "huge": (HUGE, "64 million pixels"),
    "renamed": (b"just some text", "just some te"),
}


def with_a_bad_image(photos: Path, folder: Path, content: bytes | None) -> Path:
    shutil.copytree(photos, folder)
    good = (folder / "cat" / "0.png").read_bytes()
    (folder / "cat" / "bad.png").write_bytes(good[: len(good) // 2] if content is None else content)
    return folder


@pytest.mark.parametrize("kind", IMAGES)
def test_a_bad_image_stops_a_training_that_asks_for_it(striate: Run, photos: Path, tmp_path: Path, kind: str) -> None:
    content, reason = IMAGES[kind]
    folder = with_a_bad_image(photos, tmp_path / "photos", content)
    words = ("--data", folder, "--runs", tmp_path / "runs", "--broken", "error", *QUICK)
    assert_refused(striate("train", NET, *words), 3, "bad.png", reason)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("kind", IMAGES)
def test_a_bad_image_is_skipped_and_named(striate: Run, photos: Path, tmp_path: Path, kind: str) -> None:
    content, reason = IMAGES[kind]
    folder = with_a_bad_image(photos, tmp_path / "photos", content)
    result = striate("train", NET, "--data", folder, "--runs", tmp_path / "runs", *QUICK)
    assert result.code == 0
    assert "1 of 61 images" in result.err
    assert "bad.png" in result.err
    assert reason in result.err


@pytest.mark.parametrize("kind", IMAGES)
def test_predicting_a_bad_image(striate: Run, photos: Path, untouched: Path, tmp_path: Path, kind: str) -> None:
    folder = with_a_bad_image(photos, tmp_path / "photos", IMAGES[kind][0])
    files = [folder / "cat" / name for name in ("0.png", "bad.png", "1.png")]
    result = striate("predict", untouched, *files, "--json")
    assert result.code == 3
    assert result.error.startswith(f"{files[1]}: 1 of 3 files could not be read")
    first, bad, last = result.json
    expected = st.predict(untouched, [files[0], files[2]])
    assert [first["label"], last["label"]] == [prediction.label for prediction in expected]
    assert bad["label"] is None
    assert IMAGES[kind][1] in bad["error"]
    shown = striate("predict", untouched, *files)
    assert shown.code == 3
    assert str(expected[0].label) in shown.out


def test_predicting_what_is_no_file(striate: Run, untouched: Path, tmp_path: Path) -> None:
    result = striate("predict", untouched, tmp_path / "missing.png", tmp_path)
    assert result.code == 3
    assert "2 of 2 files could not be read" in result.error


def one_class(folder: Path) -> Path:
    return write_classes(folder, {"cat": 10})


def one_image_per_class(folder: Path) -> Path:
    return write_classes(folder, {"cat": 1, "dog": 1})


def empty_folder(folder: Path) -> Path:
    folder.mkdir()
    return folder


def an_empty_class(folder: Path) -> Path:
    write_classes(folder, {"cat": 10})
    (folder / "dog").mkdir()
    return folder


def nothing(folder: Path) -> Path:
    return folder


def labels_out_of_range(folder: Path) -> Path:
    images = np.zeros((30, 8, 8), np.uint8)
    np.savez(folder.with_suffix(".npz"), images=images, labels=np.array([0, 1, 5] * 10), classes=np.array(["a", "b"]))
    return folder.with_suffix(".npz")


def text_as_npz(folder: Path) -> Path:
    folder.with_suffix(".npz").write_text("no archive")
    return folder.with_suffix(".npz")


def a_table_without_its_images(folder: Path) -> Path:
    folder.with_suffix(".csv").write_text("path,label\n" + "a.png,cat\nb.png,dog\n" * 9)
    return folder.with_suffix(".csv")


def an_empty_table(folder: Path) -> Path:
    folder.with_suffix(".csv").write_text("")
    return folder.with_suffix(".csv")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (one_class, "there is only one class"),
        (one_image_per_class, "too few images"),
        (empty_folder, "there are no images"),
        (an_empty_class, "dog"),
        (nothing, "there is no such source"),
        (labels_out_of_range, "a label out of range"),
        (text_as_npz, ""),
        (a_table_without_its_images, "a.png"),
        (an_empty_table, ""),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_images_and_labels(striate: Run, tmp_path: Path, make: Callable[[Path], Path], problem: str) -> None:
    source = make(tmp_path / "images")
    result = striate("train", NET, "--data", source, "--runs", tmp_path / "runs", *QUICK)
    assert_refused(result, 3, "images", problem)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--size", "x"], "size"),
        (["--schedule", "cosine", "--warmup", "0.5"], "warmup"),
        (["--momentum", "0.5"], "momentum"),
        (["--loss", "mse", "--label-smoothing", "0.1"], "label_smoothing"),
        (["--val", "0", "--early-stopping", "2"], "early"),
        (["--shift", "8"], "shift"),
        (["--class-weights", "cat=1,cow=2"], "cow"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_options_that_do_not_go_together(
    striate: Run, photos: Path, tmp_path: Path, words: list[str], line: str
) -> None:
    result = striate("train", NET, "--data", photos, "--runs", tmp_path / "runs", *QUICK, *words)
    assert_refused(result, 2, line)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("words", [["--optimizer", "sgd"], [], ["--batch", "7"]], ids=" ".join)
def test_a_loss_that_is_not_a_number(striate: Run, photos: Path, tmp_path: Path, words: list[str]) -> None:
    """The step is named, the run folder says how it ended, and the last good weights are there."""
    result = striate("train", NET, "--data", photos, "--runs", tmp_path, "--learning-rate", "1e30", *QUICK, *words)
    assert_refused(result, 4, "epoch 1, step ", "training diverged")
    run = st.open_run("latest", runs=tmp_path)
    assert run.record.status == "diverged"
    assert run.record.reason is not None
    assert "step" in run.record.reason
    assert all(bool(tensor.isfinite().all()) for tensor in run.module.state_dict().values())
    assert st.predict(run, [photos / "cat" / "0.png"])[0].label in ("cat", "dog", "owl")


@pytest.mark.parametrize("damage", ["run.json", "data.json", "net.yaml", "weights/best.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff" * 100], ids=["gone", "empty", "cut off", "binary"])
def test_a_damaged_run(
    striate: Run, untouched: Path, photos: Path, tmp_path: Path, damage: str, content: bytes | None
) -> None:
    copy = tmp_path / "damaged-1"
    shutil.copytree(untouched, copy)
    if content is None:
        (copy / damage).unlink()
    else:
        (copy / damage).write_bytes(content)
    result = striate("predict", copy, photos / "cat" / "0.png")
    assert_refused(result, 2, str(copy))


def test_a_run_whose_images_have_changed(striate: Run, photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(photos, folder)
    striate("train", NET, "--data", folder, "--runs", tmp_path / "runs", *QUICK)
    for file in (folder / "cat").iterdir():
        file.unlink()
    assert_refused(striate("evaluate", "latest", "--runs", tmp_path / "runs"), 3, str(folder))
    shutil.rmtree(folder)
    assert_refused(striate("evaluate", "latest", "--runs", tmp_path / "runs"), 3, str(folder))
    # The page says so and shows everything else.
    assert striate("report", "latest", "--runs", tmp_path / "runs").code == 0
