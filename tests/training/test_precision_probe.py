"""The probe: a setting is used where it was asked for, or where it was measured to pay and to agree."""

from __future__ import annotations

import copy
import types
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from striate.analysis.cost_report import cost
from striate.backend import build_module, initialize
from striate.errors import StorageError
from striate.graph import network
from striate.training import fusing, make_recipe, probe, probe_cache, processors, resume, tryout, verify_resume
from striate.training.events import Note
from striate.training.interruption import Interruption
from striate.training.losses import make_loss
from striate.training.plan import make_plan
from striate.training.probe import Decision, Question, as_decided, nothing_to_decide
from striate.training.probe_cache import cached_decision, decide, decision_file
from striate.training.settings import Setting, Trial, in_setting
from striate.training.tryout import Tryout, try_settings
from striate.training.usual_setting import expected_seconds
from training.samples import make_dataset, quick_run

FP32, BF16, LAST = torch.float32, torch.bfloat16, torch.channels_last
NAMES = ("cat", "dog", "eel")
LOSS = make_loss(make_recipe({}), "classes", NAMES, {})[1]
GRAPH = network("n", (3, 8, 8), 3).conv(8, 3).batchnorm().relu().maxpool(2).dropout(0.5).flatten().dense(3).build()
USUAL = Setting(FP32, LAST, rewritten=True, threads=2)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(probe, "may_have_bf16", lambda: True)
    # As where llvmlite is installed: where it is not, what is tried with it does not run, and is not used.
    monkeypatch.setattr(fusing, "why_not_fused", lambda: "")


def batch(count: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn((count, 3, 8, 8), generator=generator), torch.arange(count) % 3


def question(**options: Any) -> Question:
    recipe, dataset = make_recipe({"epochs": 2, "threads": 1, **options}), make_dataset(shape=(3, 8, 8))
    return Question(recipe, make_plan(recipe, GRAPH, dataset), GRAPH, build_module(GRAPH), dataset, LOSS)


def judged(*trials: Trial, **options: Any) -> Decision:
    return probe._judged(list(trials), USUAL, question(**options), 1.0)


def trial(*milliseconds: float, agrees: bool | None = True, reason: str = "", **changes: Any) -> Trial:
    seconds = tuple(value / 1e3 for value in milliseconds)
    return Trial(replace(USUAL, **changes), seconds, agrees, reason, difference=0.004, cosine=0.9999)


# What is decided from measurements


def test_what_is_faster_and_agrees_is_taken() -> None:
    decision = judged(
        trial(10, 10.4, agrees=None), trial(6, 6.2, dtype=BF16), trial(11, 11.5, layout=torch.contiguous_format)
    )
    assert decision.setting == replace(USUAL, dtype=BF16)
    assert (
        decision.reason == "0.60 of the time of the usual setting; outputs 0.004 apart from it, gradient cosine 0.9999"
    )
    assert decision.tried == (
        "3 settings in 1.0 s, a step of 16 images, fastest to slowest: fp32, channels-last, pooling first, 2 threads"
        " 10.0-10.4 ms; bf16 6.0-6.2 ms; contiguous 11.0-11.5 ms"
    )
    assert decision.lasting


@pytest.mark.parametrize(
    "other",
    [
        trial(9.5, 9.6, dtype=BF16),  # hardly faster
        trial(agrees=False, reason="disagrees: outputs 0.200 apart, gradient cosine 0.700", dtype=BF16),
        trial(8.0, 10.2, 10.3, dtype=BF16),  # one lucky step
        trial(agrees=False, reason="does not run here: could not create a primitive", dtype=BF16),
    ],
)
def test_anything_else_leaves_the_usual(other: Trial) -> None:
    decision = judged(trial(10, 10.1, 10.2, agrees=None), other)
    assert decision.setting == USUAL
    assert decision.reason == "no other setting takes 10 % less time"
    assert other.reason in decision.tried


def test_a_busy_machine_is_told_and_its_decision_not_kept() -> None:
    decision = judged(trial(10, 16, 17, agrees=None), trial(6, 6.1, 6.2, dtype=BF16))
    assert "the machine was busy, for steps of one setting differ 1.6 times: not kept" in decision.tried
    assert not decision.lasting


def test_what_was_not_tried_for_lack_of_time_may_be_tried_next_time() -> None:
    decision = judged(trial(10, 10, agrees=None), Trial(replace(USUAL, dtype=BF16), reason="no time left to try it"))
    assert "bf16 no time left to try it" in decision.tried
    assert not decision.lasting


def test_a_processor_without_bf16_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "may_have_bf16", lambda: False)
    decision = judged(trial(10, 10, agrees=None), trial(10, 10, threads=1))
    assert decision.tried.endswith("; bf16 not tried, this processor has none")


# What is not measured


@pytest.mark.parametrize(
    ("options", "name", "reason"),
    [
        ({}, "fp32, channels-last, pooling first, 1 thread", "the training is too short for a measurement to pay"),
        (
            {"time": 5},
            "fp32, channels-last, pooling first, 1 thread",
            "the training is too short for a measurement to pay",
        ),
        (
            {"probe": "off", "precision": "bf16"},
            "bf16, channels-last, pooling first, 1 thread",
            "nothing is measured, as asked",
        ),
        (
            {"precision": "bf16", "layout": "contiguous", "rewrites": "off", "compile": "off"},
            "bf16, contiguous, 1 thread",
            "as asked",
        ),
    ],
)
def test_what_is_not_measured(options: dict[str, Any], name: str, reason: str) -> None:
    found = nothing_to_decide(question(**options))
    assert found is not None
    assert (found.setting.name, found.reason, found.tried) == (name, reason, "")
    assert found.lines() == [f"arithmetic: {name} ({reason})"]


def test_a_long_training_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert nothing_to_decide(question(epochs=10**9)) is None
    # Without epochs, the time alone says how long it is.
    recipe = make_recipe({"time": 60, "threads": 1})
    asked = replace(question(), recipe=recipe, plan=replace(question().plan, epochs=None, seconds=60.0))
    assert nothing_to_decide(asked) is None
    assert expected_seconds(asked.plan, GRAPH, 48) == 60.0
    # Two minutes of steps that take a second each: trying a few would be a large part of it.
    large = network("n", (3, 512, 512), 3).conv(64, 3).relu().conv(64, 3).globalavgpool().dense(3).build()
    assert nothing_to_decide(replace(asked, graph=large, plan=replace(asked.plan, batch=256))) is not None
    by_work = replace(asked.plan, epochs=5, seconds=None)
    assert expected_seconds(by_work, GRAPH, 48) == cost(GRAPH).training * 48 * 5 / 3e10


@pytest.mark.parametrize(("answer", "may"), [(True, True), (False, False), (RuntimeError("no mkldnn"), True)])
def test_torch_is_asked_about_the_processor(monkeypatch: pytest.MonkeyPatch, answer: Any, may: bool) -> None:
    def asked() -> bool:
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    monkeypatch.setattr(torch.ops, "mkldnn", types.SimpleNamespace(_is_mkldnn_bf16_supported=asked))
    assert processors.may_have_bf16() is may


def test_a_torch_that_does_not_know_lets_the_measurement_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.ops, "mkldnn", object())
    assert processors.may_have_bf16()


# Measuring


def test_settings_are_what_torch_computes_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tryout, "FAR_OFF", float("inf"))  # whatever else this machine is doing
    module = build_module(GRAPH).train()
    before, state, threads = copy.deepcopy(module.state_dict()), torch.get_rng_state(), torch.get_num_threads()
    images, labels = batch(32)
    settings = [replace(USUAL, rewritten=False), USUAL, replace(USUAL, dtype=BF16), replace(USUAL, threads=1)]
    trials = try_settings(GRAPH, module, images, labels, LOSS, settings, seconds=0.0, least=3)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert module.training
    assert all(parameter.grad is None for parameter in module.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())
    assert [len(one.seconds) for one in trials] == [3, 3, 3, 3]
    # The first is the truth; pooling first gives the same bits; bf16 rounds to 8 bits.
    assert trials[0].agrees is trials[0].difference is None
    assert trials[1].difference == 0.0
    assert 1e-4 < (trials[2].difference or 0) < 0.02
    with torch.no_grad():
        plain = module.eval()(images)
        with torch.autocast("cpu", torch.bfloat16):
            half = module(images).float()
    assert trials[2].difference == pytest.approx(float((half - plain).norm() / plain.norm()), rel=1e-3)


def test_what_is_emulated_is_given_up_at_the_first_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter([0.0, 0.001, 0.001, 0.002, 0.002, 1.0, 1.0, 1.5] + [2.0] * 20)
    monkeypatch.setattr(tryout, "time", types.SimpleNamespace(perf_counter=lambda: next(ticks)))
    entered = Tryout(GRAPH, build_module(GRAPH), *batch(), LOSS)
    entered.enter([Setting()])
    entered._trials[Setting(BF16)] = entered._entered(Setting(BF16))
    assert entered.trials[1].reason == "500 times as slow"
    assert not entered.trials[1].usable


def test_a_setting_with_other_numbers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(graph: Any, module: torch.nn.Module, setting: Setting) -> torch.nn.Module:
        if setting.rewritten:
            module = copy.deepcopy(module)
            with torch.no_grad():
                module.get_parameter("dense1.weight").mul_(1.2)
        return module

    monkeypatch.setattr(tryout, "in_setting", other)
    trials = try_settings(GRAPH, build_module(GRAPH), *batch(), LOSS, [Setting(), Setting(rewritten=True)], seconds=0.0)
    assert not trials[1].usable
    assert trials[1].reason.startswith("disagrees: outputs 0.")
    assert trials[1].seconds == ()


def test_a_setting_that_does_not_run_is_refused_and_a_first_one_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(graph: Any, module: torch.nn.Module, setting: Setting) -> torch.nn.Module:
        if setting.rewritten:
            raise RuntimeError("could not create a primitive\nand a long trace")
        return module

    monkeypatch.setattr(tryout, "in_setting", broken)
    first, second = Setting(), Setting(rewritten=True)
    trials = try_settings(GRAPH, build_module(GRAPH), *batch(), LOSS, [first, second], seconds=0.0)
    assert trials[1].reason == "does not run here: could not create a primitive"
    with pytest.raises(RuntimeError, match="could not create"):
        try_settings(GRAPH, build_module(GRAPH), *batch(), LOSS, [second], seconds=0.0)


def test_time_that_is_up_is_told() -> None:
    entered = Tryout(GRAPH, build_module(GRAPH), *batch(), LOSS)
    entered.enter([Setting()])
    entered.end = 0.0
    entered.enter([Setting(layout=LAST)])
    entered.race()
    assert [one.reason for one in entered.trials] == ["", "no time left to try it"]
    assert len(entered.trials[0].seconds) == 2


def test_a_network_in_a_setting_has_the_same_tensors() -> None:
    module = build_module(GRAPH)
    rewritten = in_setting(GRAPH, module, USUAL)
    assert [name for name, _ in rewritten.named_parameters()] == [name for name, _ in module.named_parameters()]
    assert all(a is b for a, b in zip(rewritten.parameters(), module.parameters(), strict=True))
    assert rewritten.get_buffer("batchnorm1.running_mean") is module.get_buffer("batchnorm1.running_mean")
    assert in_setting(GRAPH, module, Setting()) is module


def test_the_whole_probe_on_a_real_network() -> None:
    decision = probe.measured(question(epochs=10**7, compile="off"))
    assert decision.setting.threads == 1
    assert "settings in" in decision.tried
    assert decision.as_dict()["precision"] in ("fp32", "bf16")


def test_memory_that_runs_out_while_measuring_leaves_the_usual(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(Tryout, "enter", full)
    decision = probe.measured(question())
    assert decision.reason == "memory ran out while measuring, and nothing was compared"
    assert not decision.lasting


# Keeping a decision


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> list[Decision]:
    """Everything is long enough to be measured, and this is what is measured, from the last to the first."""
    found = [Decision(Setting(BF16, torch.contiguous_format, threads=1), "faster", "tried a lot", lasting=True)]
    monkeypatch.setattr(probe, "_pays", lambda asked: True)
    monkeypatch.setattr(probe_cache, "measured", lambda asked: found.pop())
    return found


def told(asked: Question) -> tuple[Decision, list[str]]:
    notes: list[str] = []
    decision = decide(asked, lambda event: notes.append(event.text) if isinstance(event, Note) else None)
    return decision, notes


def test_a_decision_is_kept_and_says_so(long: list[Decision]) -> None:
    first, notes = told(question())
    assert notes == ["probe: tried a lot", "arithmetic: bf16, contiguous, 1 thread (faster)"]
    second, notes = told(question())  # nothing is left to be measured
    assert second.setting == first.setting
    assert notes[0].startswith("probe: measured 20")
    assert notes[0].endswith("for this network on this machine (--probe again repeats it): tried a lot")
    with pytest.raises(IndexError):
        told(question(probe="again"))


def test_a_decision_belongs_to_network_batch_machine_and_options(
    long: list[Decision], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        decision_file(question(**options)) for options in ({}, {"batch": 7}, {"threads": 2}, {"precision": "bf16"})
    }
    other = network("n", (3, 8, 8), 3).conv(9, 3).flatten().dense(3).build()
    files.add(decision_file(replace(question(), graph=other)))
    monkeypatch.setattr(probe_cache, "processor_name", lambda: "another")
    files.add(decision_file(question()))
    assert len(files) == 6
    # What the network is trained with, and for how long, makes no difference.
    assert decision_file(question(epochs=3, learning_rate=0.5)) == decision_file(question())


def test_a_damaged_decision_is_told_and_made_again(long: list[Decision]) -> None:
    path = decision_file(question())
    path.parent.mkdir(parents=True)
    path.write_text('{"format": 1, "precision": "fp8"}')
    decision, notes = told(question())
    assert notes[0].startswith("the kept decision of the probe cannot be used (")
    assert cached_decision(path) is not None
    assert decision.setting.dtype == BF16


def test_a_folder_that_cannot_be_written_is_told(long: list[Decision], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any) -> None:
        raise StorageError("the disk is full")

    monkeypatch.setattr(probe_cache, "write_bytes", full)
    decision, notes = told(question())
    assert notes[0] == "what the probe decided cannot be kept for the next time: the disk is full"
    assert decision.setting.dtype == BF16


def test_a_decision_of_a_busy_moment_is_not_kept(long: list[Decision]) -> None:
    long[0] = replace(long[0], lasting=False)
    told(question())
    assert not decision_file(question()).exists()


# In a training


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


def test_pooling_first_is_the_same_training_to_the_last_bit(tmp_path: Path) -> None:
    runs = [quick_run(tmp_path, rewrites=rewrites, epochs=3, batch=16) for rewrites in ("auto", "off")]
    ours, theirs = (load_file(run.folder.last_weights) for run in runs)
    assert list(ours) == list(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert [run.record.resolved["rewrites"] for run in runs] == ["pooling first", "none"]


def test_the_reason_is_told_and_written_down(tmp_path: Path) -> None:
    notes: list[object] = []
    run = quick_run(tmp_path, epochs=1, listen=notes.append)
    reason = "the training is too short for a measurement to pay"
    assert run.record.resolved["precision_reason"] == reason
    assert run.record.resolved["probe"] == "nothing was measured"
    assert any(f"arithmetic: fp32, channels-last, pooling first, 1 thread ({reason})" in str(note) for note in notes)


def test_a_resumed_run_computes_as_it_was_decided(tmp_path: Path, long: list[Decision]) -> None:
    interruption, dataset = Interruption(), make_dataset()

    def stop(event: Any) -> None:
        interruption.requested = interruption.requested or getattr(event, "step", 0) == 2

    from striate.errors import InterruptedRun
    from striate.training import train

    recipe = make_recipe({"epochs": 3, "threads": 1, "batch": 16})
    net = "conv 4 3 same > relu > maxpool 2 > flatten > dense classes"
    with pytest.raises(InterruptedRun):
        train(net, dataset, recipe, folder=tmp_path / "stopped", listen=stop, interruption=interruption)
    straight = train(net, dataset, recipe, folder=tmp_path / "straight")  # from the cache
    assert straight.record.resolved["precision"] == "bf16"
    assert straight.record.resolved["layout"] == "contiguous"
    resumed = resume(tmp_path / "stopped", dataset)  # measures nothing: there is nothing left in ``long``
    ours, theirs = load_file(resumed.folder.last_weights), load_file(straight.folder.last_weights)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_proof_of_resuming_takes_all_that_was_decided(long: list[Decision]) -> None:
    decision = long[0]
    recipe = make_recipe({"epochs": 2, "batch": 16})
    assert verify_resume("conv 4 3 > relu > maxpool 2 > flatten > dense classes", make_dataset(), recipe).equal
    pinned = make_recipe(as_decided(decision.as_dict()))
    asked = replace(question(), recipe=pinned, plan=make_plan(pinned, GRAPH, make_dataset(shape=(3, 8, 8))))
    found = nothing_to_decide(asked)
    assert found is not None
    assert found.setting == decision.setting


def test_a_compiled_step_is_the_same_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    compiled: list[object] = []

    def compile(module: torch.nn.Module, **options: object) -> Any:
        compiled.append(options)
        return module

    monkeypatch.setattr(torch, "compile", compile)
    runs = [quick_run(tmp_path, compile=name, batch=16) for name in ("on", "off")]
    assert compiled == [{"dynamic": False}]
    ours, theirs = (load_file(run.folder.last_weights) for run in runs)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert runs[0].record.resolved["compile"] == "on"


def test_initial_weights_follow_the_network_as_it_is_written(tmp_path: Path) -> None:
    """Pooling before ReLU must not change which activation stands behind a convolution."""
    from striate.training.running import first_module

    recipe = make_recipe({"seed": 3})
    ours = first_module(GRAPH, recipe, USUAL).state_dict()
    module = build_module(GRAPH)
    initialize(module, GRAPH, "auto", 3)
    assert all(torch.equal(ours[name], tensor) for name, tensor in module.state_dict().items())


def test_a_bias_before_batch_normalisation_is_trained_by_rounding() -> None:
    """Why it is not left out for speed: the weights would not be those of the plain loop."""
    module, (images, labels) = build_module(GRAPH).train(), batch(32)
    torch.nn.functional.cross_entropy(module(images), labels).backward()
    gradient = module.get_parameter("conv1.bias").grad
    assert gradient is not None
    assert 0 < float(gradient.abs().max()) < 1e-6
