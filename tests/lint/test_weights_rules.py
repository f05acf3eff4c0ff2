"""The rules about weights, against torch and comparison of all with all."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lint.single_rules import OWN, found, numbers, values_of
from properties.running import node_values
from striate import zoo
from striate.backend import build_module, initialize
from striate.graph import network
from striate.lint import Subject
from striate.lint.signal import after, signal
from striate.lint.tensors import is_fresh
from striate.sources import read_inline


@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(1, 60), st.sampled_from((1, 2)))
def test_copies_are_found_as_by_comparing_all(seed: int, units: int, inputs: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    net = network("n", (inputs * groups, 1, 1)).conv(units * groups, 1, groups=groups).build()
    weight = rng.standard_normal((units * groups, inputs, 1, 1)).astype(np.float32)
    bias = np.zeros(units * groups, np.float32)
    for _ in range(rng.integers(0, 4)):
        first, second = rng.integers(0, units * groups, 2)
        weight[second] = weight[first]
    rows = weight.reshape(groups, units, inputs)
    copies = sum(any((block[k] == block[j]).all() for j in range(k)) for block in rows for k in range(units))
    evidence = found("N702", net, weights={"conv1.weight": weight, "conv1.bias": bias})
    if copies and copies < (units - 1) * groups:
        assert numbers(evidence[0].message)[0] == copies
    else:
        assert not evidence


@pytest.mark.parametrize("word", ["relu", "relu6", "silu", "gelu", "hardswish", "mish", "softplus", "sigmoid"])
@pytest.mark.parametrize("power", [0.01, 1.0, 9.0])
def test_the_mean_square_behind_an_activation(word: str, power: float) -> None:
    net = read_inline(word, input=(1, 1000, 1000))
    x = torch.randn(1, 1, 1000, 1000, generator=torch.Generator().manual_seed(0)) * math.sqrt(power)
    measured = float(build_module(net)(x).square().mean())
    assert after(net.nodes[1].layer, power) == pytest.approx(measured, rel=0.02)  # type: ignore[arg-type]


@pytest.mark.parametrize("scheme", ["he", "xavier", "normal", "torch"])
def test_the_signal_is_that_of_torch(scheme: Any) -> None:
    x = network("n", (32, 12, 12))
    for _ in range(6):
        x = x.conv(64, 3, padding="same", padding_mode="circular").relu()
    net = x.convtranspose(32, 4, stride=2, padding=1).leakyrelu(0.2).conv(16, 3).tanh().flatten().dense(50).build()
    module = build_module(net)
    if scheme == "torch":
        torch.manual_seed(1)
        for layer in module.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                layer.reset_parameters()
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    else:
        initialize(module, net, scheme, seed=1)
    told = signal(Subject(net, values_of(module, net)))
    images = torch.randn(4, 32, 12, 12, generator=torch.Generator().manual_seed(0))
    values = node_values(module, images)
    for name in net.shapes:
        measured, power = float(values[name].detach().square().mean()), told[name]
        assert power is not None
        assert abs(math.log10(measured / power)) < 0.5, name


@pytest.mark.parametrize("scheme", ["auto", "he", "xavier", "normal", "uniform", "orthogonal"])
@pytest.mark.parametrize("name", ["simple-cnn", "resnet20", "mobilenet_v2", "lenet-5"])
def test_what_initialize_draws_is_fresh_and_auto_is_sound(name: str, scheme: Any) -> None:
    net = zoo.build(name)
    module = build_module(net)
    initialize(module, net, scheme, seed=3)
    subject = Subject(net, values_of(module, net))
    assert is_fresh(subject)
    if scheme == "auto":
        codes = [code for code, rule in OWN.items() if code[1] in "78" and list(rule.check(subject))]
        assert codes == []


def test_trained_weights_are_not_fresh() -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = torch.tensor(digits.images[:, None] / 16, dtype=torch.float32)
    y = torch.tensor(digits.target)
    net = read_inline("conv 32 3 > relu > conv 32 3 > relu > maxpool 2 > flatten > dense 10", input=(1, 8, 8))
    module = build_module(net, seed=0)
    assert is_fresh(Subject(net, values_of(module, net)))
    optimizer = torch.optim.Adam(module.parameters(), 1e-2)
    for step in range(120):
        batch = slice(64 * step % 1700, 64 * step % 1700 + 64)
        optimizer.zero_grad()
        F.cross_entropy(module(x[batch]), y[batch]).backward()
        optimizer.step()
    assert not is_fresh(Subject(net, values_of(module, net)))


def test_the_first_loss_of_large_logits() -> None:
    net = replace(read_inline("conv 64 3 > relu > globalavgpool > dense 10", input=(16, 8, 8)), classes=10)
    module = build_module(net, seed=0)
    with torch.no_grad():
        module.dense1.weight.normal_(0, 3, generator=torch.Generator().manual_seed(0))
    subject = Subject(net, values_of(module, net))
    (evidence,) = OWN["N802"].check(subject)
    deviation, loss = numbers(evidence.message)[:2]
    power = signal(subject)["globalavgpool1"]
    assert power is not None
    # As the rule has it: features of that mean square, and one row of logits for each image.
    features = torch.randn(2000, 64, generator=torch.Generator().manual_seed(1)) * math.sqrt(power)
    logits = module.dense1(features).detach()
    assert float(logits.std()) == pytest.approx(deviation, rel=0.1)
    labels = torch.randint(0, 10, (2000,), generator=torch.Generator().manual_seed(2))
    assert float(F.cross_entropy(logits, labels)) == pytest.approx(loss, rel=0.15)
