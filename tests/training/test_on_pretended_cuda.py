"""Whole trainings on a pretended GPU: nothing stays behind on the processor, and the numbers are the processor's."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from striate.backend import build_module
from striate.errors import DivergedError, InterruptedRun
from striate.sources import load
from striate.training import TrainedRun, make_recipe, open_trained, placing, probe, range_test, resume, running
from striate.training.autopsy import replay
from striate.training.bench import bench
from striate.training.events import Event, Note, StepDone
from striate.training.job import Job
from striate.training.placing import Placed
from training.pretended_cuda import NAME, PretendedCuda, pretended_cuda, pretended_mps
from training.samples import NET, make_dataset, quick_run

MOVES = {"flip": "alternating", "shift": 1, "shift_fill": "zero", "crop": 0.8, "rotate": 20.0, "scale": 0.1}
COLOURS = {"color": 0.3, "hue": 0.1, "randaugment": 3, "magnitude": 9.0, "cutout": 2}
MIXED = {"mixup": 0.4, "cutmix": 1.0, "mix_share": 0.7}
DROPPING = "conv 4 3 same > batchnorm > relu > dropout 0.5 > maxpool 2 > flatten > dense classes"
DEEP = "conv 6 2 > relu > conv 4 3 same > batchnorm > relu > conv 4 3 same > relu > flatten > dense classes"
POOLED = "conv 6 2 > relu > conv 4 3 same > batchnorm > relu > globalmaxpool > dense classes"
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "dropout, moved, coloured": {**MOVES, **COLOURS, "net": DROPPING, "shape": (3, 6, 6)},
    "mixed": {**MIXED, **COLOURS, "shape": (3, 6, 6), "class_weights": {"cat": 2.0}},
    "sgd, balanced, constrained": {
        "optimizer": "sgd",
        "class_weights": "balanced",
        "label_smoothing": 0.1,
        "clip": 0.5,
        "l1": 0.001,
        "max_norm": 1.0,
    },
    "muon, whitened, averaged": {
        "optimizer": "muon",
        "whiten": True,
        "max_norm": 1.0,
        "average": "lookahead",
        "tta": "flip-shift",
        "bias_rate": 8.0,
        "net": DEEP,
    },
    "progressive, ema": {"sizes": "progressive", "average": "ema", "average_decay": 0.5, "net": POOLED},
    "adam, contiguous, not rewritten": {"optimizer": "adam", "layout": "contiguous", "rewrites": "off"},
    "tags": {"task": "tags", "mixup": 0.5},
    "values": {"task": "values", "optimizer": "sgd"},
    "other loss": {"loss": "binary-cross-entropy"},
}


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendedCuda]:
    with pretended_cuda(monkeypatch) as pretended:
        yield pretended


def trained(runs: Path, **options: Any) -> TrainedRun:
    task, shape = options.pop("task", "classes"), options.pop("shape", (1, 6, 6))
    return quick_run(runs, make_dataset(task, shape=shape), **{"batch": 10, "seed": 3, **options})


def results(run: TrainedRun) -> dict[str, Any]:
    times = {"seconds", "images_per_second", "checkpoint_seconds"}
    return {name: value for name, value in run.record.results.items() if name not in times}


def assert_same(ours: TrainedRun, theirs: TrainedRun) -> None:
    for name in ("best", "last"):
        first, second = (load_file(run.folder.weights / f"{name}.safetensors") for run in (ours, theirs))
        assert first.keys() == second.keys()
        assert [key for key in first if not torch.equal(first[key], second[key])] == [], name
    assert results(ours) == results(theirs)


# The pretence itself: it has to fail where CUDA fails.


def test_what_is_on_both_sides_does_not_meet(cuda: PretendedCuda) -> None:
    host, there = torch.ones(2, 3), torch.ones(2, 3).to("cuda")
    assert (there + 1).device == (there * torch.tensor(2.0)).device == torch.zeros(1, device="cuda").device
    assert (there.device.type, host.device.type, there.cpu().device.type) == ("cuda", "cpu", "cpu")
    for meet in (lambda: there + host, lambda: host @ there.T, lambda: there[torch.tensor([0])]):
        with pytest.raises(RuntimeError, match="on the same device"):
            meet()
    with pytest.raises(TypeError, match="can't convert cuda:0"):
        there.numpy()
    host.copy_(there)
    assert host.device.type == "cpu"
    module = torch.nn.Linear(3, 2).to("cuda")
    module(there).sum().backward()  # type: ignore[no-untyped-call]
    assert module.weight.grad is not None
    assert module.weight.grad.device.type == "cuda"
    with pytest.raises(RuntimeError, match="on the same device"):
        module(host)


def test_mps_has_no_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    with pretended_mps(monkeypatch), pytest.raises(TypeError, match="float64"):
        torch.ones(2).to("mps").double()


def test_the_device_draws_from_its_own_generator(cuda: PretendedCuda) -> None:
    before = torch.get_rng_state()
    torch.nn.functional.dropout(torch.ones(9).to("cuda"))
    assert torch.equal(torch.get_rng_state(), before)
    own = cuda.generators[0].get_state()
    torch.nn.functional.dropout(torch.ones(9))
    assert torch.equal(cuda.generators[0].get_state(), own)


def forgotten_images(placed: Placed, picked: torch.Tensor) -> torch.Tensor:
    return placed.images[picked].cpu()


def forgotten_labels(images: torch.Tensor, labels: torch.Tensor, device: torch.device) -> Placed:
    return Placed(images.to(device), labels, device)


FORGOTTEN: dict[str, Any] = {
    "some": forgotten_images,
    "of": staticmethod(forgotten_labels),
    "draws": lambda placed, draws: draws,
    "places": lambda placed, picked: picked,
}


@pytest.mark.parametrize("step", FORGOTTEN)
def test_what_is_forgotten_is_found(
    cuda: PretendedCuda, step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Placed, step, FORGOTTEN[step])
    with pytest.raises(RuntimeError, match="on the same device"):
        trained(tmp_path, **MOVES, device="cuda")


def test_augmenting_on_mps_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placing, "_making", lambda device: device)
    with pretended_mps(monkeypatch), pytest.raises(TypeError, match="float64"):
        trained(tmp_path, device="mps", color=0.3)


# Whole trainings.


@pytest.mark.parametrize("name", OPTIONS)
def test_a_training_has_the_numbers_of_the_processor(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor = trained(tmp_path / "processor", device="cpu", **OPTIONS[name])
    with pretended_cuda(monkeypatch):
        run = trained(tmp_path / "device", **OPTIONS[name])
    assert_same(run, processor)
    assert run.record.resolved["device"] == "cuda:0"
    assert NAME in str(run.record.resolved["device_name"])
    assert processor.record.resolved["device"] == "cpu"


@pytest.mark.parametrize("name", OPTIONS)
def test_mps_has_them_too_without_float64(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its usual memory order is another one."""
    options = {"layout": "contiguous", **OPTIONS[name]}
    processor = trained(tmp_path / "processor", device="cpu", **options)
    with pretended_mps(monkeypatch):
        run = trained(tmp_path / "device", **{**OPTIONS[name], "device": "mps"})
    assert_same(run, processor)
    assert (run.record.resolved["device"], run.record.resolved["layout"]) == ("mps", "contiguous")


def test_images_that_do_not_fit_are_copied_batch_by_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = {**MOVES, **MIXED, "net": DROPPING}
    processor = trained(tmp_path / "processor", device="cpu", **options)
    size = make_dataset().train.images.nbytes
    with pretended_cuda(monkeypatch) as cuda:
        cuda.free = math.ceil(size / placing.RESIDENT) - 1
        monkeypatch.setattr("striate.training.memory_room.free_memory", lambda device: 1 << 40)
        run = trained(tmp_path / "device", **options)
        placed = Placed.of(torch.zeros(size, dtype=torch.uint8), torch.zeros(1), torch.device("cuda", 0))
        assert (placed.images.device.type, placed.labels.device.type) == ("cpu", "cuda")
        cuda.free += 1
        placed = Placed.of(torch.zeros(size, dtype=torch.uint8), torch.zeros(1), torch.device("cuda", 0))
        assert placed.images.device.type == "cuda"
    assert_same(run, processor)


@pytest.mark.parametrize("name", ["dropout, moved, coloured", "muon, whitened, averaged", "progressive, ema"])
def test_it_goes_on_to_the_last_bit(tmp_path: Path, name: str, cuda: PretendedCuda) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, StepDone) and (event.epoch, event.step) == (2, 2):
            signal.raise_signal(signal.SIGINT)

    options = {"epochs": 3, **OPTIONS[name]}
    whole = trained(tmp_path / "whole", **options)
    with pytest.raises(InterruptedRun):
        trained(tmp_path / "runs", listen=stop, **options)
    folder = next(path for path in (tmp_path / "runs").iterdir() if not path.is_symlink())
    tensors = load_file(max((folder / "checkpoint").glob("*.safetensors")))
    assert {key for key in tensors if key.startswith("random.")} == {"random.cpu", "random.cuda"}
    for generator in cuda.generators:
        generator.manual_seed(99)
    states = [generator.get_state() for generator in cuda.generators]
    run = resume(folder, make_dataset(shape=options.get("shape", (1, 6, 6))))
    assert_same(run, whole)
    # The caller's generators stand where they stood.
    assert all(torch.equal(g.get_state(), state) for g, state in zip(cuda.generators, states, strict=True))


def test_a_batch_in_parts_when_the_memory_of_the_device_runs_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuda: PretendedCuda
) -> None:
    def forward(job: Job) -> Callable[[torch.Tensor], torch.Tensor]:
        def call(images: torch.Tensor) -> torch.Tensor:
            if len(images) > 5:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return job.module(images)  # type: ignore[no-any-return]

        return call

    monkeypatch.setattr(Job, "forward", property(forward))
    released: list[None] = []
    told: list[str] = []
    net = "conv 4 3 same > relu > dropout 0.5 > flatten > dense classes"
    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "empty_cache", lambda: released.append(None))
        trained(tmp_path, net=net, listen=lambda event: told.append(str(event)))
    assert released == [None]
    assert any("memory ran out with 10 images at once" in line for line in told)


def test_an_autopsy_is_on_the_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuda: PretendedCuda) -> None:
    module: list[torch.nn.Module] = []

    def catch(*arguments: Any, **options: Any) -> torch.nn.Module:
        module.append(build_module(*arguments, **options))
        return module[-1]

    def plant(event: Event) -> None:
        if isinstance(event, StepDone) and (event.epoch, event.step) == (2, 1):
            with torch.no_grad():
                module[0].get_parameter("dense1.weight").view(-1)[0] = math.inf

    monkeypatch.setattr(running, "build_module", catch)
    with pytest.raises(DivergedError) as raised:
        trained(tmp_path, listen=plant, rewrites="off")
    assert "before this step dense1.weight held a number that is not finite" in str(raised.value)
    replay(open_trained("latest", root=tmp_path).folder.path)


def test_the_probe_measures_on_the_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cuda: PretendedCuda) -> None:
    monkeypatch.setattr(probe, "SHORT", 0.0)
    monkeypatch.setattr(probe, "SHARE", 1000.0)
    monkeypatch.setattr(probe, "COMPILING", math.inf)
    monkeypatch.setattr(probe, "may_have_bf16", lambda: pytest.fail("the processor's bf16 does not matter"))
    told: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            told.append(event.text)

    trained(tmp_path, threads=None, probe="again", listen=listen)
    (measured,) = [line for line in told if line.startswith("probe: ")]
    assert cuda.waits > 0
    assert "contiguous" in measured
    assert "bf16 not tried, this device has none" in measured
    assert any(line.startswith(f"arithmetic: cuda:0 ({NAME}, compute capability 9.0), fp32, ") for line in told)


def test_the_range_test_and_the_bench(cuda: PretendedCuda) -> None:
    found = range_test.find_learning_rate(NET, make_dataset(), make_recipe({"threads": 1, "device": "cuda"}), steps=20)
    assert len(found.losses) > 10
    waits = cuda.waits
    report = bench(load("conv 4 3 > relu > maxpool 2 > flatten > dense 3", input=(1, 8, 8)), batch=4, seconds=0.0)
    assert (report.device, report.machine) == ("cuda:0", f"{NAME}, compute capability 9.0")
    assert all(row.seconds for row in report.rows)
    assert cuda.waits >= waits + 2 * 5 * len(report.rows)


def test_a_run_from_a_device_is_used_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pretended_cuda(monkeypatch):
        run = trained(tmp_path)
    opened = open_trained("latest", root=tmp_path)
    assert next(opened.module.parameters()).device.type == "cpu"
    split = make_dataset().test
    assert split is not None
    assert opened.evaluate(split, "test") == run.folder.evaluation("test")
