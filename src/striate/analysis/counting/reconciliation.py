"""Reconciliation: from the MACs of Striate to the number another tool prints, reason by reason."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from striate.analysis.counting import fvcore, paper, ptflops, thop, torchinfo
from striate.analysis.counting.reading import Amounts, Reading, Rules
from striate.errors import UsageError, near_miss
from striate.graph import Graph

__all__ = ["SILENT", "TOOLS", "Difference", "Reconciliation", "Tool", "count_like"]

#: Kinds that a tool without a rule for them was seen to count as 0.
SILENT = frozenset(
    (
        *("input", "conv", "convtranspose", "dense", "add", "concat", "multiply", "flatten", "identity", "dropout"),
        *("relu", "relu6", "leakyrelu", "prelu", "elu", "gelu", "silu", "mish", "softplus", "sigmoid", "hardsigmoid"),
        *("hardswish", "tanh", "softmax", "batchnorm", "layernorm", "groupnorm", "instancenorm", "localresponsenorm"),
        *("maxpool", "avgpool", "adaptiveavgpool", "adaptivemaxpool", "globalavgpool", "globalmaxpool"),
        *("upsample", "resize", "resizelike", "pixelshuffle", "channelshuffle", "crop", "croplike", "slice", "pad"),
        *("channelpad", "layerscale", "stochasticdepth"),
    )
)


@dataclass(frozen=True)
class Tool:
    """A tool that counts.

    Args:
        name: as people install it.
        version: whose code the rules were read from and measured with.
        number: where it prints the number.
        rules: by layer, what it counts besides or instead of the MACs. Other layers it counts as 0.
        traced: it counts a trace, from which nodes that lead to no output are left out.
        hooks: it hooks modules, so that its number depends on which layers are modules and which are functions.
    """

    name: str
    version: str
    number: str
    rules: Rules
    traced: bool = False
    hooks: bool = False


TOOLS: Mapping[str, Tool] = MappingProxyType(
    {
        tool.name: tool
        for tool in (
            Tool("torchinfo", "1.8.0", "summary(...).total_mult_adds", torchinfo.RULES, hooks=True),
            Tool("thop", "0.1.1", "profile(...)[0]", thop.RULES, hooks=True),
            Tool("ptflops", "0.7.5", "get_model_complexity_info(..., backend='pytorch')[0]", ptflops.RULES, hooks=True),
            Tool("ptflops-aten", "0.7.5", "get_model_complexity_info(..., backend='aten')[0]", ptflops.ATEN_RULES),
            Tool("fvcore", "0.1.5", "FlopCountAnalysis(...).total()", fvcore.RULES, traced=True),
            Tool("torch", "2.13", "FlopCounterMode.get_total_flops() of a forward pass", paper.FLOP_RULES),
            Tool("paper", "", "MACs, often called FLOPs, of convolutions and dense layers", paper.RULES),
        )
    }
)


@dataclass(frozen=True)
class Difference:
    """One reason why a tool prints another number.

    Args:
        reason: in words.
        amount: what it adds to the MACs of Striate; negative where the tool leaves something out.
        nodes: the nodes it comes from.
    """

    reason: str
    amount: int
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Reconciliation:
    """What a tool prints for a network, and how that follows.

    Args:
        network: its name.
        tool: the tool's name.
        version: the version the rules hold for.
        number: where the tool prints it.
        macs: what Striate counts.
        differences: the reasons, the largest amount first.
        unknown: nodes of which it is not known what the tool counts; they are in both numbers as in Striate's.
        writing: of the layers that are not written as the module one would expect, how: ``function``, ``method`` or
            ``module``.
        hooks: whether the tool's number depends on that.
    """

    network: str
    tool: str
    version: str
    number: str
    macs: int
    differences: tuple[Difference, ...]
    unknown: tuple[str, ...]
    writing: Mapping[str, str] = field(default_factory=dict)
    hooks: bool = False

    @property
    def count(self) -> int:
        """What the tool prints."""
        return self.macs + sum(difference.amount for difference in self.differences)

    def as_dict(self) -> dict[str, Any]:
        """The reconciliation as JSON-ready data."""
        return {
            "format": 1,
            "network": self.network,
            "tool": self.tool,
            "version": self.version,
            "number": self.number,
            "macs": self.macs,
            "count": self.count,
            "differences": [
                {"reason": entry.reason, "amount": entry.amount, "nodes": list(entry.nodes)}
                for entry in self.differences
            ],
            "unknown": list(self.unknown),
            "writing": dict(self.writing),
        }


def count_like(
    graph: Graph, tool: str, functions: Collection[str] = (), *, writing: Mapping[str, str] | None = None
) -> Reconciliation:
    """The number that a tool prints for the module people would write for this network, and why.

    That module is in eval mode, takes one image, and has a module of ``torch.nn`` for every layer that torch has one
    for, a global average being ``AdaptiveAvgPool(1)``; maps are merged, cut and scaled by operators (``+``,
    ``torch.cat``, ``*``), and ``resizelike`` is ``F.interpolate``. What is written otherwise is told by ``functions``
    and ``writing``.

    Args:
        graph: the network.
        tool: one of :data:`TOOLS`.
        functions: names of nodes that the module's author writes as a function, as ``F.relu(x)`` or ``x @ weight``.
            Tools that hook modules do not see them.
        writing: how the module's author writes a node: ``function`` as above; ``method`` for a global average as
            ``x.mean``, which counts as 0 everywhere; ``module`` for torch's own module where one would expect a class
            derived from it. :meth:`striate.zoo.Architecture.written` says it for torchvision's networks.

    Raises:
        UsageError: when there is no such tool or node.

    >>> from striate.graph import network
    >>> net = network("probe", (16, 8, 8)).conv(16, 3, padding=1).build()
    >>> like = count_like(net, "torchinfo")
    >>> like.macs, like.count, like.differences[0].reason
    (147456, 148480, 'the bias is counted, one for each output')
    """
    if tool not in TOOLS:
        raise UsageError(
            f"how {tool!r} counts is not known",
            got=tool,
            needs=f"one of {', '.join(TOOLS)}",
            write=near_miss(tool, TOOLS),
        )
    written = {
        graph[name].name: how for name, how in {**dict.fromkeys(functions, "function"), **(writing or {})}.items()
    }
    chosen = TOOLS[tool]
    total = 0
    reasons: dict[str, list[tuple[str, int]]] = {}
    unknown = []
    traced = _traced(graph) if chosen.traced else set(graph.shapes)
    for node in graph.nodes:
        inputs, output = graph.input_shapes(node), graph.shapes[node.name]
        macs = node.layer.macs(inputs, output)
        total += macs
        rule = chosen.rules.get(type(node.layer))
        if rule is None and node.layer.kind not in SILENT:
            unknown.append(node.name)
        elif node.name not in traced:
            amounts = [("the node leads to no output and is left out of the trace", -macs)]
            _gather(reasons, node.name, amounts)
        elif rule is not None and written.get(node.name) != "method":
            how = written.get(node.name)
            reading = Reading(node.layer, inputs, output, macs, how == "function", how == "module")
            _gather(reasons, node.name, rule(reading))
    differences = [
        Difference(reason, sum(amount for _, amount in entries), tuple(name for name, _ in entries))
        for reason, entries in reasons.items()
    ]
    differences.sort(key=lambda entry: -abs(entry.amount))
    return Reconciliation(
        graph.name,
        chosen.name,
        chosen.version,
        chosen.number,
        total,
        tuple(differences),
        tuple(unknown),
        MappingProxyType(written),
        chosen.hooks,
    )


def _gather(reasons: dict[str, list[tuple[str, int]]], node: str, amounts: Amounts) -> None:
    for reason, amount in amounts:
        if amount:
            reasons.setdefault(reason, []).append((node, amount))


def _traced(graph: Graph) -> set[str]:
    """The nodes whose values, or whose shapes, an output depends on."""
    reached = set(graph.outputs)
    for node in reversed(graph.nodes):
        if node.name in reached:
            reached.update(node.inputs)
    return reached
