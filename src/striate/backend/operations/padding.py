"""Padding on its own in PyTorch."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from striate.backend.registry import Shapes, operation
from striate.graph.layers.channel_padding import ChannelPad
from striate.graph.layers.padding import Pad

__all__ = ["Padded"]

_MODES = {"zero": "constant", "reflect": "reflect", "replicate": "replicate", "circular": "circular"}


class Padded(nn.Module):
    """Pixels put around a map, or channels beside its own.

    Args:
        pads: as `torch.nn.functional.pad` takes them, the last axis first.
        mode: as `torch.nn.functional.pad` names it.
        value: what stands there with ``constant``.
    """

    def __init__(self, pads: list[int], mode: str, value: float) -> None:
        super().__init__()
        self.pads, self.mode, self.value = pads, mode, value

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → (batch, channels, *spatial)."""
        if self.mode != "constant":
            return functional.pad(input, self.pads, self.mode)
        return functional.pad(input, self.pads, value=self.value)

    def extra_repr(self) -> str:
        """The attributes."""
        return f"pads={self.pads}, mode={self.mode}, value={self.value}"


@operation(Pad)
def _pad(layer: Pad, inputs: Shapes) -> nn.Module:
    amounts = layer.amounts(len(inputs[0]) - 1)
    return Padded([pad for pair in reversed(amounts) for pad in pair], _MODES[layer.mode], layer.value)


@operation(ChannelPad)
def _channel_pad(layer: ChannelPad, inputs: Shapes) -> nn.Module:
    rank = len(inputs[0]) - 1
    return Padded([0, 0] * rank + [layer.before, layer.after], "constant", 0.0)
