"""Weights for the linter: the same numbers as safetensors itself reads, nothing read that is not looked at."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from striate.errors import WeightsError
from striate.lint.stored_arrays import StoredArrays, check_fit
from striate.sources import read_inline

NET = read_inline("conv 4 3 > batchnorm > globalavgpool > dense 2")


def weights() -> dict[str, torch.Tensor]:
    random = torch.Generator().manual_seed(0)
    return {name: torch.randn(tensor.shape, generator=random) for name, tensor in NET.parameters()}


@pytest.mark.parametrize(
    "kind", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
)
def test_every_kind_of_number(tmp_path: Path, kind: torch.dtype) -> None:
    tensors = {
        "a": torch.arange(6).reshape(2, 3).to(kind),
        "b": torch.tensor(1).to(kind),
        "c": torch.zeros(0, 3).to(kind),
    }
    save_file(tensors, tmp_path / "w.safetensors", metadata={"network": "x"})
    stored = StoredArrays(tmp_path / "w.safetensors")
    assert sorted(stored) == ["a", "b", "c"]
    for name, tensor in tensors.items():
        assert stored.shape(name) == tuple(tensor.shape)
        expected = tensor.float().numpy() if kind is torch.bfloat16 else tensor.numpy()
        assert np.array_equal(stored[name], expected)
        assert stored[name].dtype == expected.dtype


def test_bfloat16_is_exact(tmp_path: Path) -> None:
    tensor = torch.randn(1000, generator=torch.Generator().manual_seed(1)).bfloat16()
    save_file({"a": tensor}, tmp_path / "w.safetensors")
    assert np.array_equal(StoredArrays(tmp_path / "w.safetensors")["a"], tensor.float().numpy())


def test_weights_have_to_fit(tmp_path: Path) -> None:
    save_file(weights(), tmp_path / "w.safetensors")
    check_fit(NET, StoredArrays(tmp_path / "w.safetensors"))
    other = weights()
    del other["batchnorm1.bias"]
    other["dense1.weight"] = torch.zeros(3, 4)
    save_file(other, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError) as caught:
        check_fit(NET, StoredArrays(tmp_path / "w.safetensors"))
    assert caught.value.got == "batchnorm1.bias is missing; dense1.weight is 3×4 in the file and 2×4 here"


def header(**entries: object) -> bytes:
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no header"),
        (b"PK\x03\x04 a zip archive", "no header"),
        ((1 << 60).to_bytes(8, "little") + b"{", "no header"),
        (header(a={"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 4 * 10**18]}), "'a' of "),
        (header(a={"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}) + b"12345678", "'a' of 8 B from byte 0 to 4"),
        (header(a={"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}) + b"1234", "'a' of 8 B"),
        (header(a={"dtype": "F32", "shape": [-1], "data_offsets": [0, 8]}), "nothing clear about 'a'"),
        (header(a={"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}) + b"1234", "nothing clear"),
        (header(a={"dtype": "X", "shape": [1], "data_offsets": [0, 4]}) + b"1234", "a: X"),
        (header(a=3), "nothing clear"),
        (b"\x05\0\0\0\0\0\0\0{nope", "a header that is not JSON"),
    ],
)
def test_damaged_files(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        StoredArrays(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@given(st.binary(max_size=200), st.booleans())
def test_random_bytes_are_refused_or_empty(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, framed: bool
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "w.safetensors"
    path.write_bytes(len(content).to_bytes(8, "little") + b"{" + content if framed else content)
    with contextlib.suppress(WeightsError):
        assert len(StoredArrays(path)) == 0


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="there is no such file of weights"):
        StoredArrays(tmp_path / "none.safetensors")
    with pytest.raises(WeightsError, match="this is not a file"):
        StoredArrays(tmp_path)
