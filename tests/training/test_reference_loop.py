"""The trainer does what a loop of twenty lines does, written here by hand with torch's own optimizers."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from striate.backend import build_module, initialize
from striate.data import Dataset
from striate.sources import load
from training.samples import NET, make_dataset, quick_run

EPOCHS, BATCH, SEED, RATE = 3, 16, 5, 0.01
PLAIN = {"epochs": EPOCHS, "batch": BATCH, "seed": SEED, "learning_rate": RATE, "weight_decay": 0.0}
PLAIN |= {"layout": "contiguous", "precision": "fp32", "schedule": "constant"}

Step = Callable[[torch.nn.Module], None]


def seed_for(epoch: int, purpose: str) -> int:
    """The documented rule: four bytes of a sha256."""
    return int.from_bytes(hashlib.sha256(f"{SEED}/{epoch}/{purpose}".encode()).digest()[:4], "little")


def nothing(module: torch.nn.Module) -> None:
    pass


def reference(
    dataset: Dataset,
    make_optimizer: Callable[[torch.nn.Module], torch.optim.Optimizer],
    net: str = NET,
    before: Step = nothing,
    after: Step = nothing,
    rate_at: Callable[[float], float] = lambda progress: RATE,
    bounds: tuple[tuple[int, int], ...] = ((0, 16), (16, 32), (32, 48)),
) -> dict[str, torch.Tensor]:
    """Plain training; the weights it ends with."""
    graph = load(net, input=dataset.shape, classes=len(dataset.classes))
    module = build_module(graph)
    initialize(module, graph, "auto", SEED)
    x = torch.from_numpy(dataset.train.images).float() / 255
    x = (x - torch.tensor(dataset.preprocessing.mean).view(1, -1, 1, 1)) / torch.tensor(dataset.preprocessing.std).view(
        1, -1, 1, 1
    )
    y = torch.from_numpy(dataset.train.labels)
    optimizer = make_optimizer(module)
    steps = 0
    for epoch in range(1, EPOCHS + 1):
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed_for(epoch, "order")))
        torch.manual_seed(seed_for(epoch, "dropout"))
        for start, end in bounds:
            for group in optimizer.param_groups:
                group["lr"] = rate_at(steps / (EPOCHS * len(bounds)))
            optimizer.zero_grad()
            F.cross_entropy(module(x[order[start:end]]), y[order[start:end]]).backward()
            before(module)
            optimizer.step()
            with torch.no_grad():
                after(module)
            steps += 1
    return module.state_dict()


def trained(tmp_path: Path, dataset: Dataset, net: str = NET, **options: Any) -> dict[str, torch.Tensor]:
    run = quick_run(tmp_path, dataset, net, **{**PLAIN, **options})
    weights: dict[str, torch.Tensor] = load_file(run.folder.last_weights)
    return weights


def assert_same(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor], exact: bool = True) -> None:
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        if exact:
            assert torch.equal(tensor, theirs[name]), name
        else:
            torch.testing.assert_close(tensor, theirs[name], rtol=1e-4, atol=1e-6)


OPTIMIZERS: dict[str, tuple[dict[str, Any], Callable[[torch.nn.Module], torch.optim.Optimizer]]] = {
    "sgd": (
        {"optimizer": "sgd", "momentum": 0.0},
        lambda module: torch.optim.SGD(module.parameters(), RATE, fused=True),
    ),
    "nesterov": (
        {"optimizer": "sgd", "momentum": 0.8},
        lambda module: torch.optim.SGD(module.parameters(), RATE, momentum=0.8, nesterov=True, fused=True),
    ),
    "adam": ({"optimizer": "adam"}, lambda module: torch.optim.Adam(module.parameters(), RATE, fused=True)),
    "adamw": (
        {"optimizer": "adamw"},
        lambda module: torch.optim.AdamW(module.parameters(), RATE, weight_decay=0.0, fused=True),
    ),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_is_the_plain_loop_bit_for_bit(tmp_path: Path, name: str) -> None:
    options, make_optimizer = OPTIMIZERS[name]
    dataset = make_dataset()
    assert_same(trained(tmp_path, dataset, **options), reference(dataset, make_optimizer))


def test_dropout_follows_the_seed_and_the_epoch(tmp_path: Path) -> None:
    net = "conv 4 3 > relu > dropout 0.5 > flatten > dense classes"
    dataset = make_dataset()
    ours = trained(tmp_path, dataset, net, optimizer="sgd", momentum=0)
    assert_same(ours, reference(dataset, OPTIMIZERS["sgd"][1], net))


def test_a_single_image_left_over_joins_the_last_batch(tmp_path: Path) -> None:
    dataset = make_dataset(train=33)
    ours = trained(tmp_path, dataset, optimizer="adam")
    assert_same(ours, reference(dataset, OPTIMIZERS["adam"][1], bounds=((0, 16), (16, 33))))


def test_colour_images_are_normalised_by_channel(tmp_path: Path) -> None:
    dataset = make_dataset(shape=(3, 6, 6))
    ours = trained(tmp_path, dataset, optimizer="sgd", momentum=0)
    assert_same(ours, reference(dataset, OPTIMIZERS["sgd"][1]))


def test_channels_last_is_the_same_but_for_rounding(tmp_path: Path) -> None:
    dataset = make_dataset(shape=(3, 6, 6))
    ours = trained(tmp_path, dataset, optimizer="sgd", momentum=0, layout="channels-last")
    assert_same(ours, reference(dataset, OPTIMIZERS["sgd"][1]), exact=False)


@pytest.mark.parametrize(
    ("schedule", "rate_at"),
    [
        ("cosine", lambda p: RATE * (1 + math.cos(math.pi * p)) / 2),
        ("constant", lambda p: RATE),
    ],
)
def test_the_schedule_sets_the_rate_of_every_step(
    tmp_path: Path, schedule: str, rate_at: Callable[[float], float]
) -> None:
    dataset = make_dataset()
    ours = trained(tmp_path, dataset, optimizer="adam", schedule=schedule)
    assert_same(ours, reference(dataset, OPTIMIZERS["adam"][1], rate_at=rate_at))


@pytest.mark.parametrize(
    ("optimizer", "kind", "extra"),
    [("sgd", torch.optim.SGD, {"momentum": 0.9, "nesterov": True}), ("adamw", torch.optim.AdamW, {})],
)
def test_weight_decay_is_on_weights_alone(
    tmp_path: Path, optimizer: str, kind: type[torch.optim.Optimizer], extra: dict[str, Any]
) -> None:
    def decayed(module: torch.nn.Module) -> torch.optim.Optimizer:
        named = dict(module.named_parameters())
        weights = [named.pop("conv1.weight"), named.pop("dense1.weight")]
        assert sorted(named) == ["batchnorm1.bias", "batchnorm1.weight", "conv1.bias", "dense1.bias"]
        groups = [{"params": weights, "weight_decay": 0.3}, {"params": list(named.values()), "weight_decay": 0.0}]
        return kind(groups, lr=RATE, fused=True, **extra)  # type: ignore[call-arg]

    dataset = make_dataset()
    assert_same(trained(tmp_path, dataset, optimizer=optimizer, weight_decay=0.3), reference(dataset, decayed))


def test_l1_adds_the_sign_of_each_weight_to_its_gradient(tmp_path: Path) -> None:
    def penalise(module: torch.nn.Module) -> None:
        for name, parameter in module.named_parameters():
            if name in ("conv1.weight", "dense1.weight"):
                assert parameter.grad is not None
                parameter.grad += 0.05 * torch.sign(parameter.detach())

    dataset = make_dataset()
    ours = trained(tmp_path, dataset, optimizer="sgd", momentum=0, l1=0.05)
    assert_same(ours, reference(dataset, OPTIMIZERS["sgd"][1], before=penalise))


def test_clipping_scales_the_whole_gradient(tmp_path: Path) -> None:
    norms: list[float] = []

    def clip(module: torch.nn.Module) -> None:
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        norm = math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradients))
        norms.append(norm)
        for gradient in gradients:
            gradient.mul_(min(1.0, 0.5 / norm))

    dataset = make_dataset()
    ours = trained(tmp_path, dataset, optimizer="sgd", momentum=0, clip=0.5)
    assert_same(ours, reference(dataset, OPTIMIZERS["sgd"][1], before=clip), exact=False)
    assert max(norms) > 0.5


def test_max_norm_bounds_each_filter(tmp_path: Path) -> None:
    def bound(module: torch.nn.Module) -> None:
        for name, parameter in module.named_parameters():
            if name in ("conv1.weight", "dense1.weight"):
                norms = (parameter.flatten(1) ** 2).sum(dim=1).sqrt()
                scales = torch.clamp(0.4 / norms, max=1.0)
                parameter.mul_(scales.view(-1, *[1] * (parameter.ndim - 1)))

    dataset = make_dataset()
    ours = trained(tmp_path, dataset, optimizer="sgd", momentum=0, max_norm=0.4)
    assert_same(ours, reference(dataset, OPTIMIZERS["sgd"][1], after=bound), exact=False)
    for name in ("conv1.weight", "dense1.weight"):
        assert float(ours[name].flatten(1).norm(dim=1).max()) <= 0.4 + 1e-6


def test_max_norm_knows_the_filters_of_a_transposed_convolution(tmp_path: Path) -> None:
    net = "conv 4 3 same > relu > convtranspose 6 3 groups=2 > globalavgpool > dense classes"
    weights = trained(tmp_path, make_dataset(), net, max_norm=0.3)
    # (inputs, filters / groups, height, width): a filter reads the inputs of its group.
    filters = weights["convtranspose1.weight"].view(2, 2, 3, 3, 3).transpose(1, 2).flatten(2)
    norms = filters.norm(dim=2)
    assert norms.shape == (2, 3)
    assert torch.all(norms <= 0.3 + 1e-6)
    assert float(norms.min()) > 0.25  # scaled on their own, not all together
