"""The module under what people do with modules: memory layouts, mixed precision, compilation, export, copies."""

from __future__ import annotations

import copy

import pytest
import torch

from striate.backend import build_module
from striate.graph import Graph, layer_classes, network


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(2, 3, 16, 12, generator=torch.Generator().manual_seed(0))


def test_the_network_of_everything_has_every_layer(everything: Graph) -> None:
    assert {node.layer.kind for node in everything.nodes} == set(layer_classes())


def test_channels_last_computes_the_same(everything: Graph, images: torch.Tensor) -> None:
    module = build_module(everything).eval()
    expected = module(images)
    module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    torch.testing.assert_close(module(images.to(memory_format=torch.channels_last)), expected)


def test_channel_layer_norm_keeps_channels_last(images: torch.Tensor) -> None:
    module = build_module(network("norm", (3, 16, 12)).layernorm("channels").build())
    assert module(images.to(memory_format=torch.channels_last)).is_contiguous(memory_format=torch.channels_last)


def test_bfloat16_autocast_trains(everything: Graph, images: torch.Tensor) -> None:
    module = build_module(everything).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        probabilities, pooled = module(images)
        loss = probabilities.float().square().sum() + pooled.float().mean()
    loss.backward()
    assert bool(loss.isfinite())
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert bool(parameter.grad.isfinite().all()), name


def test_bfloat16_computes_about_the_same(everything: Graph, images: torch.Tensor) -> None:
    module = build_module(everything).eval()
    expected, _ = module(images)
    got, _ = module.to(torch.bfloat16)(images.to(torch.bfloat16))
    assert got.dtype == torch.bfloat16
    torch.testing.assert_close(got.float(), expected, atol=0.1, rtol=0.1)


def test_it_compiles_without_a_break(everything: Graph, images: torch.Tensor) -> None:
    module = build_module(everything).eval()
    compiled = torch.compile(module, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(images), module(images))


def test_it_exports(everything: Graph, images: torch.Tensor) -> None:
    module = build_module(everything).eval()
    program = torch.export.export(module, (images,))
    torch.testing.assert_close(program.module()(images), module(images))


def test_a_copy_shares_nothing(small: Graph) -> None:
    module = build_module(small)
    other = copy.deepcopy(module)
    with torch.no_grad():
        other.get_parameter("fc.bias").fill_(9)
    assert module.get_parameter("fc.bias").eq(0).all()
    assert [n.meta.get("node") for n in other.graph.nodes] == [n.meta.get("node") for n in module.graph.nodes]


def test_dropout_is_off_in_eval_mode_and_drops_channels_in_training() -> None:
    net = network("drop", (40, 6, 5)).dropout(0.5, channels=True).build()
    module, x = build_module(net), torch.ones(3, 40, 6, 5)
    assert torch.equal(module.eval()(x), x)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        dropped = module.train()(x)
    per_channel = dropped.flatten(2)
    assert bool((per_channel == per_channel[:, :, :1]).all())
    assert set(dropped.unique().tolist()) == {0.0, 2.0}


def test_dropping_channels_of_a_vector_drops_its_numbers() -> None:
    net = network("drop", (50, 2)).flatten().dropout(0.5, channels=True).build()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        dropped = build_module(net).train()(torch.ones(2, 50, 2))
    # Whole images would be dropped if the batch were taken for channels.
    assert all(set(row.unique().tolist()) == {0.0, 2.0} for row in dropped)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
@pytest.mark.parametrize("scale", [2, 3, 7, 40, 41, 47, 55, 64])
def test_upsampling_by_any_scale_is_exact(mode: str, scale: int) -> None:
    x = torch.arange(50.0).reshape(1, 1, 50)
    y = build_module(network("up", (1, 50)).upsample(scale, mode).build())(x)[0, 0]
    if mode == "nearest":
        assert torch.equal(y, x[0, 0].repeat_interleave(scale))
    else:
        place = ((torch.arange(50 * scale) + 0.5) / scale - 0.5).clamp(0, 49)
        torch.testing.assert_close(y, place, atol=1e-3, rtol=0)


def test_the_padding_of_a_pooling_never_wins_and_never_counts() -> None:
    x = torch.full((1, 1, 4, 4), -5.0)
    largest = network("max", (1, 4, 4)).maxpool(2, 1, padding="same").build()
    assert bool((build_module(largest)(x) == -5).all())
    mean = network("mean", (1, 4, 4)).avgpool(2, 1, padding="same", count_include_pad=False).build()
    assert bool((build_module(mean)(x) == -5).all())
    counted = network("mean", (1, 4, 4)).avgpool(2, 1, padding="same").build()
    assert build_module(counted)(x)[0, 0, -1].tolist() == [-2.5, -2.5, -2.5, -1.25]
