"""bench: how fast this machine trains a network, in every way it can be computed, beside what the machine could do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from striate.analysis.bench_report import BenchReport, BenchRow
from striate.analysis.cost_report import cost
from striate.analysis.memory_report import memory
from striate.backend import build_module
from striate.backend.native import why_not_fused
from striate.backend.pooling_first import pooling_first
from striate.data.memory import available_memory
from striate.errors import UsageError
from striate.training.allocator import memory_as
from striate.training.devices import (
    cuda_has_bf16,
    cuda_has_compiler,
    find_device,
    free_memory,
    machine_name,
)
from striate.training.fusing import fusable
from striate.training.inputs import layout_name, memory_layout
from striate.training.losses import Loss
from striate.training.peak import matrix_peak
from striate.training.processors import default_threads, has_compiler, may_have_bf16, processor_name
from striate.training.randomness import isolated
from striate.training.settings import Setting, Trial
from striate.training.tryout import try_settings
from striate.units import format_bytes

if TYPE_CHECKING:
    from striate.graph import Graph

__all__ = ["bench"]

#: Timed steps of each setting, whatever they take, and seconds for all of them together.
LEAST, SECONDS = 5, 10.0
#: GFLOP/s are 2 floating-point operations for each multiply-add.
FLOPS = 2


def bench(
    graph: Graph,
    *,
    batch: int = 64,
    threads: int | None = None,
    precision: str = "auto",
    compiled: bool = False,
    seconds: float = SECONDS,
    device: str = "auto",
) -> BenchReport:
    """Time training steps on random images: forward and backward, no update, in turn, freed memory kept.

    Args:
        graph: a network with one input and one output.
        batch: images in a step.
        threads: default: all.
        precision: ``fp32``, ``bf16``, or ``auto`` for both, where the processor has bf16.
        compiled: whether torch.compile is tried too, which takes a minute.
        seconds: for all steps together; each setting has five, whatever they take.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.

    Raises:
        UsageError: several inputs or outputs, nothing to train, a step that does not fit into memory, or no such
            device.

    >>> from striate.graph import network
    >>> net = network("n", (1, 8, 8)).conv(4, 3).relu().maxpool(2).flatten().dense(3).build()
    >>> report = bench(net, batch=4, precision="fp32", seconds=0.0)
    >>> [row.name for row in report.rows if row.seconds][:2]
    ['fp32, channels-last', 'fp32, channels-last, pooling first']
    """
    place = find_device(device, "--device")
    _check(graph, batch, place)
    _check_compiler(compiled, place)
    threads = threads or default_threads()
    both = precision == "auto" and (may_have_bf16() if place.type == "cpu" else cuda_has_bf16(place))
    precisions = ["fp32", "bf16"] if both else [precision.replace("auto", "fp32")]
    costs = cost(graph)
    with isolated(threads, place), memory_as("auto"):
        peaks = {name: FLOPS * matrix_peak(_dtype(name), device=place) for name in precisions}
        images, labels, loss = _inputs(graph, batch)
        images, labels, module = images.to(place), labels.to(place), build_module(graph).to(place)
        settings = _settings(graph, precisions, compiled, place)
        trials = try_settings(graph, module, images, labels, loss, settings, seconds=seconds, least=LEAST)
    return BenchReport(
        network=graph.name,
        input=graph.input_shape,
        batch=batch,
        threads=threads,
        machine=processor_name() if place.type == "cpu" else machine_name(place),
        macs=costs.training,
        uncounted=tuple(dict.fromkeys(f"{one.node} ({one.kind})" for one in costs.uncounted if "MACs" in one.quantity)),
        peaks=peaks,
        rows=tuple(_row(trial, batch, FLOPS * costs.training * batch, peaks) for trial in trials),
        device=str(place),
    )


def _settings(graph: Graph, precisions: Sequence[str], compiled: bool, device: torch.device) -> list[Setting]:
    rewritings = [False, True] if pooling_first(graph) is not graph else [False]
    found: list[Setting] = []
    for name in precisions:
        for layout in ("channels-last", "contiguous"):
            found += [Setting(_dtype(name), memory_layout(layout), rewritten) for rewritten in rewritings]
            if fusable(graph, found[-1], device) and not why_not_fused():
                found.append(replace(found[-1], fused=True))
    if compiled:
        found += [
            Setting(_dtype(name), memory_layout("channels-last"), rewritings[-1], None, True) for name in precisions
        ]
    return found


def _row(trial: Trial, batch: int, flops: int, peaks: dict[str, float]) -> BenchRow:
    setting = trial.setting
    return BenchRow(
        name=setting.name,
        precision=setting.precision,
        layout=layout_name(setting.layout),
        pooling_first=setting.rewritten,
        compiled=setting.compiled,
        fused_pooling=setting.fused,
        seconds=trial.seconds,
        images=batch,
        flops=flops,
        peak=peaks[setting.precision],
        difference=trial.difference,
        cosine=trial.cosine,
        reason=trial.reason,
    )


def _inputs(graph: Graph, batch: int) -> tuple[torch.Tensor, torch.Tensor, Loss]:
    """Random images, and a loss that fits the output: cross-entropy for a vector, else the mean squared error."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(batch, *graph.input_shape, generator=generator)
    output = graph.output_shape
    if len(output) == 1 and output[0] > 1:
        return images, torch.randint(output[0], (batch,), generator=generator), Loss(F.cross_entropy)
    return images, torch.randn(batch, *output, generator=generator), Loss(F.mse_loss)


def _dtype(precision: str) -> torch.dtype:
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _check(graph: Graph, batch: int, device: torch.device) -> None:
    if len(graph.inputs) != 1 or len(graph.outputs) != 1 or not graph.parameter_count:
        raise UsageError(
            "only a network with one input, one output and something to train can be timed",
            where=graph.name,
            got=f"{len(graph.inputs)} inputs, {len(graph.outputs)} outputs, {graph.parameter_count:,} parameters",
        )
    cuda = device.type == "cuda"
    report = memory(graph, batch, optimizer="sgd", device="cuda" if cuda else "cpu")
    free = free_memory(device) if cuda else available_memory()
    # A second copy of the weights is there for the other memory order.
    needed = report.training_peak.bytes + 2 * report.weights
    if needed > free:
        largest = report.largest_batch(max(0, free - 2 * report.weights))
        raise UsageError(
            f"a step with {batch} images does not fit into memory",
            where="--batch",
            got=f"about {format_bytes(needed)}, and {format_bytes(free)} are free",
            write=f"--batch {largest}" if largest else "a smaller --input",
        )


def _check_compiler(compiled: bool, device: torch.device) -> None:
    if compiled and device.type != "cpu" and not cuda_has_compiler(device):
        raise UsageError(
            f"torch.compile cannot make kernels for {device} here",
            where="--compile",
            needs="CUDA, and the package triton, which comes with torch for CUDA",
            write="no --compile",
        )
    if compiled and device.type == "cpu" and not has_compiler():
        raise UsageError(
            "torch.compile needs a C++ compiler, and there is none",
            where="--compile",
            needs="g++ or clang++ on the PATH",
        )
