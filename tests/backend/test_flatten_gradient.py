"""Flattening channels-last maps: torch's numbers, and a gradient in the order of the maps."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from striate.backend import build_module
from striate.backend.flat_gradient import FlattenMaps, with_flat_gradients
from striate.graph import network


def _gradient(module: nn.Module, maps: Tensor, weights: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad((module(maps) * weights).sum(), maps)
    return gradient


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(3, 5, 4, 6), (1, 7, 1, 1), (2, 1, 3, 3), (1, 4, 3, 2)])
def test_numbers_are_those_of_torch(shape: tuple[int, ...], dtype: torch.dtype, layout: torch.memory_format) -> None:
    maps = torch.randn(shape).to(dtype).contiguous(memory_format=layout).requires_grad_()
    weights = torch.randn(shape).to(dtype).flatten(1)
    ours, theirs = FlattenMaps(), nn.Flatten(1)
    assert torch.equal(ours(maps), theirs(maps))
    gradient = _gradient(ours, maps, weights)
    assert torch.equal(gradient, _gradient(theirs, maps, weights))
    assert gradient.is_contiguous(memory_format=layout)


def test_torch_would_give_the_gradient_in_the_other_order() -> None:
    maps = torch.randn(3, 5, 4, 6).contiguous(memory_format=torch.channels_last).requires_grad_()
    weights = torch.randn(3, 120)
    assert not _gradient(nn.Flatten(1), maps, weights).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("shape", [(4,), (4, 5), (4, 5, 3), (2, 3, 2, 2, 2)])
def test_other_ranks_are_flattened_as_torch_does(shape: tuple[int, ...]) -> None:
    batch = torch.randn(2, *shape, requires_grad=True)
    assert torch.equal(FlattenMaps()(batch), batch.flatten(1))


def test_second_derivatives_and_batched_gradients_are_torchs() -> None:
    maps = torch.randn(2, 3, 4, 4, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    assert torch.autograd.gradgradcheck(lambda x: FlattenMaps()(x).pow(3), maps.requires_grad_())
    scale = torch.randn(48, dtype=torch.float64)
    rows = torch.func.vmap(torch.func.grad(lambda x: (FlattenMaps()(x[None]) * scale).sin().sum()))(maps.detach())
    wanted = (scale * (maps.detach().flatten(1) * scale).cos()).reshape(maps.shape)
    torch.testing.assert_close(rows, wanted)


def test_a_network_trains_to_the_same_gradients_in_both_orders() -> None:
    graph = network("n", (1, 8, 8)).conv(4, 3).relu().maxpool(2).flatten().dense(3).build()
    gradients = []
    for layout in (torch.contiguous_format, torch.channels_last):
        module = with_flat_gradients(graph, build_module(graph, seed=1))
        assert isinstance(module.get_submodule("flatten1"), FlattenMaps)
        module = module.to(memory_format=layout)  # type: ignore[call-overload]
        x_bchw = torch.linspace(-1, 1, 5 * 64).reshape(5, 1, 8, 8).contiguous(memory_format=layout)
        module(x_bchw).square().sum().backward()
        gradients.append([parameter.grad for parameter in module.parameters()])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)
