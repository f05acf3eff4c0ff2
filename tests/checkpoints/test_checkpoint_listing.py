"""What is listed of a file of weights is what PyTorch and safetensors put into it; nothing in it runs."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from striate import zoo
from striate.backend import build_module
from striate.errors import WeightsError
from striate.sources.checkpoint import Checkpoint, is_checkpoint, read_checkpoint
from striate.views.checkpoint_listing import checkpoint_view
from striate.views.console import make_console


def small() -> nn.Module:
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4), fc=nn.Linear(4, 2).half()))


def expected(state: dict[str, torch.Tensor]) -> list[tuple[str, tuple[int, ...], str, int]]:
    return [(name, tuple(t.shape), str(t.dtype).removeprefix("torch."), t.nbytes) for name, t in state.items()]


def listed(checkpoint: Checkpoint) -> list[tuple[str, tuple[int, ...], str, int]]:
    return [(tensor.name, tensor.shape, tensor.dtype, tensor.bytes) for tensor in checkpoint.tensors]


def shown(checkpoint: Checkpoint) -> str:
    stream = io.StringIO()
    make_console(stream).print(checkpoint_view(checkpoint))
    return stream.getvalue()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_state_dict(tmp_path: Path, zipped: bool) -> None:
    state = small().state_dict()
    torch.save(state, tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    found = read_checkpoint(tmp_path / "w.pth")
    assert listed(found) == expected(state)
    assert found.format == ("PyTorch, zip" if zipped else "PyTorch, before 1.6")
    assert not found.unexpected
    assert not found.notes
    assert found.bytes == sum(tensor.nbytes for tensor in state.values())


def test_safetensors(tmp_path: Path) -> None:
    state = small().state_dict()
    save_file(state, tmp_path / "w.safetensors", {"format": "pt"})
    found = read_checkpoint(tmp_path / "w.safetensors")
    assert sorted(listed(found)) == sorted(expected(state))
    assert found.metadata == (("format", "pt"),)


def test_parameters_sizes_types_and_sharing(tmp_path: Path) -> None:
    weight = torch.zeros(6, 4)
    state = {
        "shared": weight,
        "again": weight,
        "part": weight[2:],
        "parameter": nn.Parameter(torch.zeros(2, 3, dtype=torch.bfloat16)),
        "complex": torch.zeros(3, dtype=torch.complex64),
        "flags": torch.zeros(5, dtype=torch.bool),
        "small": torch.zeros(2, dtype=torch.float8_e4m3fn),
        "one": torch.tensor(3),
    }
    torch.save(state, tmp_path / "w.pt")
    found = read_checkpoint(tmp_path / "w.pt")
    assert listed(found) == expected(state)
    assert not found.unexpected
    assert found.count == 24 + 16 + 6 + 3 + 5 + 2 + 1


def test_a_checkpoint_with_everything(tmp_path: Path) -> None:
    model = small()
    optimizer = torch.optim.Adam(model.parameters())
    content = {
        "epoch": 12,
        "arch": "small",
        "config": {"lr": 0.1, "name": "run"},
        "state_dict": {f"module.{name}": tensor for name, tensor in model.state_dict().items()},
        "optimizer": optimizer.state_dict(),
        "history": [torch.zeros(3)],
    }
    torch.save(content, tmp_path / "w.ckpt")
    found = read_checkpoint(tmp_path / "w.ckpt")
    assert {tensor.group for tensor in found.tensors} == {"state_dict", "history"}
    assert dict(found.metadata)["epoch"] == "12"
    assert dict(found.metadata)["config.lr"] == "0.1"
    assert not found.unexpected


def test_a_module_saved_as_a_whole(tmp_path: Path) -> None:
    model = nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4)))
    torch.save(model, tmp_path / "w.pth")
    found = read_checkpoint(tmp_path / "w.pth")
    assert listed(found) == expected(model.state_dict())
    assert "torch.nn.modules.conv.Conv2d" in {entry.name for entry in found.unexpected}


def test_torchscript(tmp_path: Path) -> None:
    model = nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4))).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(model), tmp_path / "w.pt")
    found = read_checkpoint(tmp_path / "w.pt")
    assert listed(found) == expected(model.state_dict())
    assert found.format == "TorchScript"
    assert "holds a program" in found.notes[0]


def test_an_exported_program(tmp_path: Path) -> None:
    model = nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4))).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(model, (torch.zeros(2, 3, 8, 8),)), tmp_path / "w.pt2")
    found = read_checkpoint(tmp_path / "w.pt2")
    assert listed(found) == expected(model.state_dict())
    assert found.format == "torch.export"


class Malicious:
    """Loading it would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("zipped", [True, False, None])
def test_a_malicious_pickle_is_listed_and_not_run(tmp_path: Path, zipped: bool | None) -> None:
    mark, path = tmp_path / "run", tmp_path / "w.pth"
    content = {"conv.weight": torch.zeros(2), "x": Malicious(mark)}
    if zipped is None:
        path.write_bytes(pickle.dumps(Malicious(mark)))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
    found = read_checkpoint(path)
    assert not mark.exists()
    assert [(entry.name, entry.called) for entry in found.unexpected] == [(f"{os.system.__module__}.system", True)]
    assert found.as_dict()["unexpected_imports"] == 1
    text = shown(found)
    assert "would run what no tensor needs" in text
    assert f"{os.system.__module__}.system is called" in text


HIDDEN = {
    "INST": b"(S'true'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nS'true'\no.",
    "STACK_GLOBAL": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
    "NEWOBJ": b"\x80\x02cos\nsystem\nU\x04true\x85\x81.",
    "from the memo": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x04true\x85R.",
    "broken behind it": b"cos\nsystem\n(S'true'\ntR\xff\xff\xff",
    "cut off": b"cos\nsystem\n(S'true'\ntR",
    "thrown away": b"cos\nsystem\n(S'true'\ntR0N.",
    "in the middle of a value": b"(dS'k'\ncos\nsystem\n(S'true'\ntRs.",
}


@pytest.mark.parametrize("content", HIDDEN.values(), ids=HIDDEN)
def test_every_way_of_calling_is_seen(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    found = read_checkpoint(tmp_path / "w.pth")
    assert [(entry.name, entry.called) for entry in found.unexpected] == [("os.system", True)]


def test_a_name_that_is_computed(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"\x80\x04cbuiltins\nstr\n\x8c\x02os\x85R\x8c\x06system\x93\x8c\x04true\x85R.")
    names = {entry.name for entry in read_checkpoint(tmp_path / "w.pth").unexpected}
    assert names == {"builtins.str", "(computed while loading).system"}


def test_a_pickle_beside_the_weights_is_seen(tmp_path: Path) -> None:
    import zipfile

    torch.save(small().state_dict(), tmp_path / "w.pth")
    with zipfile.ZipFile(tmp_path / "w.pth", "a") as archive:
        archive.writestr("w/extra/more.pkl", b"cos\nsystem\n(S'true'\ntR.")
    found = read_checkpoint(tmp_path / "w.pth")
    assert [(entry.name, entry.where) for entry in found.unexpected] == [("os.system", "w/extra/more.pkl")]


def test_neither_torch_nor_pickle_is_needed(tmp_path: Path) -> None:
    torch.save(small().state_dict(), tmp_path / "w.pth")
    script = (
        "import sys; from striate.sources.checkpoint import read_checkpoint;"
        f"found = read_checkpoint({str(tmp_path / 'w.pth')!r});"
        "print(len(found.tensors), 'torch' in sys.modules, 'safetensors' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["9", "False", "False"]


def weights(name: str, **options: Any) -> dict[str, torch.Tensor]:
    module = build_module(zoo.build(name, **options), device="meta")
    return {key: torch.zeros(tensor.shape, dtype=tensor.dtype) for key, tensor in module.state_dict().items()}


def guessed(content: Any, path: Path) -> list[dict[str, Any]]:
    torch.save(content, path)
    return [guess.as_dict() for guess in read_checkpoint(path).guesses]


def test_the_network_is_guessed_by_names(tmp_path: Path) -> None:
    (guess,) = guessed(weights("mobilenet_v2"), tmp_path / "w.pth")
    assert (guess["network"], guess["fit"], guess["classes"], guess["channels"]) == ("mobilenet_v2", "names", 1000, 3)
    assert guess["matched"] == guess["count"]


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.", "module._orig_mod.model."])
def test_behind_prefixes_and_for_other_classes(tmp_path: Path, prefix: str) -> None:
    state = {prefix + name: tensor for name, tensor in weights("squeezenet1_1", classes=7).items()}
    content = {"epoch": 1, "model_state_dict": state, "scale": torch.zeros(1)}
    guess = guessed(content, tmp_path / "w.pth")[0]
    assert (guess["network"], guess["fit"], guess["classes"]) == ("squeezenet1_1", "names", 7)
    assert (guess["prefix"], guess["group"]) == (prefix, "model_state_dict")


def test_for_other_channels(tmp_path: Path) -> None:
    guess = guessed(weights("resnet18", input=(1, 64, 64)), tmp_path / "w.pth")[0]
    assert (guess["network"], guess["fit"], guess["channels"]) == ("resnet18", "names", 1)


def test_under_other_names_the_shapes_tell(tmp_path: Path) -> None:
    state = {f"tensor_{place}": tensor for place, tensor in enumerate(weights("lenet-5", classes=4).values())}
    guess = guessed(state, tmp_path / "w.pth")[0]
    assert (guess["network"], guess["fit"], guess["classes"]) == ("lenet-5", "shapes", 4)


def test_what_differs_is_told(tmp_path: Path) -> None:
    state = weights("squeezenet1_1")
    del state["classifier.1.bias"]
    state["features.0.weight"] = torch.zeros(64, 3, 5, 5)
    guess = guessed(state, tmp_path / "w.pth")[0]
    assert (guess["network"], guess["fit"]) == ("squeezenet1_1", "part")
    assert guess["differences"] == [
        "classifier.1.bias is missing",
        "features.0.weight is 64×3×5×5 in the file and 64×3×3×3 in the network",
    ]
    assert guess["matched"] == guess["count"] - 2


def test_nothing_is_guessed_where_nothing_fits(tmp_path: Path) -> None:
    assert guessed({"a": torch.zeros(3), "b": torch.zeros(2)}, tmp_path / "w.pth") == []


def test_counters_of_batches_may_be_missing(tmp_path: Path) -> None:
    state = {name: t for name, t in weights("resnet18").items() if not name.endswith("num_batches_tracked")}
    assert guessed(state, tmp_path / "w.pth")[0]["fit"] == "names"


def test_the_view(tmp_path: Path) -> None:
    torch.save({"state_dict": {"module.\x1b[31mconv.weight": torch.zeros(2, 3)}}, tmp_path / "w.pth")
    text = shown(read_checkpoint(tmp_path / "w.pth"))
    assert "\x1b" not in text
    assert "2×3" in text
    assert "float32" in text
    assert "none of the zoo's" in text
    json.dumps(read_checkpoint(tmp_path / "w.pth").as_dict())


def test_other_files(tmp_path: Path) -> None:
    for name, content, got in [
        ("a.bin", b"GGUF" + bytes(90), "a GGUF file"),
        ("a.pth", b"\x89HDF" + bytes(90), "an HDF5 file, as Keras writes it"),
    ]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WeightsError) as error:
            read_checkpoint(tmp_path / name)
        assert error.value.got == got
    with pytest.raises(WeightsError, match="there is no such file of weights"):
        read_checkpoint(tmp_path / "none.pth")
    with pytest.raises(WeightsError, match=r"this is not a file|this file cannot be read"):
        read_checkpoint(tmp_path)
    assert is_checkpoint(tmp_path / "a.PTH")
    assert not is_checkpoint("resnet18")


def test_the_command_line(tmp_path: Path) -> None:
    torch.save(small().state_dict(), tmp_path / "w.pth")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "striate", "inspect", str(tmp_path / "w.pth"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert "conv.weight" in run().stdout
    data = json.loads(run("--json").stdout)
    assert [entry["name"] for entry in data["tensors"]] == list(small().state_dict())
    refused = run("--input", "3x8x8")
    assert (refused.returncode, refused.stderr.splitlines()[0]) == (2, "error: --input is for networks")
