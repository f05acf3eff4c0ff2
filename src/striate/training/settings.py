"""Setting: one way to compute a training step. Trial: what it costs and gives on this machine."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import torch
from torch import nn

from striate.backend import build_module
from striate.backend.flat_gradient import flattens_maps, with_flat_gradients
from striate.backend.native import fused
from striate.backend.pooling_first import pooling_first
from striate.graph import Graph
from striate.training.inputs import layout_name

__all__ = ["Setting", "Trial", "in_setting"]


@dataclass(frozen=True)
class Setting:
    """One way to compute a step; all give the same numbers up to rounding.

    Args:
        dtype: float32, or bfloat16 for autocast; the weights are float32 in either case.
        layout: memory order of the maps.
        rewritten: maximum pooling before ReLU, which gives the same bits with fewer operations.
        threads: processor threads; None for as many as torch is set to.
        compiled: by torch.compile.
        fused: 2×2 maximum pooling together with the ReLU behind it, see :mod:`striate.backend.native.pooling`.
    """

    dtype: torch.dtype = torch.float32
    layout: torch.memory_format = torch.contiguous_format
    rewritten: bool = False
    threads: int | None = None
    compiled: bool = False
    fused: bool = False

    @property
    def precision(self) -> str:
        """``fp32`` or ``bf16``."""
        return "bf16" if self.dtype == torch.bfloat16 else "fp32"

    @property
    def name(self) -> str:
        """For whoever reads what was tried.

        >>> Setting(rewritten=True, fused=True).name
        'fp32, contiguous, pooling first, fused pooling'
        >>> Setting(torch.bfloat16, torch.channels_last, rewritten=True, threads=2).name
        'bf16, channels-last, pooling first, 2 threads'
        """
        words = [self.precision, layout_name(self.layout), *self.rewrites]
        if self.threads is not None:
            words.append(_count_threads(self.threads))
        return ", ".join([*words, *(["compiled"] if self.compiled else [])])

    @property
    def rewrites(self) -> list[str]:
        """How the network is computed otherwise than it is written."""
        return [*(["pooling first"] if self.rewritten else []), *(["fused pooling"] if self.fused else [])]

    def beside(self, usual: Setting) -> str:
        """What is different from another setting; its whole name where nothing is.

        >>> usual = Setting(rewritten=True, threads=2)
        >>> usual.beside(usual), Setting(torch.bfloat16, rewritten=True, threads=2).beside(usual)
        ('fp32, contiguous, pooling first, 2 threads', 'bf16')
        >>> Setting(threads=1).beside(usual)
        'not pooling first, 1 thread'
        """
        words = [] if self.dtype == usual.dtype else [self.precision]
        if self.layout != usual.layout:
            words.append(layout_name(self.layout))
        if self.rewritten != usual.rewritten:
            words.append("pooling first" if self.rewritten else "not pooling first")
        if self.fused != usual.fused:
            words.append("fused pooling" if self.fused else "not fused pooling")
        if self.threads is not None and self.threads != usual.threads:
            words.append(_count_threads(self.threads))
        if self.compiled != usual.compiled:
            words.append("compiled" if self.compiled else "not compiled")
        return ", ".join(words) or self.name


@dataclass(frozen=True)
class Trial:
    """A setting on this machine.

    Args:
        setting: what was tried.
        seconds: of each timed step (forward, backward, no update), in the order they were taken.
        agrees: whether outputs and gradients are those of the first setting; None for that one itself.
        reason: why it cannot be used, or was not tried, or empty.
        difference: of the outputs from those of the first setting, relative; None where there is none.
        cosine: between the gradients; likewise.
    """

    setting: Setting
    seconds: tuple[float, ...] = ()
    agrees: bool | None = None
    reason: str = ""
    difference: float | None = None
    cosine: float | None = None

    @property
    def fastest(self) -> float:
        """Seconds of the fastest step; infinite where there is none."""
        return min(self.seconds, default=float("inf"))

    @property
    def median(self) -> float:
        """Seconds of the step in the middle; infinite where there is none."""
        return statistics.median(self.seconds) if self.seconds else float("inf")

    @property
    def usable(self) -> bool:
        """Whether a training may be computed like this."""
        return bool(self.seconds) and self.agrees is not False

    @property
    def span(self) -> str:
        """Milliseconds from the fastest to the slowest step.

        >>> Trial(Setting(), (0.0105, 0.012)).span, Trial(Setting(), (0.01,)).span
        ('10.5-12.0 ms', '10.0 ms')
        """
        if self.reason or not self.seconds:
            return self.reason
        low, high = (f"{1e3 * value:.1f}" for value in (min(self.seconds), max(self.seconds)))
        return f"{low} ms" if low == high else f"{low}-{high} ms"


def _count_threads(number: int) -> str:
    return "1 thread" if number == 1 else f"{number} threads"


def in_setting(graph: Graph, module: nn.Module, setting: Setting) -> nn.Module:
    """The same network as a setting computes it; parameters and buffers are those of ``module``, in its memory order.

    Args:
        graph: the network.
        module: built from it.
        setting: it is rewritten here; dtype, layout, threads and compiling are for who calls it.
    """
    rewritten = pooling_first(graph) if setting.rewritten else graph
    flat = setting.layout == torch.channels_last and not setting.compiled and flattens_maps(graph)
    if rewritten is graph and not setting.fused and not flat:
        return module
    again: nn.Module = build_module(rewritten, device="meta", seed=None)
    again.load_state_dict(module.state_dict(keep_vars=True), assign=True)
    if setting.fused:
        again = fused(rewritten, again)
    if flat:
        again = with_flat_gradients(rewritten, again)
    return again.train(module.training)
