"""Which poolings of a network can be computed together with the ReLU behind them, and the module that does so."""

from __future__ import annotations

import importlib.util

import torch
from torch import nn

from striate.backend.native.pooling import FusedPooling, agrees_with_torch, pooling_functions
from striate.backend.native.threads import torch_team
from striate.errors import NetworkError
from striate.graph import Graph, Node
from striate.graph.layers.activation import ReLU
from striate.graph.layers.pooling import MaxPool
from striate.graph.windows import Window

__all__ = ["can_fuse", "can_use_team", "fused", "fusing_fails", "why_not_fused"]

#: Windows of two numbers side by side, a rest left out.
_WINDOW = Window(2, 2, 0, 0, 1, False)


def why_not_fused() -> str:
    """What is missing here for fused pooling, and what to write; empty where nothing is."""
    missing = importlib.util.find_spec("llvmlite") is None
    return "llvmlite is not installed: pip install 'striate[fast]'" if missing else ""


def can_use_team() -> bool:
    """Whether the kernel can be compiled here and computed by all of torch's threads; nothing is compiled for it."""
    return not why_not_fused() and torch_team() is not None


def fusing_fails(dtype: torch.dtype) -> str:
    """Why the kernel cannot be compiled here, for maps in bfloat16 or float32; empty where it can, and then it is."""
    missing = why_not_fused()
    if not missing:
        try:
            pooling_functions(dtype)
            if not agrees_with_torch(dtype):
                missing = "compiled here, it gives other numbers than torch"
        except (ImportError, OSError, RuntimeError) as error:
            missing = f"it cannot be compiled here: {(str(error).splitlines() or [type(error).__name__])[0][:100]}"
    return missing


def can_fuse(graph: Graph) -> bool:
    """Whether there is a pooling over 2×2 windows whose only reader is a ReLU.

    >>> from striate.graph import network
    >>> net = network("n", (1, 8, 8)).conv(4, 3)
    >>> can_fuse(net.maxpool(2).relu().flatten().dense(2).build())
    True
    """
    return bool(_pairs(graph))


def fused(graph: Graph, module: nn.Module) -> nn.Module:
    """Compute each such pooling together with its ReLU, in place; outputs and gradients keep their bits.

    The pooling's module passes its input on, and the ReLU's does the work of both: it is still what reports the
    rectified maps, under its name. Neither has parameters or buffers, so the state dict stays as it is.

    Args:
        graph: the network.
        module: built from it by :func:`striate.backend.build_module`; it is changed.

    Returns:
        The same module.

    Raises:
        NetworkError: there is nothing to fuse.
    """
    pairs = _pairs(graph)
    if not pairs:
        raise NetworkError(
            "no pooling of this network can be computed together with a ReLU",
            where=graph.name,
            needs="a 2×2 maximum pooling whose only reader is a ReLU",
        )
    for pool, activation in pairs:
        _put(module, pool.name, nn.Identity())
        _put(module, activation.name, FusedPooling())
    return module


def _put(module: nn.Module, name: str, other: nn.Module) -> None:
    """Under a node's name; what is nested below that name stays."""
    old = module.get_submodule(name)
    for part, inner in old.named_children():
        other.add_module(part, inner)
    other.train(old.training)
    module.set_submodule(name, other)


def _pairs(graph: Graph) -> list[tuple[Node, Node]]:
    """Each such pooling with its ReLU."""
    readers: dict[str, list[Node]] = {node.name: [] for node in graph.nodes}
    for node in graph.nodes:
        for name in node.inputs:
            readers[name].append(node)
    return [
        (node, readers[node.name][0])
        for node in graph.nodes
        if _is_known(graph, node)
        and node.name not in graph.outputs
        and len(readers[node.name]) == 1
        and type(readers[node.name][0].layer) is ReLU
    ]


def _is_known(graph: Graph, node: Node) -> bool:
    if not isinstance(node.layer, MaxPool) or len(graph.input_shapes(node)[0]) != 3:
        return False
    return all(window == _WINDOW for window in node.layer.windows(2))
