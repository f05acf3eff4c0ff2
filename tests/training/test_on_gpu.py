"""The same trainings on a real GPU: near the processor's numbers, exact where it goes on, and nothing kept behind."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from striate.errors import InterruptedRun
from striate.training import TrainedRun, make_recipe, open_trained, resume
from striate.training.bench import bench
from striate.training.devices import machine_name
from striate.training.events import Event, Note, StepDone
from striate.training.probe import Question, measured
from training.samples import make_dataset, quick_run
from training.test_on_pretended_cuda import DROPPING, MIXED, MOVES, OPTIONS

pytestmark = pytest.mark.gpu
#: fp32 on both sides, in another order of summation, over a few updates.
NEAR = 2e-3


@pytest.fixture(autouse=True)
def gpu() -> Iterator[None]:
    if "STRIATE_TEST_GPU" not in os.environ or not torch.cuda.is_available():
        pytest.skip("needs CUDA; write: STRIATE_TEST_GPU=1 pytest -m gpu")
    yield
    gc.collect()
    torch.cuda.empty_cache()


def trained(runs: Path, **options: Any) -> TrainedRun:
    task, shape = options.pop("task", "classes"), options.pop("shape", (1, 6, 6))
    return quick_run(runs, make_dataset(task, shape=shape), **{"batch": 10, "seed": 3, **options})


def weights(run: TrainedRun) -> dict[str, torch.Tensor]:
    return load_file(run.folder.last_weights)


# Dropout draws other masks there; momentum, not Adam, because Adam turns rounding of tiny gradients into whole steps.
@pytest.mark.parametrize("name", [name for name in OPTIONS if name not in ("dropout, moved, coloured",)])
def test_a_training_is_near_that_of_the_processor(tmp_path: Path, name: str) -> None:
    options = {**OPTIONS[name], "learning_rate": 1e-3}
    if options.get("optimizer") not in ("muon",):
        options["optimizer"] = "sgd"
    processor, device = (trained(tmp_path / place, device=place, **options) for place in ("cpu", "cuda"))
    assert device.record.resolved["device"] == "cuda:0"
    ours, theirs = weights(device), weights(processor)
    apart = {key: float((ours[key].float() - theirs[key].float()).abs().max()) for key in theirs}
    assert {key: value for key, value in apart.items() if not value < NEAR} == {}
    losses = [float(run.record.results["val_loss"] or 0.0) for run in (device, processor)]
    assert losses[0] == pytest.approx(losses[1], rel=NEAR, abs=NEAR)


@pytest.mark.parametrize("options", [{}, {"precision": "bf16"}, {"average": "ema"}, MIXED])
def test_it_goes_on_to_the_last_bit(tmp_path: Path, options: dict[str, Any]) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, StepDone) and (event.epoch, event.step) == (2, 2):
            signal.raise_signal(signal.SIGINT)

    given = {"epochs": 3, "net": DROPPING, "deterministic": True, "device": "cuda", **MOVES, **options}
    whole = trained(tmp_path / "whole", **given)
    with pytest.raises(InterruptedRun):
        trained(tmp_path / "runs", listen=stop, **given)
    torch.cuda.manual_seed_all(99)
    before = torch.cuda.get_rng_state_all()
    run = resume(next(path for path in (tmp_path / "runs").iterdir() if not path.is_symlink()), make_dataset())
    assert all(torch.equal(*pair) for pair in zip(before, torch.cuda.get_rng_state_all(), strict=True))
    for name in ("best", "last"):
        first, second = (one.folder.weights / f"{name}.safetensors" for one in (run, whole))
        assert first.read_bytes() == second.read_bytes(), name


def test_the_same_again_is_the_same(tmp_path: Path) -> None:
    given = {"net": DROPPING, "deterministic": True, "device": "cuda", **MOVES}
    first, second = (trained(tmp_path / name, **given) for name in ("one", "two"))
    assert first.folder.last_weights.read_bytes() == second.folder.last_weights.read_bytes()


def test_images_on_the_processor_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"deterministic": True, "device": "cuda", **MOVES, **MIXED}
    resident = trained(tmp_path / "resident", **given)
    monkeypatch.setattr("striate.training.placing.RESIDENT", 0.0)
    copied = trained(tmp_path / "copied", **given)
    assert resident.folder.last_weights.read_bytes() == copied.folder.last_weights.read_bytes()


def test_auto_is_the_gpu_and_the_arithmetic_says_so(tmp_path: Path) -> None:
    told: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            told.append(event.text)

    run = trained(tmp_path, listen=listen)
    name = machine_name(torch.device("cuda", 0))
    assert any(line.startswith(f"arithmetic: cuda:0 ({name}), ") for line in told)
    opened = open_trained("latest", root=tmp_path)
    split = make_dataset().test
    assert split is not None
    assert opened.evaluate(split, "test").loss == pytest.approx(run.folder.evaluation("test").loss, rel=NEAR)


def test_the_probe_and_the_bench() -> None:
    from striate.backend import build_module
    from striate.sources import load
    from striate.training.losses import make_loss
    from striate.training.plan import make_plan

    graph, dataset = load("conv 8 3 > relu > flatten > dense 3", input=(1, 6, 6)), make_dataset()
    recipe = make_recipe({"time": "10m", "compile": "off", "device": "cuda"})
    loss = make_loss(recipe, "classes", dataset.classes, {})[1]
    plan = make_plan(recipe, graph, dataset)
    decision = measured(Question(recipe, plan, graph, build_module(graph).to(plan.device), dataset, loss))
    assert "bf16" in decision.tried
    report = bench(graph, batch=8, seconds=0.5, device="cuda")
    assert report.device == "cuda:0"
    assert all(row.seconds for row in report.rows)
    assert all(row.difference is None or row.difference < 0.05 for row in report.rows)
