"""Can a few images be learnt by heart? A network that cannot has a fault that no data will mend."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from striate.training.job import Job

__all__ = ["ENOUGH", "IMAGES", "SECONDS", "STEPS", "Trial", "overfit"]

#: Images that are to be learnt by heart.
IMAGES = 8
#: Steps, and seconds, that are spent on it at most.
STEPS, SECONDS = 100, 4.0
#: The loss has fallen far enough at this share of where it began, or of the loss of a network that knows nothing.
ENOUGH = 0.5
#: Adam's usual rate: what is asked is whether anything can be learnt, not whether with the rate of the recipe.
RATE = 1e-3


@dataclass(frozen=True)
class Trial:
    """How it went.

    Args:
        losses: after each step, the first before any.
        images: that were to be learnt.
        finished: whether the loss fell far enough, or all steps were taken; False where the time was up.
        silent: parameters without a gradient in every step.
    """

    losses: tuple[float, ...]
    images: int
    finished: bool
    silent: frozenset[str]


def overfit(job: Job, module: nn.Module, x_bchw: torch.Tensor, labels: torch.Tensor) -> Trial:
    """Take steps on a few images until the loss has halved; the module given is changed, and is a copy.

    Args:
        job: with the loss.
        module: in training mode.
        x_bchw, labels: images as the network sees them; the first few are taken, of several classes where it can be.
    """
    chosen = _different(labels)
    batch, target = x_bchw[chosen], labels[chosen]
    optimizer = torch.optim.Adam(module.parameters(), RATE)
    losses: list[float] = []
    silent: set[str] | None = None
    end = time.perf_counter() + SECONDS
    for _ in range(STEPS + 1):
        optimizer.zero_grad()
        loss = job.loss(module(batch).float(), target)
        losses.append(float(loss.detach()))
        if losses[-1] <= ENOUGH * losses[0] or losses[-1] != losses[-1]:
            return Trial(tuple(losses), len(chosen), True, frozenset(silent or ()))
        torch.autograd.backward(loss)
        idle = {
            n for n, p in module.named_parameters(remove_duplicate=False) if p.grad is None or not bool(p.grad.any())
        }
        silent = idle if silent is None else silent & idle
        optimizer.step()
        if time.perf_counter() > end:
            break
    return Trial(tuple(losses), len(chosen), len(losses) > STEPS, frozenset(silent or ()))


def _different(labels: torch.Tensor) -> list[int]:
    """The places of a few images, in turn of each class; the first ones where labels are not classes."""
    if labels.ndim != 1:
        return list(range(min(IMAGES, len(labels))))
    waiting: dict[int, list[int]] = {}
    for place, label in enumerate(labels.tolist()):
        waiting.setdefault(label, []).append(place)
    chosen: list[int] = []
    while waiting and len(chosen) < IMAGES:
        for label in list(waiting):
            chosen.append(waiting[label].pop(0))
            if not waiting[label]:
                del waiting[label]
    return chosen[:IMAGES]
