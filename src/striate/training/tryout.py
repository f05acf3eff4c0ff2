"""Trying settings: a few steps of each in turn, with outputs and gradients compared with those of the first."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch
from torch import nn

from striate.graph import Graph
from striate.training.devices import synchronize
from striate.training.losses import Loss
from striate.training.randomness import forked
from striate.training.settings import Setting, Trial, in_setting

__all__ = ["Tryout", "try_settings"]

#: Largest relative difference of the outputs, and smallest cosine between the gradients, that still count as equal.
OUTPUT_TOLERANCE = 0.05
GRADIENT_COSINE = 0.99
#: What takes so many times as long as the fastest is given up at the first sight.
HOPELESS = 3.0
#: What takes so many times as long as the first setting is emulated, and does not take part in the race.
FAR_OFF = 25.0
#: Steps of one setting at most: more would not change the choice.
MOST_STEPS = 20

Answer = tuple[torch.Tensor, torch.Tensor]


@dataclass
class _Runner:
    """The network, ready to compute in one setting."""

    setting: Setting
    module: nn.Module
    batch: torch.Tensor
    labels: torch.Tensor
    loss: Loss
    seconds: list[float] = field(default_factory=list)

    def step(self) -> torch.Tensor:
        self.module.zero_grad()
        enabled = self.setting.dtype == torch.bfloat16
        with torch.autocast(self.batch.device.type, torch.bfloat16, enabled=enabled):
            outputs: torch.Tensor = self.module(self.batch)
        torch.autograd.backward(self.loss(outputs.float(), self.labels))
        return outputs.detach().float()

    def timed(self) -> float:
        synchronize(self.batch.device)
        start = time.perf_counter()
        self.step()
        synchronize(self.batch.device)
        return time.perf_counter() - start

    def answer(self) -> Answer:
        """Outputs and gradient in eval mode, since dropout would hide a difference."""
        self.module.eval()
        outputs = self.step()
        gradients = [parameter.grad for _, parameter in sorted(self.module.named_parameters())]
        self.module.train()
        return outputs, torch.cat([gradient.flatten() for gradient in gradients if gradient is not None])


class Tryout:
    """Settings that compete on one batch. Neither the module nor the random state is changed.

    The weights are copied once for each memory order, not for each setting.

    Args:
        graph: the network.
        module: the same network, initialised.
        batch: images as the network sees them.
        labels: of that batch.
        loss: as in training.
        end: by :func:`time.perf_counter`, when to stop; None to let every setting have its steps.

    Attributes:
        end: as given; it may be set once the first setting is in.
        cost: seconds of a step in the first setting.
    """

    def __init__(
        self,
        graph: Graph,
        module: nn.Module,
        batch: torch.Tensor,
        labels: torch.Tensor,
        loss: Loss,
        end: float | None = None,
    ) -> None:
        self._graph, self._module, self._batch, self._labels, self._loss = graph, module, batch, labels, loss
        self.end = math.inf if end is None else end
        self._copies: dict[torch.memory_format, nn.Module] = {}
        self._runners: dict[Setting, _Runner] = {}
        self._truth: Answer | None = None
        self.cost = 0.0
        self._trials: dict[Setting, Trial] = {}

    @property
    def trials(self) -> list[Trial]:
        """What is known of each setting, in the order they came."""
        return [
            replace(trial, seconds=tuple(self._runners[setting].seconds)) if setting in self._runners else trial
            for setting, trial in self._trials.items()
        ]

    def enter(self, settings: Sequence[Setting], *, least: int = 2, costly: bool = False) -> None:
        """Take settings in, and compare each with the first of all.

        Args:
            settings: those that no time is left for are not tried, and say so.
            least: timed steps that each must still have time for.
            costly: whether the first step of each may take far longer than the others, as compiling does.
        """
        with forked(self._batch.device), _threads_kept():
            for setting in settings:
                if setting in self._trials:
                    continue
                # Three steps to take it in, and the race of all.
                needed = self.cost * (3 + least * (len(self._runners) + 1))
                if self._truth is not None and not costly and time.perf_counter() + needed > self.end:
                    self._trials[setting] = Trial(setting, reason="no time left to try it")
                    continue
                self._trials[setting] = self._entered(setting)

    def race(self, settings: Sequence[Setting] | None = None, *, least: int = 2, seconds: float | None = None) -> None:
        """Steps in turn, so that whatever slows the machine down slows all of them down; the hopeless drop out.

        Args:
            settings: who takes part; None: all.
            least: steps of each, whatever the time.
            seconds: for this race; None: until the end of all.
        """
        end = self.end if seconds is None else time.perf_counter() + seconds
        runners = [self._runners[setting] for setting in settings or self._runners if setting in self._runners]
        rounds = 0
        with forked(self._batch.device), _threads_kept():
            while runners and rounds < MOST_STEPS and (rounds < least or time.perf_counter() < end):
                for runner in runners:
                    if _set_threads(runner.setting):
                        runner.step()
                    runner.seconds.append(runner.timed())
                    runner.module.zero_grad()
                rounds += 1
                if rounds < least:
                    continue
                fastest = min(min(runner.seconds) for runner in runners)
                runners = [runner for runner in runners if min(runner.seconds) <= HOPELESS * fastest]

    def _entered(self, setting: Setting) -> Trial:
        try:
            runner = self._runner(setting)
            _set_threads(setting)
            answer = runner.answer()
            # The first step of training mode pays for what is made once.
            first = runner.timed()
            seconds = min(first, runner.timed())
            runner.module.zero_grad()
        except Exception as error:
            # Whatever a compiler or a kernel raises is a reason not to use it; the plain way has to work.
            if self._truth is None:
                raise
            said = str(error).splitlines() or [type(error).__name__]
            return Trial(setting, agrees=False, reason=f"does not run here: {said[0][:100]}")
        if self._truth is None:
            self._truth, self.cost = answer, seconds
            self._runners[setting] = runner
            return Trial(setting)
        difference, cosine = _distance(answer, self._truth)
        # Written so that NaN disagrees.
        agrees = difference < OUTPUT_TOLERANCE and cosine > GRADIENT_COSINE
        reason = "" if agrees else f"disagrees: outputs {difference:.3f} apart, gradient cosine {cosine:.3f}"
        if agrees and seconds >= FAR_OFF * self.cost:
            agrees, reason = False, f"{seconds / self.cost:.0f} times as slow"
        if agrees:
            self._runners[setting] = runner
        return Trial(setting, agrees=agrees, reason=reason, difference=difference, cosine=cosine)

    def _runner(self, setting: Setting) -> _Runner:
        layout = setting.layout
        if layout not in self._copies:
            self._copies[layout] = copy.deepcopy(self._module).to(memory_format=layout).train()  # type: ignore[call-overload]
        for name, buffer in self._module.named_buffers():
            # Running statistics as they were: the answers are taken with them.
            self._copies[layout].get_buffer(name).copy_(buffer)
        module = in_setting(self._graph, self._copies[layout], setting)
        if setting.compiled:
            module = torch.compile(module, dynamic=False)  # type: ignore[assignment]
        batch = self._batch.contiguous(memory_format=layout)
        return _Runner(setting, module, batch, self._labels, self._loss)


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
        graph, module, batch, labels, loss: as :class:`Tryout` takes them.
        settings: what to try; the first is what the others are compared with, and should be fp32.
        seconds: time for the race of all together; what is hopeless is dropped early.
        least: timed steps of each setting that is not hopeless, whatever the time.

    Returns:
        One trial for each setting, in their order.
    """
    tryout = Tryout(graph, module, batch, labels, loss)
    tryout.enter(settings)
    tryout.race(least=least, seconds=seconds)
    return tryout.trials


def _distance(answer: Answer, truth: Answer) -> tuple[float, float]:
    difference = float((answer[0] - truth[0]).norm() / truth[0].norm().clamp_min(1e-12))
    return difference, float(torch.nn.functional.cosine_similarity(answer[1], truth[1], dim=0))


def _set_threads(setting: Setting) -> bool:
    """Whether the number of threads was another: then the next step pays for starting them."""
    if setting.threads is None or setting.threads == torch.get_num_threads():
        return False
    torch.set_num_threads(setting.threads)
    return True


@contextmanager
def _threads_kept() -> Iterator[None]:
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
