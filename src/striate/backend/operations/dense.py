"""The dense layer in PyTorch."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional

from striate.backend.registry import Shapes, operation
from striate.graph.layers.dense import Dense

__all__ = ["PointwiseLinear"]


_CONVOLVE: dict[int, Callable[..., Tensor]] = {1: functional.conv1d, 2: functional.conv2d, 3: functional.conv3d}


class PointwiseLinear(nn.Linear):
    """A linear layer over the channels of a map, at each position; its weight is (units, channels)."""

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → (batch, units, *spatial)."""
        # As a convolution: a product of matrices would first copy the map with its channels last.
        rank = input.dim() - 2
        return _CONVOLVE[rank](input, self.weight[(..., *(None,) * rank)], self.bias)


@operation(Dense)
def _dense(layer: Dense, inputs: Shapes) -> nn.Module:
    cls = PointwiseLinear if layer.pointwise and len(inputs[0]) > 1 else nn.Linear
    return cls(inputs[0][0], layer.units, bias=layer.bias)
