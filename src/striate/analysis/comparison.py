"""Networks side by side: their totals, and for two versions of one network every layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from striate.analysis.cost_report import cost
from striate.analysis.head import last_map
from striate.analysis.memory_report import memory
from striate.analysis.pairing import pair_nodes, shared_names
from striate.analysis.receptive_field import AxisField
from striate.analysis.report import NodeReport, Report, inspect
from striate.errors import UsageError
from striate.graph import Graph

__all__ = ["Comparison", "LayerPair", "Summary", "compare", "depth"]


@dataclass(frozen=True)
class Summary:
    """The numbers by which networks are compared.

    Args:
        report: the network's exact numbers, node by node.
        layers: how many layers, inputs left out.
        depth: weighted layers (convolutions and dense layers) on the longest way through it.
        training_macs: multiply-adds of a forward and a backward pass for one image.
        memory: bytes in use at the peak of a forward pass for one image in float32, weights included.
        training_memory: bytes in use at the peak of a training step for one image in float32 with AdamW.
        field: the receptive field of the last map before the head (of the output, where there is no head), gates left
            aside.
        end: the receptive field of the first output.
    """

    report: Report
    layers: int
    depth: int
    training_macs: int
    memory: int
    training_memory: int
    field: tuple[AxisField, ...]
    end: tuple[AxisField, ...]

    def as_dict(self) -> dict[str, Any]:
        """The summary as JSON-ready data; bytes are bytes."""
        report = self.report
        return {
            "name": report.name,
            "input": list(report.input),
            "output": list(report.output),
            "layers": self.layers,
            "depth": self.depth,
            "parameters": report.parameters,
            "macs": report.macs,
            "training_macs": self.training_macs,
            "inference_memory": self.memory,
            "training_memory": self.training_memory,
            "receptive_field": _sizes(self.end),
            "receptive_field_before_head": _sizes(self.field),
            "uncounted": list(report.uncounted),
        }


@dataclass(frozen=True)
class LayerPair:
    """A layer of one network and its counterpart in another; None where there is none."""

    first: NodeReport | None
    second: NodeReport | None

    @property
    def changed(self) -> bool:
        """Whether anything but the names differs: layer, shape, parameters, MACs or receptive field."""
        return self.first is None or self.second is None or _content(self.first) != _content(self.second)

    def as_dict(self) -> dict[str, Any]:
        """The pair as JSON-ready data."""
        return {"first": _plain(self.first), "second": _plain(self.second), "changed": self.changed}


@dataclass(frozen=True)
class Comparison:
    """Networks side by side (``striate compare``).

    Args:
        networks: one entry for each, in the order given.
        layers: for two versions of one network their layers side by side; else empty.
    """

    networks: tuple[Summary, ...]
    layers: tuple[LayerPair, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON-ready data."""
        return {
            "format": 1,
            "networks": [entry.as_dict() for entry in self.networks],
            "layers": [pair.as_dict() for pair in self.layers],
        }


def compare(*graphs: Graph, layers: bool | None = None) -> Comparison:
    """Set networks side by side.

    Args:
        graphs: two or more.
        layers: whether to set the layers of two networks side by side too; default: where at least half of the
            layers bear the same names.

    Raises:
        UsageError: there are fewer than two networks, or layers are asked for and there are more than two.

    >>> from striate import zoo
    >>> found = compare(zoo.build("resnet18"), zoo.build("resnet34"))
    >>> [(entry.depth, entry.report.parameters) for entry in found.networks]
    [(18, 11689512), (34, 21797672)]
    """
    if len(graphs) < 2:
        raise UsageError("a comparison needs two networks or more", got=str(len(graphs)), needs="at least two")
    if layers and len(graphs) > 2:
        raise UsageError("layers can be set side by side for two networks only", got=f"{len(graphs)} networks")
    summaries = tuple(summarize(graph) for graph in graphs)
    if layers is False or len(graphs) > 2 or not (layers or shared_names(*graphs)):
        return Comparison(summaries)
    known = [{node.name: node for node in entry.report.nodes} for entry in summaries]
    pairs = (
        LayerPair(None if ours is None else known[0][ours], None if theirs is None else known[1][theirs])
        for ours, theirs in pair_nodes(*graphs)
    )
    return Comparison(summaries, tuple(pairs))


def summarize(graph: Graph) -> Summary:
    """The numbers by which a network is compared."""
    report, needed = inspect(graph), memory(graph)
    fields = {node.name: node.local for node in report.nodes if node.field}
    ends = {node.name: node.field for node in report.nodes}
    return Summary(
        report=report,
        layers=len(graph) - len(graph.inputs),
        depth=depth(graph),
        training_macs=cost(graph).training,
        memory=needed.inference_peak.bytes,
        training_memory=needed.training_peak.bytes,
        field=fields.get(last_map(graph, fields), ()),
        end=ends[graph.outputs[0]],
    )


def depth(graph: Graph) -> int:
    """Weighted layers (convolutions and dense layers) on the longest way through a network, as papers count them.

    >>> from striate import zoo
    >>> depth(zoo.build("resnet50")), depth(zoo.build("vgg16"))
    (50, 16)
    """
    reached: dict[str, int] = {}
    for node in graph.nodes:
        weighted = any(parameter.role == "weight" for parameter in node.layer.parameters(graph.input_shapes(node)))
        reached[node.name] = max((reached[name] for name in node.inputs), default=0) + weighted
    return max(reached[name] for name in graph.outputs)


def _sizes(field: tuple[AxisField, ...]) -> list[dict[str, Any]]:
    return [{"size": axis.size, "kind": axis.kind} for axis in field]


def _content(node: NodeReport) -> tuple[object, ...]:
    return node.kind, node.attributes, node.shape, node.parameters, node.macs, node.field


def _plain(node: NodeReport | None) -> dict[str, Any] | None:
    if node is None:
        return None
    return {
        "name": node.name,
        "kind": node.kind,
        "attributes": node.attributes,
        "shape": list(node.shape),
        "parameters": node.parameters,
        "macs": node.macs,
        "receptive_field": [axis.size for axis in node.field],
    }
