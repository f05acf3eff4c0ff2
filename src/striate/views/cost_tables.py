"""``striate inspect NET --cost``: multiply-adds forward and backward, and every other operation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from striate.units import format_count, format_shape, format_share
from striate.views.narrow_tables import SparingGrid
from striate.views.row_labels import RowLabel, row_labels
from striate.views.safe_text import visible
from striate.views.tables import Column, Facts, GridRow

if TYPE_CHECKING:
    from striate.analysis.cost_report import CostReport
    from striate.analysis.report import Report

__all__ = ["cost_view"]

#: So many kinds of layers are named with their share of the operations, and so many nodes that are not counted.
_KINDS, _NODES = 6, 12
_MULTIPLYING = ("conv", "convtranspose", "dense")


def cost_view(report: Report, costs: CostReport, depth: int | None = None) -> RenderableType:
    """The cost of a network for one image, node by node and in total.

    Args:
        report: of the network.
        costs: of the same network, as :func:`striate.analysis.cost_report.cost` returns it.
        depth: collapse to so many parts of the names, and fold equal neighbours; the totals stay the same.

    >>> from striate.analysis import cost, inspect
    >>> from striate.graph import network
    >>> from striate.views import make_console
    >>> net = network("n", (3, 8, 8)).conv(4, 3).relu().conv(4, 3).relu().build()
    >>> make_console().print(cost_view(inspect(net), cost(net)))
    n: 3×8×8, one image
    <BLANKLINE>
    layer  what         MACs forward   share  to input  to weights  operations
    ──────────────────────────────────────────────────────────────────────────
    input  image                   –       –         –           –           –
    conv1  conv 4, 3×3         3,888  62.8 %         –       3,888         144
    relu1  relu                    –       –         –           –         144
    conv2  conv 4, 3×3         2,304  37.2 %     2,304       2,304          64
    relu2  relu                    –       –         –           –          64
    ──────────────────────────────────────────────────────────────────────────
    total                      6,192             2,304       6,192         416
    <BLANKLINE>
    forward     6,192 MACs per image (FLOPs = 2 × MACs)
    backward    8,496 MACs per image: 2,304 to the input (gradients of the maps), 6,192 to the weights
    training    14,688 MACs per image, 2.37 × forward
    operations  416 per image besides, forward: 50.0 % conv (bias), 50.0 % relu
    uncounted   nothing: every layer is counted
    """
    return _CostView(report, costs, depth)


class _CostView:
    def __init__(self, report: Report, costs: CostReport, depth: int | None) -> None:
        self.report = report
        self.costs = costs
        self.depth = depth

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        report, costs = self.report, self.costs
        yield Text.assemble((visible(report.name), "bold"), f": {format_shape(report.input)}, one image")
        yield Text()
        titles = ("MACs forward", "share", "to input", "to weights", "operations")
        columns = [Column("layer"), Column("what", flexible=True), *(Column(title, right=True) for title in titles)]
        sums = (costs.macs, costs.input_gradient, costs.weight_gradient, costs.operations)
        forward, *others = map(format_count, sums)
        footer = ("total", "", forward, "", *others)
        rows = [_row(label, _cells(label, costs)) for label in row_labels(report, self.depth)]
        yield SparingGrid(columns, rows, footer, spare=(3, 1))
        yield Text()
        yield Facts(_facts(costs))


def _row(label: RowLabel, cells: Sequence[str]) -> GridRow:
    numbers = (Text(cell, "dim" if cell == "–" or place == 1 else "") for place, cell in enumerate(cells))
    return GridRow((Text(label.name, "cyan"), Text(label.what), *numbers))


def _cells(label: RowLabel, costs: CostReport) -> tuple[str, ...]:
    inside = set(label.nodes)
    nodes = [node for node in costs.nodes if node.name in inside]
    unknown = {entry.quantity for entry in costs.uncounted if entry.node in inside}
    macs = sum(node.macs for node in nodes)
    backward = "backward MACs" in unknown
    return (
        _amount(macs, "MACs" in unknown),
        format_share(macs, costs.macs) if macs else "–",
        _amount(sum(node.input_gradient or 0 for node in nodes), backward),
        _amount(sum(node.weight_gradient or 0 for node in nodes), backward),
        _amount(sum(node.operations or 0 for node in nodes), "operations" in unknown),
    )


def _amount(count: int, unknown: bool) -> str:
    """A number; a lower bound where a part of it is not counted."""
    if unknown:
        return f"≥{format_count(count)}" if count else "?"
    return format_count(count) if count else "–"


def _facts(costs: CostReport) -> Iterator[tuple[str, str]]:
    yield "forward", f"{format_count(costs.macs)} MACs per image (FLOPs = 2 × MACs)"
    yield (
        "backward",
        f"{format_count(costs.backward)} MACs per image: {format_count(costs.input_gradient)} to the input (gradients "
        f"of the maps), {format_count(costs.weight_gradient)} to the weights",
    )
    times = f", {costs.training / costs.macs:.3g} × forward" if costs.macs else ""
    yield "training", f"{format_count(costs.training)} MACs per image{times}"
    kinds = list(costs.operations_by_kind.items())
    shares = [f"{format_share(amount, costs.operations)} {_kind(kind)}" for kind, amount in kinds[:_KINDS]]
    if len(kinds) > _KINDS:
        shares.append(f"{format_share(sum(amount for _, amount in kinds[_KINDS:]), costs.operations)} others")
    listed = f": {', '.join(shares)}" if shares else ""
    yield "operations", f"{format_count(costs.operations)} per image besides, forward{listed}"
    yield "uncounted", _uncounted(costs)


def _kind(kind: str) -> str:
    """What the operations of a layer with MACs are is told."""
    return f"{kind} (bias)" if kind in _MULTIPLYING else kind


def _uncounted(costs: CostReport) -> str:
    if not costs.uncounted:
        return "nothing: every layer is counted"
    by_node: dict[str, list[str]] = {}
    for entry in costs.uncounted:
        by_node.setdefault(f"{entry.node} ({entry.kind})", []).append(entry.quantity)
    listed = [f"{' and '.join(quantities)} of {node}" for node, quantities in by_node.items()]
    more = f"; {len(listed) - _NODES} more" if len(listed) > _NODES else ""
    return f"{'; '.join(listed[:_NODES])}{more}: no rule describes them, so the totals are lower bounds"
