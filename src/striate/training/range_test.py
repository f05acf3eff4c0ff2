"""The learning-rate range test: a few steps on a fresh copy with a rate that grows, to see where learning begins and
where it breaks down.

Source: Smith, "Cyclical learning rates for training neural networks", 2017, section 3.3; the exponential sweep, the
smoothing and the stop are those of Gugger and Howard (fast.ai, 2018).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from striate.data import Dataset
from striate.errors import UsageError
from striate.graph import Graph
from striate.training.accumulation import Gradients
from striate.training.augmentation import Augmentation
from striate.training.augmentations.showing import Showing
from striate.training.bookkeeping import History
from striate.training.events import Listener, Note, silent
from striate.training.first_layer import FirstLayer, whiten
from striate.training.fitting import fit_network
from striate.training.job import Job
from striate.training.losses import make_loss
from striate.training.network import check_fits, logits_graph
from striate.training.optimization import Constraints, make_optimizer
from striate.training.plan import batch_bounds, make_plan
from striate.training.randomness import isolated, seed_of, seed_torch, seeded
from striate.training.recipe import Recipe
from striate.training.running import first_module
from striate.training.usual_setting import default_setting

__all__ = ["RULE", "RangeTest", "find_learning_rate"]

#: From where to where the rate grows, in how many steps.
LOWEST, HIGHEST, STEPS = 1e-5, 10.0, 120
#: Share of the smoothed loss that stays at each step.
SMOOTHING = 0.9
#: It is over when the smoothed loss is so many times its lowest.
BROKEN = 4.0
#: Steps at the beginning that count for nothing: their smoothed loss is that of one or two batches.
FIRST = 10
#: The loss must fall by this share for a suggestion to mean anything.
FALL = 0.02
#: How the suggestion is made, for whoever reads it.
RULE = "a tenth of the rate at which the smoothed loss was lowest"


@dataclass(frozen=True)
class RangeTest:
    """What the loss did as the learning rate grew.

    Args:
        rates: of each step.
        losses: of each step, on its batch, before its update.
        smoothed: running mean of the losses, bias-corrected.
        suggestion: a peak learning rate; None where the loss never fell.
        reason: how it ended, and why there is no suggestion, in a sentence.
        optimizer, batch: what it holds for.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    suggestion: float | None
    reason: str
    optimizer: str
    batch: int

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, with the rule of the suggestion."""
        return {**asdict(self), "rule": RULE}


def find_learning_rate(
    net: str | Path | Graph = "simple-cnn",
    data: str | Path | Dataset = "digits",
    recipe: Recipe | None = None,
    *,
    steps: int = STEPS,
    listen: Listener = silent,
) -> RangeTest:
    """Train a fresh network in memory while its learning rate grows from 1e-5 to 10, each step by the same factor.

    Nothing is written. Images, augmentation, batch, loss and optimizer are those of the recipe; its schedule, averages
    and sizes are left out. Where a recipe has several rates (``bias_rate``, ``rest_rate``), they grow together.

    Args:
        net, data, recipe: as :func:`striate.training.train` takes them.
        steps: at most; at least 20.
        listen: told what is done.

    Raises:
        NetworkError, DataError, UsageError: as :func:`striate.training.train`.
    """
    recipe = recipe or Recipe()
    if recipe.learning_rate is not None:
        raise UsageError(
            "a learning rate has no effect where one is looked for",
            where="learning_rate",
            got=f"learning_rate: {recipe.learning_rate:g}",
            write="no learning_rate",
        )
    if steps < 2 * FIRST:
        raise UsageError("too few steps to see anything", where="steps", got=str(steps), needs=f"at least {2 * FIRST}")
    graph, dataset = fit_network(net, data, recipe)
    check_fits(graph, dataset)
    plan = make_plan(recipe, graph, dataset)
    logits = logits_graph(graph, dataset.task)
    loss = make_loss(recipe, dataset.task, dataset.classes, dataset.card.splits["train"].counts)[1]
    listen(Note(f"up to {steps} steps of {plan.batch} images, from {LOWEST:g} to {HIGHEST:g}"))
    with isolated(plan.threads, plan.device, deterministic=recipe.deterministic):
        setting = replace(default_setting(recipe, plan, logits), compiled=False)
        module = first_module(logits, recipe, setting, plan.device)
        if recipe.whiten:
            whiten(module, logits, dataset)
        job = Job(logits, module, dataset, recipe, plan, loss, setting)
        return _judged(list(_sweep(job, steps, listen)), recipe, plan.batch, steps)


def _sweep(job: Job, steps: int, listen: Listener) -> Iterator[tuple[float, float]]:
    """(rate, loss) of each step, until the loss is no number."""
    recipe, plan, count = job.recipe, job.plan, len(job.dataset.train)
    showing = Showing(job.dataset, Augmentation.of(recipe), plan.layout, recipe.seed, plan.device)
    optimizer = make_optimizer(recipe, job.graph, job.module)
    constraints = Constraints(recipe, job.graph, job.module)
    gradients = Gradients(job, History(plan, None), listen)
    if recipe.whiten:
        FirstLayer(job.module, job.graph)
    bounds = batch_bounds(count, plan.batch)
    job.module.train()
    for step in range(steps):
        epoch, place = divmod(step, len(bounds))
        if place == 0:
            order = torch.randperm(count, generator=seeded(recipe.seed, epoch + 1, "order"))
            coming = bounds[: steps - step]
            shown = showing.epoch(epoch + 1, [order[start:end] for start, end in coming])
            seed_torch(seed_of(recipe.seed, epoch + 1, "dropout"), plan.device)
        rate = LOWEST * (HIGHEST / LOWEST) ** (step / (steps - 1))
        for group in optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        start, end = bounds[place]
        value, _ = gradients(*shown.batch(order[start:end]))
        yield rate, value
        if not math.isfinite(value):
            return
        constraints.before_step()
        optimizer.step()
        constraints.after_step()


def _judged(seen: list[tuple[float, float]], recipe: Recipe, batch: int, steps: int) -> RangeTest:
    """Smooth the losses, cut them where they break down, and suggest."""
    rates, losses, smoothed = [], [], []
    running, lowest, reason = 0.0, math.inf, f"the loss had not broken down at {HIGHEST:g}"
    for number, (rate, value) in enumerate(seen, start=1):
        running = SMOOTHING * running + (1 - SMOOTHING) * value
        mean = running / (1 - SMOOTHING**number)
        if not math.isfinite(mean) or (number > FIRST and mean > BROKEN * lowest):
            reason = f"the loss broke down at {rate:.2g}"
            break
        rates.append(rate)
        losses.append(value)
        smoothed.append(mean)
        if number >= FIRST:
            lowest = min(lowest, mean)
    suggestion = None
    first = smoothed[FIRST - 1] if len(smoothed) >= FIRST else math.nan
    if lowest < (1 - FALL) * first:
        suggestion = rates[smoothed.index(lowest)] / 10
    else:
        reason += f", and it never fell by {FALL:.0%}: there is nothing to suggest"
    return RangeTest(tuple(rates), tuple(losses), tuple(smoothed), suggestion, reason, recipe.optimizer, batch)
