"""Images of every kind people have: read like the reference says, said, or skipped by name."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from striate.data import Dataset, Split, load_data, read_image
from striate.data.headers import PIXEL_LIMIT
from striate.errors import DataError
from striate.runs.records import Preprocessing

Folders = Callable[..., Path]
Picture = Callable[..., Image.Image]
GREY = Preprocessing(channels=1, height=10, width=12, fit="exact", mean=(0.5,), std=(0.5,))
COLOUR = Preprocessing(channels=3, height=10, width=12, fit="exact", mean=(0.5,) * 3, std=(0.5,) * 3)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def channels_first(image: Image.Image) -> np.ndarray:
    pixels = np.asarray(image)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is enormous, and has no pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def loaded(root: Path, **options: object) -> Dataset:
    return load_data(root, val=0, test=0, **options)  # type: ignore[arg-type]


def image_of(split: Split, name: str) -> np.ndarray:
    return split.images[split.ids.index(name)]


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
def test_lossless_formats_keep_every_pixel(picture: Picture, kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    image = picture()
    read = read_image(encoded(image, kind, **options), COLOUR)
    assert (read == channels_first(image)).all()
    assert read.flags.c_contiguous


def test_jpeg_is_what_pillow_decodes(picture: Picture) -> None:
    data = encoded(picture(), "JPEG")
    assert (read_image(data, COLOUR) == channels_first(Image.open(io.BytesIO(data)))).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_an_exif_orientation_is_applied(picture: Picture, kind: str, orientation: int, tmp_path: Path) -> None:
    stored = picture(width=10, height=12) if orientation >= 5 else picture()
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"image.{kind.lower()}"
    path.write_bytes(encoded(stored, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {})))
    with Image.open(path) as image:
        image.load()
        upright = ImageOps.exif_transpose(image).convert("RGB")
    assert upright.size == (12, 10)
    assert (read_image(path, COLOUR) == channels_first(upright)).all()


@pytest.mark.parametrize("kind", ["jpg", "png", "tif"])
def test_a_turned_image_is_said_and_has_its_turned_size(folders: Folders, picture: Picture, kind: str) -> None:
    root = folders({"a": 2, "b": 2})
    exif = Image.Exif()
    exif[0x0112] = 6
    picture(width=10, height=12).save(root / f"a/turned.{kind}", exif=exif)
    dataset = loaded(root)
    assert dataset.shape == (3, 10, 12)
    assert dataset.preprocessing.fit == "exact"
    assert dataset.findings[0].code == "D003"
    assert dataset.findings[0].message == f"1 image carried an EXIF rotation; it was applied: a/turned.{kind}"
    assert dataset.findings[0].message in dataset.card.notes


def test_exif_behind_the_pixels_of_a_png_is_noticed(folders: Folders, picture: Picture) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(picture(width=10, height=12), exif=exif)
    start = data.index(b"eXIf") - 4
    length = 12 + struct.unpack(">I", data[start : start + 4])[0]
    chunk, rest = data[start : start + length], data[:start] + data[start + length :]
    end = rest.index(b"IEND") - 4
    late = rest[:end] + chunk + rest[end:]
    turned = channels_first(picture(width=10, height=12).transpose(Image.Transpose.ROTATE_270))
    assert (read_image(late, COLOUR) == turned).all()
    root = folders({"a": 2, "b": 2}, width=10, height=12)
    (root / "a/late.png").write_bytes(late)
    assert loaded(root).skipped == (("a/late.png", "its size is 12×10 only once it is decoded"),)


def test_cmyk_becomes_rgb(folders: Folders, picture: Picture) -> None:
    root = folders({"a": 2, "b": 2})
    picture(mode="CMYK").save(root / "a/print.jpg")
    dataset = loaded(root)
    with Image.open(root / "a/print.jpg") as image:
        assert image.mode == "CMYK"
        assert (image_of(dataset.train, "a/print.jpg") == channels_first(image.convert("RGB"))).all()
    assert [finding.code for finding in dataset.findings] == ["D006"]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_are_divided_by_257(kind: str) -> None:
    values = np.linspace(0, 65535, 120).astype(np.uint16).reshape(10, 12)
    read = read_image(encoded(Image.fromarray(values), kind), GREY)
    assert (read[0] == np.rint(values / 257)).all()
    assert (read[0].min(), read[0].max()) == (0, 255)


def test_16_bits_are_said_and_warned_about_when_dark(folders: Folders, tmp_path: Path) -> None:
    for name, top in (("full", 65535), ("twelve", 4095)):
        root = folders({"a": 0, "b": 0}, name=name)
        for index, folder in enumerate("aabb"):
            values = np.linspace(0, top, 120).astype(np.uint16).reshape(10, 12)
            Image.fromarray(values).save(root / f"{folder}/{index}.png")
        dataset = loaded(root)
        assert dataset.shape == (1, 10, 12)
        severities = [finding.severity for finding in dataset.findings if finding.code == "D005"]
        assert severities == (["info"] if name == "full" else ["info", "warning"])


def test_16_bit_colour_is_said(folders: Folders) -> None:
    # Pillow cannot write it: 12 × 10, 16 bits, RGB
    raw = np.random.default_rng(0).integers(0, 65536, (10, 12, 3)).astype(">u2")
    data = png(12, 10, 16, 2, raw.tobytes())
    assert (read_image(data, COLOUR) == (raw >> 8).astype(np.uint8).transpose(2, 0, 1)).all()
    root = folders({"a": 2, "b": 2})
    (root / "a/deep.png").write_bytes(data)
    assert "16 bits per channel" in loaded(root).findings[0].message


def png(width: int, height: int, depth: int, colour: int, raw: bytes) -> bytes:
    """A PNG of any kind, which Pillow may not be able to write."""
    stride = len(raw) // height
    rows = b"".join(b"\0" + raw[start : start + stride] for start in range(0, len(raw), stride))
    data = b"\x89PNG\r\n\x1a\n"
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        data += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return data


def test_16_bit_grey_with_alpha_is_grey(folders: Folders) -> None:
    raw = np.full((10, 12, 2), 65535).astype(">u2")
    raw[..., 0] = 100 * 256
    root = folders({"a": 2, "b": 2}, mode="L")
    (root / "a/deep.png").write_bytes(png(12, 10, 16, 4, raw.tobytes()))
    dataset = loaded(root)
    assert dataset.shape == (1, 10, 12)
    assert (image_of(dataset.train, "a/deep.png") == 100).all()


def test_damaged_exif_does_not_cost_the_image(folders: Folders, picture: Picture) -> None:
    root = folders({"a": 2, "b": 2})
    picture().save(root / "a/camera.jpg", exif=b"Exif\0\0" + b"nonsense" * 4)
    dataset = loaded(root)
    assert "a/camera.jpg" in dataset.train.ids
    assert [(f.code, f.severity) for f in dataset.findings] == [("D003", "warning")]


def test_a_camera_s_two_picture_jpeg_is_a_jpeg(folders: Folders, picture: Picture) -> None:
    root = folders({"a": 2, "b": 2})
    picture(seed=6).save(root / "a/stereo.jpg", "MPO", save_all=True, append_images=[picture(seed=7)])
    dataset = loaded(root)
    with Image.open(root / "a/stereo.jpg") as image:
        assert image.format == "MPO"
        assert (image_of(dataset.train, "a/stereo.jpg") == channels_first(image)).all()
    assert dataset.findings == ()


def test_transparency_is_laid_over_the_background(picture: Picture) -> None:
    image = picture().convert("RGBA")
    alpha = np.arange(120, dtype=np.uint8).reshape(10, 12) * 2
    image.putalpha(Image.fromarray(alpha))
    for background in (255, 0, 100):
        read = read_image(encoded(image), COLOUR.model_copy(update={"background": background}))
        share = alpha[None] / 255
        expected = channels_first(image.convert("RGB")) * share + background * (1 - share)
        assert np.abs(read - expected).max() <= 1


def test_grey_with_alpha_stays_grey(folders: Folders) -> None:
    root = folders({"a": 2, "b": 2}, mode="L")
    Image.merge("LA", [Image.new("L", (12, 10), 100), Image.new("L", (12, 10), 128)]).save(root / "a/alpha.png")
    Image.merge("LA", [Image.new("L", (12, 10), 100), Image.new("L", (12, 10), 255)]).save(root / "a/solid.png")
    dataset = loaded(root)
    assert dataset.shape == (1, 10, 12)
    assert abs(int(image_of(dataset.train, "a/alpha.png")[0, 0, 0]) - round(100 * 128 / 255 + 255 * 127 / 255)) <= 1
    assert (image_of(dataset.train, "a/solid.png") == 100).all()
    assert [finding.message for finding in dataset.findings if finding.code == "D004"] == [
        "1 image had transparent pixels; laid over white: a/alpha.png"
    ]


def test_palettes_with_and_without_transparency(folders: Folders, picture: Picture) -> None:
    root = folders({"a": 2, "b": 2})
    palette = picture().quantize(16)
    palette.save(root / "a/plain.png")
    palette.save(root / "a/clear.png", transparency=3)
    dataset = loaded(root)
    plain, clear = (image_of(dataset.train, f"a/{name}.png") for name in ("plain", "clear"))
    assert (plain == channels_first(palette.convert("RGB"))).all()
    hidden = np.asarray(palette) == 3
    assert hidden.any()
    assert (clear[:, hidden] == 255).all()
    assert (clear[:, ~hidden] == plain[:, ~hidden]).all()
    codes = {finding.code: finding.message for finding in dataset.findings}
    assert codes["D007"].startswith("2 images had a colour palette")
    assert codes["D004"].endswith(": a/clear.png")


def test_a_transparent_colour_in_grey_and_rgb_images(picture: Picture) -> None:
    grey = Image.new("L", (12, 10), 7)
    assert (read_image(encoded(grey, transparency=7), GREY) == 255).all()
    assert (read_image(encoded(grey, transparency=8), GREY) == 7).all()
    colour = Image.new("RGB", (12, 10), (1, 2, 3))
    assert (read_image(encoded(colour, transparency=(1, 2, 3)), COLOUR) == 255).all()
    deep = Image.fromarray(np.full((10, 12), 514, np.uint16))
    assert (read_image(encoded(deep), GREY) == 2).all()
    assert (read_image(encoded(deep, transparency=514), GREY) == 255).all()


def test_one_bit_and_grey_palettes_are_grey(folders: Folders, picture: Picture) -> None:
    root = folders({"a": 2, "b": 2}, mode="1")
    ramp = Image.fromarray(np.arange(120, dtype=np.uint8).reshape(10, 12), "L").convert("P")
    ramp.putpalette([level for index in range(256) for level in (255 - index,) * 3])
    ramp.save(root / "a/ramp.png")
    dataset = loaded(root)
    assert dataset.shape == (1, 10, 12)
    assert set(np.unique(image_of(dataset.train, "a/img0.png"))) == {0, 255}
    assert (image_of(dataset.train, "a/ramp.png").ravel() == 255 - np.arange(120)).all()
    assert {"D018", "D007"} <= {finding.code for finding in dataset.findings}


def test_only_the_first_frame_is_taken(folders: Folders, picture: Picture) -> None:
    root = folders({"a": 2, "b": 2})
    first, second = picture(seed=1).quantize(16), picture(seed=2).quantize(16)
    first.save(root / "a/film.gif", save_all=True, append_images=[second])
    picture(seed=3).save(root / "a/pages.tif", save_all=True, append_images=[picture(seed=4)])
    dataset = loaded(root)
    assert (image_of(dataset.train, "a/film.gif") == channels_first(first.convert("RGB"))).all()
    assert (image_of(dataset.train, "a/pages.tif") == channels_first(picture(seed=3))).all()
    assert "2 images had several frames" in {f.code: f.message for f in dataset.findings}["D008"]


def test_a_png_named_jpg_is_read_by_content(folders: Folders, picture: Picture) -> None:
    root = folders({"a": 2, "b": 2})
    (root / "a/renamed.jpg").write_bytes(encoded(picture(seed=5)))
    dataset = loaded(root)
    assert (image_of(dataset.train, "a/renamed.jpg") == channels_first(picture(seed=5))).all()
    assert [finding.code for finding in dataset.findings] == ["D019"]


BROKEN = {
    "empty.jpg": (b"", "empty (0 bytes)"),
    "text.jpg": (b"hello, world", "not an image in a format that is read here (it starts with b'hello, world')"),
    "page.jpg": (b"<!DOCTYPE html><html>", "a web page, not an image"),
    "pointer.png": (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
    "bomb.png": (png_header(9000, 9000), "9,000×9,000 pixels, more than the 64 million"),
    "large_bomb.png": (png_header(12000, 9000), "more than 64 million pixels"),
    "huge_bomb.png": (png_header(60000, 60000), "more than 64 million pixels"),
    "no_pixels.png": (png_header(5, 5), "cut off"),
    "no_header.png": (b"\x89PNG\r\n\x1a\n", "not an image"),
    "icon.bmp": (b"BM", "not an image"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_image_is_skipped_by_name(folders: Folders, name: str) -> None:
    data, reason = BROKEN[name]
    root = folders({"a": 2, "b": 2})
    (root / "a" / name).write_bytes(data)
    dataset = loaded(root)
    ((skipped, why),) = dataset.skipped
    assert skipped == f"a/{name}"
    assert reason in why
    assert dataset.train.ids == ("a/img0.png", "a/img1.png", "b/img0.png", "b/img1.png")
    finding = dataset.findings[0]
    assert (finding.code, finding.severity) == ("D001", "warning")
    assert finding.message.startswith(f"1 of 5 images could not be used and was skipped: a/{name} (")
    with pytest.raises(DataError) as caught:
        loaded(root, broken="error")
    assert f"a/{name}: an image cannot be used" in str(caught.value)
    assert reason in str(caught.value)
    with pytest.raises(DataError, match="the image cannot be used"):
        read_image(root / "a" / name, COLOUR)


@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "gif", "bmp", "webp"])
@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_truncated_image_is_skipped_and_leaves_no_gap(
    folders: Folders, picture: Picture, kind: str, share: float
) -> None:
    root = folders({"a": 3, "b": 3})
    path = root / f"a/img1b.{kind}"
    picture(seed=9).save(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    whole = loaded(folders({"a": 3, "b": 3}, name="whole"))
    dataset = loaded(root)
    assert [name for name, _ in dataset.skipped] == [f"a/img1b.{kind}"]
    assert dataset.train.ids == whole.train.ids
    assert (dataset.train.images == whole.train.images).all()
    assert (dataset.train.labels == whole.train.labels).all()


@given(cut=st.integers(0, 400), wrong=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=5))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "PPM"])
def test_damaged_bytes_give_an_image_or_a_data_error(kind: str, cut: int, wrong: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD[kind])
    for place, value in wrong:
        data[place % len(data)] = value
    try:
        read = read_image(bytes(data[: max(1, len(data) - cut)]), COLOUR)
    except DataError:
        return
    assert (read.shape, read.dtype) == ((3, 10, 12), np.uint8)


GOOD = {
    kind: encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (10, 12, 3), dtype=np.uint8)), kind)
    for kind in ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP", "PPM")
}


def test_pixels_without_an_agreed_range_are_refused() -> None:
    for values in (np.ones((10, 12), np.float32), np.full((10, 12), 70000, np.int32), np.full((10, 12), -1, np.int32)):
        with pytest.raises(DataError, match="no agreed range"):
            read_image(encoded(Image.fromarray(values), "TIFF"), GREY)


def test_the_limit_is_by_pixels() -> None:
    assert PIXEL_LIMIT == 64_000_000
    strip = Image.new("1", (1_000_000, 1))
    assert read_image(encoded(strip), GREY.model_copy(update={"fit": "crop"})).shape == (1, 10, 12)


def test_nothing_left_is_an_error(folders: Folders) -> None:
    root = folders({"a": 1, "b": 1})
    for path in root.rglob("*.png"):
        path.write_bytes(b"text")
    with pytest.raises(DataError) as caught:
        loaded(root)
    assert "no image is left after 2 unreadable images were skipped" in str(caught.value)
    assert "a/img0.png: not an image" in str(caught.value)


def test_mostly_broken_is_an_error_finding(folders: Folders) -> None:
    root = folders({"a": 4, "b": 4})
    for path in sorted(root.rglob("*.png")):
        if path.name != "img0.png":
            path.write_bytes(b"text")
    finding = loaded(root).findings[0]
    assert finding.severity == "error"
    assert finding.message.startswith("6 of 8 images could not be used and were skipped: a/img1.png (not an image")
    assert finding.message.endswith(" and 3 more")


def test_read_image_wants_an_image(tmp_path: Path) -> None:
    for wrong, reason in ((tmp_path / "none.png", "no such file"), (tmp_path, "not a file"), (b"", "not an image")):
        with pytest.raises(DataError) as caught:
            read_image(wrong, COLOUR)
        assert reason in str(caught.value)
