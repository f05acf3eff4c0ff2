"""Running a built network node by node."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx

from striate.graph import Graph

__all__ = ["node_values", "random_inputs"]


class _Recorder(fx.Interpreter):
    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.values: dict[str, Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if "node" in n.meta:
            self.values[n.meta["node"]] = value
        return value


def node_values(module: fx.GraphModule, *inputs: Tensor) -> dict[str, Tensor]:
    """The value of every node, inputs included, by name."""
    recorder = _Recorder(module)
    recorder.run(*inputs)
    return recorder.values


def random_inputs(
    graph: Graph, batch: int = 2, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> list[Tensor]:
    """One tensor for each input of the graph, uniform in [0.5, 1), from a generator of its own."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(batch, *graph.shapes[node.name]) for node in graph.inputs]
    if device == "meta":
        return [torch.empty(shape, device="meta", dtype=dtype) for shape in shapes]
    return [torch.rand(shape, generator=generator, dtype=dtype) / 2 + 0.5 for shape in shapes]
