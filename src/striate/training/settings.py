"""Setting: one way to compute a training step, and what it costs and gives on this machine."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import nn

from striate.backend import build_module
from striate.backend.pooling_first import pooling_first
from striate.graph import Graph
from striate.training.inputs import layout_name
from striate.training.losses import Loss

__all__ = ["Setting", "Trial", "try_settings"]

#: Largest relative difference of the outputs, and smallest cosine between the gradients, that still count as equal.
OUTPUT_TOLERANCE = 0.05
GRADIENT_COSINE = 0.99


@dataclass(frozen=True)
class Setting:
    """One way to compute a step; all give the same numbers up to rounding.

    Args:
        dtype: float32, or bfloat16 for autocast.
        layout: memory order of the maps.
        rewritten: maximum pooling before ReLU, which gives the same bits with fewer operations.
    """

    dtype: torch.dtype = torch.float32
    layout: torch.memory_format = torch.contiguous_format
    rewritten: bool = False

    @property
    def name(self) -> str:
        """For whoever reads what was tried.

        >>> Setting(torch.bfloat16, torch.channels_last, rewritten=True).name
        'bf16, channels-last, pooling first'
        """
        words = ["bf16" if self.dtype == torch.bfloat16 else "fp32", layout_name(self.layout)]
        return ", ".join([*words, *(["pooling first"] if self.rewritten else [])])


@dataclass(frozen=True)
class Trial:
    """A setting on this machine.

    Args:
        setting: what was tried.
        seconds: of each timed step (forward, backward, no update), in the order they were taken.
        agrees: whether outputs and gradients are those of fp32; None for the one the others are compared with.
        reason: why it cannot be used, or empty.
    """

    setting: Setting
    seconds: tuple[float, ...] = ()
    agrees: bool | None = None
    reason: str = ""

    @property
    def fastest(self) -> float:
        """Seconds of the fastest step; infinite where there is none."""
        return min(self.seconds, default=float("inf"))

    @property
    def usable(self) -> bool:
        """Whether a training may be computed like this."""
        return bool(self.seconds) and self.agrees is not False


@dataclass
class _Runner:
    """A copy of the network, ready to compute in one setting."""

    setting: Setting
    module: nn.Module
    batch: torch.Tensor
    labels: torch.Tensor
    loss: Loss
    seconds: list[float] = field(default_factory=list)

    def step(self) -> torch.Tensor:
        self.module.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.setting.dtype == torch.bfloat16):
            outputs: torch.Tensor = self.module(self.batch)
        torch.autograd.backward(self.loss(outputs.float(), self.labels))
        return outputs.detach().float()

    def timed(self) -> None:
        start = time.perf_counter()
        self.step()
        self.seconds.append(time.perf_counter() - start)

    def answer(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Outputs and gradient in eval mode, since dropout would hide a difference."""
        self.module.eval()
        outputs = self.step()
        gradients = {name: p.grad for name, p in self.module.named_parameters() if p.grad is not None}
        self.module.train()
        return outputs, torch.cat([gradients[name].flatten() for name in sorted(gradients)])


def try_settings(
    graph: Graph,
    module: nn.Module,
    batch: torch.Tensor,
    labels: torch.Tensor,
    loss: Loss,
    settings: Sequence[Setting],
    *,
    seconds: float,
    least: int = 2,
) -> list[Trial]:
    """Compute a few steps in each setting, in turn, and compare outputs and gradients with the first one's.

    Args:
        graph: the network.
        module: the same network, initialised; it is not changed, nor is the random state.
        batch: images as the network sees them.
        labels: of that batch.
        loss: as in training.
        settings: what to try; the first is what the others are compared with, and should be fp32.
        seconds: time to spend on all together; what is hopeless (three times as slow as the fastest) is dropped early.
        least: timed steps of each setting that is not hopeless, whatever the time.

    Returns:
        One trial for each setting, in their order.
    """
    end = time.perf_counter() + seconds
    state = module.state_dict()
    runners: dict[int, _Runner] = {}
    trials = {index: Trial(setting) for index, setting in enumerate(settings)}
    with torch.random.fork_rng(devices=[]):
        truth: tuple[torch.Tensor, torch.Tensor] | None = None
        for index, setting in enumerate(settings):
            try:
                runner = _Runner(
                    setting, _copied(graph, module, state, setting), *_inputs(batch, labels, setting), loss
                )
                answer = runner.answer()
                runner.timed()
            except (RuntimeError, NotImplementedError) as error:
                trials[index] = Trial(setting, agrees=False, reason=f"does not run here: {str(error).splitlines()[0]}")
                continue
            runner.seconds.clear()  # the first step pays for what is made once
            runners[index] = runner
            truth = truth or answer
            difference, cosine = _distance(answer, truth)
            # Written so that NaN disagrees.
            agrees = None if answer is truth else difference < OUTPUT_TOLERANCE and cosine > GRADIENT_COSINE
            reason = "" if agrees is not False else f"outputs {difference:.3f} apart, gradient cosine {cosine:.3f}"
            trials[index] = Trial(setting, agrees=agrees, reason=reason)
        _race(runners, end, least)
    return [
        Trial(trial.setting, tuple(runners[index].seconds) if index in runners else (), trial.agrees, trial.reason)
        for index, trial in trials.items()
    ]


def _race(runners: dict[int, _Runner], end: float, least: int) -> None:
    """Steps in turn, so that whatever slows the machine down slows all of them down."""
    running = list(runners.values())
    rounds = 0
    while running and (rounds < least or time.perf_counter() < end):
        for runner in running:
            runner.timed()
        rounds += 1
        fastest = min(min(runner.seconds) for runner in running)
        running = [runner for runner in running if min(runner.seconds) <= 3 * fastest]
        if rounds >= 20:
            break


def _copied(graph: Graph, module: nn.Module, state: dict[str, torch.Tensor], setting: Setting) -> nn.Module:
    if not setting.rewritten:
        return copy.deepcopy(module).to(memory_format=setting.layout).train()  # type: ignore[call-overload,no-any-return]
    rewritten = build_module(pooling_first(graph), seed=None)
    rewritten.load_state_dict(state)
    return rewritten.to(memory_format=setting.layout).train()  # type: ignore[call-overload,no-any-return]


def _inputs(batch: torch.Tensor, labels: torch.Tensor, setting: Setting) -> tuple[torch.Tensor, torch.Tensor]:
    return batch.contiguous(memory_format=setting.layout), labels


def _distance(
    answer: tuple[torch.Tensor, torch.Tensor], truth: tuple[torch.Tensor, torch.Tensor]
) -> tuple[float, float]:
    difference = float((answer[0] - truth[0]).norm() / truth[0].norm().clamp_min(1e-12))
    return difference, float(torch.nn.functional.cosine_similarity(answer[1], truth[1], dim=0))
