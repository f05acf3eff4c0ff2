"""Dropout in PyTorch."""

from __future__ import annotations

from torch import nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.dropout import Dropout

__all__: list[str] = []

# A vector's channels are its numbers; torch's Dropout1d would take (batch, channels) for one image without a batch.
_CHANNELS: dict[int, type[nn.Module]] = {0: nn.Dropout, 1: nn.Dropout1d, 2: nn.Dropout2d, 3: nn.Dropout3d}


@operation(Dropout)
def _dropout(layer: Dropout, inputs: Shapes) -> nn.Module:
    cls = _CHANNELS[len(inputs[0]) - 1] if layer.channels else nn.Dropout
    return cls(layer.probability)
