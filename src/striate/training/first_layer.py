"""The first convolution, whitened: its filters come from the training images and stay as they are."""

from __future__ import annotations

import torch
from torch import nn

from striate.data import Dataset
from striate.errors import UsageError
from striate.graph import Graph, Node
from striate.graph.layers.convolution import Conv
from striate.training.inputs import to_input, to_tensor
from striate.training.whitening import whitening_filters

__all__ = ["BIAS_UNTIL", "FirstLayer", "check_whitening", "first_convolution", "whiten"]

#: Images that the filters are made from (Jordan 2024, section 3.2).
IMAGES = 5000
#: Share of the training after which the bias of the whitened convolution is fixed too: 3 of 9.9 epochs in Jordan 2024.
BIAS_UNTIL = 0.3


def first_convolution(graph: Graph) -> Node:
    """The convolution that reads the images, which is the only thing that reads them.

    Raises:
        UsageError: the first layer is another.
    """
    (source,) = graph.inputs
    readers = [node for node in graph.nodes if source.name in node.inputs]
    if len(readers) != 1 or not isinstance(readers[0].layer, Conv):
        raise UsageError(
            "whiten sets the filters of a convolution that reads the images, and this network does not begin with one",
            where="whiten",
            got=", ".join(f"{node.name} ({node.layer.kind})" for node in readers),
            needs="one convolution as the first layer",
            write="no whiten",
        )
    return readers[0]


def check_whitening(graph: Graph) -> None:
    """Whether the first convolution can be whitened.

    Raises:
        UsageError: it cannot, or it would be without effect; says why.
    """
    node = first_convolution(graph)
    layer, shape = node.layer, graph.own_parameters(node)[0].shape
    assert isinstance(layer, Conv)
    directions = shape[1] * shape[2] * shape[3]
    if layer.groups > 1 or layer.dilation not in (1, (1, 1)):
        raise UsageError(
            "whiten needs a first convolution without groups and dilation",
            where="whiten",
            got=f"{node.name}: groups {layer.groups}, dilation {layer.dilation}",
            write="no whiten",
        )
    if shape[0] > 2 * directions:
        raise UsageError(
            "the first convolution has more filters than whitening can set",
            where="whiten",
            got=f"{node.name}: {shape[0]} filters",
            needs=f"at most {2 * directions}: patches have {directions} directions, each with two signs",
            write=f"filters: {2 * directions}, or no whiten",
        )


def whiten(module: nn.Module, graph: Graph, dataset: Dataset) -> None:
    """Set the filters of the first convolution from the first training images, and its bias to 0.

    Args:
        module: of ``graph``; changed in place.
        graph: one that :func:`check_whitening` accepts.
        dataset: the images.
    """
    convolution = module.get_submodule(first_convolution(graph).name)
    weight = convolution.weight
    assert isinstance(weight, torch.Tensor)
    images = to_input(to_tensor(dataset.train.images[:IMAGES]), dataset.preprocessing, torch.contiguous_format)
    with torch.no_grad():
        weight.copy_(whitening_filters(images, (weight.shape[2], weight.shape[3]), len(weight)))
        if isinstance(convolution.bias, torch.Tensor):
            convolution.bias.zero_()


class FirstLayer:
    """Which of the whitened convolution is trained: never its filters, its bias only at first.

    Args:
        module: of ``graph``.
        graph: the network.
    """

    def __init__(self, module: nn.Module, graph: Graph) -> None:
        convolution = module.get_submodule(first_convolution(graph).name)
        weight = convolution.weight
        assert isinstance(weight, nn.Parameter)
        weight.requires_grad_(False)
        self._bias = convolution.bias if isinstance(convolution.bias, nn.Parameter) else None

    def follow(self, progress: float) -> None:
        """Fix the bias where it is time; ``progress`` is the share of the training behind us."""
        if self._bias is not None and self._bias.requires_grad != (progress < BIAS_UNTIL):
            self._bias.requires_grad_(progress < BIAS_UNTIL)
            self._bias.grad = None
