"""IDX files against bytes made by hand, and the real MNIST."""

from __future__ import annotations

import gzip
import hashlib
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from striate.data import load_data
from striate.data.idx import read_idx
from striate.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (30, 4, 5), dtype=np.uint8)
LABELS = (np.arange(30) % 3).astype(np.uint8)
Write = Callable[..., Path]


def idx(array: np.ndarray, code: int = 8) -> bytes:
    head = bytes([0, 0, code, array.ndim]) + b"".join(struct.pack(">I", length) for length in array.shape)
    return head + array.tobytes()


def failure(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_data(path)
    return str(caught.value)


@pytest.fixture
def mnist(tmp_path: Path) -> Write:
    """Writes the four files; ``name=bytes`` replaces one, ``name=None`` leaves it out."""

    def write(zipped: bool = False, **changed: bytes | None) -> Path:
        files = {
            "train_images_idx3_ubyte": idx(IMAGES),
            "train_labels_idx1_ubyte": idx(LABELS),
            "t10k_images_idx3_ubyte": idx(IMAGES[:6]),
            "t10k_labels_idx1_ubyte": idx(LABELS[:6]),
            **changed,
        }
        for name, data in files.items():
            if data is not None:
                path = tmp_path / (name.replace("_", "-") + (".gz" if zipped else ""))
                path.write_bytes(gzip.compress(data) if zipped else data)
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("code", "dtype"), [(0x08, ">u1"), (0x09, ">i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")]
)
def test_every_type_is_read(tmp_path: Path, code: int, dtype: str) -> None:
    array = np.arange(24).reshape(2, 3, 4).astype(dtype)
    (tmp_path / "x.idx").write_bytes(idx(array, code))
    read = read_idx(str(tmp_path / "x.idx"))
    assert read.dtype == np.dtype(dtype).newbyteorder("=")
    assert (read == array).all()


@pytest.mark.parametrize("zipped", [False, True])
def test_the_four_classic_files(mnist: Write, zipped: bool) -> None:
    dataset = load_data(mnist(zipped))
    assert dataset.card.kind == "idx"
    assert dataset.classes == ("0", "1", "2")
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 27, "val": 3, "test": 6}
    assert dataset.test is not None
    assert (dataset.test.images[:, 0] == IMAGES[:6]).all()
    assert dataset.test.ids[5] == "test/5"
    for name, image, label in zip(dataset.train.ids, dataset.train.images, dataset.train.labels, strict=True):
        number = int(name.removeprefix("train/"))
        assert (image[0] == IMAGES[number]).all()
        assert label == LABELS[number]


def test_names_with_a_point_and_gzip_under_a_plain_name(mnist: Write) -> None:
    folder = mnist()
    for path in list(folder.iterdir()):
        path.write_bytes(gzip.compress(path.read_bytes()))
        path.rename(folder / path.name.replace("-idx", ".idx"))
    assert len(load_data(folder, val=0).train) == 30


def test_one_file_of_images_beside_its_labels(mnist: Write) -> None:
    folder = mnist(t10k_labels_idx1_ubyte=None, t10k_images_idx3_ubyte=None)
    dataset = load_data(folder / "train-images-idx3-ubyte")
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 21, "val": 3, "test": 6}
    assert dataset.train.ids[0].startswith("images/")
    assert "train-images-idx3-ubyte" in failure(folder / "train-labels-idx1-ubyte")
    (folder / "train-labels-idx1-ubyte").unlink()
    assert "the labels are missing" in failure(folder / "train-images-idx3-ubyte")
    assert "the train labels are missing" in failure(folder)


def test_train_alone_and_test_alone(mnist: Write) -> None:
    folder = mnist(t10k_labels_idx1_ubyte=None, t10k_images_idx3_ubyte=None)
    dataset = load_data(folder)
    assert (dataset.test, len(dataset.train)) == (None, 27)
    for path in folder.iterdir():
        path.rename(folder / path.name.replace("train", "t10k"))
    assert "the train images are missing" in failure(folder)


GOOD = idx(IMAGES)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b"", ["not an IDX file"]),
        (b"\0\0", ["not an IDX file"]),
        (b"\x89PNG\r\n\x1a\n", ["not an IDX file", "PNG"]),
        (b"\0\0\x07\x03" + GOOD[4:], ["not an IDX file"]),
        (b"\0\0\x08\0" + GOOD[4:], ["not an IDX file"]),
        (b"\0\0\x08\xff" + GOOD[4:], ["not an IDX file"]),
        (GOOD[:9], ["cut off in its header"]),
        (GOOD[:-1], ["does not have the size its header says", "30 × 4 × 5 numbers of 1 bytes = 600 bytes"]),
        (GOOD + b"\0", ["does not have the size its header says"]),
        (bytes([0, 0, 8, 3]) + struct.pack(">III", 2**32 - 1, 2**32 - 1, 2**32 - 1), ["does not have the size"]),
        (idx(LABELS), ["not a file of images", "uint8 (30,)"]),
        (idx(IMAGES[:29]), ["images and labels differ in number", "29 images of 4×5, 30 labels"]),
        (idx(IMAGES[:0]), ["there are no images"]),
        (idx(IMAGES.astype(">i2"), 0x0B), ["not a file of images", "int16"]),
    ],
)
def test_files_that_are_no_images(mnist: Write, zipped: bool, data: bytes, parts: list[str]) -> None:
    text = failure(mnist(zipped, train_images_idx3_ubyte=data))
    assert "train-images-idx3-ubyte" in text
    for part in parts:
        assert part in text


@pytest.mark.parametrize(
    ("labels", "parts"),
    [
        (idx(IMAGES), ["not a file of labels"]),
        (idx(LABELS.astype(">f4"), 0x0D), ["not a file of labels"]),
        (idx(LABELS.astype("i1") - 1, 0x09), ["a negative label", "-1 at index 0", "train-labels"]),
        (idx(LABELS + 1), ["no training image has the label 0"]),
        (idx(LABELS * 0), ["there is only one class"]),
    ],
)
def test_labels_that_are_none(mnist: Write, labels: bytes, parts: list[str]) -> None:
    text = failure(mnist(train_labels_idx1_ubyte=labels))
    for part in parts:
        assert part in text


def test_test_labels_break_the_contract(mnist: Write) -> None:
    text = failure(mnist(t10k_labels_idx1_ubyte=idx(np.array([0, 1, 2, 0, 7, 1], np.uint8))))
    assert "t10k-labels-idx1-ubyte: a label out of range" in text
    assert "7 at index 4" in text
    text = failure(mnist(t10k_labels_idx1_ubyte=idx(np.array([0, 1, 1, 0, 0, 1], np.uint8))))
    assert "class without an image in test" in text


def test_damaged_gzip(mnist: Write) -> None:
    folder = mnist(zipped=True)
    path = folder / "train-images-idx3-ubyte.gz"
    data = path.read_bytes()
    for damaged in (data[:-200], data[:5], data[:-6] + b"\0\0\0\0\0\0", data[:40] + b"\xff" * 40 + data[80:]):
        path.write_bytes(damaged)
        assert "the gzip file is cut off or damaged" in failure(folder)


def test_nothing_larger_than_memory(mnist: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("striate.data.memory.available_memory", lambda: 1000)
    assert "does not fit in memory" in failure(mnist())


@pytest.mark.data
def test_the_real_mnist(shared_data: Path) -> None:
    dataset = load_data(shared_data / "mnist", val=0)
    assert dataset.shape == (1, 28, 28)
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 60_000, "test": 10_000}
    assert round(dataset.preprocessing.mean[0], 4) == 0.1307
    assert round(dataset.preprocessing.std[0], 4) == 0.3081
    assert np.bincount(dataset.train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    raw = gzip.decompress((shared_data / "mnist" / "train-images-idx3-ubyte.gz").read_bytes())
    assert hashlib.md5(raw).hexdigest() == "6bbc9ace898e44ae57da46a324031adb"
    assert dataset.train.images.tobytes() == raw[16:]
    assert dataset.findings == ()
    assert dataset.card.split_rule == "given by files"
