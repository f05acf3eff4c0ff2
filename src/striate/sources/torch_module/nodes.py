"""The nodes of a network while it is imported: found layers become nodes, their parameters get one owner each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from striate.errors import NetworkError, SourceError
from striate.graph.layer import Layer, Parameter, Role
from striate.graph.layers.opaque import Nature, Opaque
from striate.sources.assembly import NODE_LIMIT
from striate.sources.torch_module.faults import weights_misfit
from striate.sources.torch_module.layout import plain_layout
from striate.sources.torch_module.values import Found, Pending, Place, Value
from striate.units import Shape

__all__ = ["Nodes"]


class Nodes:
    """The nodes so far.

    Args:
        parameters: the shape of every parameter of the module, by its full name.
    """

    def __init__(self, parameters: Mapping[str, Shape]) -> None:
        self.pending: list[Pending] = []
        self._parameters = parameters
        #: Which node brought a parameter into the network.
        self.owners: dict[str, int] = {}
        #: Why the last layer that was tried does not fit.
        self.refusal: str | None = None
        self._arranged: dict[tuple[int, object], int] = {}

    def shape(self, node: int) -> Shape:
        """What leaves a node."""
        return self.pending[node].shape

    def add(self, found: Found, operation: str, place: Place) -> int | None:
        """Append a node for a layer; None where its rules do not fit what arrives."""
        layer, shapes = found.layer, tuple(self.shape(node) for node in found.inputs)
        try:
            shape = layer.output_shape(shapes)
            wanted = layer.parameters(shapes)
        except NetworkError as error:
            self.refusal = f"{error.problem}: {error.got}" if error.got else error.problem
            return None
        given = [tuple(value.tensor.shape) for value in found.weights]
        if [parameter.shape for parameter in wanted] != given:
            # On the device meta torch does not look at all of these.
            raise weights_misfit(layer.kind, place, given, [entry.shape for entry in wanted], shapes)
        if found.alike:
            return self.opaque(operation, shape, found.inputs, place, behaves=layer)
        names = tuple(value.parameter for value in found.weights if value.parameter is not None)
        if len(names) == len(found.weights) and len(set(names)) == len(names):
            owner = self.owners.get(names[0]) if names else None
            if not any(name in self.owners for name in names):
                return self._append(Pending(layer, found.inputs, shape, place, names), names)
            if owner is not None and self._same_tensors(layer, shapes, names, owner):
                return self._append(Pending(layer, found.inputs, shape, place, names, shares=owner))
        weights = frozenset(name for value in found.weights for name in value.weights)
        if any(value.stray for value in found.weights):
            operation = f"{operation} with unregistered parameters"
        return self.opaque(operation, shape, found.inputs, place, weights, behaves=layer)

    def _same_tensors(self, layer: Layer, shapes: tuple[Shape, ...], names: tuple[str, ...], owner: int) -> bool:
        first = self.pending[owner]
        return first.weights == names and first.shares is None and (first.layer == layer or not layer.buffers(shapes))

    def opaque(
        self,
        operation: str,
        shape: Shape,
        inputs: Sequence[int],
        place: Place,
        weights: frozenset[str] = frozenset(),
        cost: int | None = None,
        nature: Nature = "unknown",
        behaves: Layer | None = None,
    ) -> int:
        """Append a node for an operation that no layer describes."""
        fresh = tuple(sorted(name for name in weights if name not in self.owners))
        own = self._own(fresh)
        shapes = tuple(self.shape(node) for node in inputs)
        if behaves is not None:
            cost = behaves.macs(shapes, shape)
        layer = Opaque(operation, shape, own, cost, nature, shapes, behaves)
        return self._append(Pending(layer, tuple(inputs), shape, place, fresh), fresh)

    def _own(self, names: Sequence[str]) -> tuple[Parameter, ...]:
        own: list[Parameter] = []
        for name in names:
            short = name.rpartition(".")[2]
            while any(parameter.name == short for parameter in own):
                short += "_"
            shape = self._parameters[name]
            role: Role = "weight" if len(shape) > 1 else "bias" if "bias" in short else "scale"
            own.append(Parameter(short, shape, role))
        return tuple(own)

    def _append(self, pending: Pending, owned: Sequence[str] = ()) -> int:
        if len(self.pending) >= NODE_LIMIT:
            raise SourceError(
                "this forward pass is too long",
                where=pending.place.origin,
                got=f"more than {NODE_LIMIT:,} operations",
                needs="fewer: a loop over the pixels or images, perhaps",
            )
        self.pending.append(pending)
        for name in owned:
            self.owners[name] = len(self.pending) - 1
        return len(self.pending) - 1

    def plain(self, value: Value) -> int:
        """The node that gives a value as it lies: its own, or one more for the layout, made once."""
        if value.node is None:
            raise TypeError("a constant has no node")
        if value.stale:
            writers = tuple(dict.fromkeys(value.stale))
            value.stale = []
            self._settle(
                value,
                self.opaque(
                    "written in place",
                    self._now(value),
                    (self._plain(value), *writers),
                    self._place(value),
                    cost=0,
                    nature="moves",
                ),
            )
        node = self._plain(value)
        self._settle(value, node)
        return node

    def _plain(self, value: Value) -> int:
        node, layout = value.node, value.layout
        if node is None or layout is None or layout.is_plain:
            return node if node is not None else -1
        key = (node, layout)
        if key not in self._arranged:
            place, layer = self._place(value), layout.layer()
            made = None if layer is None else self.add(Found(layer, (node,)), value.operation, place)
            if made is None:
                nature: Nature = "view" if layout.in_order else "moves"
                made = self.opaque(value.operation, layout.shape, (node,), place, cost=0, nature=nature)
            self._arranged[key] = made
        return self._arranged[key]

    def _now(self, value: Value) -> Shape:
        return self.shape(value.node or 0) if value.layout is None else value.layout.shape

    def _place(self, value: Value) -> Place:
        if value.place is not None:
            return value.place
        made = self.pending[value.node or 0].place
        return Place(made.path.rpartition(".")[0] if made.leaf else made.path, False, made.origin)

    def _settle(self, value: Value, node: int) -> None:
        value.node = node
        if value.layout is not None:
            value.layout = plain_layout(self.shape(node))

    def unused(self, names: Sequence[str]) -> None:
        """Append nodes, read by nothing, for the parameters that no operation used: one for each module."""
        groups: dict[str, list[str]] = {}
        for name in names:
            groups.setdefault(name.rpartition(".")[0], []).append(name)
        for path, members in groups.items():
            layer = Opaque("unused parameters", (0,), self._own(members), 0, "moves", ())
            self._append(Pending(layer, (), (0,), Place(path, True, None), tuple(members)), members)

    def numbers(self, node: int) -> int:
        """How many numbers leave a node for one image."""
        return math.prod(self.shape(node))
