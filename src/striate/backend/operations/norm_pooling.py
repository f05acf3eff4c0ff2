"""Power-mean pooling in PyTorch."""

from __future__ import annotations

from torch import nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.norm_pooling import LPPool

__all__: list[str] = []

_MODULES: dict[int, type[nn.Module]] = {1: nn.LPPool1d, 2: nn.LPPool2d, 3: nn.LPPool3d}


@operation(LPPool)
def _lp_pool(layer: LPPool, inputs: Shapes) -> nn.Module:
    rank = len(inputs[0]) - 1
    windows = layer.windows(rank)
    kernel, stride = tuple(window.kernel for window in windows), tuple(window.stride for window in windows)
    if rank == 1:
        # torch takes a plain number there.
        return nn.LPPool1d(layer.norm, kernel[0], stride[0], ceil_mode=layer.ceil_mode)
    return _MODULES[rank](layer.norm, kernel, stride, ceil_mode=layer.ceil_mode)
