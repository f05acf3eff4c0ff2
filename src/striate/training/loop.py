"""The training loop, readable from top to bottom, and the bookkeeping around it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

from striate.errors import DivergedError
from striate.training.augmentation import Augmentation, Draws, seeded
from striate.training.bookkeeping import Best, Clock, Meter
from striate.training.evaluation import evaluate_outputs, network_outputs
from striate.training.events import Listener
from striate.training.inputs import normalize, to_unit
from striate.training.optimization import Constraints, make_optimizer
from striate.training.plan import batch_bounds
from striate.training.schedule import SCHEDULES

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.graph import Graph
    from striate.training.interruption import Interruption
    from striate.training.keeper import Keeper
    from striate.training.losses import Loss
    from striate.training.plan import Plan
    from striate.training.recipe import Recipe

__all__ = ["Ending", "Job", "Outcome", "train_epochs"]

Ending = Literal["done", "out of time", "stopped early", "interrupted"]


@dataclass(frozen=True)
class Job:
    """Everything one training needs.

    Args:
        graph: the network up to its logits.
        module: the same network, initialised; its weights are what training changes.
        dataset: images, labels and preprocessing.
        recipe, plan: what to do.
        loss: what is minimised.
        dtype: fp32, or bf16 for autocast.
    """

    graph: Graph
    module: nn.Module
    dataset: Dataset
    recipe: Recipe
    plan: Plan
    loss: Loss
    dtype: torch.dtype


@dataclass(frozen=True)
class Outcome:
    """How training ended.

    Args:
        ending: done, out of time, stopped early or interrupted.
        epochs: finished.
        steps: taken.
        best_epoch: whose weights are the best ones; 0 when no epoch was finished.
        best_accuracy, best_loss: of that epoch on the validation split; None without one.
        seconds: of training and validation.
        images_per_second: training only.
    """

    ending: Ending
    epochs: int
    steps: int
    best_epoch: int
    best_accuracy: float | None
    best_loss: float | None
    seconds: float
    images_per_second: float


def train_epochs(job: Job, keeper: Keeper, listen: Listener, interruption: Interruption) -> Outcome:
    """Train until the epochs, the time or the patience end, or somebody interrupts.

    Raises:
        DivergedError: at a loss or weight that is not finite; the last good weights stay on the disk.
        StorageError: when the disk is full; what was saved before stays.
    """
    plan, recipe, module = job.plan, job.recipe, job.module
    images = torch.from_numpy(job.dataset.train.images)
    labels = torch.from_numpy(job.dataset.train.labels)
    prepare = _preparation(job)
    optimizer = make_optimizer(recipe, job.graph, module)
    constraints = Constraints(recipe, job.graph, module)
    bounds = batch_bounds(len(images), plan.batch)
    clock = Clock(plan, len(bounds))
    best = Best(recipe.early_stopping)
    for epoch in itertools.count(1):
        order = torch.randperm(len(images), generator=seeded(recipe.seed, epoch, 0))
        draws = Draws.of_epoch(recipe.seed, epoch, len(images)).uniform
        meter = Meter(job.dataset.task)
        module.train()
        for step, (start, end) in enumerate(bounds, 1):
            picked = order[start:end]
            rate = plan.learning_rate * SCHEDULES[recipe.schedule](clock.progress(), recipe.warmup)
            for group in optimizer.param_groups:
                group["lr"] = rate
            x_bchw, target = prepare(images[picked], draws[picked]), labels[picked]
            with torch.autocast("cpu", torch.bfloat16, enabled=job.dtype == torch.bfloat16):
                outputs = module(x_bchw)
            loss = job.loss(outputs.float(), target)
            value = float(loss.detach())
            if not math.isfinite(value):
                raise _diverged(f"the loss is {value}", epoch, step, rate)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            constraints.before_step()
            optimizer.step()
            constraints.after_step()
            clock.tick(end - start)
            meter.add(value, outputs, target)
            listen(meter.step_done(epoch, step, len(bounds), clock))
            keeper.step(epoch, clock.steps, value, rate, last=step == len(bounds))
            if interruption.requested or clock.expired:
                break
        _check_finite(module, epoch, step, rate)
        whole = step == len(bounds)
        if not whole and interruption.requested:
            keeper.save_last(module)
            return _outcome("interrupted", epoch - 1, best, clock)
        val_loss, val_accuracy = _validate(job)
        is_best = best.update(epoch, val_loss, val_accuracy)
        done = meter.epoch_done(epoch, plan.epochs, val_loss, val_accuracy, is_best, clock)
        keeper.epoch(module, done, clock.steps, rate)
        listen(done)
        ending = _ending(interruption, clock, best, epoch, plan)
        if ending is not None:
            return _outcome(ending, epoch, best, clock)
    raise AssertionError("unreachable")


def _preparation(job: Job) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """From uint8 pixels and random draws to what the network sees."""
    augmentation = Augmentation.of(job.recipe)
    preprocessing, layout = job.dataset.preprocessing, job.plan.layout

    def prepare(images: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
        unit = augmentation.changes(to_unit(augmentation.moves(images, draws)), draws)
        return normalize(unit, preprocessing).contiguous(memory_format=layout)

    return prepare


def _validate(job: Job) -> tuple[float | None, float | None]:
    """Loss and accuracy on the validation split."""
    dataset = job.dataset
    if dataset.val is None:
        return None, None
    outputs = network_outputs(job.module, dataset.val.images, dataset.preprocessing, job.plan.layout)
    result = evaluate_outputs(outputs, dataset.val, "val", dataset.task, dataset.classes, job.loss)
    return result.loss, result.accuracy


def _ending(interruption: Interruption, clock: Clock, best: Best, epoch: int, plan: Plan) -> Ending | None:
    if epoch == plan.epochs:
        return "done"
    if interruption.requested:
        return "interrupted"
    if clock.expired:
        return "out of time"
    return "stopped early" if best.patience_is_over(epoch) else None


def _check_finite(module: nn.Module, epoch: int, step: int, rate: float) -> None:
    for name, tensor in module.state_dict().items():
        if not bool(tensor.isfinite().all()):
            raise _diverged(f"{name} holds a number that is not finite", epoch, step, rate)


def _diverged(what: str, epoch: int, step: int, rate: float) -> DivergedError:
    return DivergedError(
        f"training diverged: {what}",
        where=f"epoch {epoch}, step {step}",
        got=f"learning rate {rate:.3g}",
        needs="a smaller learning rate, clipping, or fp32; the weights of the last good epoch are kept",
        write=f"--learning-rate {rate / 10:.2g} --clip 1",
    )


def _outcome(ending: Ending, epochs: int, best: Best, clock: Clock) -> Outcome:
    return Outcome(
        ending=ending,
        epochs=epochs,
        steps=clock.steps,
        best_epoch=best.epoch,
        best_accuracy=best.accuracy,
        best_loss=best.loss,
        seconds=clock.seconds,
        images_per_second=clock.images / clock.seconds if clock.seconds else 0.0,
    )
