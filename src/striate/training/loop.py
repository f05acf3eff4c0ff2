"""The training loop, readable from top to bottom."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import nn

from striate.errors import DivergedError
from striate.training.augmentation import Augmentation, epoch_draws
from striate.training.evaluation import loss_and_accuracy
from striate.training.inputs import normalize_, to_input, to_tensor, to_unit
from striate.training.optimization import Constraints, make_optimizer
from striate.training.plan import batch_bounds
from striate.training.randomness import seed_of, seeded
from striate.training.schedule import make_schedule

if TYPE_CHECKING:
    from striate.training.bookkeeping import Ending, History
    from striate.training.events import Listener
    from striate.training.interruption import Interruption
    from striate.training.job import Job
    from striate.training.keeper import Keeper
    from striate.training.plan import Plan

__all__ = ["train_epochs"]


def train_epochs(job: Job, history: History, keeper: Keeper, listen: Listener, interruption: Interruption) -> Ending:
    """Train until the epochs, the time or the patience end, or somebody interrupts.

    The order of the images in an epoch, the augmentation and the dropout follow from the seed and the epoch alone.
    Where the keeper has a checkpoint, training goes on behind the last step of it.

    Raises:
        DivergedError: at a loss or weight that is not finite; the last good weights stay on the disk.
        RunError: when the checkpoint does not fit the network.
        StorageError: when the disk is full; what was saved before stays.
    """
    plan, recipe, module, clock = job.plan, job.recipe, job.module, history.clock
    images, labels = to_tensor(job.dataset.train.images), to_tensor(job.dataset.train.labels)
    augmentation = Augmentation.of(recipe)
    prepare = _preparation(job, augmentation)
    optimizer = make_optimizer(recipe, job.graph, module)
    constraints = Constraints(recipe, job.graph, module)
    schedule = make_schedule(recipe)
    bounds = batch_bounds(len(images), plan.batch)
    meter = keeper.begin(optimizer)
    while (ending := history.ending()) is None:
        epoch = history.epochs + 1
        order = torch.randperm(len(images), generator=seeded(recipe.seed, epoch, "order"))
        draws = epoch_draws(recipe.seed, epoch, len(images)) if augmentation.active else None
        if meter.steps == 0:
            torch.default_generator.manual_seed(seed_of(recipe.seed, epoch, "dropout"))
        module.train()
        meter.start()
        while meter.steps == 0 or not (meter.steps == plan.steps or interruption.requested or clock.expired):
            keeper.between_steps(meter)
            start, end = bounds[meter.steps]
            picked = order[start:end]
            rate = plan.learning_rate * schedule(clock.progress())
            for group in optimizer.param_groups:
                group["lr"] = rate
            x_bchw = prepare(images[picked], None if draws is None else draws[picked])
            target = labels[picked]
            with torch.autocast("cpu", torch.bfloat16, enabled=job.dtype == torch.bfloat16):
                outputs = module(x_bchw)
            loss = job.loss(outputs.float(), target)
            value = float(loss.detach())
            finite = math.isfinite(value)
            keeper.step(epoch, clock.steps + 1, value, rate, last=meter.steps + 1 == plan.steps or not finite)
            if not finite:
                raise _diverged(f"the loss is {value}", f"epoch {epoch}, step {meter.steps + 1}", plan)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            constraints.before_step()
            optimizer.step()
            constraints.after_step()
            clock.tick()
            meter.add(value, job.loss.weight(target), rate, outputs, target)
            listen(history.step_done(epoch, meter))
        _check_finite(module, f"epoch {epoch}, step {meter.steps}", plan)
        try:
            with interruption.cutting_short():
                val_loss, val_accuracy = _validate(job, epoch)
        except KeyboardInterrupt:
            keeper.interrupted(meter)
            return "interrupted"
        done = history.epoch_done(epoch, meter, val_loss, val_accuracy)
        meter = keeper.epoch(done, meter)
        listen(done)
    return ending


def _preparation(job: Job, augmentation: Augmentation) -> Callable[[torch.Tensor, torch.Tensor | None], torch.Tensor]:
    """From uint8 pixels, and the random draws for them where there are any, to what the network sees."""
    preprocessing, layout = job.dataset.preprocessing, job.plan.layout

    def prepare(images: torch.Tensor, draws: torch.Tensor | None) -> torch.Tensor:
        if draws is None:
            return to_input(images, preprocessing, layout)
        unit = augmentation.changes(to_unit(augmentation.moves(images, draws), layout), draws)
        return normalize_(unit, preprocessing).contiguous(memory_format=layout)

    return prepare


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
