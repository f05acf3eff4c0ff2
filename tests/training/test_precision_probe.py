"""bf16 is used where it was asked for, or where it was measured to pay and to agree."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from striate.backend import build_module
from striate.graph import network
from striate.training import precision
from striate.training.losses import make_loss
from striate.training.precision import Choice, Measurement, choose_precision, measure
from striate.training.recipe import make_recipe
from training.samples import make_dataset, quick_run

FP32, BF16 = torch.float32, torch.bfloat16
OUTPUTS, GRADIENT = torch.tensor([[1.0, -2.0], [0.5, 3.0]]), torch.tensor([1.0, 2.0, -1.0])
NAMES = ("a", "b", "c")
LOSS = make_loss(make_recipe({}), "classes", NAMES, {})[1]
GRAPH = network("n", (3, 8, 8), 3).conv(8, 3).batchnorm().relu().dropout(0.5).globalavgpool().dense(3).build()
LONG = 1e15


def batch(count: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn((count, 3, 8, 8), generator=generator), torch.arange(count) % 3


def choose(asked: str = "auto", work: float = LONG) -> Choice:
    images, labels = batch()
    return choose_precision(asked, build_module(GRAPH), images, labels, LOSS, work)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> dict[torch.dtype, Any]:
    """What the next measurements find, fp32 taking 10 ms; an exception is raised."""
    found: dict[torch.dtype, Any] = {FP32: Measurement(OUTPUTS, GRADIENT, 0.010)}

    def fake(module: Any, images: Any, labels: Any, loss: Any, dtype: torch.dtype, hopeless: float = 0) -> Measurement:
        result = found[dtype]
        if isinstance(result, Exception):
            raise result
        return result  # type: ignore[no-any-return]

    monkeypatch.setattr(precision, "measure", fake)
    monkeypatch.setattr(precision, "_may_have_bf16", lambda: True)
    return found


@pytest.mark.parametrize(("asked", "dtype"), [("fp32", FP32), ("bf16", BF16)])
def test_what_is_asked_for_is_not_measured(monkeypatch: pytest.MonkeyPatch, asked: str, dtype: torch.dtype) -> None:
    monkeypatch.setattr(precision, "measure", None)
    choice = choose(asked)
    assert choice == Choice(dtype, "as asked")
    assert choice.name == asked


def test_a_short_training_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "measure", None)
    assert choose(work=1e9) == Choice(FP32, "the training is too short for a measurement to pay")


def test_a_processor_without_bf16_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "measure", None)
    monkeypatch.setattr(precision, "_may_have_bf16", lambda: False)
    assert choose() == Choice(FP32, "this processor has no bf16")


def test_bf16_that_agrees_and_is_faster_is_taken(measured: dict[torch.dtype, Any]) -> None:
    measured[BF16] = Measurement(OUTPUTS * 1.01, GRADIENT * 0.99, 0.006)
    choice = choose()
    assert choice.dtype == BF16
    assert choice.reason == "bf16 6.0 ms a step, fp32 10.0 ms; gradient cosine 1.0000"


def test_bf16_that_is_hardly_faster_is_not_worth_its_rounding(measured: dict[torch.dtype, Any]) -> None:
    measured[BF16] = Measurement(OUTPUTS, GRADIENT, 0.0095)
    assert choose() == Choice(FP32, "bf16 is not faster here: bf16 9.5 ms a step, fp32 10.0 ms")


@pytest.mark.parametrize(
    ("outputs", "gradient", "words"),
    [
        (OUTPUTS * 1.2, GRADIENT, "outputs 0.200 apart"),
        (OUTPUTS, torch.tensor([1.0, 2.0, 1.0]), "gradient cosine 0.667"),
        (OUTPUTS * torch.nan, GRADIENT, "outputs nan apart"),
        (OUTPUTS, GRADIENT * torch.inf, "gradient cosine nan"),
        (OUTPUTS, -GRADIENT, "gradient cosine -1.000"),
    ],
)
def test_bf16_that_disagrees_is_refused_however_fast(
    measured: dict[torch.dtype, Any], outputs: torch.Tensor, gradient: torch.Tensor, words: str
) -> None:
    measured[BF16] = Measurement(outputs, gradient, 0.001)
    choice = choose()
    assert choice.dtype == FP32
    assert "bf16 disagrees with fp32" in choice.reason
    assert words in choice.reason


def test_bf16_that_does_not_work_is_refused(measured: dict[torch.dtype, Any]) -> None:
    measured[BF16] = RuntimeError("could not create a primitive\nand a long trace")
    assert choose() == Choice(FP32, "bf16 does not work here: could not create a primitive")


@pytest.mark.parametrize(("answer", "may"), [(True, True), (False, False), (RuntimeError("no mkldnn"), True)])
def test_torch_is_asked_about_the_processor(monkeypatch: pytest.MonkeyPatch, answer: Any, may: bool) -> None:
    def asked() -> bool:
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    class Namespace:
        _is_mkldnn_bf16_supported = staticmethod(asked)

    monkeypatch.setattr(torch.ops, "mkldnn", Namespace())
    assert precision._may_have_bf16() is may


def test_a_torch_that_does_not_know_lets_the_measurement_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.ops, "mkldnn", object())
    assert precision._may_have_bf16()


def test_a_measurement_is_what_torch_computes_and_changes_nothing() -> None:
    module = build_module(GRAPH).train()
    before, state = copy.deepcopy(module.state_dict()), torch.get_rng_state()
    images, labels = batch()
    found = measure(module, images, labels, LOSS, FP32)
    assert torch.equal(torch.get_rng_state(), state)
    assert module.training
    assert all(parameter.grad is None for parameter in module.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert found.seconds > 0
    outputs = module.eval()(images)
    loss = torch.nn.functional.cross_entropy(outputs, labels)
    expected = torch.autograd.grad(loss, list(module.parameters()))
    torch.testing.assert_close(found.outputs, outputs.detach())
    torch.testing.assert_close(found.gradient, torch.cat([gradient.flatten() for gradient in expected]))


def test_real_bf16_agrees_on_a_small_network() -> None:
    images, labels = batch(32)
    module = build_module(GRAPH)
    plain, half = (measure(module, images, labels, LOSS, dtype) for dtype in (FP32, BF16))
    assert not torch.equal(plain.outputs, half.outputs)
    assert half.outputs.dtype == half.gradient.dtype == FP32
    torch.testing.assert_close(half.outputs, plain.outputs, rtol=0.05, atol=0.02)
    assert float(torch.nn.functional.cosine_similarity(half.gradient, plain.gradient, dim=0)) > 0.99


def test_a_hopeless_arithmetic_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(1000))
    monkeypatch.setattr(precision.time, "perf_counter", lambda: float(next(ticks)))
    images, labels = batch()
    measure(build_module(GRAPH), images, labels, LOSS, FP32, hopeless=0.5)
    assert next(ticks) == 2  # one step was timed
    measure(build_module(GRAPH), images, labels, LOSS, FP32, hopeless=1.5)
    assert next(ticks) == 3 + 2 * precision.STEPS


def test_a_run_in_bf16_trains_and_keeps_float32_weights(tmp_path: Path) -> None:
    dataset = make_dataset(shape=(3, 6, 6))
    runs = [quick_run(tmp_path, dataset, precision=name, epochs=4, batch=16) for name in ("bf16", "fp32")]
    half, plain = (load_file(run.folder.last_weights) for run in runs)
    assert {tensor.dtype for tensor in half.values()} == {torch.float32, torch.int64}
    assert any(not torch.equal(half[name], plain[name]) for name in half)
    assert runs[0].record.resolved["precision"] == "bf16"
    losses = [run.folder.evaluation("val").loss for run in runs]
    assert losses[0] == pytest.approx(losses[1], rel=0.1)
    # Measured in fp32, as the other.
    assert runs[0].evaluate(dataset.val, "val") == runs[0].folder.evaluation("val")  # type: ignore[arg-type]


def test_the_reason_is_told_and_written_down(tmp_path: Path) -> None:
    notes: list[object] = []
    run = quick_run(tmp_path, epochs=1, listen=notes.append)
    reason = "the training is too short for a measurement to pay"
    assert run.record.resolved["precision_reason"] == reason
    assert any(f"arithmetic: fp32 ({reason})" in str(note) for note in notes)


def test_a_time_budget_alone_counts_as_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def spy(asked: str, module: Any, images: Any, labels: Any, loss: Any, work: float) -> Choice:
        seen.append(work)
        return Choice(FP32, "test")

    monkeypatch.setattr("striate.training.trainer.choose_precision", spy)
    quick_run(tmp_path, time=0.01)
    # conv: 36 positions · 4 filters · 9 taps; dense: 36 · 3; three passes, 48 images, 2 epochs
    quick_run(tmp_path, epochs=2)
    assert seen == [float("inf"), 3 * (36 * 4 * 9 + 36 * 3) * 48 * 2]
