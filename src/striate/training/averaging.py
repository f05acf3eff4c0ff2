"""Averages of the weights along the training: an exponential moving average, and Lookahead."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

__all__ = ["Average", "Lookahead", "cubic_lookahead"]


class Average:
    """An exponential moving average of a module's weights and statistics.

    ``a ← d·a + (1 − d)·w`` after each step, with ``d = min(decay, (1 + t) / (10 + t))``, so that the first steps do not
    hold it back (Polyak and Juditsky 1992; the warm-up as in TensorFlow's ``ExponentialMovingAverage``). Tensors of
    whole numbers are copied.

    Args:
        module: the one that is trained; it is never changed by :meth:`update`.
        decay: between 0 and 1.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        if not 0.0 <= decay < 1.0:
            raise ValueError(f"the decay of an average is from 0 to below 1, not {decay}")
        self.decay = decay
        self.steps = 0
        self.tensors = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the weights as they are now."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                self.tensors[name].lerp_(tensor, 1.0 - decay)
            else:
                self.tensors[name].copy_(tensor)


class Lookahead:
    """Slow weights that follow the fast ones every few steps, and take them back to where they are.

    Every ``every`` steps ``slow ← d·slow + (1 − d)·fast`` and ``fast ← slow`` (Zhang et al., "Lookahead optimizer:
    k steps forward, 1 step back", 2019, algorithm 1, with α = 1 − d), for weights and floating-point statistics alike.
    d may grow along the training, as in :func:`cubic_lookahead`.

    Args:
        module: the one that is trained; every ``every`` steps its weights are changed.
        decay: d from the share of the training behind us, 0..1.
        every: steps between two updates.
    """

    def __init__(self, module: nn.Module, decay: Callable[[float], float], every: int = 5) -> None:
        if every < 1:
            raise ValueError(f"lookahead needs a whole number of steps between updates, not {every}")
        self._decay = decay
        self.every = every
        self.steps = 0
        self.tensors = {
            name: tensor.detach().clone() for name, tensor in module.state_dict().items() if tensor.is_floating_point()
        }

    @torch.no_grad()
    def step(self, module: nn.Module, progress: float) -> None:
        """Count one step of the fast weights; each ``every``-th moves the slow ones."""
        self.steps += 1
        if self.steps % self.every == 0:
            self._meet(module, self._decay(progress))

    @torch.no_grad()
    def finish(self, module: nn.Module) -> None:
        """At the end of the training the slow weights are the result."""
        self._meet(module, 1.0)

    def _meet(self, module: nn.Module, decay: float) -> None:
        for name, fast in module.state_dict().items():
            if name in self.tensors:
                fast.copy_(self.tensors[name].lerp_(fast, 1.0 - decay))


def cubic_lookahead(progress: float, every: int = 5, decay: float = 0.95) -> float:
    """The decay that grows with the cube of the progress up to 0.95, or ``decay``, a step.

    ``decay^every · progress³`` (Jordan, "94% on CIFAR-10 in 3.29 seconds", 2024, section 3.4): early the slow weights
    are the fast ones, at the end they are a mean over some twenty steps.

    >>> cubic_lookahead(0.0), round(cubic_lookahead(1.0), 4)
    (0.0, 0.7738)
    """
    return decay**every * progress**3
