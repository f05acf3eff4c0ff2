"""Weights in and out: what is written any reader of safetensors reads, and what does not fit changes nothing."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from striate.backend import build_module, load_weights, save_weights
from striate.errors import StorageError, UsageError, WeightsError
from striate.graph import Graph, network

State = dict[str, Tensor]


@pytest.fixture
def saved(small: Graph, tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    save_weights(build_module(small, seed=1), path, small)
    return path


def rewritten(path: Path, change: Callable[[State], State | None], metadata: dict[str, str] | None = None) -> Path:
    state = safetensors.torch.load_file(path)
    state = change(state) or state
    safetensors.torch.save_file(state, path, metadata)
    return path


def refused(small: Graph, path: Path) -> WeightsError:
    """Load into a fresh module, see that nothing changed, and return the error."""
    module = build_module(small, seed=2)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with pytest.raises(WeightsError) as caught:
        load_weights(module, path)
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert str(path) in str(caught.value)
    return caught.value


def test_what_is_saved_is_loaded(small: Graph, saved: Path) -> None:
    module, original = build_module(small, seed=None), build_module(small, seed=1)
    load_weights(module, saved)
    assert list(module.state_dict()) == list(original.state_dict())
    for name, tensor in original.state_dict().items():
        assert torch.equal(module.state_dict()[name], tensor), name
    assert module.training
    assert all(parameter.requires_grad for parameter in module.parameters())


def test_plain_safetensors_reads_the_file(small: Graph, saved: Path) -> None:
    state = safetensors.torch.load_file(saved)
    expected = build_module(small, seed=1).state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in expected)
    with safetensors.safe_open(saved, "pt") as file:
        assert file.metadata() == {"format": "pt", "striate_format": "1", "network": "small"}


def test_the_same_weights_are_the_same_bytes(small: Graph, saved: Path) -> None:
    again = saved.with_name("again.safetensors")
    for _ in range(5):
        save_weights(build_module(small, seed=1), again, small)
        assert again.read_bytes() == saved.read_bytes()
    # The numbers begin at a multiple of eight, so that readers can map them.
    assert int.from_bytes(saved.read_bytes()[:8], "little") % 8 == 0


def test_a_file_without_metadata_loads(small: Graph, saved: Path) -> None:
    module = build_module(small, seed=None)
    load_weights(module, rewritten(saved, lambda state: None))
    assert torch.equal(module.get_parameter("fc.weight"), build_module(small, seed=1).get_parameter("fc.weight"))


def test_memory_layouts_survive_and_do_not_matter(small: Graph, saved: Path) -> None:
    original = build_module(small, seed=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    other = saved.with_name("last.safetensors")
    save_weights(original, other, small)
    assert other.read_bytes() == saved.read_bytes()
    module = build_module(small, seed=None).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    load_weights(module, saved)
    weight = module.get_parameter("conv1.weight")
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(weight, original.get_parameter("conv1.weight"))


def test_tensors_that_share_memory_are_written_apart(tmp_path: Path) -> None:
    net = network("tied", (4, 1)).flatten().dense(4, bias=False, name="a").dense(4, bias=False, name="b").build()
    module = build_module(net)
    module.get_submodule("b").weight = module.get_submodule("a").weight
    flat = torch.arange(32.0)
    path = tmp_path / "tied.safetensors"
    save_weights(module, path, net)
    state = safetensors.torch.load_file(path)
    assert torch.equal(state["a.weight"], state["b.weight"])
    module = build_module(net)
    module.get_submodule("a").weight.data, module.get_submodule("b").weight.data = (
        flat[:16].view(4, 4),
        flat[16:].view(4, 4).T,
    )
    save_weights(module, path, net)
    state = safetensors.torch.load_file(path)
    assert torch.equal(state["a.weight"].flatten(), flat[:16])
    assert torch.equal(state["b.weight"], flat[16:].view(4, 4).T)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_floats_of_any_width_are_converted(small: Graph, saved: Path, dtype: torch.dtype) -> None:
    original = build_module(small, seed=1).to(dtype)
    save_weights(original, saved, small)
    assert safetensors.torch.load_file(saved)["fc.weight"].dtype == dtype
    module = build_module(small, seed=None)
    load_weights(module, saved)
    assert module.get_parameter("fc.weight").dtype == torch.float32
    assert torch.equal(module.get_parameter("fc.weight"), original.get_parameter("fc.weight").float())


def test_a_missing_an_extra_and_a_misshapen_tensor_are_listed(small: Graph, saved: Path) -> None:
    def change(state: State) -> None:
        del state["bn1.bias"]
        state["head.weight"] = torch.zeros(2)
        state["fc.weight"] = torch.zeros(5, 7)

    error = refused(small, rewritten(saved, change))
    assert error.problem == "these are the weights of another network; the first difference: bn1.bias is missing"
    assert error.got == (
        "bn1.bias is missing; fc.weight is 5×7 in the file and 5×4 here; head.weight is not in this network"
    )
    assert error.needs == "the 14 tensors of this network"


def test_at_most_five_differences_are_listed(small: Graph, saved: Path) -> None:
    error = refused(small, rewritten(saved, lambda state: {f"x{index}": torch.zeros(1) for index in range(9)}))
    assert error.problem == "these are the weights of another network: no name is the same"
    assert error.got is not None
    assert error.got.count(";") == 5
    assert error.got.endswith("; and 18 more")


def test_the_network_they_belong_to_is_named(small: Graph, saved: Path) -> None:
    other = network("lenet", (1, 8, 8)).conv(2, 3, name="c1").build()
    save_weights(build_module(other), saved, other)
    assert refused(small, saved).problem == "these are the weights of another network (lenet): no name is the same"


def test_what_a_file_says_cannot_write_on_the_terminal(small: Graph, saved: Path) -> None:
    def change(state: State) -> None:
        state["\x1b[2Jgone"] = torch.zeros(1)
        state["long" * 1000] = torch.zeros(1)

    error = refused(small, rewritten(saved, change, {"network": "\x1b[31m" * 100}))
    assert "\x1b" not in str(error)
    assert len(str(error)) < 1000
    assert "\x1b" not in str(refused(small, rewritten(saved, lambda state: None, {"striate_format": "\x1b"})))


def test_a_last_layer_for_other_classes_is_recognised(small: Graph, saved: Path) -> None:
    def change(state: State) -> None:
        state["fc.weight"], state["fc.bias"] = torch.zeros(1000, 4), torch.zeros(1000)

    error = refused(small, rewritten(saved, change, {"network": "small"}))
    assert error.problem == "fc has 1000 outputs in the file and 5 here: trained for other classes? (small)"
    assert error.write == "a network with 1000 there"


def test_another_width_is_told_by_its_first_difference(small: Graph, saved: Path) -> None:
    def change(state: State) -> None:
        state["conv1.weight"] = torch.zeros(4, 1, 3, 3)

    problem = refused(small, rewritten(saved, change)).problem
    assert problem == (
        "these weights do not fit; the first difference: conv1.weight is 4×1×3×3 in the file and 4×3×3×3 here"
    )


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "module._orig_mod."])
def test_a_wrapped_modules_names_are_recognised(small: Graph, saved: Path, prefix: str) -> None:
    error = refused(small, rewritten(saved, lambda state: {prefix + name: value for name, value in state.items()}))
    assert error.problem == f"the names in this file begin with {prefix!r}: a wrapped module was saved"
    assert error.write == f"save the module inside, or cut {prefix!r} off the names"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("fc.bias", torch.zeros(5, dtype=torch.int64), "fc.bias holds I64, which is not torch.float32"),
        ("fc.bias", torch.zeros(5, dtype=torch.bool), "fc.bias holds BOOL, which is not torch.float32"),
        ("fc.bias", torch.zeros(5).to(torch.float8_e4m3fn), "fc.bias holds F8_E4M3, which is not torch.float32"),
        ("fc.bias", torch.zeros(5, dtype=torch.complex64), "fc.bias holds C64, which is not torch.float32"),
        (
            "bn1.num_batches_tracked",
            torch.tensor(1.0),
            "bn1.num_batches_tracked holds F32, which is not torch.int64",
        ),
        ("bn1.num_batches_tracked", torch.tensor([1]), "bn1.num_batches_tracked is 1 in the file and one number here"),
    ],
)
def test_the_wrong_kind_of_number_is_refused(small: Graph, saved: Path, name: str, value: Tensor, told: str) -> None:
    def change(state: State) -> None:
        state[name] = value

    assert refused(small, rewritten(saved, change)).got == told


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite_are_refused(small: Graph, saved: Path, value: float) -> None:
    def change(state: State) -> None:
        state["fc.bias"][3] = value

    error = refused(small, rewritten(saved, change))
    assert error.problem == "fc.bias is not finite"
    assert error.got == "1 of 5 numbers are NaN or infinite"


def test_numbers_too_large_for_the_modules_dtype_are_refused(small: Graph, saved: Path) -> None:
    def change(state: State) -> None:
        state["fc.bias"] = torch.full((5,), 1e300, dtype=torch.float64)

    error = refused(small, rewritten(saved, change))
    assert error.problem == "fc.bias does not fit into torch.float32"


def test_a_later_format_is_refused(small: Graph, saved: Path) -> None:
    error = refused(small, rewritten(saved, lambda state: None, {"striate_format": "2"}))
    assert error.problem == "these weights were written by another version of Striate"
    assert (error.got, error.needs) == ("format 2", "format 1")


def test_a_missing_file_and_a_folder(small: Graph, tmp_path: Path) -> None:
    assert refused(small, tmp_path / "none.safetensors").problem == "there is no such file of weights"
    assert refused(small, tmp_path).problem == "this is not a file"


def header(entries: object, size: int | None = None, data: bytes = b"") -> bytes:
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text) if size is None else size) + text + data


def torch_save(value: object, **options: bool) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "an empty file"),
        (b"\x01\x02", "0102"),
        (b"not weights at all", "in a file of 18 B"),
        (header({}, size=2**63), "a header of 8388608.0 TiB in a file of 10 B"),
        (header({}, size=2**40) + b" " * 100, "a header of 1.0 TiB in a file of 110 B"),
        (header({}, size=3), "a header of 3 B in a file of 10 B"),
        (struct.pack("<Q", 17 * 1024**2) + b" " * (17 * 1024**2), "a header of 17.0 MiB; at most 16.0 MiB are read"),
        (struct.pack("<Q", 4) + b"\xff\xfe\xfd\xfc", ""),
        (struct.pack("<Q", 100_000) + b"[" * 100_000, ""),
        (header([1, 2]), ""),
        (header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}), ""),
        (header({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}, data=b"\0" * 8), ""),
        (header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]}}, data=b"\0" * 8), ""),
        (header({"a": {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]}}, data=b"\0" * 8), ""),
        (header({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}, data=b"\0" * 8), ""),
        (header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}}, data=b"\0" * 8), ""),
    ],
)
def test_files_that_are_not_safetensors(small: Graph, tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(data)
    error = refused(small, path)
    assert error.problem == "this is not a safetensors file, or it is cut off or damaged"
    assert told in str(error.got)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (torch_save({"a": torch.zeros(2)}), "a zip archive, as torch.save writes it"),
        (
            torch_save({"a": torch.zeros(2)}, _use_new_zipfile_serialization=False),
            "a Python pickle, as old versions of torch.save write it",
        ),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file, as Keras writes it"),
    ],
)
def test_other_kinds_of_weights_are_named(small: Graph, tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "foreign.pt"
    path.write_bytes(data)
    error = refused(small, path)
    assert error.problem == "this is not a safetensors file"
    assert error.got == told
    assert "weights_only=True" in str(error.write)


@pytest.mark.parametrize("keep", [7, 8, 9, 100, 2000, -100, -1])
def test_a_file_cut_off_anywhere(small: Graph, saved: Path, keep: int) -> None:
    saved.write_bytes(saved.read_bytes()[:keep])
    assert refused(small, saved).problem == "this is not a safetensors file, or it is cut off or damaged"


def test_bytes_too_many(small: Graph, saved: Path) -> None:
    saved.write_bytes(saved.read_bytes() + b"\0")
    assert refused(small, saved).problem == "this is not a safetensors file, or it is cut off or damaged"


def test_any_flipped_byte_of_the_header_is_told_or_harmless(small: Graph, saved: Path) -> None:
    whole = saved.read_bytes()
    size = 8 + int.from_bytes(whole[:8], "little")
    for place in range(0, size, 7):
        saved.write_bytes(whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :])
        module = build_module(small, seed=None, device="cpu")
        try:
            load_weights(module, saved)
        except WeightsError:
            assert bool((module.get_parameter("fc.weight") == 0).all())


def test_a_module_of_another_network_is_not_saved(small: Graph, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    with pytest.raises(UsageError, match="this module was not built from the network small"):
        save_weights(torch.nn.Linear(2, 2), path, small)
    with pytest.raises(UsageError, match="this module was not built from the network small") as caught:
        save_weights(torch.nn.Sequential(build_module(small)), path, small)
    assert caught.value.got == "no tensor conv1.weight"
    module = build_module(small)
    module.register_buffer("mine", torch.zeros(1))
    with pytest.raises(UsageError) as caught:
        save_weights(module, path, small)
    assert caught.value.got == "a tensor mine"
    assert not path.exists()


def test_a_module_without_numbers_is_neither_saved_nor_filled(small: Graph, saved: Path) -> None:
    module = build_module(small, device="meta")
    with pytest.raises(UsageError, match="'meta' has no numbers to save"):
        save_weights(module, saved, small)
    with pytest.raises(UsageError, match="'meta' has no numbers to set"):
        load_weights(module, saved)


def test_a_folder_that_cannot_be_written(small: Graph, tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        save_weights(build_module(small), tmp_path / "none" / "weights.safetensors", small)
