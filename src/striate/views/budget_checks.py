"""``striate inspect NET --max-params 1M``: limits, and what goes beyond them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

from striate.units import format_bytes, format_count, format_share
from striate.views.tables import Facts

if TYPE_CHECKING:
    from striate.analysis.budget import BudgetCheck

__all__ = ["budget_view"]

_TITLES = {"parameters": "parameters", "macs": "MACs", "memory": "memory"}


def budget_view(checks: Sequence[BudgetCheck]) -> RenderableType:
    """Each limit with what was measured; where it is exceeded, the largest contributors.

    Args:
        checks: as :func:`striate.analysis.budget.check_budget` returns them.

    >>> from striate import zoo
    >>> from striate.analysis.budget import Budget, check_budget
    >>> from striate.views import make_console
    >>> make_console().print(budget_view(check_budget(zoo.build("lenet-5"), Budget(parameters=50_000))))
    parameters  61,706 exceed the budget of 50,000 by 11,706
                c5: 48,120 (78.0 %)
                f6: 10,164 (16.5 %)
                c3: 2,416 (3.9 %)
                output: 850 (1.4 %)
                c1: 156 (0.3 %)
    """
    return _BudgetView(checks)


class _BudgetView:
    def __init__(self, checks: Sequence[BudgetCheck]) -> None:
        self.checks = checks

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max((len(_TITLES[check.quantity]) for check in self.checks), default=0)
        for check in self.checks:
            lines = list(_lines(check))
            title = f"{_TITLES[check.quantity]:<{width}}"
            yield Facts([(title, lines[0]), *(("", line) for line in lines[1:])])


def _lines(check: BudgetCheck) -> Iterator[str]:
    show = format_bytes if check.quantity == "memory" else format_count
    if check.kept:
        yield f"{show(check.measured)}, within the budget of {show(check.limit)}"
        return
    over = check.measured - check.limit
    verb = "exceeds" if check.quantity == "memory" else "exceed"
    yield f"{show(check.measured)} {verb} the budget of {show(check.limit)} by {show(over)}"
    for name, amount in check.largest:
        yield f"{name}: {show(amount)} ({format_share(amount, check.measured)})"
