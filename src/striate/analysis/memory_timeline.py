"""Memory step by step: what is alive while each node is computed, at inference and in a training step.

Convention: while a node is computed, its inputs, its output and what it makes besides are alive. A value is dropped
after its last reader; the caller holds images and outputs. Workspace inside a kernel is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from striate.analysis.memory_plan import BatchBytes, Plan

__all__ = ["Moment", "inference_moments", "training_moments"]


@dataclass(frozen=True, slots=True)
class Moment:
    """What is alive while one node is computed.

    Args:
        phase: ``forward``, ``backward`` or ``update`` (the optimizer's step, when no activation is alive).
        node: the node; empty for ``update``.
        alive: its bytes.
    """

    phase: Literal["forward", "backward", "update"]
    node: str
    alive: BatchBytes


def inference_moments(plan: Plan, held: BatchBytes) -> tuple[Moment, ...]:
    """A forward pass without gradients.

    Args:
        plan: the network's values.
        held: what is there all the time: weights and buffers.
    """
    alive = held
    dropped: dict[int, list[int]] = {}
    for index, last in enumerate(plan.last_reader):
        dropped.setdefault(last, []).append(index)
    moments = []
    for index, node in enumerate(plan.graph.nodes):
        alive += plan.output[index]
        moments.append(Moment("forward", node.name, alive + plan.inference_extras(index)))
        for gone in dropped.get(index, ()):
            alive -= plan.output[gone]
    return tuple(moments)


def training_moments(plan: Plan, held: BatchBytes, gradients: tuple[BatchBytes, ...]) -> tuple[Moment, ...]:
    """A forward and a backward pass and the optimizer's step.

    Args:
        plan: the network's values.
        held: what is there all the time: weights, buffers and the optimizer's state.
        gradients: for each node, the bytes of its parameters' gradients; none is there before the backward pass.
    """
    alive, moments = _training_forward(plan, held)
    backward, end = _training_backward(plan, alive, gradients)
    return (*moments, *backward, Moment("update", "", end))


def _training_forward(plan: Plan, held: BatchBytes) -> tuple[BatchBytes, list[Moment]]:
    alive = held
    dropped: dict[int, list[int]] = {}
    for index, last in enumerate(plan.last_reader):
        if not plan.keepers[index]:
            dropped.setdefault(last, []).append(index)
    moments = []
    for index, node in enumerate(plan.graph.nodes):
        alive += plan.output[index] + plan.kept_extras(index)
        moments.append(Moment("forward", node.name, alive + plan.passing_extras(index)))
        for gone in dropped.get(index, ()):
            alive -= plan.output[gone]
    return alive, moments


class _Gradients:
    """The gradient of each value that has one by now: the memory it lies in, and how many values share that memory."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._users: list[int] = []
        self._bytes: list[BatchBytes] = []
        #: Which memory holds the gradient of a value, by the value's index.
        self.pending: dict[int, int] = {}

    def make(self, index: int) -> int:
        """New memory for the gradient of a value."""
        self._bytes.append(self._plan.value[index])
        self._users.append(0)
        return len(self._bytes) - 1

    def size(self, label: int) -> BatchBytes:
        """The bytes of a memory."""
        return self._bytes[label]

    def attach(self, index: int, label: int) -> None:
        """This memory now holds the gradient of that value."""
        self.pending[index] = label
        self._users[label] += 1

    def shared(self, label: int) -> bool:
        """Whether more than one value's gradient lies there."""
        return self._users[label] > 1

    def release(self, label: int) -> BatchBytes:
        """One user less; the bytes that become free."""
        self._users[label] -= 1
        return self._bytes[label] if self._users[label] == 0 else BatchBytes()


def _training_backward(
    plan: Plan, alive: BatchBytes, gradients: tuple[BatchBytes, ...]
) -> tuple[list[Moment], BatchBytes]:
    """The steps in reverse order; each makes the gradients of its inputs and parameters, then drops what it read."""
    nodes, count = plan.graph.nodes, len(plan.graph.nodes)
    places = {node.name: index for index, node in enumerate(nodes)}
    freed: dict[int, list[int]] = {}
    for index, keepers in enumerate(plan.keepers):
        if keepers and plan.last_reader[index] < count:
            freed.setdefault(min(keepers), []).append(index)
    held = _Gradients(plan)
    moments: list[Moment] = []
    for name in plan.graph.outputs:
        index = places[name]
        if plan.needs[index] is not None and index not in held.pending:
            held.attach(index, held.make(index))
            alive += plan.value[index]
    for index in reversed(range(count)):
        if plan.needs[index] is None or index not in held.pending:
            continue
        own = held.pending.pop(index)
        alive = _hand_back(plan, index, own, held, places, alive + gradients[index], moments)
        moments.append(Moment("backward", nodes[index].name, alive + plan.backward_extras(index)))
        alive -= held.release(own)
        for gone in freed.get(index, ()):
            alive -= plan.output[gone]
        alive -= plan.kept_extras(index)
    return moments, alive


def _hand_back(
    plan: Plan,
    index: int,
    own: int,
    held: _Gradients,
    places: dict[str, int],
    alive: BatchBytes,
    moments: list[Moment],
) -> BatchBytes:
    """Make the gradients of a node's inputs, adding to those that other readers made; what is alive then."""
    node, flags = plan.graph.nodes[index], plan.needs[index] or ()
    for position, name in enumerate(node.inputs):
        if not flags[position]:
            continue
        source = places[name]
        label = own if plan.hands_on[index] else held.make(source)
        if label != own:
            alive += held.size(label)
            moments.append(Moment("backward", node.name, alive))
        if source not in held.pending:
            held.attach(source, label)
            continue
        before = held.pending[source]
        if held.shared(before):
            # It cannot be added in place: the sum needs memory of its own.
            total = held.make(source)
            alive += held.size(total)
            moments.append(Moment("backward", node.name, alive))
            held.pending.pop(source)
            alive -= held.release(before)
            held.attach(source, total)
        if label != own:
            alive -= held.size(label)
    return alive
