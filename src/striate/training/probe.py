"""The probe: how to compute the steps of a training, measured on its own network and images before it begins.

bf16 halves memory traffic and doubles the multiply-adds on processors that have it; elsewhere it is many times slower,
and some convolution shapes are slow or wrong on some builds (pytorch issues 183815, 163347, 169688). Which memory order
and how many threads are best depends on the network and the machine. So each setting is measured here, and none is used
whose outputs and gradients are not those of fp32.

Pooling fused with ReLU saves most of what both take (half of it and more with two threads), which is a tenth to a
fifth of a step of a small network and next to nothing of a deep one; its kernel takes about 0.1 s to load and compile.
So it is a matter of measuring too, and a training too short for that has it only where it is asked for.

Not tried: smaller batches whose gradients are added up. With batch normalisation they are another optimisation, and
elsewhere they gain next to nothing once freed memory is kept (see :mod:`striate.training.allocator`). Nor is a bias
before batch normalisation left out: it has no effect on the loss, but rounding gives it a gradient of about 1e-8, which
Adam scales to whole steps (0.02 after 20 updates of a small network), so the weights would not be those of the plain
loop. Batch normalisation is not folded into the layer before it for evaluation and prediction either: that changes last
bits, and a run measured again must give the numbers it was stored with; see
:func:`striate.backend.batchnorm_folding.fold_batchnorm`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from striate.analysis.cost_report import cost
from striate.training.devices import CPU, cuda_has_bf16, cuda_has_compiler, machine_name, moved
from striate.training.fusing import fusable, not_tried
from striate.training.inputs import layout_name, memory_layout, to_input, to_tensor
from striate.training.memory_short import out_of_memory
from striate.training.processors import has_compiler, may_have_bf16
from striate.training.settings import Setting, Trial
from striate.training.tryout import Tryout
from striate.training.usual_setting import USUAL_SPEEDS, default_setting, expected_seconds

if TYPE_CHECKING:
    from torch import nn

    from striate.data import Dataset
    from striate.graph import Graph
    from striate.training.losses import Loss
    from striate.training.plan import Plan
    from striate.training.recipe import Recipe

__all__ = ["Decision", "Question", "as_decided", "measured", "nothing_to_decide"]

#: Another setting must take less than this share of the time of the usual one.
WORTH = 0.9
#: Seconds of training below which measuring costs more than it can save.
SHORT = 10.0
#: The probe takes about this share of the training's time, and no more than so many seconds.
SHARE, MOST = 0.05, 8.0
#: Of that, this share for arithmetic and memory order, the rest for what may make the best of them better still.
FIRST = 0.5
#: Steps that the probe takes at least: some in the usual setting, and some in another.
FEWEST = 8
#: A step is tried with as many images as take so many seconds at the usual speed, and with so many at least.
TRIED_STEP, FEWEST_IMAGES = 0.1, 32
#: Seconds that compiling may take; it cannot be stopped on the way.
COMPILING = 50.0
#: Seconds of a step beyond which one thread cannot be faster than several.
LARGE_STEP = 0.05
#: Where the middle step of a setting takes so many times as long as the fastest, something else is at work.
BUSY = 1.5


@dataclass(frozen=True, eq=False)
class Question:
    """What is to be trained.

    Args:
        recipe, plan: as resolved so far.
        graph: the network up to its logits.
        module: the same network, initialised; it is not changed.
        dataset: what it is trained on.
        loss: as in training.
    """

    recipe: Recipe
    plan: Plan
    graph: Graph
    module: nn.Module
    dataset: Dataset
    loss: Loss


@dataclass(frozen=True)
class Decision:
    """How the steps of a training are computed.

    Args:
        setting: the one that was chosen.
        reason: why, in one sentence.
        tried: what was measured, in one line; empty where nothing was.
        lasting: whether it may be used again for the same network on this machine.
    """

    setting: Setting
    reason: str
    tried: str = ""
    lasting: bool = False

    def as_dict(self) -> dict[str, object]:
        """What ``run.json`` keeps of it, by the names of the options."""
        return {
            "precision": self.setting.precision,
            "precision_reason": self.reason,
            "layout": layout_name(self.setting.layout),
            "threads": self.setting.threads,
            "rewrites": ", ".join(self.setting.rewrites) or "none",
            "compile": "on" if self.setting.compiled else "off",
            "probe": self.tried or "nothing was measured",
        }

    def lines(self, device: torch.device = CPU) -> list[str]:
        """What was tried, and what was chosen and why; what computes is named where it is not the processor."""
        place = "" if device.type == "cpu" else f"{device} ({machine_name(device)}), "
        chosen = f"arithmetic: {place}{self.setting.name} ({self.reason})"
        return [*([f"probe: {self.tried}"] if self.tried else []), chosen]


def as_decided(resolved: Mapping[str, object]) -> dict[str, object]:
    """The options with which another training computes like the one whose ``run.json`` says this.

    >>> as_decided(Decision(Setting(threads=2), "as asked").as_dict())["threads"]
    2
    """
    # Runs from before there was a choice of devices do not name one.
    known = ("precision", "layout", "threads", "compile", *(["device"] if "device" in resolved else []))
    options = {name: resolved[name] for name in known}
    rewrites = "fused" if "fused" in str(resolved["rewrites"]) else "off" if resolved["rewrites"] == "none" else "auto"
    return {**options, "rewrites": rewrites, "probe": "off"}


def nothing_to_decide(question: Question) -> Decision | None:
    """The usual setting, where there is no choice or a measurement would not pay; else None."""
    recipe, plan = question.recipe, question.plan
    setting = default_setting(recipe, plan, question.graph)
    if recipe.probe == "off":
        return Decision(setting, "nothing is measured, as asked")
    first = _first_settings(recipe, setting, plan.device)
    if len(first) == 1 and not _further_settings(question, setting, 0.0, math.inf):
        return Decision(setting, "as asked")
    if not _pays(question):
        return Decision(setting, "the training is too short for a measurement to pay")
    return None


def _pays(question: Question) -> bool:
    """Whether the training is long enough, and its steps short enough, for a few of them to be a small share of it."""
    plan, graph = question.plan, question.graph
    expected = expected_seconds(plan, graph, len(question.dataset.train))
    step = cost(graph).training * _images(question) / USUAL_SPEEDS[plan.device.type]
    return expected >= SHORT and SHARE * expected >= FEWEST * step


def measured(question: Question) -> Decision:
    """Measure settings on the first batch, and choose; see :func:`nothing_to_decide` for what comes before."""
    start = time.perf_counter()
    usual = default_setting(question.recipe, question.plan, question.graph)
    try:
        tryout = Tryout(question.graph, question.module, *_first_batch(question), question.loss)
        tryout.enter([usual])
    except (MemoryError, RuntimeError) as error:
        if not out_of_memory(error):
            raise
        return Decision(usual, "memory ran out while measuring, and nothing was compared")
    expected = _expected_from(question.plan, tryout.cost * question.plan.batch / _images(question))
    # From here on: what the first setting takes to be made, training pays in any case.
    tryout.end = time.perf_counter() + min(SHARE * expected, MOST)
    tryout.enter(_first_settings(question.recipe, usual, question.plan.device))
    tryout.race(seconds=FIRST * (tryout.end - time.perf_counter()))
    best = _best(tryout.trials, usual)
    times = {trial.setting: trial.fastest for trial in tryout.trials}
    # What is still to gain is a part of what the best one takes.
    further = _further_settings(question, best, tryout.cost, expected * min(1.0, times[best] / times[usual]))
    tryout.enter([setting for setting in further if not setting.compiled])
    tryout.enter([setting for setting in further if setting.compiled], costly=True)
    if any(trial.agrees for trial in tryout.trials if trial.setting in further):
        tryout.race([*dict.fromkeys((usual, best)), *further])
    return _judged(tryout.trials, usual, question, time.perf_counter() - start)


def _judged(trials: list[Trial], usual: Setting, question: Question, seconds: float) -> Decision:
    chosen = _best(trials, usual)
    by_setting = {trial.setting: trial for trial in trials}
    trial, first = by_setting[chosen], by_setting[usual]
    if chosen == usual:
        reason = "no other setting takes 10 % less time" if len(trials) > 1 else "there was no time to try another"
    else:
        reason = f"{trial.fastest / first.fastest:.2f} of the time of the usual setting"
        reason += f"; outputs {trial.difference:.2g} apart from it, gradient cosine {trial.cosine:.4f}"
    raced = [one for one in trials if one.seconds]
    spread = max((one.median / one.fastest for one in raced), default=1.0)
    busy = spread > BUSY
    told = "; ".join(f"{one.setting.beside(usual)} {one.span}" for one in trials)
    images = _images(question)
    tried = f"{len(raced)} settings in {seconds:.1f} s, a step of {images} images, fastest to slowest: {told}"
    device = question.plan.device
    if question.recipe.precision == "auto" and not _has_bf16(device):
        tried += f"; bf16 not tried, this {'processor' if device.type == 'cpu' else 'device'} has none"
    if question.recipe.rewrites == "auto" and (missing := not_tried(question.graph, chosen, device)):
        tried += f"; fused pooling not tried, {missing}"
    if busy:
        tried += (
            f"; the machine was busy, for steps of one setting differ {spread:.1f} times: not kept for the next time"
        )
    return Decision(chosen, reason, tried, lasting=not busy and not any("no time" in one.reason for one in trials))


def _best(trials: list[Trial], usual: Setting) -> Setting:
    """The fastest that may be used, where it is worth leaving the usual one for it."""
    first = next(trial for trial in trials if trial.setting == usual)
    # The fastest step counts, for everything else on a machine only slows down; but not where it was a lucky one.
    better = [
        trial
        for trial in trials
        if trial.usable and trial.fastest < WORTH * first.fastest and trial.median < WORTH * first.median
    ]
    return min(better, key=lambda trial: trial.fastest, default=first).setting


def _first_settings(recipe: Recipe, usual: Setting, device: torch.device) -> list[Setting]:
    """Arithmetic and memory order, in every combination that is open; the usual one first."""
    dtypes = [usual.dtype]
    if recipe.precision == "auto" and _has_bf16(device):
        dtypes.append(torch.bfloat16)
    layouts = [usual.layout]
    if recipe.layout == "auto" and device.type != "mps":
        layouts.append(memory_layout("contiguous"))
    # In another memory order the kernel would have to turn each map around.
    return [
        replace(usual, dtype=dtype, layout=layout, fused=usual.fused and layout == usual.layout)
        for layout in layouts
        for dtype in dtypes
    ]


def _further_settings(question: Question, best: Setting, step: float, expected: float) -> list[Setting]:
    """What may make the best of them better still: one change each."""
    recipe, threads, device = question.recipe, question.plan.threads, question.plan.device
    found = []
    if recipe.rewrites == "auto":
        if fusable(question.graph, best, device) and not not_tried(question.graph, best, device):
            found.append(replace(best, fused=not best.fused))
        if best.rewritten:
            found.append(replace(best, rewritten=False))
    if recipe.threads is None and threads > 1 and device.type == "cpu":
        found.append(replace(best, threads=threads // 2))
        if threads > 3 and step < LARGE_STEP:
            found.append(replace(best, threads=1))
    compiler = has_compiler() if device.type == "cpu" else cuda_has_compiler(device)
    if recipe.compile == "auto" and SHARE * expected >= COMPILING and compiler:
        found.append(replace(best, compiled=True, fused=False))
    return found


def _expected_from(plan: Plan, step: float) -> float:
    total = math.inf if plan.epochs is None else plan.epochs * plan.steps * step
    return min(total, math.inf if plan.seconds is None else plan.seconds)


def _images(question: Question) -> int:
    """With how many images a setting is tried: a part of a large batch tells the fast from the slow as well."""
    plan = question.plan
    at_once = max(1, plan.batch // plan.parts)
    enough = TRIED_STEP * USUAL_SPEEDS[plan.device.type] / max(1, cost(question.graph).training)
    return min(at_once, max(FEWEST_IMAGES, 1 << int(math.log2(max(1.0, enough)))))


def _first_batch(question: Question) -> tuple[torch.Tensor, torch.Tensor]:
    train, plan, count = question.dataset.train, question.plan, _images(question)
    images, labels = (moved(to_tensor(array[:count]), plan.device) for array in (train.images, train.labels))
    return to_input(images, question.dataset.preprocessing, plan.layout), labels


def _has_bf16(device: torch.device) -> bool:
    return may_have_bf16() if device.type == "cpu" else cuda_has_bf16(device)
