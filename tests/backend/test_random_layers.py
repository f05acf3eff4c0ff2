"""Layers that draw while training: what they draw has the distribution that is said, and nothing is drawn at inference.

Also the first values of layers that say what they begin with, and modules that stand inside of each other.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from striate.backend import build_module, initialize
from striate.errors import NetworkError
from striate.graph import Chain, Graph, network


def drawn(net: Graph, images: Tensor, seed: int = 0) -> Tensor:
    module = build_module(net).train()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return module(images)


def four_deviations(share: float, count: int) -> float:
    return 4 * math.sqrt(share * (1 - share) / count)


@pytest.mark.parametrize("probability", [0.0, 0.3, 0.8])
def test_stochastic_depth_by_image(probability: float) -> None:
    net = network("n", (2, 3)).stochasticdepth(probability).build()
    images = torch.rand(4000, 2, 3) + 0.5
    out = drawn(net, images)
    factors = out / images
    # Each image is wholly gone or wholly divided by the share that stays.
    assert torch.allclose(factors, factors[:, :1, :1].expand_as(factors))
    left = factors[:, 0, 0] > 0
    assert torch.allclose(factors[left], torch.tensor(1 / (1 - probability)))
    assert abs(float(left.float().mean()) - (1 - probability)) <= four_deviations(probability, len(images))
    assert torch.equal(build_module(net).eval()(images), images)


def test_stochastic_depth_by_batch() -> None:
    net = network("n", (2, 3)).stochasticdepth(0.5, mode="batch").build()
    images = torch.ones(6, 2, 3)
    kinds = {tuple(drawn(net, images, seed).unique().tolist()) for seed in range(20)}
    assert kinds == {(0.0,), (2.0,)}


def test_stochastic_pooling_draws_in_proportion() -> None:
    # Zeiler and Fergus 2013, figure 1: probabilities 1.6 / 4 and 2.4 / 4.
    window = torch.tensor([[1.6, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, -3.0, 2.4]])
    net = network("n", (1, 3, 3)).stochasticpool(3).build()
    images = window.expand(5000, 1, 3, 3)
    values = drawn(net, images).flatten()
    assert values.unique().tolist() == pytest.approx([1.6, 2.4])
    share = float((values > 2).float().mean())
    assert abs(share - 0.6) < four_deviations(0.6, len(values))
    mean = build_module(net).eval()(images[:1])
    assert float(mean) == pytest.approx(0.4 * 1.6 + 0.6 * 2.4)


def test_stochastic_pooling_of_nothing_is_nothing() -> None:
    net = network("n", (1, 4)).stochasticpool(2).build()
    images = torch.tensor([[[0.0, 0.0, -1.0, -2.0]]], requires_grad=True)
    for module in (build_module(net).train(), build_module(net).eval()):
        out = module(images)
        assert torch.equal(out, torch.zeros(1, 1, 2))
        (gradient,) = torch.autograd.grad(out.sum(), images)
        assert bool(gradient.isfinite().all())


def test_the_gradient_of_stochastic_pooling_reaches_the_pixel_that_was_drawn() -> None:
    net = network("n", (1, 4, 4)).stochasticpool(2).build()
    images = (torch.rand(2, 1, 4, 4) + 0.1).requires_grad_()
    out = drawn(net, images)
    (gradient,) = torch.autograd.grad(out.sum(), images)
    assert int((gradient == 1).sum()) == out.numel() == int((gradient != 0).sum())
    assert torch.allclose(images[gradient == 1].sum(), out.sum())


@pytest.mark.parametrize("shape", [(2, 13), (2, 13, 11), (2, 9, 8, 7)])
def test_fractional_pooling_draws_its_windows_and_stands_still_at_inference(shape: tuple[int, ...]) -> None:
    net = network("n", shape).fractionalmaxpool(2, ratio=0.6).build()
    images = torch.rand(3, *shape)
    different = {tuple(drawn(net, images, seed).flatten().tolist()) for seed in range(8)}
    assert len(different) > 1
    module = build_module(net).eval()
    before = torch.random.get_rng_state()
    assert torch.equal(module(images), module(images))
    assert torch.equal(torch.random.get_rng_state(), before)
    for values in different:
        assert set(values) <= set(images.flatten().tolist())


@pytest.mark.parametrize(("size", "outputs", "kernel"), [(13, 6, 2), (20, 13, 3), (9, 1, 4), (25, 18, 2)])
def test_fractional_windows_are_torchs_for_a_half(size: int, outputs: int, kernel: int) -> None:
    """torch's own function, told to use 1/2 instead of drawing."""
    net = network("n", (1, size, size)).fractionalmaxpool(kernel, outputs).build()
    image = torch.rand(1, 1, size, size, dtype=torch.float64)
    samples = torch.full((1, 1, 2), 0.5, dtype=torch.float64)
    expected = nn.functional.fractional_max_pool2d(image, kernel, output_size=outputs, _random_samples=samples)
    assert torch.equal(build_module(net).double().eval()(image), expected)


def test_first_values_that_a_layer_gives() -> None:
    x = network("n", (3, 8, 8)).conv(4, 3).prelu(initial=0.1).conv(4, 3).layerscale(1e-4).prelu(channels=False)
    net = x.build()
    module = build_module(net)
    for scheme in ("auto", "normal", "zero"):
        initialize(module, net, scheme)
        values = {name: tensor.flatten().tolist() for name, tensor in module.named_parameters()}
        assert values["prelu1.weight"] == pytest.approx([0.1] * 4)
        assert values["layerscale1.weight"] == pytest.approx([1e-4] * 4)
        assert values["prelu2.weight"] == [0.25]
    initialize(module, net, "he")
    # He et al. 2015, equation 15: the variance of the weights before slopes of 0.1.
    wide = network("n", (64, 9, 9)).conv(256, 3).prelu(initial=0.1).build()
    weight = build_module(wide).get_parameter("conv1.weight")
    assert float(weight.detach().std()) == pytest.approx(math.sqrt(2 / (1 + 0.1**2) / (64 * 9)), rel=0.02)


def convnext_block(x: Chain, name: str) -> Chain:
    """One block with torchvision's names (torchvision.models.convnext.CNBlock)."""
    y = x.conv(x.channels, 7, padding=3, groups=x.channels, name=f"{name}.block.0")
    y = y.layernorm("channels", epsilon=1e-6, name=f"{name}.block.2").conv(4 * x.channels, 1, name=f"{name}.block.3")
    y = y.gelu(name=f"{name}.block.4").conv(x.channels, 1, name=f"{name}.block.5")
    return y.layerscale(1e-6, "layer_scale", name=name).stochasticdepth(0.1, name=f"{name}.stochastic_depth").add(x)


def test_a_layer_scale_may_hold_the_block_that_it_scales() -> None:
    net = convnext_block(network("n", (8, 9, 9)), "features.1.0").build()
    module = build_module(net)
    expected = ["layer_scale"] + [f"block.{i}.{part}" for i in (0, 2, 3, 5) for part in ("weight", "bias")]
    assert list(module.state_dict()) == [f"features.1.0.{name}" for name in expected]
    assert module.get_parameter("features.1.0.layer_scale").shape == (8, 1, 1)
    assert {name for name, _ in net.parameters()} == set(module.state_dict())
    images = torch.rand(2, 8, 9, 9)
    inner = build_module(net).eval()
    value = images
    for part in ("block.0", "block.2", "block.3", "block.4", "block.5"):
        value = inner.get_submodule(f"features.1.0.{part}")(value)
    assert torch.allclose(inner(images), images + 1e-6 * value)


def test_a_node_inside_may_not_be_called_like_a_tensor() -> None:
    x = network("n", (8, 9, 9)).relu(name="a.layer_scale.b").layerscale(1e-6, "layer_scale", name="a")
    with pytest.raises(NetworkError) as caught:
        build_module(x.build())
    assert caught.value.problem == (
        "a node cannot be called 'a.layer_scale.b': 'layer_scale' is a tensor of the node 'a' already"
    )
    held = network("n", (8, 9, 9)).relu(name="a.b").conv(8, 1, name="a")
    with pytest.raises(NetworkError, match="cannot be a layer and hold the layer"):
        build_module(held.build())


def test_a_crop_with_numbers_for_each_axis() -> None:
    x = network("n", (1, 9, 9))
    small = x.crop(3)
    module = build_module(x.croplike(small, offset=(0, 4)).build(small)).eval()
    image = torch.arange(81.0).view(1, 1, 9, 9)
    cut, _ = module(image)
    assert torch.equal(cut, image[:, :, 0:3, 4:7])


def test_causal_convolution_never_sees_what_comes_after() -> None:
    net = network("n", (2, 12)).conv(3, 3, padding="causal", dilation=2).conv(3, 2, padding="causal", stride=2).build()
    assert net.output_shape == (3, 6)
    module = build_module(net).eval()
    line = torch.rand(1, 2, 12)
    for place in range(12):
        other = line.clone()
        other[..., place:] += 1
        first = -(-place // 2)
        assert torch.equal(module(other)[..., :first], module(line)[..., :first])
        assert not torch.equal(module(other)[..., first:], module(line)[..., first:]) or first == 6
