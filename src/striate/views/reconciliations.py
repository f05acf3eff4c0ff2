"""``striate inspect NET --count-like TOOL``: the number another tool prints, and what makes it differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from striate.units import format_count, format_share
from striate.views.safe_text import visible
from striate.views.tables import Column, Facts, Grid, GridRow

if TYPE_CHECKING:
    from striate.analysis.counting.reconciliation import Difference, Reconciliation

__all__ = ["reconciliation_view"]

#: So many layers are named for each reason.
_NAMED = 2


def reconciliation_view(found: Reconciliation) -> RenderableType:
    """From the MACs of Striate to the number of another tool, reason by reason; the amounts add up.

    Args:
        found: as :func:`striate.analysis.counting.count_like` returns it.

    >>> from striate.analysis import count_like
    >>> from striate.graph import network
    >>> from striate.views import make_console
    >>> net = network("probe", (16, 8, 8)).conv(16, 3, padding=1).build()
    >>> make_console().print(reconciliation_view(count_like(net, "torchinfo")))
    probe as torchinfo 1.8.0 counts it
    <BLANKLINE>
                                              layers   amount
    ─────────────────────────────────────────────────────────
    MACs                                              147,456
    the bias is counted, one for each output  conv1    +1,024
    ─────────────────────────────────────────────────────────
    torchinfo                                         148,480
    <BLANKLINE>
    printed by  summary(...).total_mult_adds
    difference  +1,024 (0.7 % of the MACs)
    for         one image in eval mode, and a network whose layers are all modules of torch.nn
    functions   a layer called as a function (F.relu) is counted otherwise, or not at all
    """
    return _ReconciliationView(found)


class _ReconciliationView:
    def __init__(self, found: Reconciliation) -> None:
        self.found = found

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        found = self.found
        tool = f"{found.tool} {found.version}".strip()
        yield Text.assemble((visible(found.network), "bold"), f" as {tool} counts it")
        yield Text()
        columns = [Column("", flexible=True), Column("layers", flexible=True), Column("amount", right=True)]
        first = GridRow((Text("MACs"), Text(), Text(format_count(found.macs))))
        rows = [first, *(_row(difference) for difference in found.differences)]
        yield Grid(columns, rows, (found.tool, "", format_count(found.count)))
        yield Text()
        yield Facts(_facts(found))


def _row(difference: Difference) -> GridRow:
    names = difference.nodes
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    layers = Text(", ".join(names[:_NAMED]) + more, "cyan")
    return GridRow((Text(difference.reason), layers, Text(_signed(difference.amount))))


def _signed(amount: int) -> str:
    return f"{'+' if amount > 0 else '−'}{format_count(abs(amount))}"


def _facts(found: Reconciliation) -> Iterator[tuple[str, str]]:
    yield "printed by", found.number
    over = found.count - found.macs
    share = f" ({format_share(abs(over), found.macs)} of the MACs)" if found.macs else ""
    yield "difference", f"{_signed(over)}{share}" if over else "none: it counts what Striate counts"
    if found.tool != "paper":
        yield "for", f"one image in eval mode, and {_written(found)}"
        if found.hooks and not found.writing:
            yield "functions", "a layer called as a function (F.relu) is counted otherwise, or not at all"
    if found.unknown:
        names = ", ".join(found.unknown)
        yield "not known", f"what it counts for {names}: taken as in Striate, so its number may differ"


def _written(found: Reconciliation) -> str:
    """For which writing of the network the number holds."""
    ways = []
    for how, words in (
        ("function", "called as a function"),
        ("method", "written as x.mean"),
        ("module", "torch's own module"),
    ):
        names = [name for name, way in found.writing.items() if way == how]
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            ways.append(f"{', '.join(names[:_NAMED])}{more} {words}")
    if ways:
        return f"the network as torchvision writes it: {'; '.join(ways)}"
    if not found.hooks:
        return "the module people would write for this network"
    return "a network whose layers are all modules of torch.nn"
