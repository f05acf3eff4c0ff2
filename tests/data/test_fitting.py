"""Sizes and channels: what is chosen, and how an image gets there."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from striate.data import apply_preprocessing, load_data, read_image
from striate.errors import DataError
from striate.runs.records import Preprocessing

Folders = Callable[..., Path]
Picture = Callable[..., Image.Image]


def form(channels: int, height: int, width: int, fit: str = "crop") -> Preprocessing:
    return Preprocessing(
        channels=channels,  # type: ignore[arg-type]
        height=height,
        width=width,
        fit=fit,  # type: ignore[arg-type]
        mean=(0.5,) * channels,
        std=(0.5,) * channels,
    )


def reference_crop(image: Image.Image, height: int, width: int) -> np.ndarray:
    """Resize the whole image to cover, then crop at the centre, as the definition says."""
    scale = max(width / image.width, height / image.height)
    size = (max(width, round(image.width * scale)), max(height, round(image.height * scale)))
    left, upper = (size[0] - width) // 2, (size[1] - height) // 2
    whole = image.resize(size, Image.Resampling.BILINEAR)
    return np.asarray(whole.crop((left, upper, left + width, upper + height)))


@given(sizes=st.tuples(*[st.integers(1, 60)] * 4), channels=st.sampled_from([1, 3]))
def test_crop_is_resize_then_centre_crop(sizes: tuple[int, int, int, int], channels: int) -> None:
    height, width, target_height, target_width = sizes
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    pixels = pixels if channels == 3 else pixels[:, :, 0]
    expected = reference_crop(Image.fromarray(pixels), target_height, target_width)
    read = apply_preprocessing(pixels, form(channels, target_height, target_width))
    read_last = read[0] if channels == 1 else read.transpose(1, 2, 0)
    # the same sums, rounded once per axis: one level apart at most where a half falls either way
    assert np.abs(read_last.astype(int) - expected).max() <= 1


def test_a_long_thin_image_costs_nothing() -> None:
    start = time.perf_counter()
    read = apply_preprocessing(np.full((1, 1_000_000), 9, np.uint8), form(1, 128, 128))
    assert (read == 9).all()
    assert time.perf_counter() - start < 5


def test_stretch_keeps_all_of_the_image(picture: Picture) -> None:
    image = picture(width=40, height=20)
    read = apply_preprocessing(np.asarray(image), form(3, 8, 8, "stretch"))
    assert (read.transpose(1, 2, 0) == np.asarray(image.resize((8, 8), Image.Resampling.BILINEAR))).all()


def test_exact_at_prediction_is_crop(picture: Picture) -> None:
    pixels = np.asarray(picture(width=40, height=20))
    assert (apply_preprocessing(pixels, form(3, 8, 8, "exact")) == apply_preprocessing(pixels, form(3, 8, 8))).all()


def test_arrays_in_three_layouts(picture: Picture) -> None:
    pixels = np.asarray(picture())
    expected = pixels.transpose(2, 0, 1)
    assert (apply_preprocessing(pixels, form(3, 10, 12)) == expected).all()
    assert (apply_preprocessing(np.ascontiguousarray(expected), form(3, 10, 12)) == expected).all()
    assert (apply_preprocessing(pixels[:, :, :1], form(1, 10, 12)) == expected[:1]).all()
    luma = np.asarray(picture().convert("L"))
    assert (apply_preprocessing(pixels, form(1, 10, 12)) == luma).all()
    for wrong in (pixels.astype(float), pixels[:3, :, :3], pixels[:, :, :2], np.zeros((0, 4), np.uint8)):
        with pytest.raises(DataError, match="wrong form"):
            apply_preprocessing(wrong, form(3, 10, 12))


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize(("channels", "mode"), [(3, "RGB"), (1, "RGB"), (1, "L"), (3, "CMYK")])
def test_a_large_jpeg_decoded_small_is_nearly_the_same(orientation: int, channels: int, mode: str) -> None:
    # smooth like a photograph: the two ways differ only in how they average neighbours
    down, across = np.mgrid[0:600, 0:900]
    waves = [128 + 100 * np.sin(down / a + across / b) for a, b in ((90, 70), (40, 120), (150, 50))]
    image = Image.fromarray(np.stack(waves, axis=-1).astype(np.uint8)).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95, exif=exif)
    with Image.open(buffer) as stored:
        whole = stored.convert("L" if channels == 1 else "RGB")
    if orientation == 6:
        whole = whole.transpose(Image.Transpose.ROTATE_270)
    expected = reference_crop(whole, 40, 40).reshape(40, 40, channels).transpose(2, 0, 1)
    read = read_image(buffer.getvalue(), form(channels, 40, 40))
    assert np.abs(read.astype(int) - expected).max() <= 4
    assert np.abs(read.astype(int) - expected).mean() < 1


def mixed(folders: Folders, picture: Picture, sizes: list[tuple[int, int]], folder: str = "") -> Path:
    root = folders({f"{folder}a": 0, f"{folder}b": 0})
    for index, (width, height) in enumerate(sizes):
        for name in "ab":
            picture(width=width, height=height, seed=index).save(root / f"{folder}{name}/{index}.png")
    return root


def test_mixed_sizes_become_a_square_near_the_median_short_side(folders: Folders, picture: Picture) -> None:
    dataset = load_data(mixed(folders, picture, [(30, 40), (50, 37), (60, 45)]), val=0, test=0)
    assert dataset.shape == (3, 40, 40)  # short sides 30, 37, 45; 37 is nearest to 5 · 8
    assert dataset.preprocessing.fit == "crop"
    finding = dataset.findings[0]
    assert finding.code == "D009"
    assert finding.message.startswith("the images come in 3 sizes, 40×30 to 45×60 (height×width); 6 images resized")
    assert finding.message.endswith("4 images smaller than that were enlarged")
    with Image.open(Path(dataset.card.source) / "a/0.png") as image:
        expected = reference_crop(image, 40, 40)
    assert np.abs(dataset.train.images[0].transpose(1, 2, 0).astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    ("sizes", "side"), [([(300, 400), (500, 500)], 128), ([(3, 3), (5, 5)], 8), ([(100, 90), (90, 110)], 88)]
)
def test_the_default_size_has_bounds(
    folders: Folders, picture: Picture, sizes: list[tuple[int, int]], side: int
) -> None:
    dataset = load_data(mixed(folders, picture, sizes), val=0, test=0)
    assert dataset.shape == (3, side, side)


def test_a_large_common_size_is_said(folders: Folders, picture: Picture) -> None:
    dataset = load_data(mixed(folders, picture, [(520, 20), (520, 20)]), val=0, test=0)
    assert (dataset.shape, dataset.preprocessing.fit) == ((3, 20, 520), "exact")
    assert dataset.findings[0].line() == (
        "info D009: all images are 20×520 (height×width) and were kept so: much memory and time "
        "(size=128 makes them smaller)"
    )


def test_a_crop_that_loses_much_is_warned_about(folders: Folders, picture: Picture) -> None:
    root = mixed(folders, picture, [(16, 16), (16, 16), (90, 16)])
    dataset = load_data(root, val=0, test=0)
    found = {finding.code: finding for finding in dataset.findings}
    assert found["D010"].message == "2 images lost more than half of the area to the centre crop: a/2.png, b/2.png"
    assert "D010" not in {finding.code for finding in load_data(root, val=0, test=0, fit="stretch").findings}


def test_exact_names_an_image_of_another_size(folders: Folders, picture: Picture) -> None:
    root = mixed(folders, picture, [(16, 16), (20, 16)])
    with pytest.raises(DataError) as caught:
        load_data(root, val=0, test=0, fit="exact")
    assert "a/0.png is 16×16 (height×width); a/1.png is 16×20 (height×width)" in str(caught.value)
    with pytest.raises(DataError) as caught:
        load_data(root, val=0, test=0, fit="exact", size=16)
    assert "a/1.png is 16×20" in str(caught.value)
    assert "write: fit='crop' or fit='stretch'" in str(caught.value)


def test_the_training_images_decide(folders: Folders, picture: Picture) -> None:
    root = mixed(folders, picture, [(12, 10)] * 3, "train/")
    for name in "ab":
        (root / f"test/{name}").mkdir(parents=True)
        picture(width=30, height=30).save(root / f"test/{name}/0.png")
    dataset = load_data(root, val=0)
    assert dataset.shape == (3, 10, 12)
    assert dataset.preprocessing.fit == "crop"
    assert "2 images resized to cover 10×12" in dataset.findings[0].message


def test_grey_unless_a_training_image_has_colour(folders: Folders, picture: Picture) -> None:
    root = folders({"train/a": 3, "train/b": 3, "test/a": 1, "test/b": 1}, mode="L")
    assert load_data(root, val=0).shape == (1, 10, 12)
    picture().save(root / "test/a/colour.png")
    dataset = load_data(root, val=0)
    assert dataset.shape == (1, 10, 12)
    assert (dataset.findings[0].code, dataset.findings[0].severity) == ("D011", "warning")
    assert "test/a/colour.png" in dataset.findings[0].message
    picture().save(root / "train/a/colour.png")
    dataset = load_data(root, val=0)
    assert dataset.shape == (3, 10, 12)
    assert dataset.findings[0].message.startswith("8 grey images of 10 became RGB")
    dataset = load_data(root, val=0, channels=1)
    assert dataset.shape == (1, 10, 12)
    assert dataset.findings[0].message.startswith("2 colour images of 10 became grey")


def test_read_image_gives_what_the_dataset_holds(folders: Folders, picture: Picture) -> None:
    root = mixed(folders, picture, [(300, 200), (90, 250), (64, 64)])
    picture(width=700, height=900).save(root / "a/large.jpg")
    dataset = load_data(root)
    for split in dataset.splits.values():
        for image, name in zip(split.images, split.ids, strict=True):
            assert (read_image(root / name, dataset.preprocessing) == image).all()
            assert (read_image((root / name).read_bytes(), dataset.preprocessing) == image).all()


def test_threads_change_nothing(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folders({"a": 70, "b": 70}, width=20, height=20)
    (root / "a/img7.png").write_bytes(b"")
    alone = load_data(root)
    monkeypatch.setattr("striate.data.decode_files.THREADS_PAY", 0)
    monkeypatch.setattr("striate.data.decode_files.cores", lambda: 4)
    together = load_data(root)
    assert together.card == alone.card
    assert (together.train.images == alone.train.images).all()
    assert together.skipped == alone.skipped
