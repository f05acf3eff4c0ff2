"""net + images + recipe → run. Names are imported when they are first used, so that torch is not loaded before."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.training.events import EpochDone, Event, Listener, Note, Started, StepDone
    from striate.training.recipe import Recipe, make_recipe, read_recipe
    from striate.training.trained import Prediction, TrainedRun, open_trained
    from striate.training.trainer import train

__all__ = [
    "EpochDone",
    "Event",
    "Listener",
    "Note",
    "Prediction",
    "Recipe",
    "Started",
    "StepDone",
    "TrainedRun",
    "make_recipe",
    "open_trained",
    "read_recipe",
    "train",
]

_HOMES = {
    "events": ("EpochDone", "Event", "Listener", "Note", "Started", "StepDone"),
    "recipe": ("Recipe", "make_recipe", "read_recipe"),
    "trainer": ("train",),
    "trained": ("Prediction", "TrainedRun", "open_trained"),
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
