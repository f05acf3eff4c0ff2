"""The usual setting: how the steps of a training are computed before anything is measured, and how long it may take."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from striate.analysis.cost_report import cost
from striate.backend.native import can_use_team
from striate.backend.native.fusing import fusing_fails
from striate.backend.pooling_first import pooling_first
from striate.training.fusing import fusable
from striate.training.settings import Setting

if TYPE_CHECKING:
    from striate.graph import Graph
    from striate.training.plan import Plan
    from striate.training.recipe import Recipe

__all__ = ["USUAL_SPEEDS", "default_setting", "expected_seconds"]

#: Multiply-adds a second that a training is taken to do before anything is measured, by the kind of device.
USUAL_SPEEDS = {"cpu": 3e10, "cuda": 3e12, "mps": 3e11}
#: Seconds of training that pay for compiling the kernel of fused pooling, which takes about a tenth of a second.
SOON = 2.0


def default_setting(recipe: Recipe, plan: Plan, graph: Graph) -> Setting:
    """What is used where nothing is measured, and what the others are compared with."""
    setting = Setting(
        dtype=torch.bfloat16 if recipe.precision == "bf16" else torch.float32,
        layout=plan.layout,
        rewritten=recipe.rewrites != "off" and pooling_first(graph) is not graph,
        threads=plan.threads,
        compiled=recipe.compile == "on",
    )
    fused = recipe.rewrites == "fused" or (recipe.rewrites == "auto" and _fusing_pays(plan, graph))
    fused = fused and fusable(graph, setting, plan.device) and not fusing_fails(setting.dtype)
    return replace(setting, fused=fused)


def _fusing_pays(plan: Plan, graph: Graph) -> bool:
    """Whether the kernel is taken before it is measured: it can be, on torch's threads, and is soon paid for."""
    if plan.device.type != "cpu" or not can_use_team():
        return False
    return expected_seconds(plan, graph, plan.steps * plan.batch) >= SOON


def expected_seconds(plan: Plan, graph: Graph, images: int) -> float:
    """How long the training will take, as far as that is known before any step: by its multiply-adds and its budget."""
    work = math.inf if plan.epochs is None else cost(graph).training * images * plan.epochs
    return min(work / USUAL_SPEEDS[plan.device.type], math.inf if plan.seconds is None else plan.seconds)
