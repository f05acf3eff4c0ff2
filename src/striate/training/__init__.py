"""net + images + recipe → run. Names are imported when they are first used, so that torch is not loaded before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.lazy import lazy_names

if TYPE_CHECKING:
    from striate.training.events import EpochDone, Event, Listener, Note, Started, StepDone
    from striate.training.recipe import Recipe, make_recipe
    from striate.training.recipe_file import read_recipe, recipe_names
    from striate.training.resuming import resume
    from striate.training.trained import Prediction, TrainedRun, open_trained
    from striate.training.trainer import train
    from striate.training.verifying import ResumeProof, verify_resume

__all__ = [
    "EpochDone",
    "Event",
    "Listener",
    "Note",
    "Prediction",
    "Recipe",
    "ResumeProof",
    "Started",
    "StepDone",
    "TrainedRun",
    "make_recipe",
    "open_trained",
    "read_recipe",
    "recipe_names",
    "resume",
    "train",
    "verify_resume",
]

_HOMES = {
    "events": ("EpochDone", "Event", "Listener", "Note", "Started", "StepDone"),
    "recipe": ("Recipe", "make_recipe"),
    "recipe_file": ("read_recipe", "recipe_names"),
    "resuming": ("resume",),
    "trainer": ("train",),
    "verifying": ("ResumeProof", "verify_resume"),
    "trained": ("Prediction", "TrainedRun", "open_trained"),
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
