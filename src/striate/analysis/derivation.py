"""How each number of one node follows, step by step, with the formula and the numbers put in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from striate.analysis.receptive_field import AxisField, receptive_fields
from striate.graph import Graph, Node, Step
from striate.graph.layer import EVERYTHING, Rational, axis_names
from striate.graph.layers.input import Input
from striate.units import Shape, format_count

__all__ = ["Derivation", "derive"]


@dataclass(frozen=True)
class Derivation:
    """The derivation of one node's numbers (``striate inspect NET --layer NAME``).

    Args:
        network: the network's name.
        node: the node.
        inputs: the shapes that arrive, by the name of the node they come from.
        shape, parameters, macs, field: the steps of each quantity.
    """

    network: str
    node: Node
    inputs: tuple[tuple[str, Shape], ...]
    shape: tuple[Step, ...]
    parameters: tuple[Step, ...]
    macs: tuple[Step, ...]
    field: tuple[Step, ...]

    def as_dict(self) -> dict[str, object]:
        """The derivation as JSON-ready data."""

        def listed(steps: tuple[Step, ...]) -> list[dict[str, str]]:
            return [
                {"quantity": s.quantity, "formula": s.formula, "numbers": s.numbers, "result": s.result} for s in steps
            ]

        return {
            "format": 1,
            "network": self.network,
            "node": self.node.name,
            "kind": self.node.layer.kind,
            "inputs": {name: list(shape) for name, shape in self.inputs},
            "shape": listed(self.shape),
            "parameters": listed(self.parameters),
            "macs": listed(self.macs),
            "receptive_field": listed(self.field),
        }


def derive(graph: Graph, name: str) -> Derivation:
    """Derive the shape, parameters, MACs and receptive field of one node.

    Raises:
        UsageError: when there is no such node.

    >>> from striate import zoo
    >>> [step.result for step in derive(zoo.build("simple-cnn"), "conv1").parameters]
    ['432', '16', '448']
    """
    node = graph[name]
    shapes = graph.input_shapes(node)
    return Derivation(
        network=graph.name,
        node=node,
        inputs=tuple(zip(node.inputs, shapes, strict=True)),
        shape=tuple(node.layer.steps(shapes)),
        parameters=tuple(_parameter_steps(node, shapes)),
        macs=(node.layer.mac_step(shapes, graph.shapes[name]),),
        field=tuple(_field_steps(graph, node, shapes)),
    )


def _parameter_steps(node: Node, shapes: tuple[Shape, ...]) -> Iterator[Step]:
    parameters = node.layer.parameters(shapes)
    for parameter in parameters:
        numbers = " · ".join(str(size) for size in parameter.shape)
        yield Step(parameter.name, "product of its shape", numbers, format_count(parameter.count))
    total = sum(parameter.count for parameter in parameters)
    numbers = " + ".join(str(parameter.count) for parameter in parameters) or "no parameters"
    if node.shares is not None:
        yield Step("parameters", f"shared with {node.shares}, counted there", f"{total} - {total}", "0")
        return
    yield Step("parameters", "sum", numbers, format_count(total))


def _field_steps(graph: Graph, node: Node, shapes: tuple[Shape, ...]) -> Iterator[Step]:
    fields = receptive_fields(graph)
    if node.name not in fields:
        return
    for axis, name in enumerate(axis_names(len(fields[node.name]))):
        if isinstance(node.layer, Input):
            yield Step(f"field {name}", "an input pixel sees itself", "1", "1")
            continue
        final = fields[node.name][axis]
        sources = [source for source in node.inputs if source in fields]
        phased = bool(final.phases) or any(fields[source][axis].phases for source in sources)
        around = " around all phases" if phased else ""
        for position, source in enumerate(node.inputs):
            if source in fields and position not in node.layer.shape_only:
                yield from _axis_steps(node, shapes, position, axis, f"{name}{around}", fields[source])
        several = len(node.inputs) - len(node.layer.shape_only) > 1
        if several and not phased:
            numbers = f"from {_show(final.low)} to {_show(final.high)}"
            yield Step(f"field {name}", "hull of the branches", numbers, str(final.size))
        if phased:
            yield from _phase_steps(final, name, several)
        if final.kind == "mixed":
            yield Step(f"jump {name}", "branches with different jumps met", "hull over all units", "none")


def _phase_steps(final: AxisField, name: str, several: bool) -> Iterator[Step]:
    """The field where units differ, or differed before: that of the unit that sees most."""
    hull = "hull of the branches, " if several else ""
    if final.phases:
        widths = [0 if seen is None else seen[1] - seen[0] + 1 for seen in final.phases]
        numbers = f"{len(widths)} units that repeat, which see {min(widths)} to {max(widths)}"
        yield Step(f"field {name}", f"{hull}phase by phase: the unit that sees most", numbers, str(final.size))
    else:
        numbers = f"from {_show(final.low)} to {_show(final.high)}"
        yield Step(f"field {name}", f"{hull}phase by phase: all units are alike", numbers, str(final.size))
    if not several:
        yield Step(f"jump {name}", "as around all phases", _show(final.jump), _show(final.jump))
        start = "as around all phases" if final.phases else "as unit 0 sees it"
        yield Step(f"start {name}", start, _show(final.low), _show(final.low))


def _axis_steps(
    node: Node, shapes: tuple[Shape, ...], position: int, axis: int, name: str, fields: tuple[AxisField, ...]
) -> Iterator[Step]:
    before = fields[axis]
    branch = f" from {node.inputs[position]}" if len(node.inputs) - len(node.layer.shape_only) > 1 else ""
    if len(shapes[position]) == 1:
        yield Step(f"field {name}{branch}", "as before: a vector", str(before.size), str(before.size))
        return
    if len(shapes[position]) - 1 != len(fields):
        yield Step(f"field {name}{branch}", "as before: other axes", str(before.size), str(before.size))
        return
    reach = node.layer.reach(shapes, position, axis)
    if reach == EVERYTHING:
        places = shapes[position][1 + axis]
        after = AxisField(before.low, before.high + (places - 1) * before.jump, 0)
        yield _size_step(
            f"field {name}{branch}", "RF + (n - 1)·J: reads the whole map", f"({places} - 1)", before, after
        )
        return
    low, high = before.low + reach.low * before.jump, before.high + reach.high * before.jump
    after = AxisField(low, high, before.jump * reach.step)
    yield _size_step(f"field {name}{branch}", "RF + (K - 1)·J", _show(reach.high - reach.low), before, after)
    yield Step(f"jump {name}{branch}", "J · s", f"{_show(before.jump)} · {_show(reach.step)}", _show(after.jump))
    numbers = f"{_show(before.low)} + {_show(reach.low)}·{_show(before.jump)}"
    yield Step(f"start {name}{branch}", "start + (first tap)·J", numbers, _show(after.low))


def _size_step(quantity: str, formula: str, taps: str, before: AxisField, after: AxisField) -> Step:
    """The size by the textbook's recursion; behind an upsampling, where ends lie between pixels, by the ends."""
    if before.high - before.low == before.size - 1 and after.high - after.low == after.size - 1:
        return Step(quantity, formula, f"{before.size} + {taps}·{_show(before.jump)}", str(after.size))
    numbers = f"floor({_show(after.high)} - {_show(after.low)}) + 1"
    return Step(quantity, "whole pixels from its first to its last", numbers, str(after.size))


def _show(value: Rational) -> str:
    text = str(value)
    return f"({text})" if "/" in text or text.startswith("-") else text
