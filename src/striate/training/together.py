"""Together: several optimizers as one, each with the parameters that are its own."""

from __future__ import annotations

from collections.abc import Callable

import torch

__all__ = ["Together"]


class Together(torch.optim.Optimizer):
    """One optimizer made of several: their groups and their state are its own, and a step is a step of each.

    Args:
        parts: with parameters that no two of them share.

    >>> one, two = torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))
    >>> both = Together(torch.optim.SGD([one], 0.5), torch.optim.SGD([two], 0.25))
    >>> (one + two).sum().backward()
    >>> both.step()
    >>> one.tolist(), two.tolist(), len(both.param_groups)
    ([0.5, 0.5], [0.75, 0.75], 2)
    """

    def __init__(self, *parts: torch.optim.Optimizer) -> None:
        self._parts = parts
        # The groups stay the same objects, so that a learning rate set here is the part's.
        super().__init__([group for part in parts for group in part.param_groups], {})
        for part in parts:
            part.state = self.state

    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every parameter; a closure has no use here."""
        if closure is not None:
            raise TypeError("several optimizers together take no closure")
        for part in self._parts:
            part.step()
