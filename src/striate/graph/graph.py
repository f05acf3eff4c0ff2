"""Graph: a network as data. Nodes in topological order; no weights, no tensors, no framework."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from striate.errors import NetworkError, UsageError, near_miss
from striate.graph.layer import Layer, Parameter
from striate.graph.layers.input import Input
from striate.graph.node_names import names_in_reach
from striate.graph.sharing import check_shares, unknown_node
from striate.units import Shape

__all__ = ["Graph", "Node"]

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")


@dataclass(frozen=True, slots=True)
class Node:
    """One place in a network.

    Args:
        name: what it is called; dots nest.
        layer: what it computes.
        inputs: the names of the nodes it reads.
        shares: the earlier node whose tensors it uses again, instead of having its own; that one shares none itself.
        origin: where its author wrote it, ``model.py:12``; two nodes that differ in that alone are equal.
    """

    name: str
    layer: Layer
    inputs: tuple[str, ...] = ()
    shares: str | None = None
    origin: str | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Graph:
    """A network: nodes in topological order, valid by construction.

    Args:
        name: what people call it.
        nodes: every node after those it reads; at least one :class:`Input`.
        outputs: the nodes whose values leave; default: the last one.
        classes: how many classes it tells apart, where that is its purpose.

    Raises:
        NetworkError: unknown, repeated or circular names, a wrong number of inputs, shapes that do not fit.

    >>> from striate.graph.layers.dense import Dense
    >>> from striate.graph.layers.reshape import Flatten
    >>> nodes = (Node("x", Input((1, 8, 8))), Node("flat", Flatten(), ("x",)), Node("fc", Dense(10), ("flat",)))
    >>> net = Graph("tiny", nodes)
    >>> net.shapes["fc"], net.parameter_count
    ((10,), 650)
    """

    name: str
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...] = ()
    classes: int | None = None
    #: The shape that leaves each node.
    shapes: Mapping[str, Shape] = field(init=False, compare=False, repr=False)
    _by_name: Mapping[str, Node] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.nodes:
            raise NetworkError("the network is empty", where=self.name, needs="at least an input and one layer")
        if not self.outputs:
            object.__setattr__(self, "outputs", (self.nodes[-1].name,))
        by_name: dict[str, Node] = {}
        shapes: dict[str, Shape] = {}
        for node in self.nodes:
            self._check_name(node, by_name)
            self._check_inputs(node, by_name)
            by_name[node.name] = node
            try:
                shapes[node.name] = node.layer.output_shape(tuple(shapes[name] for name in node.inputs))
            except NetworkError as error:
                raise error.at(f"{self.name}, node {node.name!r}") from None
            if node.shares is not None:
                check_shares(self.name, node, by_name, shapes)
        for output in self.outputs:
            if output not in by_name:
                raise unknown_node(self.name, "the output", output, by_name)
        if not any(isinstance(node.layer, Input) for node in self.nodes):
            raise NetworkError("the network has no input", where=self.name, write="input: [3, 32, 32]")
        object.__setattr__(self, "shapes", MappingProxyType(shapes))
        object.__setattr__(self, "_by_name", MappingProxyType(by_name))

    def _check_name(self, node: Node, earlier: Mapping[str, Node]) -> None:
        if not _NAME.fullmatch(node.name):
            raise NetworkError(
                "this is not a name for a node",
                where=self.name,
                got=repr(node.name),
                needs="letters, digits and _, not starting with a digit; dots between parts",
                write="conv1",
            )
        if node.name in earlier:
            raise NetworkError(
                f"two nodes are called {node.name!r}", where=self.name, needs="a name of its own for each node"
            )

    def _check_inputs(self, node: Node, earlier: Mapping[str, Node]) -> None:
        for name in node.inputs:
            if name not in earlier:
                later = name == node.name or any(other.name == name for other in self.nodes)
                if later:
                    raise NetworkError(
                        f"node {node.name!r} reads {name!r}, which comes after it: a cycle, or a wrong order",
                        where=self.name,
                        needs="nodes that read only earlier nodes; a network has no cycles",
                    )
                raise unknown_node(self.name, f"node {node.name!r} reads", name, earlier)
        arity = node.layer.arity
        if node.layer.any_arity:
            return
        if (arity is None and len(node.inputs) < 2) or (arity is not None and len(node.inputs) != arity):
            raise NetworkError(
                f"{node.layer.kind} has the wrong number of inputs",
                where=f"{self.name}, node {node.name!r}",
                got=f"{len(node.inputs)} ({', '.join(node.inputs)})" if node.inputs else "none",
                needs="two or more" if arity is None else str(arity),
            )

    def __reduce__(self) -> tuple[object, ...]:
        # Mapping proxies do not copy; everything follows from the four fields.
        return (Graph, (self.name, self.nodes, self.outputs, self.classes))

    def __getitem__(self, name: str) -> Node:
        """The node of that name.

        Raises:
            UsageError: when there is none; a near miss is suggested.
        """
        if name not in self._by_name:
            raise UsageError(
                f"the network {self.name} has no node {name!r}",
                needs=names_in_reach(name, self._by_name),
                write=near_miss(name, self._by_name),
            )
        return self._by_name[name]

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The nodes where images enter."""
        return tuple(node for node in self.nodes if isinstance(node.layer, Input))

    @property
    def input_shape(self) -> Shape:
        """The shape of one image, for a network with one input.

        Raises:
            UsageError: when there are several inputs.
        """
        if len(self.inputs) != 1:
            names = ", ".join(node.name for node in self.inputs)
            raise UsageError(f"the network {self.name} has several inputs", got=names, needs="a network with one input")
        return self.shapes[self.inputs[0].name]

    @property
    def output_shape(self) -> Shape:
        """The shape that leaves the first output."""
        return self.shapes[self.outputs[0]]

    def input_shapes(self, node: Node) -> tuple[Shape, ...]:
        """The shapes that arrive at a node."""
        return tuple(self.shapes[name] for name in node.inputs)

    def parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every trained tensor under its full name ``<node>.<name>``, in order; a shared one once."""
        for node in self.nodes:
            for parameter in self.own_parameters(node):
                yield f"{node.name}.{parameter.name}", parameter

    def own_parameters(self, node: Node) -> tuple[Parameter, ...]:
        """The trained tensors that a node brings into the network: none where it shares those of an earlier one."""
        return () if node.shares is not None else node.layer.parameters(self.input_shapes(node))

    def own_buffers(self, node: Node) -> tuple[Parameter, ...]:
        """The stored tensors that are not trained, of a node that does not share those of an earlier one."""
        return () if node.shares is not None else node.layer.buffers(self.input_shapes(node))

    @property
    def parameter_count(self) -> int:
        """How many numbers are trained; shared ones count once."""
        return sum(parameter.count for _, parameter in self.parameters())

    def with_input(self, shape: Shape) -> Graph:
        """The same layers on another input size (one input only).

        Raises:
            NetworkError: when a layer does not fit that size; the message names it.
        """
        if self.input_shape == shape:
            return self
        entry = self.inputs[0].name
        nodes = tuple(replace(node, layer=Input(shape)) if node.name == entry else node for node in self.nodes)
        return replace(self, nodes=nodes)
