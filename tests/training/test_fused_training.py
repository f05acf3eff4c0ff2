"""Fused pooling in a training: the same run to the last bit, used where it is asked for or measured to pay."""

from __future__ import annotations

import copy
import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from striate.backend import build_module
from striate.backend.native import can_fuse, fused, pooling, why_not_fused
from striate.backend.native import fusing as native_fusing
from striate.errors import InterruptedRun, NetworkError
from striate.graph import Graph, network
from striate.graph.builder import Chain
from striate.training import fusing, make_recipe, probe, resume, train, usual_setting, verify_resume
from striate.training.events import EpochDone, Note
from striate.training.interruption import Interruption
from striate.training.losses import make_loss
from striate.training.monitors.sampling import Sampler
from striate.training.plan import make_plan
from striate.training.probe import Question, as_decided, nothing_to_decide
from striate.training.probe_cache import decide
from striate.training.settings import Setting, Trial, in_setting
from striate.training.tryout import try_settings
from striate.training.usual_setting import default_setting
from training.samples import make_dataset, quick_run

needs_llvmlite = pytest.mark.skipif(
    importlib.util.find_spec("llvmlite") is None, reason="llvmlite is not installed: pip install 'striate[fast]'"
)
FP32, BF16, LAST = torch.float32, torch.bfloat16, torch.channels_last
LOSS = make_loss(make_recipe({}), "classes", ("cat", "dog", "eel"), {})[1]


def start() -> Chain:
    return network("n", (3, 9, 8), 3).conv(8, 3)


GRAPH = start().batchnorm().relu().maxpool(2).dropout(0.5).flatten().dense(3).build()
USUAL = Setting(FP32, LAST, rewritten=True, threads=1)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))


def question(graph: Graph = GRAPH, **options: Any) -> Question:
    recipe, dataset = make_recipe({"epochs": 2, "threads": 1, **options}), make_dataset(shape=(3, 9, 8))
    return Question(recipe, make_plan(recipe, graph, dataset), graph, build_module(graph), dataset, LOSS)


def batch(count: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn((count, 3, 9, 8), generator=generator), torch.arange(count) % 3


# Which poolings


@pytest.mark.parametrize(
    ("graph", "can"),
    [
        (start().maxpool(2).relu().flatten().dense(3).build(), True),
        (start().maxpool(2, padding="valid").relu().flatten().dense(3).build(), True),
        (start().relu().maxpool(2).flatten().dense(3).build(), False),  # not before the pooling is moved
        (start().maxpool(3).relu().flatten().dense(3).build(), False),
        (start().maxpool(2, stride=1).relu().flatten().dense(3).build(), False),
        (start().maxpool(2, padding=1).relu().flatten().dense(3).build(), False),
        (start().maxpool(2, ceil_mode=True).relu().flatten().dense(3).build(), False),
        (start().maxpool(2, dilation=2).relu().flatten().dense(3).build(), False),
        (start().avgpool(2).relu().flatten().dense(3).build(), False),
        (start().maxpool(2).relu6().flatten().dense(3).build(), False),
        (network("line", (3, 8)).conv(4, 3).maxpool(2).relu().flatten().dense(3).build(), False),
    ],
)
def test_which_poolings_are_fused(graph: Graph, can: bool) -> None:
    assert can_fuse(graph) is can
    if not can:
        with pytest.raises(NetworkError, match="no pooling of this network can be computed together with a ReLU"):
            fused(graph, build_module(graph))


def test_a_pooling_that_something_else_reads_stays() -> None:
    graph = start().maxpool(2).build()
    pool = graph.outputs[0]
    nodes = network("m", (3, 9, 8)).conv(8, 3).maxpool(2, name=pool).relu().build()
    assert can_fuse(nodes)
    assert not can_fuse(replace(nodes, outputs=(pool, *nodes.outputs)))


# The same network


@needs_llvmlite
@pytest.mark.parametrize("dtype", [FP32, BF16])
def test_a_fused_network_has_the_same_tensors_and_numbers(dtype: torch.dtype) -> None:
    module = build_module(GRAPH).to(memory_format=LAST).eval()  # type: ignore[call-overload]
    one, other = (in_setting(GRAPH, module, replace(USUAL, fused=fused)) for fused in (False, True))
    assert list(other.state_dict()) == list(module.state_dict())
    assert all(a is b for a, b in zip(other.parameters(), module.parameters(), strict=True))
    assert not other.training
    assert type(module.get_submodule("relu1")) is torch.nn.ReLU
    answers = []
    images = batch()[0].contiguous(memory_format=LAST)
    for network_ in (one, other, copy.deepcopy(other)):
        network_.zero_grad()
        with torch.autocast("cpu", BF16, enabled=dtype == BF16):
            outputs = network_(images)
        (outputs.float() ** 2).sum().backward()
        gradients = [parameter.grad for parameter in network_.parameters()]
        answers.append([outputs, *(gradient.clone() for gradient in gradients if gradient is not None)])
    for answer in answers[1:]:
        assert all(torch.equal(a, b) for a, b in zip(answers[0], answer, strict=True))
    other.load_state_dict(module.state_dict())


@needs_llvmlite
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_same_training_to_the_last_bit(tmp_path: Path, precision: str) -> None:
    dataset = make_dataset(shape=(1, 7, 6))
    runs = [
        quick_run(tmp_path, dataset, rewrites=rewrites, epochs=3, batch=16, precision=precision)
        for rewrites in ("fused", "auto", "off")
    ]
    weights = [load_file(run.folder.last_weights) for run in runs]
    for other in weights[1:]:
        assert list(other) == list(weights[0])
        assert all(torch.equal(other[name], weights[0][name]) for name in other)
    rewrites = [run.record.resolved["rewrites"] for run in runs]
    assert rewrites == ["pooling first, fused pooling", "pooling first", "none"]
    assert runs[0].folder.evaluation("val") == runs[1].folder.evaluation("val")
    assert runs[0].evaluate(dataset.val, "val") == runs[0].folder.evaluation("val")  # type: ignore[arg-type]


@needs_llvmlite
def test_what_the_monitors_see_is_the_same() -> None:
    samples = []
    for setting in (USUAL, replace(USUAL, fused=True)):
        module = in_setting(GRAPH, build_module(GRAPH), setting)
        sampler = Sampler(GRAPH, module)
        images, labels = batch()
        for _ in range(3):
            sampler.open(images)
            LOSS(module.eval()(images), labels).backward()
            sample = sampler.close(1, 1, 0.1, None)
        samples.append(sample)
    assert "relu1" in samples[0].dead
    assert samples[0] == samples[1]


# Where it is used


def test_it_is_not_used_unasked_and_unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusing, "why_not_fused", lambda: "")
    decided = nothing_to_decide(question())
    assert decided is not None
    assert not decided.setting.fused
    monkeypatch.setattr(usual_setting, "fusing_fails", lambda dtype: "")
    asked = question(rewrites="fused")
    assert default_setting(asked.recipe, asked.plan, GRAPH) == replace(USUAL, fused=True)
    assert not fusing.fusable(GRAPH, USUAL, torch.device("cuda"))
    for options in ({"layout": "contiguous"}, {"compile": "on"}):
        other = question(rewrites="fused", **options)
        assert not default_setting(other.recipe, other.plan, GRAPH).fused


@pytest.mark.parametrize(
    ("setting", "options", "tried"),
    [
        (USUAL, {}, True),
        (replace(USUAL, dtype=BF16), {}, True),
        (replace(USUAL, layout=torch.contiguous_format), {}, False),
        (replace(USUAL, rewritten=False), {"rewrites": "off"}, False),
        (replace(USUAL, compiled=True), {"compile": "on"}, False),
        (replace(USUAL, fused=True), {"rewrites": "fused"}, False),
    ],
)
def test_the_probe_tries_it(
    monkeypatch: pytest.MonkeyPatch, setting: Setting, options: dict[str, Any], tried: bool
) -> None:
    monkeypatch.setattr(fusing, "why_not_fused", lambda: "")
    found = probe._further_settings(question(**options), setting, 0.01, 60.0)
    assert (replace(setting, fused=True) in found) is tried
    monkeypatch.setattr(fusing, "why_not_fused", lambda: "llvmlite is not installed")
    assert not any(one.fused for one in probe._further_settings(question(), USUAL, 0.01, 60.0))


def test_a_missing_package_is_told_where_it_would_be_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusing, "why_not_fused", lambda: "llvmlite is not installed: pip install 'striate[fast]'")
    trials = [Trial(USUAL, (0.01, 0.01))]
    told = probe._judged(trials, USUAL, question(), 1.0).tried
    assert told.endswith("; fused pooling not tried, llvmlite is not installed: pip install 'striate[fast]'")
    assert "fused" not in probe._judged(trials, USUAL, question(rewrites="off"), 1.0).tried
    plain = start().flatten().dense(3).build()
    assert "fused" not in probe._judged(trials, USUAL, question(plain), 1.0).tried


@needs_llvmlite
def test_a_measured_step_has_the_same_numbers() -> None:
    images, labels = batch()
    settings = [USUAL, replace(USUAL, fused=True)]
    trials = try_settings(GRAPH, build_module(GRAPH).train(), images, labels, LOSS, settings, seconds=0.0, least=2)
    assert (trials[1].difference, trials[1].agrees, trials[1].reason) == (0.0, True, "")


# Where it fails


def _no_machine_code(dtype: torch.dtype) -> None:
    raise RuntimeError("no machine code for this processor")


@needs_llvmlite
@pytest.mark.parametrize(
    ("name", "planted", "words"),
    [
        ("pooling_functions", _no_machine_code, "cannot be compiled here: no machine code for this processor"),
        ("agrees_with_torch", lambda dtype: False, "compiled here, it gives other numbers than torch"),
    ],
)
def test_a_kernel_that_fails_is_left_to_torch_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, name: str, planted: Any, words: str
) -> None:
    monkeypatch.setattr(native_fusing, name, planted)
    asked = question(rewrites="fused")
    assert not default_setting(asked.recipe, asked.plan, GRAPH).fused
    assert not probe.measured(asked).setting.fused
    told: list[str] = []
    decide(asked, lambda event: told.append(event.text) if isinstance(event, Note) else None)
    assert any(line.startswith("fused pooling is left to torch, with the same bits") and words in line for line in told)


@needs_llvmlite
@pytest.mark.parametrize("dtype", [FP32, BF16])
def test_other_numbers_than_torchs_are_noticed(monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype) -> None:
    check = pooling.agrees_with_torch.__wrapped__
    assert check(dtype)
    whole = pooling._torch_pooling
    monkeypatch.setattr(pooling, "_torch_pooling", lambda maps: whole(maps).clamp_max(9))
    assert not check(dtype)
    monkeypatch.setattr(pooling, "_torch_pooling", lambda maps: whole(maps.flip(3)).flip(3))
    assert not check(dtype)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"layout": "contiguous"}, "it is for channels-last maps on the processor; these are fp32, contiguous"),
        ({"compile": "on"}, "torch.compile fuses for itself"),
        ({"graph": start().flatten().dense(3).build()}, "the network has no 2×2 maximum pooling with a ReLU behind it"),
    ],
)
def test_asking_in_vain_is_told(monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], words: str) -> None:
    monkeypatch.setattr(fusing, "fusing_fails", lambda dtype: "")
    asked, told = question(rewrites="fused", **options), list[str]()
    setting = default_setting(asked.recipe, asked.plan, asked.graph)
    fusing.tell_unfused(asked.graph, setting, torch.device("cpu"), lambda event: told.append(str(event)))
    assert len(told) == 1
    assert words in told[0]


# Read back


def test_what_was_decided_is_read_back() -> None:
    for setting, asked in ((replace(USUAL, fused=True), "fused"), (USUAL, "auto")):
        decided = probe.Decision(setting, "as asked").as_dict()
        options = as_decided(decided)
        assert options["rewrites"] == asked
        again = nothing_to_decide(question(**options))
        assert again is not None
        assert again.setting == setting


@needs_llvmlite
def test_a_resumed_run_is_fused_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset()
    recipe = make_recipe({"epochs": 3, "batch": 16, "rewrites": "fused"})
    net = "conv 4 3 same > relu > maxpool 2 > flatten > dense classes"
    assert verify_resume(net, dataset, recipe).equal
    straight = train(net, dataset, recipe, folder=tmp_path / "straight")
    for missing in ("", "llvmlite is not installed"):
        interruption, notes = Interruption(), []

        def stop(event: object, interruption: Interruption = interruption) -> None:
            interruption.requested = interruption.requested or isinstance(event, EpochDone)

        folder = tmp_path / f"stopped {bool(missing)}"
        with pytest.raises(InterruptedRun):
            train(net, dataset, recipe, folder=folder, listen=stop, interruption=interruption)
        monkeypatch.setattr(fusing, "fusing_fails", lambda dtype, missing=missing: missing)
        resumed = resume(folder, dataset, listen=notes.append)
        ours, theirs = load_file(resumed.folder.last_weights), load_file(straight.folder.last_weights)
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
        told = f"fused pooling is left to torch, with the same bits ({missing})"
        assert (Note(told) in notes) is bool(missing)


def test_asked_for_where_it_cannot_be_had_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fusing, "fusing_fails", lambda dtype: "llvmlite is not installed")
    notes: list[object] = []
    run = quick_run(tmp_path, epochs=1, rewrites="fused", listen=notes.append)
    assert Note("fused pooling is left to torch, with the same bits (llvmlite is not installed)") in notes
    assert run.record.resolved["rewrites"] == "pooling first"


def test_why_not_says_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert why_not_fused() == "llvmlite is not installed: pip install 'striate[fast]'"
