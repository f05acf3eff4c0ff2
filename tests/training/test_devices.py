"""Which device computes: what may be asked for, what is refused and how, and what a run keeps of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from striate.backend import build_module
from striate.errors import InterruptedRun, RunError, UsageError
from striate.sources import load
from striate.training import make_recipe, probe_cache, resume
from striate.training.devices import CPU, device_of, find_device, find_device_again, free_memory, machine_name
from striate.training.events import Event, Note, StepDone
from striate.training.kernels import kernels_as
from striate.training.losses import make_loss
from striate.training.memory_short import out_of_memory
from striate.training.plan import make_plan
from striate.training.probe import Question, as_decided
from striate.training.processors import processor_name
from striate.training.stored_plan import stored_plan
from striate.training.usual_setting import expected_seconds
from training.pretended_cuda import NAME, pretended_cuda
from training.samples import make_dataset, quick_run

CUDA = torch.device("cuda", 0)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Say what torch says of a machine."""

    def has(cuda: int = 0, mps: bool = False) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return has


@pytest.mark.parametrize(
    ("cuda", "mps", "asked", "found"),
    [
        (0, False, "auto", "cpu"),
        (1, False, "auto", "cuda:0"),
        (0, True, "auto", "cpu"),
        (1, True, "auto", "cuda:0"),
        (2, True, "cpu", "cpu"),
        (2, False, "cuda", "cuda:0"),
        (2, False, "cuda:1", "cuda:1"),
        (0, True, "mps", "mps"),
    ],
)
def test_the_device_that_is_asked_for(
    machine: Callable[..., None], cuda: int, mps: bool, asked: str, found: str
) -> None:
    machine(cuda, mps)
    assert find_device(asked) == torch.device(found)


@pytest.mark.parametrize(
    ("cuda", "asked", "told"),
    [
        (0, "cuda", ["device: there is no CUDA device that torch can use here", "device: cuda, and torch", "NVIDIA"]),
        (0, "cuda:1", ["no CUDA device", "device: cuda:1", "write: device: cpu, or device: auto"]),
        (2, "cuda:2", ["there is no device cuda:2", "cuda:0 to cuda:1, which this machine has", "device: cuda:1"]),
        (1, "cuda:9", ["there is no device cuda:9", "needs: cuda:0, which this machine has", "write: device: cuda:0"]),
        (2, "mps", ["there is no MPS device that torch can use here", "a Mac with Apple silicon"]),
        (2, "tpu", ["this is no device", "needs: auto, cpu, cuda, cuda:N or mps"]),
    ],
)
def test_a_device_that_is_not_there(machine: Callable[..., None], cuda: int, asked: str, told: list[str]) -> None:
    machine(cuda)
    with pytest.raises(UsageError) as raised:
        find_device(asked)
    assert [text for text in told if text not in str(raised.value)] == []


@pytest.mark.parametrize("value", ["gpu", "cuda:", "cuda:x", "cuda:1234", "cpu:0", 1, True, "", None])
def test_what_is_no_device(value: object) -> None:
    with pytest.raises(UsageError, match="the option 'device' cannot have this value") as raised:
        make_recipe({"device": value})
    assert "auto, cpu, cuda, cuda:N or mps" in str(raised.value)


def test_names_are_read_whatever_their_case() -> None:
    assert make_recipe({"device": " CUDA:1 "}).device == "cuda:1"


def test_a_training_on_what_is_not_there_writes_nothing(tmp_path: Path, machine: Callable[..., None]) -> None:
    machine()
    with pytest.raises(UsageError, match="there is no CUDA device"):
        quick_run(tmp_path / "runs", device="cuda")
    assert not (tmp_path / "runs").exists()


def stopped(runs: Path, **options: Any) -> Path:
    def stop(event: Event) -> None:
        if isinstance(event, StepDone):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(InterruptedRun):
        quick_run(runs, listen=stop, **options)
    return next(path for path in runs.iterdir() if not path.is_symlink())


def test_a_run_goes_on_where_it_was_or_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pretended_cuda(monkeypatch):
        folder = stopped(tmp_path)
    before = (folder / "run.json").read_bytes()
    with pytest.raises(RunError) as raised:
        resume(folder, make_dataset())
    told = str(raised.value)
    assert "this run was trained on cuda:0, and resuming is exact: no other device has the same rounding" in told
    assert f"{folder / 'run.json'}: resolved.device" in told
    assert "there is no CUDA device that torch can use here" in told
    assert "striate train --device auto begins a new run here" in told
    assert (folder / "run.json").read_bytes() == before
    with pretended_cuda(monkeypatch):
        resume(folder, make_dataset())


def test_another_gpu_goes_on_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pretended_cuda(monkeypatch):
        folder = stopped(tmp_path, device="cuda:1")
    monkeypatch.setattr("training.pretended_cuda.NAME", "Another GPU")
    told: list[str] = []
    with pretended_cuda(monkeypatch), monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "device_count", lambda: 1)
        run = resume(folder, make_dataset(), listen=lambda e: told.append(e.text) if isinstance(e, Note) else None)
    assert run.record.resolved["device"] == "cuda:1"
    (line,) = [line for line in told if "goes on on" in line]
    assert NAME in line
    assert "Another GPU" in line
    assert line.endswith("perhaps not to the last bit as before")


def test_a_run_of_the_processor_goes_on_there_although_there_is_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stopped(tmp_path, device="auto")
    with pretended_cuda(monkeypatch):
        run = resume(folder, make_dataset())
    assert run.record.resolved["device"] == "cpu"
    assert run.record.status == "done"


def test_runs_from_before_there_was_a_choice_were_trained_on_the_processor(tmp_path: Path) -> None:
    resolved = dict(quick_run(tmp_path, device="cpu").record.resolved)
    assert resolved.pop("device") == "cpu"
    assert stored_plan(resolved, 48, "run.json")[0].device == CPU
    assert "device" not in as_decided(resolved)


def test_the_number_of_a_gpu_that_is_gone(machine: Callable[..., None]) -> None:
    machine(2)
    assert find_device_again("cuda:1", "run.json") == torch.device("cuda", 1)
    machine(1)
    assert find_device_again("cuda:1", "run.json") == CUDA
    assert find_device_again("cpu", "run.json") == CPU
    with pytest.raises(RunError, match="was trained on mps"):
        find_device_again("mps", "run.json")
    with pytest.raises(RunError, match="was trained on abacus"):
        find_device_again("abacus", "run.json")


def test_what_the_probe_decided_holds_for_one_kind_of_device(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, graph = make_dataset(), load("conv 4 3 > flatten > dense 3", input=(1, 6, 6))

    def question(**options: Any) -> Question:
        recipe = make_recipe({"threads": 1, "batch": 16, "epochs": 5, **options})
        loss = make_loss(recipe, "classes", dataset.classes, {})[1]
        return Question(recipe, make_plan(recipe, graph, dataset), graph, build_module(graph), dataset, loss)

    processor = question()
    path = probe_cache.decision_file(processor)
    with pretended_cuda(monkeypatch):
        device = question()
        assert probe_cache.decision_file(device) == probe_cache.decision_file(question(device="cuda:1")) != path
        assert probe_cache.decision_file(question(device="cpu")) == path
        monkeypatch.setattr("training.pretended_cuda.NAME", "Another GPU")
        other = probe_cache.decision_file(device)
    with pretended_cuda(monkeypatch):
        assert probe_cache.decision_file(device) not in (path, None)
    assert other != path
    slow, fast = (expected_seconds(one.plan, graph, 48) for one in (processor, device))
    assert slow > fast


def settings() -> tuple[object, ...]:
    cudnn = torch.backends.cudnn
    return (
        cudnn.allow_tf32,
        cudnn.benchmark,
        cudnn.deterministic,
        cudnn.conv.fp32_precision,  # type: ignore[attr-defined]
        torch.backends.cuda.matmul.fp32_precision,
        torch.backends.cuda.matmul.allow_tf32,
        torch.get_float32_matmul_precision(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    )


@pytest.mark.parametrize("outside", ["usual", "fast"])
def test_fp32_is_fp32_on_cuda_and_the_caller_keeps_his_settings(outside: str) -> None:
    try:
        if outside == "fast":
            torch.backends.cudnn.benchmark = True
            torch.set_float32_matmul_precision("high")
        before = settings()
        with kernels_as(CUDA, deterministic=True):
            assert settings() == (False, False, True, "ieee", "ieee", False, "highest", True, False, ":4096:8")
        assert settings() == before
        with kernels_as(CUDA, deterministic=False):
            assert not torch.are_deterministic_algorithms_enabled()
            assert not torch.backends.cudnn.allow_tf32
        with kernels_as(CPU, deterministic=True):
            assert settings() == before
    finally:
        torch.backends.cudnn.benchmark = False
        torch.set_float32_matmul_precision("highest")


def test_a_layer_without_a_deterministic_kernel() -> None:
    said = "adaptive_avg_pool2d_backward_cuda does not have a deterministic implementation, but you set"
    with pytest.raises(UsageError) as raised, kernels_as(CUDA, deterministic=True):
        raise RuntimeError(said)
    assert "a layer of this network has no kernel on CUDA that gives the same bits every time" in str(raised.value)
    assert "adaptive_avg_pool2d_backward_cuda" in str(raised.value)
    with pytest.raises(RuntimeError, match="something else"), kernels_as(CUDA, deterministic=True):
        raise RuntimeError("something else")


@pytest.mark.parametrize(
    "said",
    [
        "CUDA error: out of memory",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "MPS backend out of memory (MPS allocated: 8.00 GB, other allocations: 1.00 GB, max allowed: 9.07 GB)",
    ],
)
def test_how_devices_say_that_memory_ran_out(said: str) -> None:
    assert out_of_memory(RuntimeError(said))
    assert out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"))


def test_the_processor_is_what_it_was() -> None:
    assert machine_name(CPU) == processor_name()
    assert device_of(torch.nn.ReLU()) == device_of(torch.nn.Linear(1, 1)) == CPU
    assert free_memory(CPU) > 0


def test_room_on_a_device_is_that_of_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = load("conv 64 3 same > relu > conv 64 3 same > globalavgpool > dense 3", input=(1, 64, 64))
    dataset = make_dataset(shape=(1, 64, 64))
    with pretended_cuda(monkeypatch) as cuda:
        assert make_plan(make_recipe({"batch": 32}), graph, dataset).parts == 1
        cuda.free = 40 * 1024**2
        plan = make_plan(make_recipe({"batch": 32}), graph, dataset)
    assert plan.parts > 1
    assert "a step with 32 images needs about" in plan.notes[0]
    assert plan.device == CUDA
