"""Fractional max pooling in PyTorch: its own while training, fixed windows else."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from striate.backend.registry import Shapes, operation
from striate.graph.layers.fractional_pooling import FractionalMaxPool

__all__ = ["FractionalMaximum"]


class FractionalMaximum(nn.Module):
    """The largest value of windows that begin at drawn places while training, and at fixed ones in eval mode.

    As dropout, it draws from the global random state of torch.

    Args:
        kernel: window for each spatial axis.
        size: of the output, for each spatial axis.
        starts: where the windows of each axis begin in eval mode.
    """

    def __init__(self, kernel: tuple[int, ...], size: tuple[int, ...], starts: tuple[tuple[int, ...], ...]) -> None:
        super().__init__()
        self.kernel, self.size, self.starts = kernel, size, starts

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → (batch, channels, *size)."""
        if self.training:
            return self._drawn(input)
        for axis, (kernel, starts) in enumerate(zip(self.kernel, self.starts, strict=True), start=2):
            # A window is a box, so its maximum can be taken along one axis after the other.
            taps = [input.narrow(axis, tap, input.shape[axis] - kernel + 1) for tap in range(kernel)]
            begins = torch.tensor(starts, device=input.device)
            input = torch.stack([tap.index_select(axis, begins) for tap in taps]).amax(0)
        return input

    def _drawn(self, input: Tensor) -> Tensor:
        if len(self.size) == 3:
            return functional.fractional_max_pool3d(input, self.kernel, output_size=self.size)
        if len(self.size) == 2:
            return functional.fractional_max_pool2d(input, self.kernel, output_size=self.size)
        # torch knows two and three axes: a line is a map of one row.
        row = functional.fractional_max_pool2d(input.unsqueeze(2), (1, *self.kernel), output_size=(1, *self.size))
        return row.squeeze(2)

    def extra_repr(self) -> str:
        """The attributes."""
        return f"kernel={self.kernel}, size={self.size}"


@operation(FractionalMaxPool)
def _fractional_max_pool(layer: FractionalMaxPool, inputs: Shapes) -> nn.Module:
    sizes, outputs = inputs[0][1:], layer.output_shape(inputs)[1:]
    kernels = layer.kernels(len(sizes))
    starts = tuple(tuple(layer.starts(n, m, k)) for n, m, k in zip(sizes, outputs, kernels, strict=True))
    return FractionalMaximum(kernels, outputs, starts)
