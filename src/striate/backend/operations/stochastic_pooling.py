"""Stochastic pooling in PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.stochastic_pooling import StochasticPool

__all__ = ["DrawnPool"]


class DrawnPool(nn.Module):
    """A number of each window drawn in proportion to itself; in eval mode its mean by those probabilities.

    As dropout, it draws from the global random state of torch.

    Args:
        kernel: window for each axis.
        stride: step for each axis.
    """

    def __init__(self, kernel: tuple[int, ...], stride: tuple[int, ...]) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → (batch, channels, *spatial)."""
        windows = input.relu()
        for axis, (kernel, stride) in enumerate(zip(self.kernel, self.stride, strict=True), start=2):
            windows = windows.unfold(axis, kernel, stride)
        windows = windows.flatten(-len(self.kernel))
        total = windows.sum(-1, keepdim=True)
        # A window of zeros has no probabilities; divided by 1 its mean is 0, as is any number drawn from it.
        shares = windows / torch.where(total > 0, total, 1.0)
        if not self.training:
            return (shares * windows).sum(-1)
        chances = torch.where(total > 0, shares, 1.0).detach().flatten(0, -2)
        drawn = torch.multinomial(chances, 1).view(total.shape)
        return windows.gather(-1, drawn).squeeze(-1)

    def extra_repr(self) -> str:
        """The attributes."""
        return f"kernel={self.kernel}, stride={self.stride}"


@operation(StochasticPool)
def _stochastic_pool(layer: StochasticPool, inputs: Shapes) -> nn.Module:
    windows = layer.windows(len(inputs[0]) - 1)
    return DrawnPool(tuple(window.kernel for window in windows), tuple(window.stride for window in windows))
