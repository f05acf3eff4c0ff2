"""Shuffles in PyTorch."""

from __future__ import annotations

from torch import Tensor, nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.shuffle import ChannelShuffle, PixelShuffle

__all__ = ["AxesPixelShuffle", "GroupShuffle"]


class AxesPixelShuffle(nn.Module):
    """Channels become pixels along one or three axes, where `torch.nn.PixelShuffle` knows two.

    Args:
        scale: whole factor of every axis.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels · scale^axes, *spatial) → (batch, channels, *spatial · scale)."""
        rank = input.dim() - 2
        sizes = input.shape[2:]
        blocks = input.reshape(input.shape[0], -1, *(self.scale,) * rank, *sizes)
        # Each pixel axis, and behind it the axis of its block.
        order = [entry for axis in range(rank) for entry in (2 + rank + axis, 2 + axis)]
        return blocks.permute(0, 1, *order).reshape(
            input.shape[0], blocks.shape[1], *(size * self.scale for size in sizes)
        )

    def extra_repr(self) -> str:
        """The attributes."""
        return f"scale={self.scale}"


class GroupShuffle(nn.Module):
    """`torch.nn.ChannelShuffle` in plain reshapes, for vectors too.

    Args:
        groups: how many groups.
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → the same shape."""
        parts = input.reshape(input.shape[0], self.groups, -1, *input.shape[2:])
        return parts.transpose(1, 2).flatten(1, 2)

    def extra_repr(self) -> str:
        """The attributes."""
        return f"groups={self.groups}"


@operation(PixelShuffle)
def _pixel_shuffle(layer: PixelShuffle, inputs: Shapes) -> nn.Module:
    return nn.PixelShuffle(layer.scale) if len(inputs[0]) == 3 else AxesPixelShuffle(layer.scale)


@operation(ChannelShuffle)
def _channel_shuffle(layer: ChannelShuffle, inputs: Shapes) -> nn.Module:
    return GroupShuffle(layer.groups)
