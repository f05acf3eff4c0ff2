"""What a forward and a backward pass cost: multiply-adds, and apart from them every other operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from striate.analysis.gradient_flow import gradient_flow
from striate.graph import Graph, Node

__all__ = ["CONVENTION", "CostReport", "NodeCost", "Uncounted", "cost"]

CONVENTION = (
    "One MAC is one multiply-add of a convolution, a transposed convolution or a dense layer, for one image, taps in "
    "the padding included; FLOPs are twice as many. Everything else is an operation, never a MAC: each addition, "
    "multiplication, division, comparison or function value of bias, normalisation (at inference), activation, "
    "pooling, merging and interpolation."
)


@dataclass(frozen=True)
class Uncounted:
    """A quantity of a node that no rule describes, and that is therefore in no total.

    Args:
        node: the node.
        kind: its layer's kind.
        quantity: ``MACs``, ``backward MACs`` or ``operations``.
    """

    node: str
    kind: str
    quantity: str


@dataclass(frozen=True)
class NodeCost:
    """The cost of one node, for one image.

    Args:
        name: the node.
        kind: its layer's kind.
        macs: multiply-adds of the forward pass.
        input_gradient: multiply-adds for the gradient of its inputs; None where none is computed: nothing before the
            node is trained (the first layer reads the image), or the node lies on no way to an output.
        weight_gradient: multiply-adds for the gradient of its parameters; None where there are none, or none is
            computed.
        operations: all other operations of the forward pass, at inference; for a layer with MACs the additions of
            its bias. None where no rule says.
    """

    name: str
    kind: str
    macs: int
    input_gradient: int | None
    weight_gradient: int | None
    operations: int | None

    @property
    def backward(self) -> int:
        """Multiply-adds of the backward pass."""
        return (self.input_gradient or 0) + (self.weight_gradient or 0)


@dataclass(frozen=True)
class CostReport:
    """The cost of a network, for one image.

    Args:
        network: its name.
        nodes: one entry for each node, in order.
        uncounted: what is in no total, because no rule describes it; empty when everything is counted.
    """

    network: str
    nodes: tuple[NodeCost, ...]
    uncounted: tuple[Uncounted, ...]

    @property
    def macs(self) -> int:
        """Multiply-adds of a forward pass."""
        return sum(node.macs for node in self.nodes)

    @property
    def input_gradient(self) -> int:
        """Multiply-adds of a backward pass for the gradients of the maps."""
        return sum(node.input_gradient or 0 for node in self.nodes)

    @property
    def weight_gradient(self) -> int:
        """Multiply-adds of a backward pass for the gradients of the parameters."""
        return sum(node.weight_gradient or 0 for node in self.nodes)

    @property
    def backward(self) -> int:
        """Multiply-adds of a backward pass."""
        return self.input_gradient + self.weight_gradient

    @property
    def training(self) -> int:
        """Multiply-adds of a forward and a backward pass."""
        return self.macs + self.backward

    @property
    def operations(self) -> int:
        """All other operations of a forward pass."""
        return sum(node.operations or 0 for node in self.nodes)

    @property
    def operations_by_kind(self) -> dict[str, int]:
        """The other operations by the kind of layer, the largest share first; those of a conv are its bias."""
        totals: dict[str, int] = {}
        for node in self.nodes:
            if node.operations:
                totals[node.kind] = totals.get(node.kind, 0) + node.operations
        return dict(sorted(totals.items(), key=lambda entry: -entry[1]))

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-ready data."""
        return {
            "format": 1,
            "network": self.network,
            "convention": CONVENTION,
            "totals": {
                "macs": self.macs,
                "input_gradient": self.input_gradient,
                "weight_gradient": self.weight_gradient,
                "backward": self.backward,
                "training": self.training,
                "operations": self.operations,
                "operations_by_kind": self.operations_by_kind,
            },
            "uncounted": [
                {"node": entry.node, "kind": entry.kind, "quantity": entry.quantity} for entry in self.uncounted
            ],
            "nodes": [
                {
                    "name": node.name,
                    "kind": node.kind,
                    "macs": node.macs,
                    "input_gradient": node.input_gradient,
                    "weight_gradient": node.weight_gradient,
                    "operations": node.operations,
                }
                for node in self.nodes
            ],
        }


def cost(graph: Graph) -> CostReport:
    """The multiply-adds of a forward and a backward pass, and every other operation, node by node.

    A convolution computes with each weight at each output position three times in a training step: for its output,
    for the gradient of its input, and for the gradient of the weight. The second is left out where nothing before it
    is trained, so that a network costs less than three times its forward pass; "the backward pass costs twice the
    forward one" is off by the first layer.

    Where a layer does not say what it costs, the quantity is listed in ``uncounted`` and is in no total.

    >>> from striate.graph import network
    >>> report = cost(network("n", (3, 8, 8)).conv(4, 3).relu().conv(4, 3).relu().build())
    >>> report.macs, report.input_gradient, report.weight_gradient, report.operations, report.uncounted
    (6192, 2304, 6192, 416, ())
    """
    flow = gradient_flow(graph)
    entries = []
    uncounted: list[Uncounted] = []
    for node in graph.nodes:
        entry, missing = _node_cost(graph, node, flow.get(node.name))
        entries.append(entry)
        uncounted += [Uncounted(node.name, node.layer.kind, quantity) for quantity in missing]
    return CostReport(graph.name, tuple(entries), tuple(uncounted))


def _node_cost(graph: Graph, node: Node, needs: tuple[bool, ...] | None) -> tuple[NodeCost, list[str]]:
    """The cost of a node, and the quantities that no rule describes."""
    layer, inputs, output = node.layer, graph.input_shapes(node), graph.shapes[node.name]
    # An operation that was recorded without being understood has a shape and nothing else, unless its cost is known.
    opaque = layer.kind == "opaque" and getattr(layer, "cost", None) is None
    operations = None if opaque else layer.elementwise(inputs, output)
    missing = ["MACs"] if opaque else []
    input_gradient = weight_gradient = None
    if needs is not None:
        backward = None if opaque else layer.backward_macs(inputs, output)
        if backward is None:
            missing.append("backward MACs")
        else:
            input_gradient = backward[0] if any(needs) else None
            weight_gradient = backward[1] if layer.parameters(inputs) else None
    if operations is None:
        missing.append("operations")
    macs = 0 if opaque else layer.macs(inputs, output)
    return NodeCost(node.name, layer.kind, macs, input_gradient, weight_gradient, operations), missing
