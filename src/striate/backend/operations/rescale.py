"""A constant factor in PyTorch."""

from __future__ import annotations

from torch import Tensor, nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.rescale import Rescale

__all__ = ["Factor"]


class Factor(nn.Module):
    """Every number times a constant.

    Args:
        factor: the constant.
    """

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, input: Tensor) -> Tensor:
        """Any shape → the same shape."""
        return input * self.factor

    def extra_repr(self) -> str:
        """The attribute."""
        return f"{self.factor:g}"


@operation(Rescale)
def _rescale(layer: Rescale, inputs: Shapes) -> nn.Module:
    return Factor(layer.factor)
