"""``striate inspect NET --memory``: the bytes of running and training a network, and where to save some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from striate.units import format_bytes, format_count, format_shape, format_share
from striate.views.narrow_tables import SparingGrid
from striate.views.row_labels import RowLabel, row_labels
from striate.views.safe_text import visible
from striate.views.tables import Column, Facts, Grid, GridRow

if TYPE_CHECKING:
    from striate.analysis.checkpoint_plan import CheckpointPlan
    from striate.analysis.memory_report import MemoryReport, NodeMemory, Peak
    from striate.analysis.report import Report

__all__ = ["memory_view"]

#: So many layers are named that read a value again.
_NAMED = 2


def memory_view(
    report: Report,
    needs: MemoryReport,
    plans: Sequence[CheckpointPlan] = (),
    *,
    budget: int | None = None,
    depth: int | None = None,
) -> RenderableType:
    """What running and training a network takes of memory, at the batch and the type that ``needs`` is for.

    Args:
        report: of the network.
        needs: of the same network, as :func:`striate.analysis.memory_report.memory` returns it.
        plans: as :func:`striate.analysis.checkpoint_plan.checkpoints` returns them, for the same batch and type.
        budget: bytes for which the largest batch is told.
        depth: collapse to so many parts of the names, and fold equal neighbours.

    >>> from striate.analysis import inspect, memory
    >>> from striate.graph import network
    >>> from striate.views import make_console
    >>> net = network("n", (3, 8, 8)).conv(4, 3, bias=False).relu().flatten().dense(10).build()
    >>> make_console().print(memory_view(inspect(net), memory(net, 2, optimizer="sgd")))  # doctest: +ELLIPSIS
    n: 3×8×8, batch 2, float32, sgd
    <BLANKLINE>
    layer     what                   output     kept   share  kept for
    ───────────────────────────────────────────────────────────────────────
    input     image                 1.5 KiB  1.5 KiB  57.1 %  conv1
    conv1     conv 4, 3×3, no bias  1.1 KiB        –       –
    relu1     relu                  1.1 KiB  1.1 KiB  42.9 %  relu1, dense1
    flatten1  flatten                     –        –       –
    dense1    dense 10                 80 B        –       –
    ───────────────────────────────────────────────────────────────────────
    kept                                     2.6 KiB
    <BLANKLINE>
    weights      6.1 KiB: 1,558 parameters in float32
    ...
    to train     16.7 KiB at batch 2 in float32 with sgd, at the peak: flatten1 in the backward pass
    left out     workspace inside kernels, the loss, what the allocator rounds up
    <BLANKLINE>
    no checkpoint saves anything at batch 2 in float32: computing a part again would keep as much
    """
    return _MemoryView(report, needs, plans, budget, depth)


class _MemoryView:
    def __init__(
        self,
        report: Report,
        needs: MemoryReport,
        plans: Sequence[CheckpointPlan],
        budget: int | None,
        depth: int | None,
    ) -> None:
        self.report, self.needs, self.plans = report, needs, plans
        self.budget, self.depth = budget, depth

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        report, needs = self.report, self.needs
        setting = f"batch {needs.batch}, {needs.dtype}, {needs.optimizer}"
        yield Text.assemble((visible(report.name), "bold"), f": {format_shape(report.input)}, {setting}")
        yield Text()
        columns = [
            Column("layer"),
            Column("what", flexible=True),
            *(Column(title, right=True) for title in ("output", "kept", "share")),
            Column("kept for", flexible=True),
        ]
        known = {node.name: node for node in needs.nodes}
        rows = [
            _row(label, [known[name] for name in label.nodes], needs.activations)
            for label in row_labels(report, self.depth)
        ]
        footer = ("kept", "", "", format_bytes(needs.activations), "", "")
        yield SparingGrid(columns, rows, footer, spare=(4, 5, 1))
        yield Text()
        yield Facts(_facts(report, needs, self.budget))
        yield Text()
        yield from _checkpoints(self.plans, needs)


def _row(label: RowLabel, nodes: Sequence[NodeMemory], total: int) -> GridRow:
    output, kept = sum(node.output for node in nodes), sum(node.kept for node in nodes)
    cells = (_bytes(output), _bytes(kept), format_share(kept, total) if kept else "–")
    numbers = (Text(cell, "dim" if cell == "–" or place == 2 else "") for place, cell in enumerate(cells))
    # For a group it would be a list of its own layers.
    reason = _reason(nodes[0]) if len(nodes) == 1 else ""
    return GridRow((Text(label.name, "cyan"), Text(label.what), *numbers, Text(reason)))


def _bytes(count: int) -> str:
    return format_bytes(count) if count else "–"


def _reason(node: NodeMemory) -> str:
    """Who reads the value again, and what is kept besides."""
    more = f" and {len(node.kept_for) - _NAMED} more" if len(node.kept_for) > _NAMED else ""
    readers = ", ".join(node.kept_for[:_NAMED]) + more
    extras = ", ".join(f"{name} {format_bytes(size)}" for name, size in node.extras)
    return "; ".join(part for part in (readers, extras) if part)


def _facts(report: Report, needs: MemoryReport, budget: int | None) -> Iterator[tuple[str, str]]:
    at = f"at batch {needs.batch} in {needs.dtype}"
    yield "weights", f"{format_bytes(needs.weights)}: {format_count(report.parameters)} parameters in {needs.dtype}"
    if needs.buffers:
        yield "statistics", f"{format_bytes(needs.buffers)} in {needs.dtype}"
    yield "gradients", f"{format_bytes(needs.gradients)} in {needs.dtype}"
    yield "optimizer", f"{format_bytes(needs.optimizer_state)} of {needs.optimizer} in {needs.dtype}"
    yield "activations", f"{format_bytes(needs.activations)} kept for the backward pass {at}, the images included"
    yield "to run", f"{format_bytes(needs.inference_peak.bytes)} {at}, at the peak: {_moment(needs.inference_peak)}"
    peak = needs.training_peak
    yield "to train", f"{format_bytes(peak.bytes)} {at} with {needs.optimizer}, at the peak: {_moment(peak)}"
    if budget is not None:
        yield "fits", _fits(needs, budget)
    if needs.assumed:
        names = ", ".join(needs.assumed)
        yield "assumed", f"{names}: not known what they keep; taken to keep what they read and what they give"
    yield "left out", "workspace inside kernels, the loss, what the allocator rounds up"


def _moment(peak: Peak) -> str:
    if peak.phase == "update":
        return "the update of the weights"
    return f"{peak.node} in the {peak.phase} pass"


def _fits(needs: MemoryReport, budget: int) -> str:
    parts = []
    for words, moments, largest in (
        (f"to train with {needs.optimizer}", needs.training, needs.largest_batch(budget, "training")),
        ("to run", needs.inference, needs.largest_batch(budget, "inference")),
    ):
        least = format_bytes(max(moment.alive.at(1) for moment in moments))
        parts.append(f"batch {largest:,} {words}" if largest else f"not one image {words}, which takes {least}")
    return f"in {format_bytes(budget)} at most, in {needs.dtype}: {'; '.join(parts)}"


def _checkpoints(plans: Sequence[CheckpointPlan], needs: MemoryReport) -> Iterator[RenderableType]:
    """What cutting the network into segments saves, and what it costs to compute them again."""
    at = f"batch {needs.batch} in {needs.dtype}"
    if not plans:
        yield Text(f"no checkpoint saves anything at {at}: computing a part again would keep as much")
        return
    yield Facts([("checkpoints", f"only what leaves these layers is kept, the rest computed again; {at}")])
    yield Text()
    columns = [
        Column("behind", flexible=True),
        *(Column(title, right=True) for title in ("activations", "saved", "", "MACs again", "of forward")),
    ]
    yield Grid(columns, [_plan_row(plan) for plan in plans])


def _plan_row(plan: CheckpointPlan) -> GridRow:
    cells = (
        format_bytes(plan.after),
        format_bytes(plan.saved),
        format_share(plan.saved, plan.before),
        format_count(plan.recomputed_macs),
        format_share(plan.recomputed_macs, plan.macs),
    )
    return GridRow((Text(", ".join(plan.cuts), "cyan"), *map(Text, cells)))
