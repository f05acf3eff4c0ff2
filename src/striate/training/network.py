"""The network that fits a dataset: sized for its images, ending in its classes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from striate.errors import NetworkError
from striate.graph import Graph
from striate.graph.layers.activation import Sigmoid, Softmax
from striate.units import format_shape

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.runs.records import Task

__all__ = ["check_fits", "logits_graph"]


def check_fits(graph: Graph, dataset: Dataset) -> None:
    """Whether a network takes these images and ends in these classes.

    Raises:
        NetworkError: when it does not, or has several inputs or outputs, or nothing to train; says what to write.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise NetworkError(
            "a network that is trained on images has one input and one output",
            where=graph.name,
            got=f"inputs {', '.join(node.name for node in graph.inputs)}; outputs {', '.join(graph.outputs)}",
            needs="one of each",
        )
    if graph.input_shape != dataset.shape:
        raise NetworkError(
            "the network's input is not the size of the images",
            where=graph.name,
            got=f"input {format_shape(graph.input_shape)}, images {format_shape(dataset.shape)}",
            needs="the same channels, height and width",
            write=f"input: {list(dataset.shape)}",
        )
    wanted = len(dataset.classes)
    if graph.output_shape != (wanted,):
        names = ", ".join(dataset.classes[:6]) + (", …" if wanted > 6 else "")
        raise NetworkError(
            f"the network's outputs do not match the {dataset.task} of the data",
            where=f"{graph.name}, output {graph.outputs[0]!r}",
            got=f"{format_shape(graph.output_shape)} out, {wanted} {dataset.task} ({names})",
            needs=f"a vector of {wanted}",
            write="dense: classes" if graph.classes is None else f"classes: {wanted}",
        )
    if graph.parameter_count == 0:
        raise NetworkError(
            "this network has nothing to train",
            where=graph.name,
            got="0 parameters",
            needs="a layer with weights, such as conv or dense",
        )


def logits_graph(graph: Graph, task: Task) -> Graph:
    """The network without a softmax (classes) or sigmoid (tags) at its end: the losses take logits.

    Prediction applies the function again, so nothing is lost.

    >>> from striate.graph import network
    >>> net = network("n", (1, 4, 4)).flatten().dense(3).softmax().build()
    >>> logits_graph(net, "classes").outputs, logits_graph(net, "values").outputs
    (('dense1',), ('softmax1',))
    """
    last = graph[graph.outputs[0]]
    ending = {"classes": Softmax, "tags": Sigmoid}.get(task)
    if ending is None or not isinstance(last.layer, ending) or any(last.name in node.inputs for node in graph.nodes):
        return graph
    return replace(graph, nodes=tuple(node for node in graph.nodes if node is not last), outputs=last.inputs)
