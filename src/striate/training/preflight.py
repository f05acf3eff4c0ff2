"""Pre-flight: looks at the first steps of a training on a copy, before the training itself begins."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from striate.graph.layers.activation import ReLU
from striate.graph.layers.clipped import ReLU6
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.stochastic_depth import StochasticDepth
from striate.training.devices import moved
from striate.training.inputs import to_input, to_tensor
from striate.training.monitors.sampling import idle_units, norms
from striate.training.monitors.story import Start
from striate.training.preflight_overfit import overfit
from striate.training.randomness import forked

if TYPE_CHECKING:
    from striate.training.job import Job

__all__ = ["IMAGES", "SHORT", "is_short", "preflight"]

#: Training images that are looked at.
IMAGES = 32
#: Multiply-adds of a whole training, forward and backward, that are over in seconds (about ten).
SHORT = 3e11
#: A time budget of fewer seconds is short too.
SHORT_SECONDS = 30.0


def is_short(job: Job) -> bool:
    """Whether the training is over within seconds, so that overfitting a batch beforehand would only delay it."""
    graph, plan = job.graph, job.plan
    if plan.seconds is not None and plan.seconds < SHORT_SECONDS:
        return True
    if plan.epochs is None:
        return False
    macs = sum(node.layer.macs(graph.input_shapes(node), graph.shapes[node.name]) for node in graph.nodes)
    return 3.0 * macs * len(job.dataset.train) * plan.epochs < SHORT


def preflight(job: Job, *, overfitting: bool = True) -> Start:
    """One forward and backward pass on up to 32 training images, and a few steps that overfit 8 of them.

    All of it on a copy of the network, with the random state put back: no weight, no statistic of a batch
    normalisation and no random number of the training is touched.

    Args:
        job: with the first weights.
        overfitting: whether to try the steps that overfit.
    """
    device = job.plan.device
    images = moved(to_tensor(job.dataset.train.images[:IMAGES]), device)
    labels = moved(to_tensor(job.dataset.train.labels[:IMAGES]), device)
    x_bchw = to_input(images, job.dataset.preprocessing, job.plan.layout)
    with forked(device):
        module = _without_draws(job)
        dead, handles = _reporting(job, module)
        outputs = module(x_bchw).float()
        for handle in handles:
            handle.remove()
        loss = job.loss(outputs, labels)
        expected = float(job.loss(torch.zeros_like(outputs.detach()), labels))
        value = float(loss.detach())
        finite = bool(outputs.isfinite().all()) and math.isfinite(value)
        if not finite:
            return Start(len(images), value, expected, finite, dead=dead)
        torch.autograd.backward(loss)
        gradients = _gradients(job, module)
        silent = _silent(module)
        trial = overfit(job, module, x_bchw, labels) if overfitting else None
        if trial is not None:
            silent &= trial.silent
        elif silent:
            silent &= _silent_after_step(job, module, x_bchw, labels)
    return Start(
        images=len(images),
        loss=value,
        expected=expected,
        finite=finite,
        gradients=gradients,
        silent=tuple(name for name, _ in job.graph.parameters() if name in silent),
        dead=dead,
        overfit=() if trial is None else trial.losses,
        overfit_images=0 if trial is None else trial.images,
        overfit_finished=trial is not None and trial.finished,
    )


def _without_draws(job: Job) -> nn.Module:
    """A copy in training mode in which nothing is dropped."""
    module = copy.deepcopy(job.module).train()
    for node in job.graph.nodes:
        if isinstance(node.layer, (Dropout, StochasticDepth)):
            module.get_submodule(node.name).eval()
    return module


def _reporting(job: Job, module: nn.Module) -> tuple[dict[str, float], list[Any]]:
    """The share of units of each ReLU that are 0 on every image, filled in by the next forward pass."""
    dead: dict[str, float] = {}
    handles = []
    for node in job.graph.nodes:
        if isinstance(node.layer, (ReLU, ReLU6)):

            def report(_: nn.Module, __: Any, output: torch.Tensor, name: str = node.name) -> None:
                dead[name] = float(idle_units(output.detach().float()).float().mean())

            handles.append(module.get_submodule(node.name).register_forward_hook(report))
    return dead, handles


def _gradients(job: Job, module: nn.Module) -> dict[str, float]:
    named = dict(module.named_parameters(remove_duplicate=False))
    weights = [name for name, parameter in job.graph.parameters() if parameter.role == "weight"]
    found = [(name, named[name].grad) for name in weights]
    kept = [(name, gradient) for name, gradient in found if gradient is not None]
    return dict(zip([name for name, _ in kept], norms([gradient for _, gradient in kept]), strict=True))


def _silent(module: nn.Module) -> set[str]:
    """The parameters that the newest backward pass left without a gradient."""
    return {
        name
        for name, parameter in module.named_parameters(remove_duplicate=False)
        if parameter.grad is None or not bool(parameter.grad.any())
    }


def _silent_after_step(job: Job, module: nn.Module, x_bchw: torch.Tensor, labels: torch.Tensor) -> set[str]:
    """A layer that begins as 0 keeps the gradient from those before it for one step; so take one, and look again."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.grad is not None:
                scale = parameter.grad.abs().max().clamp_min(1e-30)
                parameter.sub_(parameter.grad / scale * 1e-2)
    module.zero_grad()
    torch.autograd.backward(job.loss(module(x_bchw).float(), labels))
    return _silent(module)
