"""The numbers that leave each layer, against a second implementation in NumPy and loops."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from numpy.typing import NDArray

from properties import numpy_reference as reference
from properties.strategies import single_layer_graphs
from striate.backend import build_module
from striate.graph import Graph, Node

Array = NDArray[np.float64]

_erf = np.vectorize(math.erf)


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _softmax(x: Array) -> Array:
    return np.exp(x) / np.exp(x).sum(0, keepdims=True)


def _gelu(layer: Any, x: Array) -> Array:
    if layer.approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x * (1 + _erf(x / math.sqrt(2))) / 2


def _global(layer: Any, x: Array) -> Array:
    axes = tuple(range(1, x.ndim))
    take = x.mean if layer.kind == "globalavgpool" else x.max
    return take(axes, keepdims=layer.keep)


def _batchnorm(layer: Any, x: Array, weight: Array, bias: Array, mean: Array, variance: Array) -> Array:
    columns = [entry.reshape(-1, *(1,) * (x.ndim - 1)) for entry in (weight, bias, mean, variance)]
    return (x - columns[2]) / np.sqrt(columns[3] + layer.epsilon) * columns[0] + columns[1]


WITHOUT_WEIGHTS: dict[str, Callable[[Any, Array], Array]] = {
    "maxpool": reference.pool,
    "avgpool": reference.pool,
    "upsample": reference.upsample,
    "globalavgpool": _global,
    "globalmaxpool": _global,
    "adaptiveavgpool": lambda layer, x: reference.adaptive_pool(layer, x, _bins(layer, x)),
    "adaptivemaxpool": lambda layer, x: reference.adaptive_pool(layer, x, _bins(layer, x)),
    "relu": lambda layer, x: np.maximum(x, 0),
    "leakyrelu": lambda layer, x: np.where(x > 0, x, layer.slope * x),
    "silu": lambda layer, x: x * _sigmoid(x),
    "gelu": _gelu,
    "sigmoid": lambda layer, x: _sigmoid(x),
    "tanh": lambda layer, x: np.tanh(x),
    "hardswish": lambda layer, x: x * np.clip(x + 3, 0, 6) / 6,
    "softmax": lambda layer, x: _softmax(x),
    "flatten": lambda layer, x: x.reshape(-1),
    "identity": lambda layer, x: x,
    "dropout": lambda layer, x: x,
}
WITH_WEIGHTS: dict[str, Callable[[Any, Array, Any, Any], Array]] = {
    "conv": reference.conv,
    "convtranspose": reference.conv_transpose,
    "dense": lambda layer, x, weight, bias: (
        np.einsum("uc,c...->u...", weight, x) + (0 if bias is None else bias.reshape(-1, *(1,) * (x.ndim - 1)))
    ),
    "layernorm": reference.normalize,
    "instancenorm": reference.normalize,
    "groupnorm": reference.normalize,
}


def _bins(layer: Any, x: Array) -> tuple[int, ...]:
    return (layer.size,) * (x.ndim - 1) if isinstance(layer.size, int) else layer.size


def random_weights(module: torch.nn.Module, seed: int = 0) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for tensor in module.state_dict().values():
            if tensor.is_floating_point():
                # In [0.5, 1.5): a running variance must be positive.
                tensor.copy_(torch.rand(tensor.shape, generator=generator, dtype=torch.float64) + 0.5)


def run_last(graph: Graph) -> tuple[Node, Array, Array, dict[str, Array]]:
    """The last node's input, output and tensors, on one image with negative and positive numbers."""
    module = build_module(graph, seed=None).double().eval()
    random_weights(module)
    node = graph.nodes[-1]
    part = module.get_submodule(node.name)
    (shape,) = graph.input_shapes(node)
    x = torch.randn((1, *shape), generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 2
    tensors = {name: tensor.numpy() for name, tensor in part.state_dict().items()}
    with torch.no_grad():
        return node, x[0].numpy(), part(x)[0].numpy(), tensors


@pytest.mark.parametrize("kind", WITHOUT_WEIGHTS)
def test_layers_without_weights(kind: str) -> None:
    @given(single_layer_graphs(kind))
    @settings(max_examples=80 if "pool" in kind else 15)
    def check(graph: Graph) -> None:
        node, x, y, _ = run_last(graph)
        np.testing.assert_allclose(y, WITHOUT_WEIGHTS[kind](node.layer, x), rtol=1e-9, atol=1e-12)

    check()


@pytest.mark.parametrize("kind", WITH_WEIGHTS)
def test_layers_with_weights(kind: str) -> None:
    @given(single_layer_graphs(kind, ranks=(1, 2, 3) if kind != "convtranspose" else (1, 2)))
    @settings(max_examples=100 if kind == "conv" else 25)
    def check(graph: Graph) -> None:
        node, x, y, tensors = run_last(graph)
        expected = WITH_WEIGHTS[kind](node.layer, x, tensors.get("weight"), tensors.get("bias"))
        np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-9)

    check()


@given(single_layer_graphs("batchnorm"))
def test_batch_normalisation_in_eval_mode(graph: Graph) -> None:
    node, x, y, tensors = run_last(graph)
    ones, zeros = np.ones(len(x)), np.zeros(len(x))
    weight, bias = tensors.get("weight", ones), tensors.get("bias", zeros)
    expected = _batchnorm(node.layer, x, weight, bias, tensors["running_mean"], tensors["running_var"])
    np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("kind", "join"),
    [("add", sum), ("multiply", math.prod), ("concat", lambda maps: np.concatenate(list(maps), 0))],
)
def test_merges(kind: str, join: Callable[..., Array]) -> None:
    @given(single_layer_graphs(kind))
    @settings(max_examples=15)
    def check(graph: Graph) -> None:
        node = graph.nodes[-1]
        generator = np.random.default_rng(0)
        maps = [generator.normal(size=shape) for shape in graph.input_shapes(node)]
        part = build_module(graph).get_submodule(node.name)
        result = part(*(torch.from_numpy(entry)[None] for entry in maps))[0].numpy()
        np.testing.assert_allclose(result, join(maps), rtol=1e-12)

    check()
