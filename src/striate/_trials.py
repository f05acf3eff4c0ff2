"""The verbs that try a recipe out without leaving a run: which learning rate, and which trick pays.

Offered as ``striate.ablate`` and so on.
"""

from __future__ import annotations

# `typing` would slow the command line down; type checkers take this name for theirs.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from striate.data import Dataset
    from striate.graph import Graph
    from striate.training import Event, Recipe
    from striate.training.ablation import Ablation
    from striate.training.range_test import RangeTest

__all__ = ["ablate", "find_learning_rate"]


def find_learning_rate(
    net: str | Path | Graph = "simple-cnn",
    data: str | Path | Dataset = "digits",
    recipe: Recipe | str | Path | None = None,
    *,
    listen: Callable[[Event], None] | None = None,
    **options: Any,
) -> RangeTest:
    """The learning-rate range test (Smith 2017): a fresh network in memory is trained with a rate that grows.

    The suggestion is a tenth of the rate at which the smoothed loss was lowest. Nothing is written.

    Args:
        net, data, recipe: as :func:`striate.train` takes them.
        listen: told what is done.
        **options: any option of :class:`striate.training.Recipe` but ``learning_rate``.

    Raises:
        NetworkError, DataError, UsageError: when they do not fit together.

    >>> found = find_learning_rate("flatten > dense classes", "digits", optimizer="sgd")
    >>> 1e-4 < found.suggestion < 1
    True
    """
    from striate.training.events import silent
    from striate.training.range_test import find_learning_rate
    from striate.training.recipe_file import combined_recipe

    return find_learning_rate(net, data, combined_recipe(recipe, options), listen=listen or silent)


def ablate(
    net: str | Path | Graph = "simple-cnn",
    data: str | Path | Dataset = "digits",
    recipe: Recipe | str | Path | None = None,
    *,
    seeds: int = 3,
    time: float | None = None,
    epochs: float | None = None,
    listen: Callable[[Event], None] | None = None,
) -> Ablation:
    """Which tricks of a recipe pay on these images: each is left out in turn, with several seeds.

    Args:
        net, data, recipe: as :func:`striate.train` takes them.
        seeds: how many, at least 2.
        time: seconds; no further seed is begun that would probably not be finished by then, but two are always done.
        epochs: of each training, in place of the recipe's.
        listen: told of each training.

    Raises:
        UsageError: there are no tricks to leave out, too few seeds, no classes or no validation images.
        NetworkError, DataError, DivergedError: as :func:`striate.train`.

    >>> from striate.training import Recipe
    >>> found = ablate("flatten > dense classes", "digits", Recipe(label_smoothing=0.1), seeds=2, epochs=0.1)
    >>> [(entry.trick, entry.verdict) for entry in found.tricks]
    [('label_smoothing: 0.1', 'no difference seen')]
    """
    from striate.training.ablation import ablate
    from striate.training.events import silent
    from striate.training.recipe_file import combined_recipe

    options = {} if epochs is None else {"epochs": epochs}
    return ablate(net, data, combined_recipe(recipe, options), seeds=seeds, seconds=time, listen=listen or silent)
