"""N110: a merge that repeats a map of size 1, although that map does not stand for the whole."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph import Node
from striate.graph.layer import axis_names
from striate.graph.layers.input import Input
from striate.graph.layers.merge import Multiply
from striate.graph.layers.opaque import Opaque
from striate.lint.geometry import behind_unknown
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_shape

__all__ = ["partial_broadcast"]


@rule("N110", "partial-broadcast", "warning")
def partial_broadcast(net: Subject) -> Iterator[Evidence]:
    """A merge silently repeats a map that saw only a part of the image.

    What: a product (in imported networks any operation that works number by number) in which a map of size 1 along an
        axis is repeated over a larger one, and that single line saw only a part of the image along this axis. Silent
        for gates, as in squeeze-and-excitation: they are made from the whole map, so that one number for all positions
        is what is meant. Silent for an input of the network that has size 1.
    Why: PyTorch, NumPy and ONNX repeat sizes of 1 without a word; when strides or windows shrank a branch to size 1 by
        accident, one corner of the image decides for all of it.
    Example: A YAML network that multiplies a 32×32 map with a 1×1 map made by a convolution of stride 32.
    Instead: A YAML network that multiplies a 32×32 map with its global average through a sigmoid.
    Fix: none: the same strides in both branches, or global average pooling where a gate is meant.
    Source: ONNX operator documentation, "Multidirectional broadcasting"; Hu, Shen and Sun 2018, "Squeeze-and-excitation
        networks", for what is meant by a gate.
    """
    unknown = behind_unknown(net.graph)
    for node in net.graph.nodes:
        pointwise = isinstance(node.layer, Multiply) or (
            isinstance(node.layer, Opaque) and node.layer.nature == "pointwise"
        )
        if pointwise and len(node.inputs) > 1:
            yield from _repeated(net, node, unknown)


def _repeated(net: Subject, node: Node, unknown: frozenset[str]) -> Iterator[Evidence]:
    output = net.graph.shapes[node.name]
    image = net.graph.shapes[net.graph.inputs[0].name]
    for source in node.inputs:
        shape, field = net.graph.shapes[source], net.numbers[source].field
        if len(shape) != len(output) or source in unknown or isinstance(net.graph[source].layer, Input) or not field:
            continue
        if len(field) != len(shape) - 1:
            continue
        for axis, name in enumerate(axis_names(len(field))):
            seen, size = field[axis], image[1 + axis]
            if shape[1 + axis] > 1 or output[1 + axis] == 1 or seen.kind != "local" or seen.covers(size):
                continue
            first, last = seen.at(0, size)
            if last - first + 1 >= size:
                continue
            yield Evidence(
                node.name,
                f"it repeats {source} ({format_shape(shape)}) {output[1 + axis]} times along the {name} to fit "
                f"{format_shape(output)}, although that saw only {last - first + 1} of {size} pixels",
                fix="the same strides in both branches, or globalavgpool with keep: true for a gate",
            )
            break
