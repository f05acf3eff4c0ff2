"""NumPy archives: layouts, types, label kinds, and archives that cannot be used."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data import Dataset, load_data
from striate.data.layouts import to_uint8
from striate.errors import DataError

Save = Callable[..., Path]
RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (20, 5, 6), dtype=np.uint8)
COLOUR = RANDOM.integers(0, 256, (20, 5, 6, 3), dtype=np.uint8)
LABELS = np.arange(20) % 2


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(**arrays: object) -> Path:
        np.savez(tmp_path / "data.npz", **arrays)  # type: ignore[arg-type]
        return tmp_path / "data.npz"

    return write


def whole(path: Path, **options: object) -> Dataset:
    return load_data(path, val=0, test=0, **options)  # type: ignore[arg-type]


def failure(path: Path, **options: object) -> str:
    with pytest.raises(DataError) as caught:
        load_data(path, **options)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (GREY, GREY[:, None]),
        (GREY[..., None], GREY[:, None]),
        (GREY[:, None], GREY[:, None]),
        (COLOUR, COLOUR.transpose(0, 3, 1, 2)),
        (COLOUR.transpose(0, 3, 1, 2), COLOUR.transpose(0, 3, 1, 2)),
        (COLOUR.astype(np.int64), COLOUR.transpose(0, 3, 1, 2)),
        (COLOUR.astype(np.float32), COLOUR.transpose(0, 3, 1, 2)),
        (COLOUR.astype(np.float32) / 255, COLOUR.transpose(0, 3, 1, 2)),
        (COLOUR / 255, COLOUR.transpose(0, 3, 1, 2)),
        ((COLOUR / 255).astype(np.float16), COLOUR.transpose(0, 3, 1, 2)),
    ],
)
def test_layouts_and_types(save: Save, images: np.ndarray, expected: np.ndarray) -> None:
    dataset = whole(save(images=images, labels=LABELS))
    assert (dataset.train.images == expected).all()
    assert dataset.train.images.flags.c_contiguous
    assert dataset.train.ids[3] == "images/3"
    assert [finding.code for finding in dataset.findings] == ([] if images.dtype == np.uint8 else ["D015"])


@given(seed=st.integers(0, 10**6), dtype=st.sampled_from(["f2", "f4", "f8"]), scaled=st.booleans())
def test_floats_come_back_as_they_were(seed: int, dtype: str, scaled: bool) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (3, 4, 5), dtype=np.uint8)
    pixels[0, 0, 0] = 77
    stored = (pixels.astype(dtype) / np.dtype(dtype).type(255)) if scaled else pixels.astype(dtype)
    images, found = to_uint8({"all": ("x", stored)})
    assert (images["all"][:, 0] == pixels).all()
    assert len(found) == 1


@pytest.mark.parametrize(
    ("images", "parts"),
    [
        (COLOUR / 100.0, ["it cannot be told how these numbers become pixels", "float64 from 0 to 2.55"]),
        (COLOUR / 300.0, ["it cannot be told", "(x * 255).round().astype('uint8')"]),
        ((COLOUR - 127.0) / 60, ["from -2.11667 to 2.13333"]),
        (COLOUR.astype(np.int16) - 1, ["int16 from -1 to 254"]),
        (COLOUR.astype(np.int32) * 2, ["int32 from 0 to 510"]),
        (COLOUR > 100, ["not numbers of pixels", "bool"]),
        (np.where(COLOUR > 100, 1.0, 0.0), ["float64 from 0 to 1"]),
        (np.where(COLOUR > 100, 1, 0), ["int64 from 0 to 1"]),
        (np.where(COLOUR > 100, np.nan, 0.5), ["values that are not finite"]),
        (COLOUR.astype(complex), ["not numbers of pixels"]),
        (GREY.reshape(20, -1), ["not an array of images", "x.reshape(-1, height, width)"]),
        (GREY[:, :0], ["there are no images"]),
        (GREY[:, None, None], ["not an array of images"]),
        (np.zeros((20, 3, 5, 3), np.uint8), ["the channel axis cannot be told"]),
        (np.zeros((20, 5, 6, 4), np.uint8), ["no axis holds 1 or 3 channels", "x[..., :3]"]),
        (GREY[:19], ["images and labels differ in number", "19 images, labels of shape (20,)"]),
    ],
)
def test_images_in_doubt_are_refused(save: Save, images: np.ndarray, parts: list[str]) -> None:
    text = failure(save(images=images, labels=LABELS))
    for part in parts:
        assert part in text


def test_parts_in_different_scales_are_in_doubt(save: Save) -> None:
    path = save(x_train=COLOUR / 255, y_train=LABELS, x_test=COLOUR * 1.0, y_test=LABELS)
    assert "it cannot be told" in failure(path)
    path = save(x_train=COLOUR, y_train=LABELS, x_test=GREY, y_test=LABELS)
    assert "the parts differ in channels" in failure(path)


@pytest.mark.parametrize("form", [("x_{}", "y_{}"), ("{}_images", "{}_labels")])
def test_given_splits(save: Save, form: tuple[str, str]) -> None:
    arrays = {name.format(part): array for part in ("train", "val", "test") for name, array in
              zip(form, (COLOUR, LABELS[:, None]), strict=True)}  # fmt: skip
    dataset = load_data(save(**arrays, extra=np.zeros(3)))
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 20, "val": 20, "test": 20}
    assert dataset.val is not None
    assert dataset.val.ids[0] == "val/0"
    assert dataset.card.split_rule == "given by arrays"
    assert dataset.findings[0].message == "arrays that are not used: extra"


def test_x_and_y_are_divided(save: Save) -> None:
    dataset = load_data(save(x=COLOUR, y=LABELS))
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 14, "val": 2, "test": 4}


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ({"images": COLOUR}, "an array is missing"),
        ({"x_train": COLOUR, "labels": LABELS}, "an array is missing"),
        ({"pictures": COLOUR, "labels2": LABELS}, "are not found"),
        ({"x_test": COLOUR, "y_test": LABELS}, "are not found"),
        ({"x": COLOUR, "y": LABELS, "images": COLOUR, "labels": LABELS}, "two arrays mean the same"),
        ({"x": COLOUR, "y": LABELS, "x_train": COLOUR, "y_train": LABELS}, "are not found"),
        ({"x": COLOUR, "y": LABELS, "x_test": COLOUR, "y_test": LABELS}, "no training split"),
    ],
)
def test_names_that_are_missing(save: Save, names: dict[str, np.ndarray], text: str) -> None:
    assert text in failure(save(**names))


def test_class_names(save: Save) -> None:
    dataset = whole(save(images=COLOUR, labels=LABELS, classes=np.array(["zebra", "ant"])))
    assert dataset.classes == ("zebra", "ant")
    assert (dataset.train.labels == LABELS).all()
    dataset = whole(save(images=COLOUR, labels=np.array(["zebra", "ant"])[LABELS]))
    assert dataset.classes == ("ant", "zebra")
    assert (dataset.train.labels == 1 - LABELS).all()
    dataset = whole(save(images=COLOUR, labels=np.array(["zebra", "ant"])[LABELS], classes=np.array(["zebra", "ant"])))
    assert (dataset.train.labels == LABELS).all()


def test_class_names_in_another_order(save: Save) -> None:
    arrays = {"x_train": COLOUR, "y_train": LABELS, "x_test": COLOUR, "y_test": LABELS}
    names = {"classes_train": np.array(["cat", "dog"]), "classes_test": np.array(["dog", "cat"])}
    assert "class 0 is 'cat' in classes_train and 'dog' in classes_test" in failure(save(**arrays, **names))


@pytest.mark.parametrize(
    ("labels", "extra", "parts"),
    [
        (LABELS - 1, {}, ["a negative label", "labels", "-1 at index 0"]),
        (LABELS + 1, {}, ["no training image has the label 0", "write: y - 1"]),
        (np.where(np.arange(20) == 7, 255, LABELS), {}, ["no training image has the label 2", "255 at index 7"]),
        (np.where(np.arange(20) == 7, 2**62, LABELS), {}, ["no training image has the label 2"]),
        (np.full(20, 2**64 - 1, np.uint64), {}, ["a label out of range"]),
        (LABELS, {"classes": np.array(["a"])}, ["only one class"]),
        (
            LABELS * 3,
            {"classes": np.array(["a", "b"])},
            ["a label out of range", "3 at index 1", "there are 2 classes"],
        ),
        (LABELS, {"classes": np.array(["a", "b", "c"])}, ["class without an image", "'c'"]),
        (LABELS, {"classes": np.array(["a", "a"])}, ["a class is named twice"]),
        (LABELS, {"classes": np.array([1, 2])}, ["class names must be text"]),
        (LABELS * 0, {}, ["there is only one class"]),
        (LABELS * 1.0, {}, ["labels in doubt: classes or values?"]),
        (np.eye(2)[LABELS].astype(int), {}, ["labels in doubt: one-hot classes or tags?"]),
        (np.eye(2)[LABELS].astype(int) * 2, {}, ["a tag that is neither 0 nor 1", "2 at index 0, column 0"]),
        (np.where(np.arange(20) == 7, np.inf, LABELS / 3), {}, ["a value that is no finite number", "index 7"]),
        (np.zeros((20, 2, 2)), {}, ["not an array of labels"]),
        (LABELS.astype("S1"), {}, ["not an array of labels"]),
        (np.array(["a", "b"])[LABELS], {"classes": np.array(["a", "c"])}, ["not among the classes", "'b' at index 1"]),
        (np.array(["a", "b"])[LABELS], {"classes": np.array(["a", "b", "c"])}, ["class without an image", "'c'"]),
        (np.array([["a", "b"]] * 20), {}, ["not one class per image"]),
    ],
)
def test_labels_that_cannot_be(save: Save, labels: np.ndarray, extra: dict[str, np.ndarray], parts: list[str]) -> None:
    text = failure(save(images=COLOUR, labels=labels, **extra))
    for part in parts:
        assert part in text, text


def test_labels_of_a_split(save: Save) -> None:
    arrays = {"x_train": COLOUR, "y_train": LABELS, "x_test": COLOUR}
    assert "y_test: a label out of range" in failure(save(**arrays, y_test=np.where(np.arange(20) == 4, 2, LABELS)))
    assert "class without an image in test" in failure(save(**arrays, y_test=LABELS * 0))
    assert "the labels of the parts differ in form" in failure(save(**arrays, y_test=LABELS / 3))
    assert "differ in form" in failure(save(**arrays, y_test=np.eye(2)[LABELS]))


def test_the_task_decides(save: Save) -> None:
    one_hot = np.eye(3, dtype=np.uint8)[np.arange(20) % 3]
    dataset = whole(save(images=COLOUR, labels=one_hot), task="classes")
    assert dataset.train.labels.tolist() == (np.arange(20) % 3).tolist()
    dataset = whole(save(images=COLOUR, labels=one_hot, classes=np.array(["p", "q", "r"])), task="tags")
    assert (dataset.task, dataset.classes) == ("tags", ("p", "q", "r"))
    assert (dataset.train.labels == one_hot).all()
    dataset = whole(save(images=COLOUR, labels=LABELS), task="values")
    assert (dataset.train.labels.dtype, dataset.train.labels.shape) == (np.float32, (20, 1))
    dataset = whole(save(images=COLOUR, labels=LABELS * 1.0), task="classes")
    assert dataset.train.labels.tolist() == LABELS.tolist()
    text = failure(save(images=COLOUR, labels=LABELS / 2), task="classes")
    assert "0.5 at index 1" in text
    several = np.array([[1, 1, 0], [0, 1, 1]], bool)[LABELS]
    assert whole(save(images=COLOUR, labels=several)).task == "tags"
    assert "not one class per image" in failure(save(images=COLOUR, labels=several), task="classes")
    assert "not tags" in failure(save(images=COLOUR, labels=LABELS), task="tags")
    assert "text cannot be values" in failure(save(images=COLOUR, labels=LABELS.astype(str)), task="values")
    dataset = whole(save(images=COLOUR, labels=RANDOM.normal(size=(20, 2))))
    assert (dataset.task, dataset.classes) == ("values", ("0", "1"))
    text = failure(save(images=COLOUR, labels=RANDOM.normal(size=(20, 2)), classes=np.array(["a", "b", "c"])))
    assert "3 names for 2 columns" in text


def test_pickled_arrays_are_never_loaded(save: Save, tmp_path: Path) -> None:
    text = failure(save(images=COLOUR, labels=np.array(["a", 1] * 10, dtype=object)))
    assert "an array of Python objects, which only running code could read" in text


def npz_with(name: str, data: bytes, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        buffer = io.BytesIO()
        np.save(buffer, LABELS)
        archive.writestr("labels.npy", buffer.getvalue())
        archive.writestr(name, data)
    return path


def npy(shape: str, data: bytes = b"", descr: str = "'|u1'") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (npy("(20, 5, 6)", b"x" * 10), "does not have the size its header says"),
        (npy("(2000000000, 5000, 6000)"), "does not have the size its header says"),
        (npy("(-1, 5)"), "not a NumPy array"),
        (npy("'x'"), "not a NumPy array"),
        (npy("(1,)", descr="'|O'"), "Python objects"),
        (npy("(1,)", descr="'nonsense'"), "not a NumPy array"),
        (b"hello", "not a NumPy array"),
        (b"", "not a NumPy array"),
        (b"\x93NUMPY\x09\x00" + b"x" * 50, "not a NumPy array"),
    ],
)
def test_headers_that_lie(tmp_path: Path, data: bytes, text: str) -> None:
    assert text in failure(npz_with("images.npy", data, tmp_path / "bad.npz"))


def test_damaged_archives(save: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(images=COLOUR, labels=LABELS)
    data = path.read_bytes()
    for damaged in (b"", b"hello", data[:-100], data[: len(data) // 2]):
        path.write_bytes(damaged)
        assert "the npz file is damaged" in failure(path)
    flipped = bytearray(data)
    flipped[500] ^= 255
    path.write_bytes(flipped)
    assert "damaged" in failure(path)
    path.write_bytes(data)
    monkeypatch.setattr("striate.data.memory.available_memory", lambda: 1000)
    assert "the arrays do not fit in memory" in failure(path)


def test_resized_arrays_and_colour(save: Save) -> None:
    path = save(images=COLOUR, labels=LABELS)
    dataset = whole(path, size=(10, 6), channels=1, fit="stretch")
    assert dataset.shape == (1, 10, 6)
    assert [finding.code for finding in dataset.findings] == ["D009", "D011"]
