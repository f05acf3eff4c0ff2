"""Weights of imported networks: those of the module itself, and a user's own checkpoint under the module's names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import striate
from striate.errors import WeightsError
from striate.findings import Finding
from striate.lint.fitting import fit_names


class Block(nn.Module):
    """Parameters of its own beside those of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.gamma, self.pos = nn.Parameter(torch.ones(8, 1, 1)), nn.Parameter(torch.zeros(1, 8, 6, 6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = x + self.gamma * self.norm(self.conv(x + self.pos))
        return out


def module() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), Block(), Block(), nn.Flatten(), nn.Linear(288, 2))


def found(net: Any, **options: Any) -> list[Finding]:
    return striate.lint(net, select=["N7"], **options)  # type: ignore[operator, no-any-return]


def places(findings: list[Finding]) -> set[tuple[str, str | None]]:
    return {(finding.code, finding.where) for finding in findings}


def test_every_tensor_of_a_module_is_matched_with_its_own_name() -> None:
    net = module()
    shapes = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    fit = fit_names(striate.load(net, input=(3, 8, 8)), shapes)
    assert (fit.missing, fit.differing) == ((), {})
    assert sorted(fit.names.values()) == sorted(shapes)
    assert fit.names["layer2.layerscale1.gamma"] == "2.gamma"


def test_the_weights_of_a_module_are_looked_at_and_stay() -> None:
    net = module()
    with torch.no_grad():
        net[1].conv.weight[3, 0, 1, 1] = float("nan")
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    assert ("N705", "layer1.conv") in places(found(net, input=(3, 8, 8)))
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor.view(-1).view(torch.uint8), before[name].view(-1).view(torch.uint8)), name
    assert all(tensor.requires_grad for tensor in net.parameters())


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16, torch.float16])
def test_modules_of_other_types(kind: torch.dtype) -> None:
    net = module().to(kind)
    with torch.no_grad():
        net[4].weight[0, 0] = float("inf")
    assert ("N705", "layer4") in places(found(net, input=(3, 8, 8)))


def test_a_module_without_numbers_has_no_weights() -> None:
    assert found(module().to("meta"), input=(3, 8, 8)) == []


def as_file(prefix: str) -> Callable[[Path, dict[str, torch.Tensor]], Any]:
    def save(folder: Path, tensors: dict[str, torch.Tensor]) -> Path:
        save_file({prefix + name: tensor for name, tensor in tensors.items()}, folder / "own.safetensors")
        return folder / "own.safetensors"

    return save


def as_given(_folder: Path, tensors: dict[str, torch.Tensor]) -> Any:
    return tensors


def as_numpy(_folder: Path, tensors: dict[str, torch.Tensor]) -> Any:
    return {name: tensor.numpy() for name, tensor in tensors.items()}


@pytest.mark.parametrize("given", [as_file(""), as_file("module."), as_given, as_numpy])
def test_a_checkpoint_under_the_names_of_the_module(given: Any, tmp_path: Path) -> None:
    tensors = module().state_dict()
    tensors["2.gamma"][1] = float("nan")
    weights = given(tmp_path, tensors)
    assert places(found(module(), input=(3, 8, 8), weights=weights)) >= {("N705", "layer2.layerscale1")}
    graph = striate.load(module(), input=(3, 8, 8))
    assert ("N705", "layer2.layerscale1") in places(found(graph, weights=weights))


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    tensors = {name: tensor for name, tensor in module().state_dict().items() if name != "2.gamma"}
    told = [one for one in found(module(), input=(3, 8, 8), weights=tensors) if one.code == "N940"]
    assert [one.message for one in told] == [
        "the weights have nothing for 1 of 16 trained tensors: layer2.layerscale1.gamma; "
        "rules say nothing about their values"
    ]


@pytest.mark.parametrize("net", [module(), "simple-cnn"])
def test_weights_that_fit_nothing_are_an_error(net: Any, tmp_path: Path) -> None:
    shape = (3, 8, 8) if isinstance(net, nn.Module) else None
    with pytest.raises(WeightsError, match="none of these is a weight of"):
        found(net, input=shape, weights={"what.weight": np.zeros((5, 7), np.float32)})
    save_file({"what.weight": torch.zeros(5, 7)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="these are not the weights of"):
        found(net, input=shape, weights=tmp_path / "other.safetensors")


def test_another_size_is_another_network(tmp_path: Path) -> None:
    tensors = {**module().state_dict(), "4.weight": torch.zeros(3, 288)}
    save_file(tensors, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"layer4.weight is 3×288 in the file and 2×288 here"):
        found(module(), input=(3, 8, 8), weights=tmp_path / "other.safetensors")
