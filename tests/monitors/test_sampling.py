"""What a sample says is what NumPy and a hand-written step say."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from striate.backend import build_module
from striate.graph import network
from striate.training.monitors.sampling import Sampler, idle_units


@pytest.fixture
def net() -> tuple[Sampler, nn.Module, torch.Tensor, torch.Tensor]:
    graph = network("n", (1, 6, 6)).conv(4, 3, padding="same").relu().conv(3, 3).tanh().flatten().dense(2).build()
    module = build_module(graph, seed=3)
    generator = torch.Generator().manual_seed(0)
    return (
        Sampler(graph, module),
        module,
        torch.randn(5, 1, 6, 6, generator=generator),
        torch.tensor([0, 1, 0, 1, 1]),
    )


def test_norms_of_a_step_of_plain_descent(net: tuple[Sampler, nn.Module, torch.Tensor, torch.Tensor]) -> None:
    sampler, module, x_bchw, target = net
    before = {name: parameter.detach().numpy().copy() for name, parameter in module.named_parameters()}
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    sampler.open(x_bchw)
    torch.autograd.backward(nn.functional.cross_entropy(module(x_bchw), target))
    gradients = {name: parameter.grad.numpy().copy() for name, parameter in module.named_parameters()}  # type: ignore[union-attr]
    optimizer.step()
    sample = sampler.close(2, 7, 0.1, 0.5)
    assert (sample.epoch, sample.step, sample.rate, sample.loss) == (2, 7, 0.1, 0.5)
    assert list(sample.gradients) == ["conv1.weight", "conv2.weight", "dense1.weight"]
    for name, gradient in gradients.items():
        norm = float(np.sqrt((gradient.astype(np.float64) ** 2).sum()))
        assert sample.updates[name] == pytest.approx(0.1 * norm, rel=1e-4, abs=1e-8)
        assert sample.weights[name] == pytest.approx(float(np.linalg.norm(before[name].ravel())), rel=1e-5)
        if name in sample.gradients:
            assert sample.gradients[name] == pytest.approx(norm, rel=1e-5)


def test_activations(net: tuple[Sampler, nn.Module, torch.Tensor, torch.Tensor]) -> None:
    sampler, module, x_bchw, _ = net
    with torch.no_grad():
        module.get_parameter("conv1.bias")[0] = -100.0
    for _ in range(3):
        sampler.open(x_bchw)
        module(x_bchw)
        sample = sampler.close(1, 1, 0.1, None)
    with torch.no_grad():
        first = module.get_submodule("conv1")(x_bchw)
        second = module.get_submodule("conv2")(first.relu())
    assert sample.outputs["conv1"] == pytest.approx((float(first.mean()), float(first.numpy().std())), rel=1e-4)
    assert sample.saturation["tanh1"] == pytest.approx(float(np.abs(np.tanh(second.numpy())).mean()), rel=1e-4)
    dead = (first.relu().numpy() == 0).all(axis=(0, 2, 3)).mean()
    assert sample.dead["relu1"] == pytest.approx(dead)
    assert dead >= 0.25


def test_a_unit_is_dead_that_is_silent_in_three_samples_in_turn(
    net: tuple[Sampler, nn.Module, torch.Tensor, torch.Tensor],
) -> None:
    sampler, module, x_bchw, _ = net
    shares = []
    for bias in (-100.0, 0.5, -100.0, -100.0, -100.0):
        with torch.no_grad():
            module.get_parameter("conv1.bias").fill_(bias)
        sampler.open(x_bchw)
        module(x_bchw)
        shares.append(sampler.close(1, 1, 0.1, None).dead.get("relu1"))
    assert shares[:2] == [None, None]
    assert shares[3] is not None
    assert shares[3] < 1.0
    assert shares[4] == 1.0


def test_nothing_is_left_on_the_layers(net: tuple[Sampler, nn.Module, torch.Tensor, torch.Tensor]) -> None:
    sampler, module, x_bchw, _ = net
    sampler.open(x_bchw)
    module(x_bchw)
    sampler.close(1, 1, 0.1, None)
    assert not any(part._forward_hooks for part in module.modules())


def test_a_compiled_network_is_looked_at_by_a_pass_of_its_own() -> None:
    graph = network("n", (1, 6, 6)).conv(4, 3).batchnorm().relu().dropout(0.5).flatten().dense(2).build()
    module = build_module(graph, seed=0).train()
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    sampler = Sampler(graph, module, compiled=True)
    random = torch.get_rng_state()
    sampler.open(torch.randn(4, 1, 6, 6, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(random, torch.get_rng_state())
    assert module.training
    assert not any(part._forward_hooks for part in module.modules())
    assert all(torch.equal(state[name], tensor) for name, tensor in module.state_dict().items())
    sample = sampler.close(1, 1, 0.1, None)
    assert set(sample.outputs) == {"conv1", "dense1"}
    assert all(math.isfinite(value) for pair in sample.outputs.values() for value in pair)


def test_idle_units() -> None:
    output = torch.zeros(3, 2, 4, 4)
    output[1, 1, 2, 3] = 0.1
    assert idle_units(output).tolist() == [True, False]
    assert idle_units(torch.tensor([[0.0, 1.0], [0.0, 0.0]])).tolist() == [True, False]
