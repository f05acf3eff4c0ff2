"""Stochastic depth in PyTorch."""

from __future__ import annotations

from torch import Tensor, nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.stochastic_depth import StochasticDepth

__all__ = ["RandomDepth"]


class RandomDepth(nn.Module):
    """While training, the map of an image (or of the whole batch) is 0 or divided by the chance that it is not.

    As dropout, it draws from the global random state of torch.

    Args:
        probability: how often it is 0.
        mode: row (each image for itself) or batch.
    """

    def __init__(self, probability: float, mode: str) -> None:
        super().__init__()
        self.probability, self.mode = probability, mode

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → the same shape."""
        if not self.training or self.probability == 0.0:
            return input
        kept = 1.0 - self.probability
        rows = input.shape[0] if self.mode == "row" else 1
        return input * input.new_empty((rows, *(1,) * (input.dim() - 1))).bernoulli_(kept).div_(kept)

    def extra_repr(self) -> str:
        """The attributes."""
        return f"probability={self.probability}, mode={self.mode}"


@operation(StochasticDepth)
def _stochastic_depth(layer: StochasticDepth, inputs: Shapes) -> nn.Module:
    return RandomDepth(layer.probability, layer.mode)
