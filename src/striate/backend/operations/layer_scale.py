"""Layer scale in PyTorch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from striate.backend.registry import Shapes, operation
from striate.graph.layers.layer_scale import LayerScale
from striate.units import Shape

__all__ = ["Scale"]


class Scale(nn.Module):
    """Every channel times a learned factor.

    Args:
        parameter: what the factors are called.
        shape: theirs, (channels, 1, …, 1).
        initial: what they begin with.
    """

    def __init__(self, parameter: str, shape: Shape, initial: float) -> None:
        super().__init__()
        self.register_parameter(parameter, nn.Parameter(torch.full(shape, initial)))

    def forward(self, input: Tensor) -> Tensor:
        """(batch, channels, *spatial) → the same shape."""
        # Not by its name: an attribute that kept it could collide with a node that stands inside of this module.
        return input * next(iter(self._parameters.values()))  # type: ignore[operator]

    def extra_repr(self) -> str:
        """The attributes."""
        return ", ".join(f"{name}: {tuple(tensor.shape)}" for name, tensor in self.named_parameters(recurse=False))


# torchvision keeps ConvNeXt's factors in the module of the whole block: features.1.0.layer_scale.
@operation(LayerScale, holds=True)
def _layer_scale(layer: LayerScale, inputs: Shapes) -> nn.Module:
    (parameter,) = layer.parameters(inputs)
    return Scale(parameter.name, parameter.shape, layer.initial)
