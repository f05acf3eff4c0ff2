"""Every check of the data lint: fires on a planted fault, silent on healthy images."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.data import Dataset, load_data
from striate.data.balance import half_width
from striate.data.codes import data_codes
from striate.findings import Finding
from striate.runs.interval import wilson_interval

Picture = Callable[..., Image.Image]
Folders = Callable[..., Path]
Counts = {"train": 200, "val": 150, "test": 150}


@pytest.fixture
def pixels(photograph: Picture) -> dict[str, np.ndarray]:
    """Drawn photographs for three splits, (images, height, width, 3)."""
    whole = np.stack([np.asarray(photograph(seed, 24)) for seed in range(sum(Counts.values()))])
    return dict(zip(Counts, np.split(whole, np.cumsum(list(Counts.values()))[:-1]), strict=True))


def loaded(tmp_path: Path, pixels: dict[str, np.ndarray], labels: dict[str, np.ndarray] | None = None) -> Dataset:
    labels = labels or {name: np.arange(len(images)) % 4 for name, images in pixels.items()}
    arrays = {f"x_{name}": images for name, images in pixels.items()}
    np.savez(tmp_path / "data.npz", **arrays, **{f"y_{name}": values for name, values in labels.items()})
    return load_data(tmp_path / "data.npz", **({"val": 0} if "val" not in pixels else {}))


def of(dataset: Dataset, code: str) -> list[Finding]:
    return [finding for finding in dataset.findings if finding.code == code]


def codes(dataset: Dataset) -> set[str]:
    return {finding.code for finding in dataset.findings}


def saved_again(image: np.ndarray, quality: int = 75) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


# --- healthy images ----------------------------------------------------------------------------------------------


def test_photographs_are_healthy(tmp_path: Path, pixels: dict[str, np.ndarray]) -> None:
    assert loaded(tmp_path, pixels).findings == ()


def test_digits_are_healthy() -> None:
    assert load_data("digits").findings == ()


@pytest.mark.data
def test_mnist_is_healthy(shared_data: Path) -> None:
    assert load_data(shared_data / "mnist").findings == ()


# --- copies ------------------------------------------------------------------------------------------------------


def test_copies_across_splits(tmp_path: Path, pixels: dict[str, np.ndarray]) -> None:
    pixels["test"][4] = pixels["train"][8]
    pixels["test"][12] = pixels["val"][16]
    dataset = loaded(tmp_path, pixels)
    assert codes(dataset) == {"D022"}
    [finding] = of(dataset, "D022")
    assert (finding.severity, finding.where) == ("warning", "test")
    assert finding.message == (
        "2 of 150 images (1.3 %) are an exact copy of an image in an earlier split: "
        "test/4 = train/8 (train), test/12 = val/16 (val)"
    ) or sorted(re.findall(r"test/\d+ = \w+/\d+", finding.message)) == ["test/12 = val/16", "test/4 = train/8"]
    assert "column split" in str(finding.fix)


def test_copies_within_a_split(tmp_path: Path, pixels: dict[str, np.ndarray]) -> None:
    pixels["train"][[4, 8]] = pixels["train"][0]
    [finding] = loaded(tmp_path, pixels).findings
    assert (finding.code, finding.severity) == ("D021", "info")
    assert finding.message == "2 images are an exact copy of another in the same split: train/0 = train/4"


def test_labels_that_disagree(tmp_path: Path, pixels: dict[str, np.ndarray]) -> None:
    pixels["train"][5] = pixels["train"][0]
    pixels["test"][3] = pixels["train"][10]
    dataset = loaded(tmp_path, pixels)
    [finding] = of(dataset, "D023")
    assert finding.severity == "warning"
    assert finding.message.startswith("2 images are there more than once, with labels that disagree: ")
    assert "train/0 (train) = train/5 (train)" in finding.message
    assert "train/10 (train) = test/3 (test)" in finding.message


def test_copies_of_numbers_to_predict(tmp_path: Path, pixels: dict[str, np.ndarray]) -> None:
    pixels["train"][5] = pixels["train"][0]
    values = {name: np.linspace(0, 1, len(images), dtype=np.float32) for name, images in pixels.items()}
    assert codes(loaded(tmp_path, pixels, values)) == {"D021", "D023"}


def test_drawn_splits_are_looked_at_too(folders: Folders, photograph: Picture) -> None:
    """A folder with every picture saved twice: what is drawn for test is mostly known from training."""
    root = folders({"a": 0, "b": 0})
    for index in range(60):
        for name in ("one", "two"):
            photograph(index, 24).save(root / "ab"[index % 2] / f"{index}-{name}.png")
    dataset = load_data(root)
    assert "D022" in codes(dataset)
    ids = {split: {name.split("-")[0] for name in part.ids} for split, part in dataset.splits.items()}
    shared = sum(name.split("-")[0] in ids["train"] | ids["val"] for name in dataset.splits["test"].ids)
    [finding] = [finding for finding in of(dataset, "D022") if finding.where == "test"]
    assert finding.message.startswith(f"{shared} of 24 images")


# --- near-copies -------------------------------------------------------------------------------------------------


def test_near_copies_across_splits(tmp_path: Path, pixels: dict[str, np.ndarray]) -> None:
    train = pixels["train"]
    pixels["test"][0] = saved_again(train[20], 92)
    pixels["test"][4] = (train[24] * 0.8 + 20).astype(np.uint8)
    small = Image.fromarray(train[28]).resize((20, 20), Image.Resampling.BICUBIC)
    pixels["test"][8] = np.asarray(small.resize((24, 24), Image.Resampling.BICUBIC))
    dataset = loaded(tmp_path, pixels)
    assert codes(dataset) == {"D024"}
    [finding] = of(dataset, "D024")
    assert (finding.severity, finding.where) == ("warning", "test")
    assert finding.message == (
        "at least 3 of 150 images (2.0 %) are nearly the same as an image in an earlier split: "
        "test/0 ≈ train/20 (train), test/4 ≈ train/24 (train), test/8 ≈ train/28 (train)"
    )


def test_near_copies_within_training_are_no_leak(tmp_path: Path, pixels: dict[str, np.ndarray]) -> None:
    pixels["train"][1] = saved_again(pixels["train"][20])
    assert loaded(tmp_path, pixels).findings == ()


def test_one_copy_among_thousands_is_only_said(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    pixels = {name: generator.integers(0, 256, (1500, 8, 8), dtype=np.uint8) for name in ("train", "test")}
    pixels["test"][0] = pixels["train"][0]
    [finding] = loaded(tmp_path, pixels).findings
    assert (finding.code, finding.severity) == ("D022", "info")
    assert "1 of 1,500 images (0.07 %) is an exact copy" in finding.message


# --- broken and empty images -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "keep"), [("jpg", 0.3), ("jpg", 0.6), ("jpg", 0.9), ("png", 0.5), ("bmp", 0.5)])
def test_truncated_images_are_named(folders: Folders, photograph: Picture, kind: str, keep: float) -> None:
    root = folders({"a": 0, "b": 0})
    for index in range(8):
        photograph(index).save(root / "ab"[index % 2] / f"{index}.{kind}")
    path = root / f"a/4.{kind}"
    data = path.read_bytes()
    path.write_bytes(data[: int(keep * len(data))])
    dataset = load_data(root, val=0, test=0)
    assert [name for name, _ in dataset.skipped] == [f"a/4.{kind}"]
    [finding] = of(dataset, "D001")
    assert f"1 of 8 images could not be used and was skipped: a/4.{kind} (cut off" in finding.message


def test_a_download_that_ends_in_zeros_is_named(folders: Folders, photograph: Picture) -> None:
    root = folders({"a": 0, "b": 0})
    for index in range(8):
        photograph(index, 128).save(root / "ab"[index % 2] / f"{index}.jpg")
    path = root / "a/4.jpg"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3] + bytes(len(data) - len(data) // 3))
    assert [name for name, _ in load_data(root, val=0, test=0).skipped] == ["a/4.jpg"]


def test_images_of_one_colour(tmp_path: Path, pixels: dict[str, np.ndarray]) -> None:
    pixels["train"][3] = 0
    pixels["train"][7] = 0
    pixels["val"][2] = (10, 200, 30)
    almost = pixels["train"][9]
    almost[:] = 90
    almost[0, 0, 0] = 91
    dataset = loaded(tmp_path, pixels)
    assert codes(dataset) == {"D025"}, "two black images are not told as copies as well"
    [finding] = dataset.findings
    assert finding.message == "3 of 500 images have one colour all over: train/3, train/7, val/2"
    assert finding.severity == "warning"


# --- balance and size --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("small", "fires"), [(17, True), (18, True), (19, False), (60, False)])
def test_imbalance(tmp_path: Path, pixels: dict[str, np.ndarray], small: int, fires: bool) -> None:
    labels = {name: np.arange(len(images)) % 2 for name, images in pixels.items()}
    labels["train"] = (np.arange(200) < small).astype(np.int64)
    findings = loaded(tmp_path, pixels, labels).findings
    assert bool(findings) == fires == (200 - small > 10 * small)
    if fires:
        [finding] = findings
        assert (finding.code, finding.severity, finding.where) == ("D026", "warning", "train")
        share = 100 * (200 - small) / 200
        assert f"always answering '0' would be right for {share:.1f} %" in finding.message
        assert f"class '0' has {200 - small} images, '1' has {small}" in finding.message


@pytest.mark.parametrize(("count", "severity"), [(30, "warning"), (100, "info"), (137, "info"), (150, None)])
def test_a_test_too_small_to_measure_with(
    tmp_path: Path, pixels: dict[str, np.ndarray], count: int, severity: str | None
) -> None:
    pixels["test"] = pixels["test"][:count]
    findings = loaded(tmp_path, pixels).findings
    interval = wilson_interval(round(0.9 * count), count)
    margin = 50 * (interval.high - interval.low)
    assert margin == half_width(count)
    assert (margin > 5) == (severity is not None)
    if severity is not None:
        [finding] = findings
        assert (finding.code, finding.severity, finding.where) == ("D027", severity, "test")
        assert f"{count} images: an accuracy of 90 % would be known to ±{margin:.1f} points" in finding.message


def test_numbers_have_no_accuracy(tmp_path: Path, pixels: dict[str, np.ndarray]) -> None:
    pixels["test"] = pixels["test"][:20]
    values = {name: np.linspace(0, 1, len(images), dtype=np.float32) for name, images in pixels.items()}
    assert loaded(tmp_path, pixels, values).findings == ()


# --- shortcuts ---------------------------------------------------------------------------------------------------


def shortcut_folder(root: Path, photograph: Picture, kinds: dict[str, tuple[str, int, str]]) -> Path:
    for number, (name, (kind, side, mode)) in enumerate(kinds.items()):
        (root / name).mkdir(parents=True)
        for index in range(30):
            photograph(100 * number + index, side).convert(mode).save(root / name / f"{index}.{kind}")
    return root


@pytest.mark.parametrize(
    ("kinds", "text"),
    [
        ({"a": ("jpg", 24, "RGB"), "b": ("png", 24, "RGB")}, "format JPEG stands for 30 of 30 'a' and 0 of 30 others"),
        ({"a": ("png", 24, "RGB"), "b": ("png", 32, "RGB")}, "size 24×24 stands for 30 of 30 'a' and 0 of 30 others"),
        ({"a": ("png", 24, "L"), "b": ("png", 24, "RGB")}, "colour grey stands for 30 of 30 'a' and 0 of 30 others"),
    ],
)
def test_a_property_that_gives_the_class_away(
    tmp_path: Path, photograph: Picture, kinds: dict[str, tuple[str, int, str]], text: str
) -> None:
    dataset = load_data(shortcut_folder(tmp_path / "images", photograph, kinds), val=0, test=0)
    [finding] = [finding for finding in of(dataset, "D028") if finding.severity == "warning"]
    assert text in finding.message
    assert finding.where == "train"


def test_a_property_both_classes_have_says_nothing(tmp_path: Path, photograph: Picture) -> None:
    root = shortcut_folder(
        tmp_path / "images", photograph, {"a": ("jpg", 24, "RGB"), "b": ("jpg", 24, "RGB"), "c": ("jpg", 24, "RGB")}
    )
    for index in range(3):  # one in ten of 'a' is something else: no sign
        photograph(index, 32).save(root / "a" / f"other{index}.png")
    assert not of(load_data(root, val=0, test=0), "D028")


def test_a_class_that_is_brighter(tmp_path: Path, pixels: dict[str, np.ndarray]) -> None:
    train = pixels["train"]
    dark = (train * 0.5).astype(np.uint8)
    labels = {name: np.arange(len(images)) % 2 for name, images in pixels.items()}
    pixels["train"] = np.where((labels["train"] == 1)[:, None, None, None], dark // 4, dark + 100)
    [finding] = loaded(tmp_path, pixels, labels).findings
    assert (finding.code, finding.severity) == ("D028", "info")
    assert finding.message.startswith("a class can be told by its mean brightness alone: '0' is brighter (")


# --- what stands about them --------------------------------------------------------------------------------------


def test_every_code_is_in_the_table_and_in_the_docs() -> None:
    package = Path(load_data.__code__.co_filename).parent
    written = {code for path in package.glob("*.py") for code in re.findall(r'"(D02[1-9]|D03\d)"', path.read_text())}
    assert written == set(data_codes())
    page = (package.parents[2] / "docs" / "data-findings.md").read_text(encoding="utf-8")
    for code in data_codes().values():
        assert f"{code.code} {code.name}" in page
        assert code.title in page
        assert code.why in page
        assert code.fix in page
