"""The options that save epochs, in real trainings: against plain loops, closed forms and torch itself."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

from striate.backend import build_module, initialize
from striate.errors import UsageError
from striate.graph import network
from striate.sources import load
from striate.training import Recipe, make_recipe
from striate.training.averaging import Average, Lookahead
from striate.training.first_layer import BIAS_UNTIL
from striate.training.hidden_weights import hidden_weights
from striate.training.muon import Muon
from striate.training.optimization import make_optimizer
from striate.training.progressive import ImageSizes
from striate.training.schedule import make_schedule
from striate.training.seen_again import averaged_outputs
from striate.training.whitening import whitening_filters
from training.samples import make_dataset, quick_run

DEEP = "conv 6 2 > relu > conv 4 3 same > maxpool 2 > batchnorm > relu > conv 4 1 > relu > flatten > dense classes"
POOLED = "conv 6 2 > relu > conv 4 3 same > batchnorm > relu > globalmaxpool > dense classes"
PLAIN: dict[str, Any] = {"batch": 16, "layout": "contiguous", "precision": "fp32", "schedule": "constant"}


def seed_for(seed: int, epoch: int, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{epoch}/{purpose}".encode()).digest()[:4], "little")


def plain_steps(dataset: Any, net: str, make: Any, epochs: int, after: Any, init: str = "auto") -> nn.Module:
    """A loop by hand over 48 images in batches of 16; ``after(module, step)`` follows each update."""
    graph = load(net, input=dataset.shape, classes=len(dataset.classes))
    module = build_module(graph)
    initialize(module, graph, init, 0)  # type: ignore[arg-type]
    mean, std = (torch.tensor(v).view(1, -1, 1, 1) for v in (dataset.preprocessing.mean, dataset.preprocessing.std))
    x, y = (torch.from_numpy(dataset.train.images).float() / 255 - mean) / std, torch.from_numpy(dataset.train.labels)
    optimizers, step = make(module), 0
    for epoch in range(1, epochs + 1):
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed_for(0, epoch, "order")))
        module.train()
        for start in range(0, 48, 16):
            picked = order[start : start + 16]
            module.zero_grad()
            F.cross_entropy(module(x[picked]), y[picked]).backward()
            for optimizer in optimizers:
                optimizer.step()
            step += 1
            after(module, step)
    return module


def adamw(module: nn.Module) -> list[torch.optim.Optimizer]:
    return [torch.optim.AdamW(module.parameters(), 0.01, weight_decay=0.0, fused=True)]


def weights_of(run: Any, name: str = "last") -> dict[str, torch.Tensor]:
    loaded: dict[str, torch.Tensor] = load_file(run.folder.weights / f"{name}.safetensors")
    return loaded


def refused(**options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        quick_run(Path("unwritten"), **options)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["ema", "lookahead"])
def test_the_average_is_what_is_kept(tmp_path: Path, kind: str) -> None:
    dataset, kept = make_dataset(), {}

    def after(module: nn.Module, step: int) -> None:
        if "average" not in kept:
            raise AssertionError("made before the first step")
        if kind == "ema":
            kept["average"].update(module)
        else:
            kept["average"].step(module, step / 9)

    def make(module: nn.Module) -> list[torch.optim.Optimizer]:
        kept["average"] = Average(module, 0.9) if kind == "ema" else Lookahead(module, lambda p: 0.9**5 * p**3)
        return adamw(module)

    plain_steps(dataset, POOLED, make, 3, after)
    run = quick_run(
        tmp_path,
        dataset,
        POOLED,
        **PLAIN,
        epochs=3,
        learning_rate=0.01,
        weight_decay=0.0,
        average=kind,
        average_decay=0.9,
    )
    ours = weights_of(run)
    for name, tensor in kept["average"].tensors.items():
        torch.testing.assert_close(ours[name], tensor, rtol=0, atol=0)
    # What was validated in the best epoch is what is in the file.
    best = run.record.results["val_accuracy"]
    assert run.evaluate(dataset.splits["val"], "val").accuracy == best


def test_muon_moves_the_hidden_weights_and_adamw_the_rest(tmp_path: Path) -> None:
    dataset = make_dataset()

    def make(module: nn.Module) -> list[torch.optim.Optimizer]:
        named = dict(module.named_parameters())
        hidden = [[named.pop("conv2.weight")], [named.pop("conv3.weight")]]
        muons = [
            Muon(group, 0.05, 0.8, 5, normalize=normalize)
            for group, normalize in zip(hidden, (True, False), strict=True)
        ]
        return [*muons, torch.optim.AdamW(named.values(), 0.01, weight_decay=0.0, fused=True)]

    module = plain_steps(dataset, DEEP, make, 2, lambda module, step: None)
    run = quick_run(
        tmp_path,
        dataset,
        DEEP,
        **PLAIN,
        epochs=2,
        optimizer="muon",
        learning_rate=0.05,
        momentum=0.8,
        rest_rate=0.01,
        weight_decay=0.0,
    )
    ours = weights_of(run)
    for name, tensor in module.state_dict().items():
        torch.testing.assert_close(ours[name], tensor, rtol=0, atol=0)


def test_which_weights_are_hidden_and_normalised() -> None:
    graph = load(DEEP, input=(1, 6, 6), classes=3)
    assert hidden_weights(graph) == {"conv2.weight": True, "conv3.weight": False}
    x = network("n", (1, 6, 6)).conv(4, 1).conv(4, 1)
    branched = x.batchnorm().relu().add(x).conv(4, 1).flatten().dense(3).build()
    assert hidden_weights(branched)["conv2.weight"] is False, "somebody else reads the convolution too"


def test_groups_have_their_own_rates() -> None:
    graph = load(DEEP, input=(1, 6, 6), classes=3)
    module = build_module(graph)
    named = {id(parameter): name for name, parameter in module.named_parameters()}

    def rates(**options: Any) -> dict[str, float]:
        optimizer = make_optimizer(Recipe(**options), graph, module)
        return {
            named[id(p)]: group["lr"] * group["factor"] for group in optimizer.param_groups for p in group["params"]
        }

    found = rates(optimizer="sgd", learning_rate=0.1, bias_rate=64)
    assert found.pop("batchnorm1.bias") == pytest.approx(6.4)
    assert set(found.values()) == {0.1}, "neither scales nor the biases of convolutions"
    found = rates(optimizer="muon", learning_rate=0.02, rest="sgd", rest_rate=0.5, bias_rate=2)
    assert {found.pop(name) for name in ("conv2.weight", "conv3.weight")} == {0.02}
    assert found.pop("batchnorm1.bias") == pytest.approx(1.0)
    assert list(found.values()) == pytest.approx([0.5] * len(found))


def test_the_first_layer_is_whitened_and_stays(tmp_path: Path) -> None:
    dataset = make_dataset(shape=(3, 8, 8))
    net = "conv 24 2 > gelu > conv 8 3 same > batchnorm > relu > globalmaxpool > dense classes"
    run = quick_run(tmp_path, dataset, net, **PLAIN, epochs=10, whiten=True, learning_rate=0.01)
    mean, std = (torch.tensor(v).view(1, -1, 1, 1) for v in (dataset.preprocessing.mean, dataset.preprocessing.std))
    x = (torch.from_numpy(dataset.train.images).float() / 255 - mean) / std
    torch.testing.assert_close(weights_of(run)["conv1.weight"], whitening_filters(x, (2, 2), 24))
    assert float(weights_of(run)["conv1.bias"].abs().max()) > 0, "its bias is trained at first"


def test_the_whitened_bias_is_trained_for_a_share_of_the_training(tmp_path: Path) -> None:
    assert BIAS_UNTIL == 0.3
    net = "conv 6 2 > gelu > conv 8 3 same > batchnorm > relu > globalmaxpool > dense classes"
    options: dict[str, Any] = {**PLAIN, "whiten": True, "learning_rate": 0.01, "optimizer": "sgd", "momentum": 0.0}
    # Three steps an epoch: the bias moves in steps 0 to 8 of 30, which is the first 3 epochs; 3 epochs more or less
    # behind them do not change it.
    long = quick_run(tmp_path / "a", make_dataset(), net, **options, epochs=10)
    moved = plain_bias(net, steps=9)
    torch.testing.assert_close(weights_of(long)["conv1.bias"], moved)


def plain_bias(net: str, steps: int) -> torch.Tensor:
    dataset = make_dataset()
    mean, std = (torch.tensor(v).view(1, -1, 1, 1) for v in (dataset.preprocessing.mean, dataset.preprocessing.std))
    x = (torch.from_numpy(dataset.train.images).float() / 255 - mean) / std
    biases: list[torch.Tensor] = []

    def make(module: nn.Module) -> list[torch.optim.Optimizer]:
        first = module.get_submodule("conv1")
        with torch.no_grad():
            first.weight.copy_(whitening_filters(x, (2, 2), 6))  # type: ignore[operator, union-attr]
        first.weight.requires_grad_(False)  # type: ignore[operator, union-attr]
        decayed = [p for name, p in module.named_parameters() if name.endswith("weight") and p.ndim > 1]
        others = [p for p in module.parameters() if all(p is not other for other in decayed)]
        groups = [{"params": decayed, "weight_decay": 5e-4}, {"params": others, "weight_decay": 0.0}]
        return [torch.optim.SGD(groups, 0.01, fused=True)]

    def after(module: nn.Module, step: int) -> None:
        biases.append(module.get_submodule("conv1").bias.detach().clone())  # type: ignore[operator, union-attr]

    plain_steps(dataset, net, make, steps // 3, after)
    return biases[steps - 1]


def test_sizes_grow_to_the_full_one() -> None:
    sizes = ImageSizes(make_recipe({"sizes": "progressive", "smallest_size": 0.5, "full_size_at": 0.8}))
    images = torch.randn(2, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    seen = [tuple(sizes.resized(images, step / 100).shape[2:]) for step in range(101)]
    assert sorted(set(seen)) == [(16, 24), (20, 30), (24, 36), (28, 42), (32, 48)]
    assert seen == sorted(seen)
    assert [seen.count(size) for size in sorted(set(seen))] == [20, 20, 20, 20, 21]
    assert torch.equal(sizes.resized(images, 0.8), images)
    # Halved with antialiasing: torch's own, and a constant stays one.
    torch.testing.assert_close(sizes.resized(torch.ones(1, 1, 8, 8), 0.0), torch.ones(1, 1, 4, 4))
    last = images.contiguous(memory_format=torch.channels_last)
    assert sizes.resized(last, 0.0).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("kind", ["flip", "shift", "flip-shift"])
def test_evaluation_and_prediction_see_the_same_views(tmp_path: Path, kind: str) -> None:
    dataset = make_dataset()
    run = quick_run(tmp_path, dataset, POOLED, tta=kind)
    images = dataset.splits["test"].images
    with torch.inference_mode():
        expected = averaged_outputs(run.module, run.inputs(images), kind)
        plain = run.module(run.inputs(images))
    torch.testing.assert_close(run.outputs(images), expected)
    labels = torch.from_numpy(dataset.splits["test"].labels)
    results = run.record.results
    assert results["test_accuracy"] == pytest.approx(float((expected.argmax(1) == labels).float().mean()))
    assert results["test_accuracy_without_tta"] == pytest.approx(float((plain.argmax(1) == labels).float().mean()))
    assert run.folder.evaluation("test") == run.evaluate(dataset.splits["test"], "test")


def test_shifted_views_by_hand() -> None:
    image = torch.arange(9.0).view(1, 1, 3, 3)
    corner = lambda x: x[:, 0, :1, 0]  # noqa: E731
    # Reflected edges: in the first view what was at (1, 1) is at (0, 0), 4; in the second it is (1, 1) again.
    expected = 0.5 * 0 + 0.25 * 4 + 0.25 * 4
    assert averaged_outputs(corner, image, "shift").item() == expected


@pytest.mark.parametrize(("epochs", "steps"), [(0.5, 2), (1.5, 4), (2.01, 6), (0.01, 1), (2, 6)])
def test_a_training_may_end_within_an_epoch(tmp_path: Path, epochs: float, steps: int) -> None:
    run = quick_run(tmp_path, make_dataset(), epochs=epochs, batch=16, learning_rate=1.0, optimizer="sgd")
    assert run.record.results["steps_done"] == steps
    assert run.record.results["epochs_done"] == pytest.approx(min(epochs, math.ceil(steps / 3)))
    assert run.record.status == "done"
    rows = [row for row in run.folder.metrics().rows if row["kind"] == "epoch"]
    assert len(rows) == math.ceil(steps / 3)
    # The schedule ends with the training, not with the epoch.
    last = rows[-1]["learning_rate"]
    assert isinstance(last, float)
    assert last == pytest.approx(make_schedule(Recipe())((steps - 1) / steps))


def test_triangular_is_straight_between_its_corners() -> None:
    course = make_schedule(make_recipe({"schedule": "triangular"}))
    progress = np.linspace(0, 1, 201)
    expected = np.interp(progress, [0, 0.23, 1], [0.2, 1.0, 0.07])
    np.testing.assert_allclose([course(p) for p in progress], expected, rtol=1e-12)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("kernel", [1, 2, 3])
def test_dirac_hands_on_the_channels(groups: int, kernel: int) -> None:
    graph = load(f"conv 6 {kernel} groups={groups} padding={kernel // 2} > relu > flatten > dense 2", input=(4, 7, 7))
    module = build_module(graph)
    initialize(module, graph, "dirac", 3)
    weight = module.get_submodule("conv1").weight
    assert isinstance(weight, torch.Tensor)
    # torch's own, for the filters that are the identity.
    part = torch.empty(4, 4 // groups, kernel, kernel)
    nn.init.dirac_(part, groups)
    mine = torch.cat([block[: 4 // groups] for block in weight.chunk(groups)])
    assert torch.equal(mine, part)
    others = torch.cat([block[4 // groups :] for block in weight.chunk(groups)])
    # As torch draws them by itself: uniform, bound 1/√fan_in.
    bound = 1 / math.sqrt(others[0].numel())
    assert 0.5 * bound < float(others.detach().abs().max()) <= bound, "the other filters are drawn"
    dense = module.get_submodule("dense1").weight
    assert isinstance(dense, torch.Tensor)
    assert 0.9 / math.sqrt(dense.shape[1]) < float(dense.detach().abs().max()) <= 1 / math.sqrt(dense.shape[1])


IDLE: list[tuple[dict[str, Any], list[str]]] = [
    ({"rest": "sgd"}, ["rest has no effect without optimizer: muon", "write: optimizer: muon, or no rest"]),
    ({"rest_rate": 0.1}, ["rest_rate has no effect without optimizer: muon"]),
    ({"average_decay": 0.9}, ["average_decay has no effect without average: ema or lookahead"]),
    ({"smallest_size": 0.5}, ["smallest_size has no effect without sizes: progressive"]),
    ({"full_size_at": 0.5}, ["full_size_at has no effect without sizes: progressive"]),
    ({"full_size_at": 0.0, "sizes": "progressive", "net": POOLED}, ["whole from the beginning"]),
    ({"smallest_size": 1.0, "sizes": "progressive", "net": POOLED}, ["every size is the full one"]),
    ({"sizes": "progressive"}, ["takes images of any size", "globalavgpool in place of flatten"]),
    ({"bias_rate": 8.0, "net": "flatten > dense classes"}, ["without normalisation that learns a shift"]),
    ({"optimizer": "muon", "net": "conv 4 3 > flatten > dense classes"}, ["muon has nothing to move"]),
    ({"init": "dirac", "net": "flatten > dense classes"}, ["without convolutions"]),
    ({"whiten": True, "net": "flatten > dense classes"}, ["does not begin with one", "flatten1 (flatten)"]),
    ({"whiten": True, "net": "conv 9 2 > relu > flatten > dense classes"}, ["9 filters", "write: filters: 8"]),
    ({"whiten": True, "net": "conv 4 2 dilation=2 > relu > flatten > dense classes"}, ["without groups and dilation"]),
    ({"momentum": 0.9, "optimizer": "adam"}, ["momentum has no effect on adam", "optimizer: sgd or muon"]),
    ({"warmup": 0.1, "schedule": "cosine"}, ["needs: schedule: one-cycle or triangular"]),
]


@pytest.mark.parametrize(("options", "words"), IDLE)
def test_options_without_effect_are_refused(
    options: dict[str, Any], words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = refused(**options)
    for word in words:
        assert word in told
    assert not (tmp_path / "unwritten").exists(), "before anything is written"
