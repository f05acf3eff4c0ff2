"""Local response normalisation in PyTorch."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from striate.backend.registry import Shapes, operation
from striate.graph.layers.response_norm import LocalResponseNorm

__all__ = ["ResponseNorm"]


class ResponseNorm(nn.Module):
    """`torch.nn.LocalResponseNorm`, in bfloat16 too, where torch's lacks a kernel for maps of two axes.

    Args:
        size: how many channels.
        alpha, beta, k: as in the layer.
    """

    def __init__(self, size: int, alpha: float, beta: float, k: float) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → the same shape."""
        squares = input.square().flatten(2).unsqueeze(1)
        padded = functional.pad(squares, (0, 0, self.size // 2, (self.size - 1) // 2))
        means = functional.avg_pool2d(padded, (self.size, 1), stride=1).squeeze(1).view(input.shape)
        return input / (self.k + self.alpha * means) ** self.beta

    def extra_repr(self) -> str:
        """The attributes."""
        return f"size={self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


@operation(LocalResponseNorm)
def _local_response_norm(layer: LocalResponseNorm, inputs: Shapes) -> nn.Module:
    return ResponseNorm(layer.size, layer.alpha, layer.beta, layer.k)
