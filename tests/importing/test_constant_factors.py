"""Constant factors and batch normalisation without a scale: imported, folded and written as what they are."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from striate.backend import build_module
from striate.backend.batchnorm_folding import fold_batchnorm
from striate.errors import LayerError
from striate.graph import network
from striate.graph.layers.normalization import BatchNorm
from striate.graph.layers.rescale import Rescale
from striate.sources import read_inline, read_yaml, to_yaml
from striate.sources.torch_module import import_module


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.norm.weight = None  # type: ignore[assignment]
        self.head = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = 0.5 * self.norm(self.conv(x)).relu()
        out: Tensor = self.head(x.mean((2, 3))) / 9
        return out


def test_factors_and_missing_scales_are_imported() -> None:
    module = Scaled()
    with torch.no_grad():
        module.norm.bias.normal_()
        module.norm.running_mean.normal_()  # type: ignore[union-attr]
    graph = import_module(module, (3, 8, 8))
    layers = [node.layer for node in graph.nodes]
    assert [layer.factor for layer in layers if isinstance(layer, Rescale)] == [0.5, 1 / 9]
    assert [layer.scale for layer in layers if isinstance(layer, BatchNorm)] == [False]
    again = build_module(graph).eval()
    again.load_state_dict(module.state_dict())
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(again(x), module.eval()(x))


def test_training_without_a_scale_is_training_with_the_scale_1() -> None:
    net = network("n", (3, 6, 6)).conv(4, 3, bias=False).batchnorm(momentum=0.3, scale=False).relu().build()
    ours = build_module(net, seed=1).train()
    theirs = nn.BatchNorm2d(4, momentum=0.3)
    theirs.weight.requires_grad_(False)
    x = torch.randn(5, 3, 6, 6)
    convolution = ours.get_submodule("conv1")
    expected = theirs(convolution(x)).relu()
    torch.testing.assert_close(ours(x), expected)
    ours(x).square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(ours.get_submodule("batchnorm1").bias.grad, theirs.bias.grad)  # type: ignore[union-attr]


def test_folding_without_a_scale() -> None:
    net = network("n", (3, 6, 6)).conv(4, 3, bias=False).batchnorm(scale=False).relu().build()
    module = build_module(net, seed=2).eval()
    generator = torch.Generator().manual_seed(0)
    state = {
        name: torch.rand(tensor.shape, generator=generator) + 0.5 if tensor.is_floating_point() else tensor
        for name, tensor in module.state_dict().items()
    }
    module.load_state_dict(state)
    folded, tensors = fold_batchnorm(net, state)
    again = build_module(folded).eval()
    again.load_state_dict(tensors)
    x = torch.randn(2, 3, 6, 6)
    torch.testing.assert_close(again(x), module(x), rtol=1e-4, atol=1e-5)


def test_they_are_written_and_read() -> None:
    net = read_inline("input 3x8x8 > conv 4 3 > batchnorm scale=false > rescale 0.25 > flatten > dense 2", classes=None)
    assert read_yaml(to_yaml(net)) == net
    assert "rescale: 0.25" in to_yaml(net)
    assert net.parameter_count == 4 * 27 + 4 + 4 + 144 * 2 + 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Rescale(0.0), "rescale by 0 leaves nothing"),
        (lambda: Rescale(-1.0), "rescale cannot use this factor"),
        (lambda: BatchNorm(affine=False, scale=False), "scale: false has no effect"),
        (lambda: BatchNorm(scale=1), "batchnorm cannot use this scale"),  # type: ignore[arg-type]
    ],
)
def test_impossible_ones_are_refused(make: object, words: str) -> None:
    with pytest.raises(LayerError, match=words):
        make()  # type: ignore[operator]
