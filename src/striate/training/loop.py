"""The training loop, readable from top to bottom."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

from striate.errors import DivergedError
from striate.training.augmentation import Augmentation, epoch_draws
from striate.training.bookkeeping import Meter
from striate.training.evaluation import images_at_once, loss_and_accuracy, network_outputs
from striate.training.inputs import normalize_, to_input, to_tensor, to_unit
from striate.training.optimization import Constraints, make_optimizer
from striate.training.plan import batch_bounds
from striate.training.randomness import seed_of, seeded
from striate.training.schedule import make_schedule

if TYPE_CHECKING:
    from striate.data import Dataset, Split
    from striate.graph import Graph
    from striate.training.bookkeeping import History
    from striate.training.events import Listener
    from striate.training.interruption import Interruption
    from striate.training.keeper import Keeper
    from striate.training.losses import Loss
    from striate.training.plan import Plan
    from striate.training.recipe import Recipe

__all__ = ["Ending", "Job", "train_epochs"]

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

    def outputs(self, split: Split) -> torch.Tensor:
        """The raw outputs for every image of a split in eval mode: (count, outputs) float32."""
        return network_outputs(
            self.module, split.images, self.dataset.preprocessing, self.plan.layout, images_at_once(self.graph)
        )


def train_epochs(job: Job, history: History, keeper: Keeper, listen: Listener, interruption: Interruption) -> Ending:
    """Train until the epochs, the time or the patience end, or somebody interrupts.

    The order of the images in an epoch, the augmentation and the dropout follow from the seed and the epoch alone.

    Raises:
        DivergedError: at a loss or weight that is not finite; the last good weights stay on the disk.
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
    for epoch in itertools.count(1):
        order = torch.randperm(len(images), generator=seeded(recipe.seed, epoch, "order"))
        torch.default_generator.manual_seed(seed_of(recipe.seed, epoch, "dropout"))
        draws = epoch_draws(recipe.seed, epoch, len(images)) if augmentation.active else None
        meter = Meter(job.dataset.task)
        module.train()
        for step, (start, end) in enumerate(bounds, 1):
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
            keeper.step(epoch, clock.steps + 1, value, rate, last=step == plan.steps or not finite)
            if not finite:
                raise _diverged(f"the loss is {value}", f"epoch {epoch}, step {step}", plan)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            constraints.before_step()
            optimizer.step()
            constraints.after_step()
            clock.tick()
            meter.add(value, outputs, target)
            listen(history.step_done(epoch, step, meter))
            if interruption.requested or clock.expired:
                break
        _check_finite(module, f"epoch {epoch}, step {step}", plan)
        try:
            with interruption.cutting_short():
                val_loss, val_accuracy = _validate(job, epoch)
        except KeyboardInterrupt:
            keeper.save_last()
            return "interrupted"
        done = history.epoch_done(epoch, meter, val_loss, val_accuracy)
        keeper.epoch(done, clock.steps, rate)
        listen(done)
        if epoch == plan.epochs:
            return "done"
        if clock.expired:
            return "out of time"
        if history.best.patience_is_over(epoch):
            return "stopped early"
    raise AssertionError("unreachable")


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
