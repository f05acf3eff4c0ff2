"""Measured fields against closed forms: NumPy's convolutions of the kernels, autograd on a plain module, Luo et al."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from striate import zoo
from striate.analysis import unit_field
from striate.analysis.effective_field import SHARE, EffectiveField
from striate.backend import build_module, save_weights
from striate.errors import UsageError, WeightsError
from striate.graph import Graph, network
from striate.insight.effective_field import effective_field

Array = NDArray[np.float64]


def constant_weights(graph: Graph, folder: Path) -> Path:
    """A file in which every weight is 1 and every bias 0."""
    module = build_module(graph)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            parameter.fill_(0.0 if name.endswith("bias") else 1.0)
    path = folder / "ones.safetensors"
    save_weights(module, path, graph)
    return path


def boxes(*kernels: int) -> Array:
    """Box after box, folded into each other."""
    return functools.reduce(np.convolve, [np.ones(kernel) for kernel in kernels])


def placed(profile: Array, centre: int, size: int) -> Array:
    """A profile with its middle at a pixel, cut off at the edges of the image."""
    out = np.zeros(size + 2 * len(profile))
    start = centre - len(profile) // 2 + len(profile)
    out[start : start + len(profile)] = profile
    return out[len(profile) : len(profile) + size]


@pytest.mark.parametrize("layers", [1, 2, 5, 9])
def test_boxes_of_constant_weights_are_folded_into_each_other(layers: int, tmp_path: Path) -> None:
    x = network("linear", (1, 31, 25))
    for _ in range(layers):
        x = x.conv(1, 3, padding=1)
    graph = x.build()
    found = effective_field(graph, f"conv{layers}", weights=constant_weights(graph, tmp_path), count=2)
    rows, columns = placed(boxes(*[3] * layers), 15, 31), placed(boxes(*[3] * layers), 12, 25)
    np.testing.assert_allclose(found.gradient, np.outer(rows, columns), rtol=1e-5)
    assert found.theory == found.touched == (2 * layers + 1) ** 2
    assert found.outside == 0
    for axis, centre in zip(found.axes, (15, 12), strict=True):
        # The variance of a sum of independent steps is the sum of theirs: (k² - 1) / 12 for a box of k.
        assert axis.deviation == pytest.approx((layers * (9 - 1) / 12) ** 0.5, rel=1e-5)
        assert axis.centre == pytest.approx(centre)
        assert axis.theory == (centre - layers, centre + layers)


def test_strides_spread_the_boxes(tmp_path: Path) -> None:
    graph = network("n", (1, 65)).conv(1, 3, stride=2, padding=1).conv(1, 5, padding=2).build()
    found = effective_field(graph, "conv2", (16,), weights=constant_weights(graph, tmp_path))
    wide = np.zeros(9)
    wide[::2] = 1
    np.testing.assert_allclose(found.gradient, placed(np.convolve(wide, np.ones(3)), 32, 65), rtol=1e-5)
    # The last row of pixels of each window that two windows share counts twice.
    assert (found.axes[0].theory, found.theory) == ((27, 37), 11)


def test_the_corner_is_cut_off(tmp_path: Path) -> None:
    graph = network("n", (1, 20)).conv(1, 5, padding=2).conv(1, 5, padding=2).build()
    found = effective_field(graph, "conv2", (0,), weights=constant_weights(graph, tmp_path))
    # What the second layer reads of the padding in front was never computed from pixels.
    reads = np.zeros(20)
    for place in (0, 1, 2):
        reads[max(place - 2, 0) : place + 3] += 1
    np.testing.assert_allclose(found.gradient, reads, rtol=1e-5)
    assert (found.axes[0].theory, found.outside) == ((0, 4), 0)


def smallest(gradient: Array) -> int:
    """The smallest set of pixels with the share, by taking the largest one by one."""
    left = SHARE * gradient.sum()
    for count, value in enumerate(sorted(gradient.ravel(), reverse=True), start=1):
        left -= value
        if left <= 0:
            return count
    raise AssertionError("all pixels hold less than a share")


def shortest(sums: Array) -> int:
    """The length of the shortest interval with the share, by trying all."""
    lengths = [
        end - start
        for start in range(len(sums))
        for end in range(start + 1, len(sums) + 1)
        if sums[start:end].sum() >= SHARE * sums.sum() - 1e-12
    ]
    return min(lengths)


def check_against_plain_code(found: EffectiveField) -> None:
    assert found.area == smallest(found.gradient)
    assert found.outside == 0
    for number, axis in enumerate(found.axes):
        sums = found.gradient.sum(axis=tuple(other for other in range(found.gradient.ndim) if other != number))
        first, last = axis.effective
        assert last - first + 1 == shortest(sums)
        assert sums[first : last + 1].sum() >= SHARE * sums.sum() * (1 - 1e-12)
        places, weights = np.arange(len(sums)), sums / sums.sum()
        assert axis.centre == pytest.approx(np.average(places, weights=weights))
        assert axis.deviation == pytest.approx(np.sqrt(np.cov(places, aweights=weights, bias=True)))
        np.testing.assert_allclose(axis.sums, weights)


@pytest.mark.parametrize(
    ("name", "node", "input"),
    [
        ("resnet20", "layer2.1.add", (3, 48, 40)),
        ("resnet18", "layer1.1.relu2", (1, 64, 64)),
        ("mobilenet_v3_small", "features.2.block.2.0", (3, 64, 64)),
        ("unet", "up4.conv2", (1, 188, 188)),
        ("googlenet", "inception3b.concat", (3, 64, 64)),
    ],
)
def test_it_lies_inside_the_theoretical_field(name: str, node: str, input: tuple[int, ...]) -> None:
    graph = zoo.build(name, input)
    found = effective_field(graph, node, count=2)
    check_against_plain_code(found)
    inside = unit_field(graph, node, found.position)
    assert inside == tuple(axis.theory for axis in found.axes)
    assert 0 < found.ratio <= 1
    assert found.touched <= found.theory


def test_it_is_the_gradient_of_a_plain_module() -> None:
    graph = network("n", (2, 17, 19)).conv(4, 3, stride=2, padding=1).relu().maxpool(2).conv(3, 3, padding=1).build()
    found = effective_field(graph, "conv2", (1, 2), seed=3, count=4)
    ours = build_module(graph, seed=3)
    plain = nn.Sequential(nn.Conv2d(2, 4, 3, 2, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 3, 3, 1, 1))
    plain.load_state_dict(dict(zip(plain.state_dict(), ours.state_dict().values(), strict=True)))
    generator = torch.Generator().manual_seed(3)
    total = torch.zeros(17, 19)
    for _ in range(4):
        image = torch.randn((1, 2, 17, 19), generator=generator).requires_grad_()
        (gradient,) = torch.autograd.grad(plain(image)[0, :, 1, 2].sum(), image)
        total += gradient[0].abs().sum(0)
    np.testing.assert_allclose(found.gradient, total.numpy() / 4, rtol=1e-4, atol=1e-7)


def test_the_share_of_the_field_shrinks_with_the_depth(tmp_path: Path) -> None:
    """Luo et al., section 2: the deviation grows with the square root of the depth, the field with the depth."""
    ratios = []
    for depth in (4, 16, 64):
        x = network("n", (1, 161))
        for _ in range(depth):
            x = x.conv(1, 3, padding=1)
        graph = x.build()
        found = effective_field(graph, f"conv{depth}", weights=constant_weights(graph, tmp_path), count=1)
        ratios.append(found.axes[0].deviation / (2 * depth + 1))
    assert ratios == pytest.approx([(2 / 3 * depth) ** 0.5 / (2 * depth + 1) for depth in (4, 16, 64)], rel=1e-4)


def test_vectors_volumes_and_images_themselves() -> None:
    graph = network("n", (1, 6, 7)).conv(2, 3).flatten().dense(3).build()
    found = effective_field(graph, "dense1", count=1)
    assert (found.position, found.theory) == ((), 42)
    volume = network("n", (1, 7, 8, 9)).conv(2, 3).build()
    assert effective_field(volume, "conv1", count=1).gradient.shape == (7, 8, 9)
    itself = effective_field(graph, "input", (2, 3), count=1)
    assert (itself.area, itself.theory, itself.axes[0].deviation) == (1, 1, 0.0)


def test_several_inputs() -> None:
    from striate.graph import Node
    from striate.graph.layers.convolution import Conv
    from striate.graph.layers.input import Input
    from striate.graph.layers.merge import Multiply

    nodes = (
        Node("a", Input((1, 9))),
        Node("b", Input((1, 9))),
        Node("conv", Conv(1, 3, padding=1), ("a",)),
        Node("product", Multiply(), ("conv", "b")),
        Node("alone", Conv(1, 3), ("b",)),
    )
    graph = Graph("two", nodes, ("product",))
    assert effective_field(graph, "product", (4,)).axes[0].theory == (3, 5)
    nothing = effective_field(graph, "alone", (4,))
    assert (nothing.axes, nothing.area, nothing.theory, nothing.ratio) == ((), 0, 0, 0.0)


def test_a_unit_that_nothing_moves(tmp_path: Path) -> None:
    graph = network("n", (1, 9)).conv(1, 3, padding=1).relu().build()
    module = build_module(graph, seed=None)
    path = tmp_path / "zero.safetensors"
    save_weights(module, path, graph)
    found = effective_field(graph, "relu1", weights=path)
    assert (found.axes, found.area, found.theory, found.touched) == ((), 0, 3, 0)


def test_nothing_of_the_callers_is_touched() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    graph = zoo.build("simple-cnn")
    first, second = (effective_field(graph, "conv2", count=3) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(first.gradient, second.gradient)
    assert first == second
    assert (first.weights, first.images) == ("fresh weights, seed 0", "3 images of random numbers, normal, seed 0")


def test_what_cannot_be_measured(tmp_path: Path) -> None:
    graph = zoo.build("simple-cnn")
    with pytest.raises(UsageError, match="has no unit at this position"):
        effective_field(graph, "conv1", (99, 0))
    with pytest.raises(UsageError, match="no node 'conv9'"):
        effective_field(graph, "conv9")
    with pytest.raises(UsageError, match="1 to 1024"):
        effective_field(graph, "conv1", count=0)
    with pytest.raises(WeightsError, match="no such file of weights"):
        effective_field(graph, "conv1", weights=tmp_path / "gone.safetensors")
    other = zoo.build("mnist-cnn")
    path = tmp_path / "other.safetensors"
    save_weights(build_module(other), path, other)
    with pytest.raises(WeightsError, match=r"the first difference: conv1\.weight is 32×1×3×3 in the file"):
        effective_field(graph, "conv1", weights=path)
    huge = network("n", (1, 9)).conv(1, 3).conv(1, 3).build()
    module = build_module(huge)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(1e30)
    save_weights(module, path, huge)
    with pytest.raises(WeightsError, match="the gradient of conv2 is not finite"):
        effective_field(huge, "conv2", weights=path)
