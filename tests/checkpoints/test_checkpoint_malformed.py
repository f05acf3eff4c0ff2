"""Files of weights that are wrong: one kind of exception, bounded in time and memory."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import tempfile
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from striate.errors import WeightsError
from striate.sources.checkpoint import read_checkpoint


def safetensors(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(shape: Any, start: Any, stop: Any, dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


HEADERS = [
    safetensors({}, length=10 * 10**12),
    safetensors({}, length=2**64 - 1),
    safetensors(b"[1, 2]"),
    safetensors(b"{" * 100_000),
    safetensors(b'{"a": ' * 50_000),
    safetensors(b'{"a": 1'),
    safetensors({"a": 1}),
    safetensors({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12)),
    safetensors({"a": entry([2], 0, 8), "b": entry([2], 12, 20)}, bytes(20)),
    safetensors({"a": entry([2], 0, 8)}, bytes(9)),
    safetensors({"a": entry([2], 0, 8)}, bytes(4)),
    safetensors({"a": entry([2**40, 2**40], 0, 8)}, bytes(8)),
    safetensors({"a": entry([-2], 0, 8)}, bytes(8)),
    safetensors({"a": entry([2.0], 0, 8)}, bytes(8)),
    safetensors({"a": entry([2], 8, 0)}, bytes(8)),
    safetensors({"a": entry([2], 0, 8, "F31")}, bytes(8)),
    safetensors({"a": entry([2], 0, 8, [])}, bytes(8)),
    safetensors({"a": entry([3], 0, 8)}, bytes(8)),
    safetensors(b"{" + b",".join([b'"a": {"dtype":"F32","shape":[1],"data_offsets":[0,4]}'] * 2) + b"}", bytes(4)),
    safetensors({"__metadata__": {"a": 1}}),
]  # fmt: skip


@pytest.mark.parametrize("content", HEADERS)
def test_headers_that_cannot_be(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError, match="this safetensors file is cut off or damaged") as error:
            read_checkpoint(path)
        assert tracemalloc.get_traced_memory()[1] < 20 * 1024**2
    finally:
        tracemalloc.stop()
    assert len(str(error.value)) < 1000


def test_a_header_of_10_tb_is_told(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(HEADERS[0])
    with pytest.raises(WeightsError) as error:
        read_checkpoint(tmp_path / "w.safetensors")
    assert error.value.got == "a header of 9.1 TiB in a file of 10 B"


def archive(parts: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as found:
        for name, content in parts.items():
            found.writestr(name, content)
    return stream.getvalue()


def attempt(content: bytes, name: str = "w.pth") -> None:
    """Any outcome is right but another exception."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        with contextlib.suppress(WeightsError):
            read_checkpoint(path, guess=False).as_dict()


def test_a_bomb(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(archive({"w/data.pkl": bytes(60 * 1024**2)}, zipfile.ZIP_DEFLATED))
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError, match="this archive is cut off or damaged"):
            read_checkpoint(tmp_path / "w.pth")
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024**2
    finally:
        tracemalloc.stop()


def test_a_part_that_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(archive({"w/data.pkl": bytes(65 * 1024**2)}))
    with pytest.raises(WeightsError, match="a part of this archive is too large to be looked at"):
        read_checkpoint(tmp_path / "w.pth")


def test_two_parts_of_one_name(tmp_path: Path) -> None:
    content = archive({"w/data.pkl": b"N.", "w/data.pkk": b"N."}).replace(b"data.pkk", b"data.pkl")
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(WeightsError, match="this archive is cut off or damaged"):
        read_checkpoint(tmp_path / "w.pth")


def test_another_archive(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(archive({"a/b.npy": b""}))
    with pytest.raises(WeightsError) as error:
        read_checkpoint(tmp_path / "w.pth")
    assert error.value.got == "arrays of NumPy (.npz)"


def test_numbers_that_are_missing_are_told(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(4)}, tmp_path / "w.pth")
    whole = zipfile.ZipFile(tmp_path / "w.pth")
    parts = {name: whole.read(name) for name in whole.namelist() if not name.endswith("data/0")}
    whole.close()
    (tmp_path / "w.pth").write_bytes(archive(parts))
    assert read_checkpoint(tmp_path / "w.pth").notes == ("a needs 16 bytes, and the archive holds nothing for it",)


LENGTHS = [
    b"\x80\x04\x8e" + (10**13).to_bytes(8, "little"),  # BINBYTES8
    b"\x80\x04\x8d" + (10**13).to_bytes(8, "little"),  # BINUNICODE8
    b"\x80\x04\x95" + (10**13).to_bytes(8, "little"),  # FRAME
    b"\x80\x02\x8b" + (2**31 - 1).to_bytes(4, "little"),  # LONG4
    b"\x80\x02T" + (2**31 - 1).to_bytes(4, "little"),  # BINSTRING
    b"I" + b"9" * 100_000 + b"\n.",
    b"\x80\x02" + b"(" * 100_000,
    b"\x80\x02]" + b"\x85" * 100_000 + b".",
    b"\x80\x02]q\x00h\x00a.",
    b"\x80\x02}q\x00U\x01ah\x00s.",
    b"\x80\x02h\x05.",
    b".",
    b"\x80\x02\x81.",
    b"\x80\x02NNs.",
]


@pytest.mark.parametrize("content", LENGTHS)
def test_lengths_and_depths_that_cannot_be(content: bytes) -> None:
    tracemalloc.start()
    try:
        attempt(content)
        assert tracemalloc.get_traced_memory()[1] < 200 * 1024**2
    finally:
        tracemalloc.stop()


def saved(**options: Any) -> bytes:
    stream = io.BytesIO()
    torch.save({"epoch": 3, "state_dict": torch.nn.Linear(3, 2).state_dict()}, stream, **options)
    return stream.getvalue()


WHOLE = {
    "zip": ("w.pth", saved()),
    "legacy": ("w.pth", saved(_use_new_zipfile_serialization=False)),
    "pickle": ("w.pth", pickle.dumps({"a": [1, 2.0, "x", {3}], "b": (None, b"y")})),
    "safetensors": ("w.safetensors", save({"a": torch.zeros(3), "b": torch.zeros(2, 2)})),
    "pt2": (
        "w.pt2",
        archive(
            {
                "w/archive_format": b"pt2",
                "w/data/weights/model_weights_config.json": json.dumps(
                    {"config": {"a": {"path_name": "w0", "tensor_meta": {"dtype": 7, "sizes": [{"as_int": 3}]}}}}
                ).encode(),
                "w/data/sample_inputs/model.pt": saved(),
            }
        ),
    ),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_whole_files_are_read(kind: str, tmp_path: Path) -> None:
    name, content = WHOLE[kind]
    (tmp_path / name).write_bytes(content)
    assert read_checkpoint(tmp_path / name).format


@given(content=st.binary(max_size=300), name=st.sampled_from(["w.pth", "w.safetensors", "w.pt2"]))
def test_random_bytes(content: bytes, name: str) -> None:
    attempt(content, name)


@given(content=st.binary(max_size=200), start=st.sampled_from([b"\x80\x02", b"\x80\x04", b"PK\x03\x04", b"c"]))
def test_random_bytes_behind_a_beginning(content: bytes, start: bytes) -> None:
    attempt(start + content)


@given(header=st.binary(max_size=200))
def test_random_headers(header: bytes) -> None:
    attempt(safetensors(b"{" + header), "w.safetensors")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["F32", "shape"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(value=JSON)
def test_random_lists_of_weights(value: Any) -> None:
    text = json.dumps({"config": value}).encode()
    attempt(archive({"w/archive_format": b"pt2", "w/model_weights_config.json": text}), "w.pt2")
    attempt(safetensors({"a": value}), "w.safetensors")


@settings(max_examples=400)
@given(data=st.data())
def test_changed_bytes(data: st.DataObject) -> None:
    name, whole = WHOLE[data.draw(st.sampled_from(sorted(WHOLE)))]
    content = bytearray(whole)
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=8)
    ):
        content[place] = value
    attempt(bytes(content), name)


@given(data=st.data())
def test_cut_off(data: st.DataObject) -> None:
    name, whole = WHOLE[data.draw(st.sampled_from(sorted(WHOLE)))]
    attempt(whole[: data.draw(st.integers(0, len(whole)))], name)
