"""Normalisation in PyTorch: its own modules, and one for the channels of a map."""

from __future__ import annotations

from torch import Tensor, nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.normalization import BatchNorm, GroupNorm, InstanceNorm, LayerNorm

__all__ = ["ChannelLayerNorm", "without_scale"]

_BATCH: dict[int, type[nn.Module]] = {0: nn.BatchNorm1d, 1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_INSTANCE: dict[int, type[nn.Module]] = {1: nn.InstanceNorm1d, 2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}


class ChannelLayerNorm(nn.LayerNorm):
    """`torch.nn.LayerNorm` over the channels at each position of a map (Liu et al., "ConvNeXt", 2022)."""

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → the same shape."""
        return super().forward(input.movedim(1, -1)).movedim(-1, 1)


def without_scale(module: nn.Module) -> nn.Module:
    """The same normalisation with its scale fixed at 1: torch takes a missing weight as that."""
    module.register_parameter("weight", None)
    return module


@operation(BatchNorm)
def _batch_norm(layer: BatchNorm, inputs: Shapes) -> nn.Module:
    cls = _BATCH[len(inputs[0]) - 1]
    module = cls(inputs[0][0], eps=layer.epsilon, momentum=layer.momentum, affine=layer.affine)
    return module if layer.scale else without_scale(module)


@operation(LayerNorm)
def _layer_norm(layer: LayerNorm, inputs: Shapes) -> nn.Module:
    if layer.over == "channels":
        cls = ChannelLayerNorm if len(inputs[0]) > 1 else nn.LayerNorm
        return cls(inputs[0][0], eps=layer.epsilon, elementwise_affine=layer.affine)
    return nn.LayerNorm(inputs[0], eps=layer.epsilon, elementwise_affine=layer.affine)


@operation(InstanceNorm)
def _instance_norm(layer: InstanceNorm, inputs: Shapes) -> nn.Module:
    return _INSTANCE[len(inputs[0]) - 1](inputs[0][0], eps=layer.epsilon, affine=layer.affine)


@operation(GroupNorm)
def _group_norm(layer: GroupNorm, inputs: Shapes) -> nn.Module:
    return nn.GroupNorm(layer.groups, inputs[0][0], eps=layer.epsilon, affine=layer.affine)
