"""The checks before the first step: against closed forms, and without leaving a trace."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from striate.training import make_recipe
from striate.training.fitting import fit_network
from striate.training.job import Job
from striate.training.losses import make_loss
from striate.training.network import logits_graph
from striate.training.plan import make_plan
from striate.training.preflight import is_short, preflight
from striate.training.running import first_module
from striate.training.settings import Setting
from training.samples import make_dataset

NET = "conv 4 3 same > batchnorm > relu > dropout 0.5 > flatten > dense classes"


def make_job(net: str = NET, **options: Any) -> Job:
    task = options.pop("task", "classes")
    recipe = make_recipe({"threads": 1, **options})
    graph, dataset = fit_network(net, make_dataset(task), recipe)
    logits = logits_graph(graph, dataset.task)
    plan = make_plan(recipe, graph, dataset)
    loss = make_loss(recipe, dataset.task, dataset.classes, dataset.card.splits["train"].counts)[1]
    setting = Setting(layout=plan.layout)
    return Job(logits, first_module(logits, recipe, setting), dataset, recipe, plan, loss, setting)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, math.log(3)),
        ({"label_smoothing": 0.3}, math.log(3)),
        ({"class_weights": {"cat": 5.0, "dog": 0.1}}, math.log(3)),
        ({"loss": "mse"}, 1 / 3),
        ({"task": "tags"}, math.log(2)),
    ],
    ids=str,
)
def test_the_loss_of_a_network_that_knows_nothing(options: dict[str, Any], expected: float) -> None:
    assert preflight(make_job(**options)).expected == pytest.approx(expected, rel=1e-6)


def test_no_trace_is_left() -> None:
    job = make_job()
    state = {name: tensor.clone() for name, tensor in job.module.state_dict().items()}
    random, training = torch.get_rng_state(), job.module.training
    start = preflight(job)
    assert start.overfit_finished
    assert torch.equal(random, torch.get_rng_state())
    assert job.module.training == training
    assert all(torch.equal(state[name], tensor) for name, tensor in job.module.state_dict().items())
    assert not any(part._forward_hooks for part in job.module.modules())
    assert all(parameter.grad is None for parameter in job.module.parameters())


def test_the_first_loss_and_gradient_are_those_of_torch() -> None:
    job = make_job("conv 4 3 same > relu > flatten > dense classes")
    start = preflight(job, overfitting=False)
    pixels = torch.from_numpy(job.dataset.train.images[:32] / 255.0).float()
    x_bchw = (pixels - job.dataset.preprocessing.mean[0]) / job.dataset.preprocessing.std[0]
    labels = torch.from_numpy(job.dataset.train.labels[:32])
    loss = torch.nn.functional.cross_entropy(job.module(x_bchw), labels)
    torch.autograd.backward(loss)
    assert start.loss == pytest.approx(float(loss.detach()), rel=1e-5)
    for name, norm in start.gradients.items():
        gradient = job.module.get_parameter(name).grad
        assert gradient is not None
        assert norm == pytest.approx(float(gradient.norm()), rel=1e-4)
    assert start.overfit == ()


def test_a_layer_that_begins_as_0_hides_those_before_it_for_one_step_only() -> None:
    job = make_job("conv 4 3 same > relu > flatten > dense classes")
    with torch.no_grad():
        job.module.get_parameter("dense1.weight").zero_()
    assert preflight(job, overfitting=False).silent == ()
    assert preflight(job).silent == ()
    with torch.no_grad():
        job.module.get_parameter("conv1.bias").fill_(-100.0)
    # The weights of the last layer see only zeros, and those before it no way back.
    assert set(preflight(job).silent) == {"conv1.weight", "conv1.bias", "dense1.weight"}


def test_what_is_over_in_seconds() -> None:
    assert is_short(make_job(epochs=2))
    assert is_short(make_job(time=5))
    assert not is_short(make_job(time=600))
    assert not is_short(make_job(epochs=100_000_000))


def test_outputs_that_are_not_finite_end_the_checks(tmp_path: Path) -> None:
    job = make_job()
    with torch.no_grad():
        job.module.get_parameter("dense1.bias")[0] = math.inf
    start = preflight(job)
    assert not start.finite
    assert start.gradients == {}
