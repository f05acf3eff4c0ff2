"""The plan of a run that goes on, from its ``run.json``: nothing is measured or decided again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from striate.errors import RunError
from striate.training.devices import find_device_again
from striate.training.inputs import memory_layout
from striate.training.plan import Plan, batch_bounds
from striate.training.recipe_values import Count, Epochs, NotNegative, Positive
from striate.training.settings import Setting

__all__ = ["stored_plan"]


class _StoredPlan(BaseModel):
    """What :meth:`Plan.as_dict` and :meth:`Decision.as_dict` write; runs from before the probe have less."""

    model_config = ConfigDict(frozen=True)

    epochs: Epochs | None
    seconds: Positive | None
    batch: Count
    steps_per_epoch: Count
    learning_rate: Positive
    weight_decay: NotNegative
    layout: Literal["channels-last", "contiguous"]
    threads: Count
    device: str = "cpu"
    precision: Literal["fp32", "bf16"]
    parts: Count = 1
    rewrites: Literal["none", "pooling first", "fused pooling", "pooling first, fused pooling"] = "none"
    compile: Literal["on", "off"] = "off"


def stored_plan(resolved: Mapping[str, object], images: int, where: str) -> tuple[Plan, Setting]:
    """The plan that was made when the run began, and how its steps are computed.

    Args:
        resolved: as it stands in ``run.json``.
        images: in the training split.
        where: the file, for errors.

    Raises:
        RunError: a value is missing or impossible, or does not fit the images; or there is no such device here.
    """
    try:
        stored = _StoredPlan.model_validate(dict(resolved))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        raise RunError(
            "the plan of this run is damaged",
            where=f"{where}: resolved.{name}",
            got=f"{name}: {resolved[name]}" if name in resolved else "nothing",
            needs=first["msg"].removeprefix("Input should be "),
        ) from None
    steps = len(batch_bounds(images, stored.batch))
    if steps != stored.steps_per_epoch or stored.batch > images:
        raise RunError(
            "the plan of this run does not fit its images",
            where=f"{where}: resolved.steps_per_epoch",
            got=f"{stored.steps_per_epoch} steps with a batch of {stored.batch}",
            needs=f"{steps} steps for {images} images",
        )
    plan = Plan(
        epochs=stored.epochs,
        seconds=stored.seconds,
        batch=stored.batch,
        steps=steps,
        learning_rate=stored.learning_rate,
        weight_decay=stored.weight_decay,
        layout=memory_layout(stored.layout),
        threads=stored.threads,
        parts=stored.parts,
        device=find_device_again(stored.device, f"{where}: resolved.device"),
    )
    setting = Setting(
        dtype=torch.bfloat16 if stored.precision == "bf16" else torch.float32,
        layout=plan.layout,
        rewritten="pooling first" in stored.rewrites,
        threads=stored.threads,
        compiled=stored.compile == "on",
        fused="fused pooling" in stored.rewrites,
    )
    return plan, setting
