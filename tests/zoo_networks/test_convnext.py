"""ConvNeXt against a plain PyTorch version, structured as torchvision's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from striate import zoo
from striate.analysis import inspect
from striate.errors import ShapeError
from zoo_networks.comparison import assert_equal_outputs, outlines


class LayerNorm2d(nn.LayerNorm):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Permute(nn.Module):
    def __init__(self, *axes: int) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.axes)


class CNBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(width, width, 7, padding=3, groups=width),
            Permute(0, 2, 3, 1),
            nn.LayerNorm(width, eps=1e-6),
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Linear(4 * width, width),
            Permute(0, 3, 1, 2),
        )
        self.layer_scale = nn.Parameter(torch.ones(width, 1, 1) * 1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer_scale * self.block(x) + x


class ConvNeXtTiny(nn.Module):
    def __init__(self, channels: int = 3, classes: int = 1000) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Sequential(nn.Conv2d(channels, 96, 4, 4), LayerNorm2d(96, eps=1e-6))]
        for width, depth in ((96, 3), (192, 3), (384, 9), (768, 3)):
            if width > 96:
                layers.append(
                    nn.Sequential(LayerNorm2d(width // 2, eps=1e-6), nn.Conv2d(width // 2, width, 2, stride=2))
                )
            layers.append(nn.Sequential(*(CNBlock(width) for _ in range(depth))))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(LayerNorm2d(768, eps=1e-6), nn.Flatten(1), nn.Linear(768, classes))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(x)))


@pytest.mark.parametrize(
    ("size", "parameters", "macs"),
    [
        ("tiny", 28_589_128, 4.456),
        ("small", 50_223_688, 8.684),
        ("base", 88_591_464, 15.355),
        ("large", 197_767_336, 34.361),
    ],
)
def test_the_published_numbers(size: str, parameters: int, macs: float) -> None:
    report = inspect(zoo.build(f"convnext_{size}"))
    assert report.parameters == zoo.find(f"convnext_{size}").published == parameters
    assert round(report.macs / 1e9, 3) == macs  # as torchvision states them


def test_names_order_and_shapes_are_those_of_the_plain_version() -> None:
    with torch.device("meta"):
        theirs = ConvNeXtTiny()
    graph = zoo.build("convnext_tiny")
    assert outlines(graph) == [(name, tuple(entry.shape)) for name, entry in theirs.state_dict().items()]
    # A graph lists the factors of a block where they are applied, a module before what stands inside of it.
    ours = [(name, parameter.shape) for name, parameter in graph.parameters()]
    assert sorted(ours) == sorted((name, tuple(entry.shape)) for name, entry in theirs.named_parameters())


@pytest.mark.parametrize(("shape", "classes"), [((3, 64, 64), 1000), ((1, 50, 33), 5)])
def test_it_equals_the_plain_version(shape: tuple[int, ...], classes: int) -> None:
    with torch.device("meta"):
        oracle = ConvNeXtTiny(shape[0], classes)
    assert_equal_outputs(zoo.build("convnext_tiny", shape, classes), oracle)


def test_what_only_training_sees_is_torchvisions() -> None:
    nodes = zoo.build("convnext_tiny").nodes
    left_out = [node.layer.probability for node in nodes if node.layer.kind == "stochasticdepth"]  # type: ignore[attr-defined]
    assert left_out == pytest.approx([0.1 * block / 17 for block in range(18)])
    assert {node.layer.initial for node in nodes if node.layer.kind == "layerscale"} == {1e-6}  # type: ignore[attr-defined]


def test_images_that_are_too_small_are_refused() -> None:
    with pytest.raises(ShapeError) as caught:
        zoo.build("convnext_tiny", (3, 31, 64))
    assert "node 'features.6.1': the window of conv is larger than its input" in str(caught.value)
    assert caught.value.write == "input=(3, 32, 64)"
