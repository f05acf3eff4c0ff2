"""The training loop, readable from top to bottom."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from striate.errors import DivergedError
from striate.training.accumulation import Gradients
from striate.training.augmentation import Augmentation
from striate.training.augmentations.showing import Showing
from striate.training.averaged import Averaged
from striate.training.course import Course
from striate.training.evaluation import loss_and_accuracy
from striate.training.losses import larger_share
from striate.training.optimization import Constraints, make_optimizer
from striate.training.plan import batch_bounds
from striate.training.randomness import seed_of, seed_torch, seeded

if TYPE_CHECKING:
    from striate.training.bookkeeping import Ending, History
    from striate.training.events import Listener
    from striate.training.interruption import Interruption
    from striate.training.job import Job
    from striate.training.keeper import Keeper
    from striate.training.monitors.watch import Watch
    from striate.training.plan import Plan

__all__ = ["train_epochs"]


def train_epochs(
    job: Job, history: History, keeper: Keeper, watch: Watch, listen: Listener, interruption: Interruption
) -> Ending:
    """Train until the epochs, the time or the patience end, or somebody interrupts.

    The order of the images in an epoch, the augmentation and the dropout follow from the seed and the epoch alone.
    Where the keeper has a checkpoint, training goes on behind the last step of it.

    Raises:
        DivergedError: at a loss or weight that is not finite; the last good weights stay on the disk.
        RunError: when the checkpoint does not fit the network.
        StorageError: when the disk is full; what was saved before stays.
        UsageError: when memory runs out and the batch cannot be computed in parts.
    """
    plan, recipe, module, clock = job.plan, job.recipe, job.module, history.clock
    spent = history.spent
    images = Showing(job.dataset, Augmentation.of(recipe), plan.layout, recipe.seed, plan.device, spent)
    optimizer = make_optimizer(recipe, job.graph, module)
    constraints = Constraints(recipe, job.graph, module)
    average, course = Averaged(recipe, module), Course(job, optimizer)
    gradients = Gradients(job, history, listen)
    bounds = batch_bounds(len(job.dataset.train), plan.batch)
    meter = keeper.begin(optimizer, average)
    while (ending := history.ending()) is None:
        epoch = history.epochs + 1
        order = torch.randperm(len(job.dataset.train), generator=seeded(recipe.seed, epoch, "order"))
        steps = plan.steps_in(epoch)
        with keeper.saving(meter):
            shown = images.epoch(epoch, [order[start:end] for start, end in bounds[meter.steps : steps]])
        if meter.steps == 0:
            seed_torch(seed_of(recipe.seed, epoch, "dropout"), plan.device)
        module.train()
        meter.start()
        while meter.steps == 0 or not (meter.steps == steps or interruption.requested or clock.expired):
            keeper.between_steps(meter)
            start, end = bounds[meter.steps]
            picked = order[start:end]
            rate = course.follow(clock.progress())
            with keeper.saving(meter):
                x_bchw, target = shown.batch(picked)
            x_bchw = course.sized(x_bchw)
            spent.mark("prepare")
            watch.before_step(epoch, picked, x_bchw, target, rate)
            value, outputs = gradients(x_bchw, target)
            finite = math.isfinite(value)
            keeper.step(epoch, clock.steps + 1, value, rate, last=meter.steps + 1 == steps or not finite)
            if not finite:
                raise _diverged(f"the loss is {value}", f"epoch {epoch}, step {meter.steps + 1}", plan)
            constraints.before_step()
            optimizer.step()
            constraints.after_step()
            clock.tick()
            average.step(clock.progress())
            spent.mark("optimizer")
            meter.add(value, job.loss.weight(target), rate, outputs, larger_share(target))
            listen(history.step_done(epoch, meter))
        spent.mark("other")
        _check_finite(module, f"epoch {epoch}, step {meter.steps}", plan)
        try:
            with keeper.saving(meter), interruption.cutting_short(), average.shown():
                val_loss, val_accuracy = _validate(job, epoch)
            spent.mark("validation")
        except KeyboardInterrupt:
            keeper.interrupted(meter)
            return "interrupted"
        done = history.epoch_done(epoch, meter, val_loss, val_accuracy)
        meter = keeper.epoch(done, meter)
        listen(done)
    return ending


def _validate(job: Job, epoch: int) -> tuple[float | None, float | None]:
    """Loss and accuracy on the validation split."""
    val = job.dataset.val
    if val is None:
        return None, None
    loss, accuracy = loss_and_accuracy(job.outputs(val), val, job.dataset.task, job.loss)
    if not math.isfinite(loss):
        raise _diverged(f"the validation loss is {loss}", f"epoch {epoch}", job.plan)
    return loss, accuracy


def _check_finite(module: nn.Module, where: str, plan: Plan) -> None:
    for name, tensor in module.state_dict().items():
        if not bool(tensor.isfinite().all()):
            raise _diverged(f"{name} holds a number that is not finite", where, plan)


def _diverged(what: str, where: str, plan: Plan) -> DivergedError:
    return DivergedError(
        f"training diverged: {what}",
        where=where,
        got=f"peak learning rate {plan.learning_rate:.3g}",
        needs="a smaller learning rate, clipping, or fp32; the weights of the last good epoch are kept",
        write=f"--learning-rate {plan.learning_rate / 10:.2g} --clip 1",
    )
