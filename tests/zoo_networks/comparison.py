"""A network of the zoo against a plain PyTorch module: the same names, order and shapes, and with its weights the same
outputs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from striate.backend import build_module
from striate.graph import Graph

__all__ = ["assert_equal", "assert_equal_outputs", "assert_equal_state", "filled", "outlines"]


def outlines(graph: Graph) -> list[tuple[str, tuple[int, ...]]]:
    """Name and shape of everything in the network's state dict, in order."""
    return [(name, tuple(entry.shape)) for name, entry in build_module(graph, device="meta").state_dict().items()]


def filled(module: nn.Module) -> nn.Module:
    """The module in double precision and evaluation, with numbers that keep its maps near 1 and differ everywhere."""
    generator = torch.Generator().manual_seed(0)
    module = module.double().to_empty(device="cpu").eval()
    for name, entry in module.state_dict().items():
        if not entry.is_floating_point():
            entry.zero_()
        elif entry.dim() < 2 or name.endswith("layer_scale"):
            # Scales and variances stay above 0; biases and means are small.
            positive = name.endswith(("weight", "running_var", "layer_scale"))
            entry.uniform_(0.5 if positive else -0.2, 1.5 if positive else 0.2, generator=generator)
        else:
            inputs = entry[0].numel()
            entry.uniform_(-((6 / inputs) ** 0.5), (6 / inputs) ** 0.5, generator=generator)
    return module


def assert_equal_state(graph: Graph, oracle: nn.Module) -> None:
    """The same names and shapes in the same order; so of the graph's own parameters."""
    assert outlines(graph) == [(name, tuple(entry.shape)) for name, entry in oracle.state_dict().items()]
    ours = [(name, parameter.shape) for name, parameter in graph.parameters()]
    assert ours == [(name, tuple(parameter.shape)) for name, parameter in oracle.named_parameters()]


def assert_equal_outputs(
    graph: Graph, oracle: nn.Module, translate: Callable[[dict[str, Tensor]], dict[str, Tensor]] | None = None
) -> None:
    """With the oracle's weights, loaded strictly, the network computes what the oracle computes."""
    oracle = filled(oracle)
    state = oracle.state_dict() if translate is None else translate(oracle.state_dict())
    module = build_module(graph, device="meta").double()
    module.load_state_dict(state, strict=True, assign=True)
    module.eval()
    images = torch.rand((2, *graph.input_shape), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    with torch.inference_mode():
        ours, theirs = module(images), oracle(images)
    assert ours.shape == (2, *graph.output_shape)
    # An output that hardly depends on the image would say nothing.
    assert (theirs[0] - theirs[1]).abs().max() > 1e-5 * theirs.abs().max()
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9 * float(theirs.abs().max()))


def assert_equal(graph: Graph, oracle: nn.Module) -> None:
    """Both."""
    assert_equal_state(graph, oracle)
    assert_equal_outputs(graph, oracle)
