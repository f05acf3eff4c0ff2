"""Checkpoints, against trying every set of cuts, and against ``torch.utils.checkpoint`` on the same segments."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from torch import Tensor, fx
from torch.utils.checkpoint import checkpoint, set_checkpoint_early_stop
from torch.utils.flop_counter import FlopCounterMode

from memory.storages import LiveBytes, kept_bytes
from properties.strategies import graphs
from striate import zoo
from striate.analysis.checkpoint_plan import CheckpointPlan, checkpoints
from striate.analysis.memory_report import memory
from striate.backend import build_module
from striate.errors import UsageError
from striate.graph import Graph, Node, network
from striate.graph.layers.input import Input

BATCH = 2


def tower(depth: int) -> Graph:
    x = network("tower", (4, 12, 12)).conv(4, 3, padding=1)
    for index in range(depth):
        shortcut = x
        x = x.conv(4 + index % 2 * 4, 3, padding=1).tanh()
        if x.shape == shortcut.shape:
            x = x.add(shortcut)
        if index == depth // 2:
            x = x.maxpool(2)
    return x.globalavgpool().dense(3).build()


def segments(graph: Graph, cuts: tuple[str, ...]) -> list[Graph]:
    """The parts between the cuts, each with what enters it as its image."""
    names = [node.name for node in graph.nodes]
    bounds = [0, *(names.index(cut) + 1 for cut in cuts), len(names)]
    parts = []
    for start, end in itertools.pairwise(bounds):
        nodes = graph.nodes[start:end]
        if start:
            enters = names[start - 1]
            nodes = (Node(enters, Input(graph.shapes[enters])), *nodes)
        parts.append(Graph("part", nodes))
    return parts


def runner(graph: Graph, module: fx.GraphModule, cuts: tuple[str, ...]) -> Callable[[Tensor], Tensor]:
    """The module, computed segment by segment, all but the last of them with a checkpoint."""
    names = [node.name for node in graph.nodes]
    bounds = [1, *(names.index(cut) + 1 for cut in cuts), len(names)]

    def segment(start: int, end: int) -> Callable[[Tensor], Tensor]:
        def compute(value: Tensor) -> Tensor:
            values = {names[start - 1]: value}
            for index in range(start, end):
                node = graph.nodes[index]
                values[node.name] = module.get_submodule(node.name)(*(values[name] for name in node.inputs))
                for name in node.inputs:
                    if not any(name in later.inputs for later in graph.nodes[index + 1 : end]):
                        values.pop(name, None)
            return values[names[end - 1]]

        return compute

    def run(image: Tensor) -> Tensor:
        value = image
        for start, end in itertools.pairwise(bounds):
            compute = segment(start, end)
            last = end == len(names)
            value = compute(value) if last else checkpoint(compute, value, use_reentrant=False)
        return value

    return run


NETWORKS = [tower(8), zoo.build("resnet20")]


@pytest.mark.parametrize("graph", NETWORKS, ids=lambda graph: graph.name)
def test_what_torch_keeps_when_the_forward_pass_is_over(graph: Graph) -> None:
    for plan in checkpoints(graph, BATCH, most=2):
        module = build_module(graph).train()
        image = torch.rand(BATCH, *graph.input_shape)
        with LiveBytes(*module.parameters(), *module.buffers(), image) as live:
            before = live.now
            output = runner(graph, module, plan.cuts)(image)
            gc.collect()
            held = live.now - before - output.nbytes
        # The image was there before.
        assert held == plan.kept_forward - image.nbytes


@pytest.mark.parametrize("graph", NETWORKS, ids=lambda graph: graph.name)
def test_what_torch_computes_again(graph: Graph) -> None:
    for plan in checkpoints(graph, BATCH, most=2):
        module = build_module(graph, device="meta").train()
        image = torch.empty(BATCH, *graph.input_shape, device="meta")
        counts = []
        for cuts in ((), plan.cuts):
            with FlopCounterMode(display=False) as counter, set_checkpoint_early_stop(False):
                runner(graph, module, cuts)(image).sum().backward()
            counts.append(counter.get_total_flops() // 2)
        assert plan.recomputed_macs == counts[1] - counts[0]
        assert 0 < plan.recomputed_macs < plan.macs


@pytest.mark.parametrize("graph", NETWORKS, ids=lambda graph: graph.name)
def test_the_peak_of_a_real_step_falls(graph: Graph) -> None:
    plan = checkpoints(graph, BATCH)[-1]
    peaks = []
    for cuts in ((), plan.cuts):
        module = build_module(graph).train()
        image = torch.rand(BATCH, *graph.input_shape)
        with LiveBytes(*module.parameters(), *module.buffers(), image) as live:
            runner(graph, module, cuts)(image).sum().backward()
        peaks.append(live.peak)
    # Besides what is kept a step needs the gradients of the parameters, and of a few maps at a time.
    report = memory(graph, BATCH)
    maps = sorted((node.output for node in report.nodes), reverse=True)[:4]
    assert peaks[1] < peaks[0]
    assert peaks[1] <= report.weights + report.buffers + report.gradients + plan.after + sum(maps)


def worst_moment(graph: Graph, cuts: tuple[str, ...]) -> int:
    """By the definition, from what autograd holds of each segment by itself."""
    entered = worst = 0
    parts = segments(graph, cuts)
    for number, part in enumerate(parts):
        shape = part.input_shape
        image = torch.rand(BATCH, *shape).requires_grad_(number > 0)
        kept, output = kept_bytes(build_module(part), [image])
        del output
        enters = image.nbytes
        reads_again = memory_reads_entry(part, number > 0)
        inside = kept - (enters if reads_again else 0)
        if number < len(parts) - 1:
            entered += enters
            worst = max(worst, entered + inside)
        else:
            worst = max(worst, entered + kept)
    return worst


def memory_reads_entry(part: Graph, trained: bool) -> bool:
    """Whether a part's backward pass reads what enters it: seen from the storage itself."""
    image = torch.rand(BATCH, *part.input_shape).requires_grad_(trained)
    seen: list[Any] = []
    module = build_module(part).train()
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: seen.append(tensor.data_ptr()), lambda _: None):
        module(image)
    return image.data_ptr() in seen


def test_the_plans_are_the_best_of_all() -> None:
    graph = tower(4)
    names = [node.name for node in graph.nodes]
    places = [
        name
        for index, name in enumerate(names[1:-1], start=1)
        if len(graph.shapes[name]) > 1
        and not any(set(node.inputs) & set(names[1:index]) for node in graph.nodes[index + 1 :])
    ]
    plans = checkpoints(graph, BATCH, most=3)
    assert plans
    assert plans[0].before == memory(graph, BATCH).activations
    for plan in plans:
        assert plan.after == worst_moment(graph, plan.cuts)
        count = len(plan.cuts)
        tried = (cuts for size in range(1, count + 1) for cuts in itertools.combinations(places, size))
        assert plan.after == min(worst_moment(graph, cuts) for cuts in tried)


@given(graphs())
@settings(max_examples=15)
def test_plans_save_and_are_ordered(graph: Graph) -> None:
    plans = checkpoints(graph, BATCH)
    assume(plans)
    before = memory(graph, BATCH).activations
    after = before
    for plan in plans:
        assert plan.before == before
        assert plan.after < after
        assert plan.kept_forward <= plan.after
        assert 0 <= plan.recomputed_macs <= plan.macs
        after = plan.after


def test_long_skips_leave_few_places_to_cut() -> None:
    graph = zoo.build("unet")
    plans = checkpoints(graph, 1)
    inside = {node.name for node in graph.nodes if node.name.startswith(("down2", "down3", "down4"))}
    assert not any(set(plan.cuts) & inside for plan in plans)


def test_a_plan_as_json_and_a_wrong_argument() -> None:
    plan = checkpoints(tower(8))[0]
    assert isinstance(plan, CheckpointPlan)
    assert plan.as_dict()["saved"] == plan.before - plan.after == plan.saved
    with pytest.raises(UsageError, match="at least one image and one cut"):
        checkpoints(tower(2), most=0)
