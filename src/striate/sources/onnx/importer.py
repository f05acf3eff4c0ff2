"""The walk over a file's operations: what has been read so far, and how a node is added."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.findings import Finding
from striate.graph.graph import Node
from striate.graph.layer import Layer, Parameter
from striate.graph.layers.opaque import Nature, Opaque
from striate.sources.onnx.faults import fault, short
from striate.sources.onnx.maps import Known, Map, Missing, Sizes, Stored, Value
from striate.sources.onnx.model import OnnxModel, Operation
from striate.sources.onnx.naming import Names, valid_name
from striate.sources.onnx.numbers import FLOATING, numbers_of
from striate.sources.onnx.views import amounts_to, channels_moved, sizes_behind
from striate.units import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Importer"]


class Importer:
    """What has been read of one file.

    Args:
        model: the file.
        folder: where tensors may have their numbers.
    """

    def __init__(self, model: OnnxModel, folder: Path | None) -> None:
        self.model = model
        self.nodes: list[Node] = []
        self.findings: list[Finding] = []
        #: How many operations read each value; an output of the network counts as one.
        self.readers = Counter(name for operation in model.operations for name in operation.reads())
        self.readers.update(model.outputs)
        self._folder = folder
        self._names = Names(model.tensors)
        self._places: dict[str, int] = {}
        self._shapes: dict[str, Shape] = {}
        self._values: dict[str, Value] = {}
        self._owners: dict[tuple[str, ...], str] = {}
        self._owned: set[str] = set()
        #: How many images there are, where every input agrees; 0 where they differ, None before that is known.
        self.batch: int | None = None
        #: Tensors of which other names are copies: what PyTorch's older exporter makes of tensors with equal numbers.
        self.merged: dict[str, str] = {}
        self.flattened_in_other_order: list[str] = []

    # What a value is.

    def value(self, name: str) -> Value:
        """The value of that name; a stored tensor is looked up when it is first read."""
        if name not in self._values:
            tensor = self.model.tensors[name]
            stored = Stored(name, tensor.sizes, name, tensor.kind in FLOATING)
            numbers = numbers_of(tensor, self._folder)
            self._values[name] = stored if numbers is None else Known(numbers, stored)
        return self._values[name]

    def set(self, name: str, value: Value) -> None:
        """Say what a value is."""
        if name:
            self._values[name] = value

    def given(self, operation: Operation, position: int) -> Value | None:
        """An input of an operation; None where it is left out."""
        if position >= len(operation.inputs) or not operation.inputs[position]:
            return None
        return self.value(operation.inputs[position])

    def map(self, operation: Operation, position: int = 0) -> Map | None:
        """An input that is a map; None where it is something else."""
        value = self.given(operation, position)
        return value if isinstance(value, Map) else None

    def stored(self, operation: Operation, position: int) -> Stored | None:
        """An input that is a stored tensor; None where it is something else."""
        value = self.given(operation, position)
        if isinstance(value, Known):
            return value.stored
        return value if isinstance(value, Stored) else None

    def known(self, operation: Operation, position: int) -> NDArray[Any] | None:
        """An input whose numbers are known; None where they are not."""
        value = self.given(operation, position)
        return value.array if isinstance(value, Known) else None

    def scalar(self, operation: Operation, position: int) -> float | None:
        """An input that is one known number; None where it is something else."""
        array = self.known(operation, position)
        return float(array.reshape(-1)[0]) if array is not None and array.size == 1 else None

    # What becomes of it.

    def emit(
        self, operation: Operation, layer: Layer, inputs: Sequence[Map], tensors: Sequence[Stored] = ()
    ) -> tuple[str, Sizes]:
        """Add a node; its name, and the sizes of what it makes, batch included.

        Args:
            operation: where it comes from.
            layer: what it computes.
            inputs: the maps it reads; their views are not heeded.
            tensors: the stored tensors that are its parameters and buffers, in the layer's order.

        Raises:
            NetworkError: the shapes do not fit.
        """
        shapes = tuple(self._shapes[value.node] for value in inputs)
        shape = layer.output_shape(shapes)
        if math.prod(shape) > 2**63 - 1:
            raise fault("a map is too large for any machine", got=list(shape), needs="at most 2^63 - 1 numbers")
        kind = (valid_name(layer.operation.lower()) if isinstance(layer, Opaque) else None) or layer.kind
        name = self._names.take(kind, operation, tuple(entry.name for entry in tensors))
        node = Node(name, layer, tuple(value.node for value in inputs))
        if tensors:
            node = replace(node, shares=self._shared(node, shape, tensors))
        self._add(node, shape)
        return name, ((inputs[0].base[0], *shape) if inputs and inputs[0].batched else shape)

    def _add(self, node: Node, shape: Shape) -> None:
        self._places[node.name] = len(self.nodes)
        self._shapes[node.name] = shape
        self.nodes.append(node)

    def layer(self, name: str) -> Layer:
        """The layer of a node that has been added."""
        return self.nodes[self._places[name]].layer

    def shares(self, name: str) -> bool:
        """Whether a node that has been added uses the tensors of an earlier one."""
        return self.nodes[self._places[name]].shares is not None

    def shape(self, name: str) -> Shape:
        """The shape that leaves a node that has been added."""
        return self._shapes[name]

    def change(self, name: str, layer: Layer, tensors: Sequence[Stored]) -> None:
        """Give a node another layer of the same shapes, for what turns out to belong to it."""
        place = self._places[name]
        node = self.nodes[place]
        self._owned.update(entry.root for entry in tensors)
        self.nodes[place] = replace(node, layer=layer)

    def _shared(self, node: Node, shape: Shape, tensors: Sequence[Stored]) -> str | None:
        """The earlier node that holds the same tensors in the same way."""
        roots = (node.layer.kind, *(entry.root for entry in tensors))
        owner = self._owners.setdefault(roots, node.name)
        if owner != node.name:
            earlier = self.nodes[self._places[owner]]
            inputs = tuple(self._shapes[name] for name in node.inputs)
            theirs = tuple(self._shapes[name] for name in earlier.inputs)
            if node.layer.parameters(inputs) == earlier.layer.parameters(theirs):
                return owner
        if again := [entry.root for entry in tensors if entry.root in self._owned]:
            self.findings.append(
                Finding(
                    "N931",
                    "warning",
                    f"it uses {short(', '.join(again), 120)}, which another layer has already; counted for both",
                    where=node.name,
                )
            )
        self._owned.update(entry.root for entry in tensors)
        return None

    def opaque(
        self,
        operation: Operation,
        inputs: Sequence[Map],
        sizes: Sizes,
        *,
        tensors: Sequence[Stored] = (),
        cost: int | None = None,
        nature: Nature = "unknown",
        keeps_batch: bool = True,
    ) -> Map:
        """Add a node for what no layer describes.

        Args:
            operation: where it comes from.
            inputs: the maps it reads.
            sizes: of what leaves it, batch included.
            tensors: what it brings.
            cost: its multiply-adds for one image, where they are known.
            nature: what else is known of it.
            keeps_batch: whether the first axis, where it is as large as the batch, is the batch.
        """
        straight = [self.straight(operation, value) for value in inputs]
        batch = next((value.base[0] for value in straight if value.batched), self._alone)
        batched = keeps_batch and batch is not None and len(sizes) > 1 and sizes[0] == batch
        shape = sizes[1:] if batched else sizes or (1,)
        own = tuple(
            Parameter(self._own_name(entry, position), entry.sizes or (1,), "weight")
            for position, entry in enumerate(tensors)
        )
        layer = Opaque(
            short(operation.op, 60),
            shape,
            own,
            cost,
            nature,
            tuple(self._shapes[value.node] for value in straight),
        )
        name, _ = self.emit(operation, layer, straight, tensors)
        return Map(name, sizes, sizes, batched)

    @property
    def _alone(self) -> int | None:
        """The size of the batch where it is 1: then an axis of that size in front is as good as the batch."""
        return 1 if self.batch == 1 else None

    def per_image(self, count: int, value: Map, sizes: Sizes) -> int | None:
        """A count for the whole batch as one for each image; None where the batch cannot be found any more."""
        if self.batch == 1:
            return count
        found = value.batched and len(sizes) > 1 and sizes[0] == value.sizes[0]
        return count // sizes[0] if found else None

    def _own_name(self, tensor: Stored, position: int) -> str:
        last = tensor.name.replace("/", ".").rpartition(".")[2]
        clean = "".join(char if char.isascii() and char.isalnum() else "_" for char in last)[:60].strip("_")
        return clean if position == 0 and clean[:1].isalpha() else f"{clean or 'tensor'}_{position}"

    def straight(self, operation: Operation, value: Map) -> Map:
        """The value with its views written down as nodes, for what needs its axes as they stand."""
        if not value.views:
            return value
        layer = amounts_to(value)
        if layer is not None:
            moved = layer.kind == "flatten" and channels_moved(value)
            bare = replace(value, views=(), sizes=value.base)
            name, sizes = self.emit(Operation("View", "", "", (), ()), layer, [bare])
            if moved:
                self.flattened_in_other_order.append(name)
            return Map(name, sizes, sizes)
        result = replace(value, views=(), sizes=value.base)
        for view in value.views:
            sizes = sizes_behind(result.sizes, (view,))
            step = Operation(view.kind.capitalize(), "", "", (), ())
            moves = view.kind == "transpose"
            keeps, nature = not moves or view.by[0] == 0, "moves" if moves else "view"
            result = self.opaque(step, [result], sizes, cost=0, nature=nature, keeps_batch=keeps)  # type: ignore[arg-type]
        return result

    def framed(self, operation: Operation, value: Map) -> tuple[Map, Sizes]:
        """The value and which axis of its node each of its axes is; views that are more than that are written down."""
        order = value.order
        if order is None or not value.batched or order[:1] != (0,):
            value = self.straight(operation, value)
            order = value.order
        return value, order or ()

    def plain(self, operation: Operation, position: int = 0, rank: int | None = None) -> Map | None:
        """An input as a batch of maps with the channels first; None where it is none.

        Args:
            operation: whose input.
            position: which of them.
            rank: how many axes it must have, the batch included; None: three to five.
        """
        value = self.map(operation, position)
        if value is None:
            return None
        value = self.straight(operation, value)
        good = 3 <= len(value.sizes) <= 5 if rank is None else len(value.sizes) == rank
        return value if good and value.batched else None

    def ending(self, name: str) -> Operation:
        """What makes a value, for a node that is added where the network ends."""
        return Operation("Output", "", "", (), (name,))

    def missing(self, name: str) -> bool:
        """Whether nothing is known of a value."""
        return isinstance(self._values.get(name), Missing)
