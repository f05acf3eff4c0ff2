"""load_data: options, the data card, and sources that are none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from striate.data import Dataset, load_data
from striate.errors import DataError, UsageError
from striate.runs.records import DataCard


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_data("digits")


def test_the_digits_are_those_of_scikit_learn(digits: Dataset) -> None:
    truth = load_digits()
    for split in digits.splits.values():
        numbers = [int(name.removeprefix("digits/")) for name in split.ids]
        assert (split.labels == truth.target[numbers]).all()
        expected = [[round(v * 255 / 16) for v in image.ravel()] for image in truth.images[numbers]]
        assert split.images.reshape(len(split), -1).tolist() == expected
        assert (split.images.dtype, split.labels.dtype) == (np.uint8, np.int64)
        assert split.images.flags.c_contiguous


def test_the_card_says_it_all(digits: Dataset) -> None:
    card = digits.card
    assert (card.source, card.kind, card.task) == ("digits", "digits", "classes")
    assert card.classes == digits.classes == tuple("0123456789")
    assert {name: split.count for name, split in card.splits.items()} == {"train": 1294, "val": 144, "test": 359}
    assert sum(card.splits["train"].counts.values()) == 1294
    assert card.preprocessing == digits.preprocessing
    assert digits.preprocessing.fit == "exact"
    assert DataCard.model_validate_json(card.json_bytes()) == card
    assert load_data("digits").card == card
    assert digits.findings == ()


def test_it_prints_without_its_pixels(digits: Dataset) -> None:
    assert "1294 images" in repr(digits)
    assert len(repr(digits)) < 1000


def test_digits_in_another_size_and_in_colour(digits: Dataset) -> None:
    dataset = load_data("digits", size=(12, 16), channels=3)
    assert dataset.shape == (3, 12, 16)
    assert dataset.preprocessing.fit == "crop"
    image = Image.fromarray(digits.train.images[0, 0]).resize((16, 16), Image.Resampling.BILINEAR).crop((0, 2, 16, 14))
    assert (dataset.train.images[0] == np.asarray(image)).all()
    assert [finding.code for finding in dataset.findings] == ["D009", "D011"]
    assert "all images are 8×8" in dataset.findings[0].message


def test_exact_refuses_another_size() -> None:
    with pytest.raises(DataError, match="fit='exact' does not resize"):
        load_data("digits", size=16, fit="exact")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"size": 0}, "wrong image size"),
        ({"size": (8, 8, 8)}, "wrong image size"),
        ({"size": "big"}, "wrong image size"),
        ({"size": 10**6}, "wrong image size"),
        ({"channels": 2}, "needs: 1 (grey) or 3 (RGB)"),
        ({"fit": "corp"}, "write: fit='crop'"),
        ({"broken": "ignore"}, "skip or error"),
        ({"broken": None}, "skip or error"),
        ({"val": 1.0}, "wrong share for val"),
        ({"test": -0.1}, "wrong share for test"),
        ({"val": float("nan")}, "wrong share for val"),
        ({"val": True}, "wrong share for val"),
        ({"seed": 1.5}, "a whole number"),
        ({"task": "clases"}, "write: task='classes'"),
        ({"task": "tags"}, "does not have labels of that kind"),
    ],
)
def test_wrong_options_are_explained(options: dict[str, object], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_data("digits", **options)  # type: ignore[arg-type]
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("animals.zip", "unpack the archive"),
        ("animals.npy", "numpy.savez"),
        ("animals.h5", "not a source of images"),
        ("animals.txt", "a .csv"),
    ],
)
def test_a_file_of_another_kind(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(DataError) as caught:
        load_data(tmp_path / name)
    assert text in str(caught.value)


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "animals").mkdir()
    with pytest.raises(DataError) as caught:
        load_data(tmp_path / "animal")
    assert "there is no such source" in str(caught.value)
    assert f"write: {tmp_path / 'animals'}" in str(caught.value)
    with pytest.raises(DataError, match="write: digits"):
        load_data("digit")
    for wrong in ("", "a\0b"):
        with pytest.raises(DataError, match="not a source"):
            load_data(wrong)


def test_memory_is_counted_before_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("striate.data.memory.available_memory", lambda: 2_000_000)
    assert load_data("digits").shape == (1, 8, 8)
    with pytest.raises(DataError) as caught:
        load_data("digits", size=64)
    text = str(caught.value)
    assert "1,797 images of 1×64×64 = 7.0 MiB" in text
    assert "half of the available memory" in text
    assert "write: size=16" in text


def test_there_is_memory() -> None:
    from striate.data.memory import available_memory

    assert 10 * 1024**2 < available_memory() < 2**50


def test_the_package_is_light() -> None:
    script = (
        "import sys, striate.data\n"
        "heavy = {'numpy', 'PIL', 'sklearn', 'torch', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "striate.data.load_data\n"
        "heavy = {'sklearn', 'scipy', 'torch', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert set(striate.data.__all__) == set(dir(striate.data))\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
