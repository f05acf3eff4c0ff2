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

__all__ = ["check_fits", "logits_graph"]


def check_fits(graph: Graph, dataset: Dataset) -> None:
    """Whether a network takes these images and ends in these classes.

    Raises:
        NetworkError: when it does not; the message says what to write.
    """
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
        what = {"classes": "classes", "tags": "tags", "values": "values"}[dataset.task]
        names = ", ".join(dataset.classes[:6]) + (", …" if wanted > 6 else "")
        raise NetworkError(
            f"the network's outputs do not match the {what} of the data",
            where=f"{graph.name}, output {graph.outputs[0]!r}",
            got=f"{format_shape(graph.output_shape)} out, {wanted} {what} ({names})",
            needs=f"a vector of {wanted}",
            write="dense: classes" if graph.classes is None else f"classes: {wanted}",
        )


def logits_graph(graph: Graph, task: str) -> Graph:
    """The network without a softmax (classes) or sigmoid (tags) at its end: the losses take logits.

    Prediction applies the function again, so nothing is lost.
    """
    last = graph[graph.outputs[0]]
    ending = {"classes": Softmax, "tags": Sigmoid}.get(task)
    if ending is None or not isinstance(last.layer, ending) or last.name != graph.nodes[-1].name:
        return graph
    return replace(graph, nodes=graph.nodes[:-1], outputs=(last.inputs[0],))
