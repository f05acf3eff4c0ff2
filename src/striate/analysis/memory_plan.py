"""Which memory a network's values lie in, and which of it the backward pass needs: the basis of every memory number."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from striate.analysis.gradient_flow import gradient_flow
from striate.errors import UsageError, near_miss
from striate.graph import Graph
from striate.graph.footprint import Extra, Footprint, Unit
from striate.graph.layers.input import Input

__all__ = ["BatchBytes", "Plan", "number_bytes", "plan"]

_NUMBER_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
#: Activations that torch can compute in the memory of their input without keeping a copy of it (ReLU6 keeps one).
_IN_PLACE = ("relu", "leakyrelu", "elu")


@dataclass(frozen=True, slots=True)
class BatchBytes:
    """Bytes as a function of the batch: ``fixed + per_image · batch``.

    >>> (BatchBytes(8, 2) + BatchBytes(0, 1)).at(10)
    38
    """

    fixed: int = 0
    per_image: int = 0

    def __add__(self, other: BatchBytes) -> BatchBytes:
        return BatchBytes(self.fixed + other.fixed, self.per_image + other.per_image)

    def __sub__(self, other: BatchBytes) -> BatchBytes:
        return BatchBytes(self.fixed - other.fixed, self.per_image - other.per_image)

    def at(self, batch: int) -> int:
        """The bytes of a batch of that many images."""
        return self.fixed + self.per_image * batch


@dataclass(frozen=True, slots=True)
class Plan:
    """The memory of a network's values; nodes are meant by their index.

    Args:
        graph: the network.
        owner: for each node, the node in whose memory its value lies: itself, or for a view the one it looks at.
        value: for each node, the bytes of its value.
        output: the same, but nothing for a view.
        last_reader: for each node, the last that reads its memory; the number of nodes where it stays to the end.
        keepers: for each node, those whose backward step reads its memory again.
        extras: for each node, the tensors it makes besides its value, with their bytes.
        drawn: for each node, whether it does something while training alone.
        hands_on: for each node, whether the gradients of its inputs are the one of its output, not copied.
        needs: for each node whose backward step runs, whether a gradient flows to each input.
        assumed: nodes that do not say what they keep; they are taken to keep their inputs and their output.
    """

    graph: Graph
    owner: tuple[int, ...]
    value: tuple[BatchBytes, ...]
    output: tuple[BatchBytes, ...]
    last_reader: tuple[int, ...]
    keepers: tuple[tuple[int, ...], ...]
    extras: tuple[tuple[tuple[Extra, BatchBytes], ...], ...]
    drawn: tuple[bool, ...]
    hands_on: tuple[bool, ...]
    needs: tuple[tuple[bool, ...] | None, ...]
    assumed: tuple[str, ...]

    def kept_extras(self, index: int) -> BatchBytes:
        """What a node keeps besides inputs and output."""
        if self.needs[index] is None:
            return BatchBytes()
        return sum((size for extra, size in self.extras[index] if extra.kept), BatchBytes())

    def passing_extras(self, index: int) -> BatchBytes:
        """What a node makes in the forward pass of a training step and drops when it is done."""
        if self.needs[index] is not None:
            found = (size for extra, size in self.extras[index] if not (extra.kept or extra.backward))
        else:
            # No gradient is asked for: as at inference, but for what is drawn while training.
            found = (size for extra, size in self.extras[index] if extra.inference or self.drawn[index])
        return sum(found, BatchBytes())

    def inference_extras(self, index: int) -> BatchBytes:
        """What a node makes at inference and drops when it is done."""
        return sum((size for extra, size in self.extras[index] if extra.inference), BatchBytes())

    def backward_extras(self, index: int) -> BatchBytes:
        """What a node's backward step makes and drops when it is done."""
        return sum((size for extra, size in self.extras[index] if extra.backward), BatchBytes())

    def kept_output(self, index: int) -> BatchBytes:
        """The node's value, where the backward pass reads it again."""
        return self.output[index] if self.keepers[index] else BatchBytes()


def number_bytes(dtype: str) -> int:
    """How many bytes a number takes.

    Raises:
        UsageError: for a type that is not known.
    """
    if dtype not in _NUMBER_BYTES:
        raise UsageError(
            f"memory in {dtype!r} is not known",
            got=dtype,
            needs=f"one of {', '.join(_NUMBER_BYTES)}",
            write=near_miss(dtype, _NUMBER_BYTES),
        )
    return _NUMBER_BYTES[dtype]


def plan(
    graph: Graph, dtype: str = "float32", device: str = "cpu", *, in_place: bool = False, training: bool = True
) -> Plan:
    """Lay a network's values out in memory.

    Args:
        graph: the network.
        dtype: of all numbers.
        device: ``cpu`` or ``cuda``.
        in_place: some activations overwrite their input.
        training: in train mode; at inference some layers hand on what they get.

    Raises:
        UsageError: for a type or device that is not known.
    """
    if device not in ("cpu", "cuda"):
        raise UsageError(f"memory on {device!r} is not known", got=device, needs="cpu or cuda", write="cpu")
    size = number_bytes(dtype)
    units: dict[Unit, int] = {"number": size, "index": 8, "flag": 1, "mask": size, "statistic": size}
    if device == "cuda":
        units |= {"mask": 1, "statistic": max(size, 4)}
    flow = gradient_flow(graph)
    places = {node.name: index for index, node in enumerate(graph.nodes)}
    readers: list[list[int]] = [[] for _ in graph.nodes]
    for index, node in enumerate(graph.nodes):
        for name in node.inputs:
            readers[places[name]].append(index)
    footprints: list[Footprint] = []
    owner: list[int] = []
    assumed = []
    for index, node in enumerate(graph.nodes):
        needs = flow.get(node.name, (False,) * len(node.inputs))
        footprint = node.layer.footprint(graph.input_shapes(node), graph.shapes[node.name], needs)
        if footprint is None:
            assumed.append(node.name)
            footprint = Footprint(inputs=tuple(range(len(node.inputs))), output=True)
        footprints.append(footprint)
        first = places[node.inputs[0]] if node.inputs else index
        replaced = in_place and node.layer.kind in _IN_PLACE and _replaceable(graph, first, readers, owner, footprints)
        handed_on = footprint.view or (footprint.idle and not training)
        owner.append(owner[first] if handed_on or replaced else index)
    value = tuple(BatchBytes(0, size * math.prod(graph.shapes[node.name])) for node in graph.nodes)
    output = tuple(entry if owner[index] == index else BatchBytes() for index, entry in enumerate(value))
    return Plan(
        graph,
        tuple(owner),
        value,
        output,
        _last_readers(graph, owner, readers, places),
        _keepers(graph, footprints, owner, places, flow.keys()),
        tuple(tuple((extra, _bytes(extra, units)) for extra in footprint.extras) for footprint in footprints),
        tuple(footprint.idle for footprint in footprints),
        tuple(
            footprint.hands_on or (footprint.view and graph.shapes[node.name] == graph.shapes[node.inputs[0]])
            for node, footprint in zip(graph.nodes, footprints, strict=True)
        ),
        tuple(flow.get(node.name) for node in graph.nodes),
        tuple(assumed),
    )


def _replaceable(
    graph: Graph, index: int, readers: list[list[int]], owner: list[int], footprints: list[Footprint]
) -> bool:
    """Whether a value may be overwritten: no image, no output, no second reader, not kept by the node that made it.

    A view is overwritten together with what it looks at.
    """
    node = graph.nodes[index]
    if isinstance(node.layer, Input) or node.name in graph.outputs or len(readers[index]) > 1:
        return False
    if footprints[index].output:
        return False
    if owner[index] == index:
        return True
    before = next(place for place in range(index) if graph.nodes[place].name == node.inputs[0])
    return _replaceable(graph, before, readers, owner, footprints)


def _bytes(extra: Extra, units: dict[Unit, int]) -> BatchBytes:
    count = extra.count * units[extra.unit]
    return BatchBytes(count, 0) if extra.shared else BatchBytes(0, count)


def _last_readers(graph: Graph, owner: list[int], readers: list[list[int]], places: dict[str, int]) -> tuple[int, ...]:
    """The caller holds the images and the outputs to the end; what nobody reads is dropped at once."""
    last = list(range(len(owner)))
    for index, found in enumerate(readers):
        last[owner[index]] = max([last[owner[index]], index, *found])
    for name in (*graph.outputs, *(node.name for node in graph.inputs)):
        last[owner[places[name]]] = len(owner)
    return tuple(last)


def _keepers(
    graph: Graph, footprints: list[Footprint], owner: list[int], places: dict[str, int], runs: Collection[str]
) -> tuple[tuple[int, ...], ...]:
    keepers: list[list[int]] = [[] for _ in owner]
    for index, (node, footprint) in enumerate(zip(graph.nodes, footprints, strict=True)):
        if node.name not in runs:
            continue
        found = {owner[places[node.inputs[position]]] for position in footprint.inputs}
        if footprint.output:
            found.add(owner[index])
        for place in found:
            keepers[place].append(index)
    return tuple(tuple(entries) for entries in keepers)
