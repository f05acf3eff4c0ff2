"""Slices and crops in PyTorch."""

from __future__ import annotations

from torch import Tensor, nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.crop import Crop, CropLike
from striate.graph.layers.slicing import Slice

__all__ = ["AxisSlice", "Cut", "CutLike"]


class AxisSlice(nn.Module):
    """A part of one axis.

    Args:
        axis: counted with the batch.
        start, stop, step: as in Python.
    """

    def __init__(self, axis: int, start: int, stop: int | None, step: int) -> None:
        super().__init__()
        self.axis, self.slice = axis, slice(start, stop, step)

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → the same with one axis shorter."""
        return input[(slice(None),) * self.axis + (self.slice,)]

    def extra_repr(self) -> str:
        """The attributes."""
        return f"axis={self.axis}, start={self.slice.start}, stop={self.slice.stop}, step={self.slice.step}"


class Cut(nn.Module):
    """Rows and columns cut off.

    Args:
        amounts: how many before and after, for each spatial axis.
    """

    def __init__(self, amounts: tuple[tuple[int, int], ...]) -> None:
        super().__init__()
        self.amounts = amounts

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → (batch, channels, *spatial)."""
        for axis, (before, after) in enumerate(self.amounts, start=2):
            if before or after:
                input = input.narrow(axis, before, input.shape[axis] - before - after)
        return input

    def extra_repr(self) -> str:
        """The attributes."""
        return f"amounts={self.amounts}"


class CutLike(nn.Module):
    """A map cut to the spatial size of another.

    Args:
        offset: what is cut off before, for each spatial axis; None: half of what is too much, rounded down.
    """

    def __init__(self, offset: tuple[int, ...] | None) -> None:
        super().__init__()
        self.offset = offset

    def forward(self, input: Tensor, reference: Tensor) -> Tensor:
        """(batch, channels, *spatial) and a reference → (batch, channels, *the reference's spatial sizes)."""
        for axis, wanted in enumerate(reference.shape[2:], start=2):
            centre = (input.shape[axis] - wanted) // 2
            input = input.narrow(axis, centre if self.offset is None else self.offset[axis - 2], wanted)
        return input

    def extra_repr(self) -> str:
        """The attributes."""
        return f"offset={'center' if self.offset is None else self.offset}"


@operation(Slice)
def _slice(layer: Slice, inputs: Shapes) -> nn.Module:
    return AxisSlice(1 + layer.axis, layer.start, layer.stop, layer.step)


@operation(Crop)
def _crop(layer: Crop, inputs: Shapes) -> nn.Module:
    return Cut(layer.amounts(len(inputs[0]) - 1))


@operation(CropLike)
def _crop_like(layer: CropLike, inputs: Shapes) -> nn.Module:
    return CutLike(None if layer.offset == "center" else layer.offsets(inputs))
