"""The average of the weights that a recipe asks for: where there is one, it is what is validated and kept."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import nn

from striate.training.averaging import Average, Lookahead, cubic_lookahead
from striate.training.state import restore_average

if TYPE_CHECKING:
    from striate.training.recipe import Recipe

__all__ = ["DECAYS", "Averaged"]

#: What stays of the average at each step, unless the recipe says otherwise.
DECAYS = {"ema": 0.999, "lookahead": 0.95}


class Averaged:
    """An average of a network's weights along its training; without one, the weights themselves.

    Args:
        recipe: with ``average`` and ``average_decay``.
        module: the network; the average begins with its weights.
    """

    def __init__(self, recipe: Recipe, module: nn.Module) -> None:
        self._module = module
        decay = DECAYS.get(recipe.average, 0.0) if recipe.average_decay is None else recipe.average_decay
        self._average = Average(module, decay) if recipe.average == "ema" else None
        self._lookahead: Lookahead | None = None
        if recipe.average == "lookahead":
            course: Callable[[float], float] = partial(cubic_lookahead, decay=decay)
            self._lookahead = Lookahead(module, course)

    @property
    def tensors(self) -> Mapping[str, torch.Tensor]:
        """The average by the names of the module; empty without one."""
        kept = self._average or self._lookahead
        return {} if kept is None else kept.tensors

    def step(self, progress: float) -> None:
        """Take in the weights after a step of the optimizer, with the share of the training behind it."""
        if self._average is not None:
            self._average.update(self._module)
        if self._lookahead is not None:
            self._lookahead.step(self._module, progress)

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Inside the block the module holds the average; afterwards its own weights again, to the last bit."""
        averages = self.tensors
        own = {name: tensor.clone() for name, tensor in self._module.state_dict().items() if name in averages}
        self._fill(averages)
        try:
            yield
        finally:
            self._fill(own)

    def restore(self, tensors: Mapping[str, torch.Tensor], steps: int, where: str) -> None:
        """Go on from a checkpoint.

        Args:
            tensors: all of it.
            steps: updates behind it.
            where: the file, for errors.

        Raises:
            RunError: they are not the tensors of this average.
        """
        restore_average(self.tensors, tensors, where)
        for kept in (self._average, self._lookahead):
            if kept is not None:
                kept.steps = steps

    @torch.no_grad()
    def _fill(self, tensors: Mapping[str, torch.Tensor]) -> None:
        for name, tensor in self._module.state_dict().items():
            if name in tensors:
                tensor.copy_(tensors[name])
