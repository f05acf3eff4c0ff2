"""When memory is short: fewer images at once, and the same training."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from striate.analysis.memory_report import memory
from striate.backend import build_module
from striate.errors import InterruptedRun, UsageError
from striate.graph import network
from striate.sources import load
from striate.training import make_recipe, memory_room, resume, train
from striate.training.accumulation import Gradients
from striate.training.events import Event, Note
from striate.training.interruption import Interruption
from striate.training.job import Job
from striate.training.losses import Loss, make_loss
from striate.training.memory_room import room_for
from striate.training.settings import Setting
from striate.training.spent import Spent
from training.samples import make_dataset, quick_run

NAMES = ("cat", "dog", "eel")
PLAIN = "conv 4 3 same > relu > maxpool 2 > flatten > dense classes"
NORMALISED = "conv 4 3 same > batchnorm > relu > flatten > dense classes"
SAID = "[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."
GIB = 1024**3


def short(monkeypatch: pytest.MonkeyPatch, most: int, error: Exception | None = None) -> list[int]:
    """Every forward pass with more images than ``most`` fails; how many images each one got."""
    seen: list[int] = []
    error = error or RuntimeError(SAID)
    monkeypatch.setattr(Job, "forward", property(lambda job: _failing(job.module, most, error, seen)))
    return seen


def _failing(module: torch.nn.Module, most: int, error: Exception, seen: list[int]) -> Any:
    def forward(images: torch.Tensor) -> torch.Tensor:
        seen.append(len(images))
        if len(images) > most:
            raise error
        outputs: torch.Tensor = module(images)
        return outputs

    return forward


def weights_of(run: Any) -> dict[str, torch.Tensor]:
    return load_file(run.folder.last_weights)


@pytest.mark.parametrize(
    "error", [RuntimeError(SAID), MemoryError(), torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")]
)
def test_a_batch_that_does_not_fit_is_taken_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    plain = quick_run(tmp_path, net=PLAIN, epochs=3, batch=16)
    seen, notes = short(monkeypatch, 5, error), []
    divided = quick_run(tmp_path, net=PLAIN, epochs=3, batch=16, listen=notes.append)
    # 16 fails, two parts of 8 fail, four parts of 4 fit; the other 8 updates are taken in four parts at once.
    assert seen == [16, 8, *[4] * (9 * 4)]
    for name, tensor in weights_of(divided).items():
        torch.testing.assert_close(tensor, weights_of(plain)[name], rtol=1e-4, atol=1e-5)
    told = [note.text for note in notes if isinstance(note, Note) and "memory ran out" in note.text]
    assert told == [
        "memory ran out with 16 images at once; from here on an update takes its 16 images in 2 parts of at most 8 and"
        " adds up their gradients, which is the same mean",
        "memory ran out with 8 images at once; from here on an update takes its 16 images in 4 parts of at most 4 and"
        " adds up their gradients, which is the same mean",
    ]


def test_failing_in_the_backward_pass_leaves_no_gradient_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = quick_run(tmp_path, net=PLAIN, batch=16)
    real, calls = torch.autograd.backward, []

    def backward(loss: torch.Tensor) -> None:
        real(loss)
        calls.append(loss)
        if len(calls) in (1, 3):  # with the gradients already written
            raise RuntimeError(SAID)

    class Torch:
        """torch, with a backward pass of its own."""

        autograd = SimpleNamespace(backward=backward)

        def __getattr__(self, name: str) -> Any:
            return getattr(torch, name)

    monkeypatch.setattr("striate.training.accumulation.torch", Torch())
    divided = quick_run(tmp_path, net=PLAIN, batch=16)
    for name, tensor in weights_of(divided).items():
        torch.testing.assert_close(tensor, weights_of(plain)[name], rtol=1e-4, atol=1e-5)


def test_batch_normalisation_is_never_computed_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short(monkeypatch, 15)
    with pytest.raises(UsageError) as caught:
        quick_run(tmp_path, net=NORMALISED, batch=16)
    assert str(caught.value) == (
        "a batch of 16: memory ran out, and with batch normalisation a batch cannot be computed in parts: its"
        " statistics, and with them the training, would be others\n"
        f"  got:   {SAID}\n"
        "  needs: a smaller batch, smaller images, or a network without batch normalisation\n"
        "  write: --batch 8"
    )


def test_one_image_that_does_not_fit_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = short(monkeypatch, 0)
    with pytest.raises(UsageError, match="memory ran out with a single image"):
        quick_run(tmp_path, net=PLAIN, batch=6)
    assert seen == [6, 3, 2, 1]


def test_other_errors_are_not_taken_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = short(monkeypatch, 5, RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        quick_run(tmp_path, net=PLAIN, batch=16)
    assert seen == [16]


def test_dropout_is_told_and_reproducible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = "conv 4 3 > relu > dropout 0.5 > flatten > dense classes"
    short(monkeypatch, 8)
    notes: list[Event] = []
    runs = [quick_run(tmp_path, net=net, batch=16, listen=notes.append) for _ in range(2)]
    assert any("; dropout draws other masks" in note.text for note in notes if isinstance(note, Note))
    ours, theirs = map(weights_of, runs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_parts_belong_to_the_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = short(monkeypatch, 8)
    recipe, dataset = make_recipe({"epochs": 3, "batch": 16, "threads": 1}), make_dataset()
    straight = train(PLAIN, dataset, recipe, folder=tmp_path / "straight")
    interruption = Interruption()

    def stop(event: Event) -> None:
        interruption.requested = interruption.requested or getattr(event, "step", 0) == 2

    with pytest.raises(InterruptedRun):
        train(PLAIN, dataset, recipe, folder=tmp_path / "stopped", listen=stop, interruption=interruption)
    seen.clear()
    resumed = resume(tmp_path / "stopped", dataset)
    assert set(seen) == {8}  # it does not run into the same wall again
    ours, theirs = weights_of(resumed), weights_of(straight)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize(
    "options", [{}, {"class_weights": {"cat": 5.0, "dog": 0.25}, "label_smoothing": 0.2}, {"loss": "mse"}]
)
def test_parts_add_up_to_the_gradient_of_the_mean(options: dict[str, Any], mixed: bool) -> None:
    """In float64, where rounding cannot hide a wrong weight; 7 images in 3 parts are 3, 2 and 2."""
    graph = load(PLAIN, input=(1, 6, 6), classes=3)
    loss = make_loss(make_recipe(options), "classes", NAMES, {})[1]
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(7, 1, 6, 6, generator=generator, dtype=torch.float64)
    labels = torch.tensor([0, 0, 0, 1, 1, 2, 1])
    target = torch.rand(7, 3, generator=generator, dtype=torch.float64).softmax(1).float() if mixed else labels
    found = []
    for parts in (1, 3, 7, 50):
        module = build_module(graph, seed=4).double()
        wide = Loss(lambda outputs, labels: loss.mean(outputs.double(), labels), loss.class_weights)
        job: Any = SimpleNamespace(module=module, forward=module, loss=wide, dtype=torch.float32, graph=graph)
        # Gradients casts outputs to float32 as autocast needs it; so compare what is left of 24 bits.
        history: Any = SimpleNamespace(parts=parts, spent=Spent())
        value, outputs = Gradients(job, history, lambda event: None)(images, target)
        found.append((value, outputs, torch.cat([p.grad.flatten() for p in module.parameters() if p.grad is not None])))
    for value, outputs, gradient in found[1:]:
        assert value == pytest.approx(found[0][0], rel=1e-6)
        torch.testing.assert_close(outputs, found[0][1])
        torch.testing.assert_close(gradient, found[0][2], rtol=1e-5, atol=1e-8)
    if not options and not mixed:
        module = build_module(graph, seed=4).double()
        expected = torch.autograd.grad(F.cross_entropy(module(images), labels), list(module.parameters()))
        torch.testing.assert_close(found[1][2], torch.cat([one.flatten() for one in expected]), rtol=1e-5, atol=1e-8)


# Before the first step

BIG = network("big", (3, 64, 64), 10).conv(32, 3, padding="same").relu().globalavgpool().dense(10).build()
BIG_NORM = network("big", (3, 64, 64), 10).conv(32, 3, padding="same").batchnorm().globalavgpool().dense(10).build()


def peak(graph: Any, batch: int) -> int:
    return memory(graph, batch).training_peak.bytes


def free(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(memory_room, "available_memory", lambda: count)


def test_what_fits_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, peak(BIG, 128))
    assert room_for(BIG, make_recipe({}), 128) == memory_room.Room(128)


def test_a_batch_of_our_own_is_made_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, peak(BIG, 50))
    room = room_for(BIG, make_recipe({}), 128)
    assert (room.batch, room.parts) == (32, 1)
    assert room.notes[0].endswith("are free; the batch is 32")
    assert peak(BIG, 32) <= peak(BIG, 50) < peak(BIG, 64)


def test_a_batch_that_was_asked_for_is_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, peak(BIG, 50))
    room = room_for(BIG, make_recipe({"batch": 128}), 128)
    assert (room.batch, room.parts) == (128, 4)
    assert "in 4 parts and adds up their gradients" in room.notes[0]
    assert peak(BIG, -(-128 // room.parts)) <= peak(BIG, 50)


def test_with_batch_normalisation_it_is_only_said(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, peak(BIG_NORM, 50))
    room = room_for(BIG_NORM, make_recipe({"batch": 128}), 128)
    assert (room.batch, room.parts) == (128, 1)
    assert "--batch 32 fits; with batch normalisation a batch cannot be computed in parts" in room.notes[0]
    free(monkeypatch, peak(BIG_NORM, 5))
    assert room_for(BIG_NORM, make_recipe({}), 128).batch == 4


def test_what_never_fits_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    free(monkeypatch, 1000)
    room = room_for(BIG, make_recipe({}), 128)
    assert room.notes[0].endswith("not even one image fits, so memory will probably run out")


def test_the_plan_is_written_down_and_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = quick_run(tmp_path, net=PLAIN, batch=16)
    graph = load(PLAIN, input=(1, 6, 6), classes=3)
    free(monkeypatch, peak(graph, 8))
    divided = quick_run(tmp_path, net=PLAIN, batch=16)
    assert divided.record.resolved["parts"] == 2
    assert "parts" not in plain.record.resolved
    for name, tensor in weights_of(divided).items():
        torch.testing.assert_close(tensor, weights_of(plain)[name], rtol=1e-4, atol=1e-5)


def test_keeping_memory_is_told_once_and_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import contextlib

    from striate.training import allocator

    monkeypatch.setattr(allocator, "freed_memory_kept", lambda: contextlib.nullcontext(True))
    told: dict[str, list[str]] = {}
    for asked in ("auto", "system"):
        notes: list[Event] = []
        quick_run(tmp_path, net=PLAIN, memory=asked, listen=notes.append)
        told[asked] = [note.text for note in notes if isinstance(note, Note) and note.text.startswith("memory:")]
    assert [len(lines) for lines in told.values()] == [1, 0]
    assert "--memory system" in told["auto"][0]


def test_settings_have_names() -> None:
    assert Setting(torch.bfloat16, threads=1, compiled=True).name == "bf16, contiguous, 1 thread, compiled"
