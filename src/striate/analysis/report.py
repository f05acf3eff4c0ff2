"""Report: the exact numbers of a network, node by node, and their totals."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from typing import Any

from striate.analysis.receptive_field import AxisField, is_gate, receptive_fields
from striate.graph import Graph, Layer
from striate.units import Shape

__all__ = ["NodeReport", "Report", "describe", "inspect"]


@dataclass(frozen=True)
class NodeReport:
    """The numbers of one node.

    Args:
        name: the node.
        kind: its layer's kind.
        attributes: the layer's attributes that differ from their defaults.
        inputs: the nodes it reads.
        shape: what leaves it, ``(channels, *spatial)``.
        parameters: trained numbers.
        macs: multiply-adds of one forward pass for one image.
        field: its receptive field along each axis of the image; empty when it does not depend on the first input.
        ungated: the same without what it sees through gates (squeeze-and-excitation), where that is less; else empty.
        shares: the earlier node whose parameters it uses again; they are counted there.
        origin: where its author wrote it, ``model.py:12``, where that is known.
    """

    name: str
    kind: str
    attributes: dict[str, Any]
    inputs: tuple[str, ...]
    shape: Shape
    parameters: int
    macs: int
    field: tuple[AxisField, ...]
    shares: str | None = None
    origin: str | None = None
    ungated: tuple[AxisField, ...] = ()

    @property
    def local(self) -> tuple[AxisField, ...]:
        """Its receptive field, gates left aside."""
        return self.ungated or self.field


@dataclass(frozen=True)
class Report:
    """The numbers of a network (``striate inspect``).

    Args:
        name: the network.
        input: the shape of one image.
        output: the shape that leaves, at the first output.
        nodes: one entry for each node, in order.
        outputs: the nodes whose values leave, where that is known.
    """

    name: str
    input: Shape
    output: Shape
    nodes: tuple[NodeReport, ...]
    outputs: tuple[str, ...] = ()

    @property
    def leaving(self) -> tuple[NodeReport, ...]:
        """The nodes whose values leave; the last one where they are not known."""
        known = {node.name: node for node in self.nodes}
        return tuple(known[name] for name in self.outputs) or self.nodes[-1:]

    @property
    def parameters(self) -> int:
        """All trained numbers."""
        return sum(node.parameters for node in self.nodes)

    @property
    def macs(self) -> int:
        """All multiply-adds of one forward pass for one image; FLOPs are twice as many."""
        return sum(node.macs for node in self.nodes)

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Nodes whose cost no layer describes."""
        return tuple(node.name for node in self.nodes if node.kind == "opaque" and "cost" not in node.attributes)

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-ready data (``striate inspect --json``); fractions as ``"1/2"``."""
        return {
            "format": 1,
            "name": self.name,
            "input": list(self.input),
            "output": list(self.output),
            "outputs": [{"name": node.name, "shape": list(node.shape)} for node in self.leaving],
            "totals": {"parameters": self.parameters, "macs": self.macs, "uncounted": list(self.uncounted)},
            "nodes": [
                {
                    "name": node.name,
                    "kind": node.kind,
                    "attributes": node.attributes,
                    "inputs": list(node.inputs),
                    "shape": list(node.shape),
                    "parameters": node.parameters,
                    "macs": node.macs,
                    "receptive_field": [axis.as_dict() for axis in node.field],
                    **(
                        {"receptive_field_without_gates": [axis.as_dict() for axis in node.ungated]}
                        if node.ungated
                        else {}
                    ),
                    **({"shares": node.shares} if node.shares is not None else {}),
                    **({"origin": node.origin} if node.origin is not None else {}),
                }
                for node in self.nodes
            ],
        }


def describe(layer: Layer) -> dict[str, Any]:
    """The attributes of a layer that differ from their defaults.

    >>> from striate.graph.layers.convolution import Conv
    >>> describe(Conv(16, 3, padding="same"))
    {'filters': 16, 'kernel': 3, 'padding': 'same'}
    """
    return {name: value for name, default in _defaults(type(layer)) if (value := getattr(layer, name)) != default}


@functools.cache
def _defaults(cls: type[Layer]) -> list[tuple[str, Any]]:
    known = fields(cls)  # type: ignore[arg-type]
    return [(entry.name, entry.default) for entry in known if entry.metadata.get("described", True)]


def inspect(graph: Graph) -> Report:
    """The exact numbers of a network: shapes, parameters, MACs and receptive fields.

    >>> from striate import zoo
    >>> report = inspect(zoo.build("mnist-cnn"))
    >>> report.parameters, report.macs
    (421642, 4241152)
    """
    seen = receptive_fields(graph)
    apart = receptive_fields(graph, gates=False) if _has_gates(graph) else {}
    nodes = []
    for node in graph.nodes:
        inputs, shape = graph.input_shapes(node), graph.shapes[node.name]
        field, ungated = seen.get(node.name, ()), apart.get(node.name, ())
        nodes.append(
            NodeReport(
                name=node.name,
                kind=node.layer.kind,
                attributes=describe(node.layer),
                inputs=node.inputs,
                shape=shape,
                parameters=0 if node.shares else sum(parameter.count for parameter in node.layer.parameters(inputs)),
                macs=node.layer.macs(inputs, shape),
                field=field,
                shares=node.shares,
                origin=node.origin,
                ungated=() if ungated == field else ungated,
            )
        )
    first = graph.shapes[graph.inputs[0].name]
    return Report(graph.name, first, graph.output_shape, tuple(nodes), graph.outputs)


def _has_gates(graph: Graph) -> bool:
    return any(
        is_gate(node, graph.input_shapes(node), graph.shapes[node.name], position)
        for node in graph.nodes
        if len(node.inputs) > 1
        for position in range(len(node.inputs))
    )
