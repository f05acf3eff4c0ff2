"""Which tensors a network's module holds, by the Graph."""

from __future__ import annotations

from torch import Tensor, nn

from striate.errors import UsageError
from striate.graph import Graph, Parameter
from striate.units import format_shape

__all__ = ["expected_tensors", "matched_tensors"]


def expected_tensors(graph: Graph) -> dict[str, Parameter]:
    """Every parameter and buffer under its full name ``<node>.<name>``; shared ones under their first name."""
    return {
        f"{node.name}.{tensor.name}": tensor
        for node in graph.nodes
        for tensor in (*graph.own_parameters(node), *graph.own_buffers(node))
    }


def matched_tensors(module: nn.Module, graph: Graph) -> dict[str, Tensor]:
    """The module's own tensors (not copies) under the graph's names.

    Raises:
        UsageError: when the module is not one of this graph.
    """
    wanted = expected_tensors(graph)
    found = {name: tensor.detach() for name, tensor in module.state_dict(keep_vars=True).items()}
    for name, parameter in wanted.items():
        if name not in found or tuple(found[name].shape) != parameter.shape:
            got = f"no tensor {name}" if name not in found else f"{name} of {format_shape(tuple(found[name].shape))}"
            raise _other(graph, got, f"{name} of {format_shape(parameter.shape)}")
    same = {f"{node.name}." for node in graph.nodes if node.shares is not None}
    if extra := [name for name in found if name not in wanted and f"{name.rpartition('.')[0]}." not in same]:
        raise _other(graph, f"a tensor {extra[0]}", f"only tensors of nodes of {graph.name}")
    return {name: found[name] for name in wanted}


def _other(graph: Graph, got: str, needs: str) -> UsageError:
    return UsageError(
        f"this module was not built from the network {graph.name}", got=got, needs=needs, write="build_module(graph)"
    )
