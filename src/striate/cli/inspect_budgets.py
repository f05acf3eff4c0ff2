"""The budgets of ``striate inspect``: limits for parameters, MACs and memory, for continuous integration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.analysis.budget import Budget, BudgetCheck
    from striate.cli.parser import Parser
    from striate.graph import Graph

__all__ = ["add_budget_options", "check_budgets", "end_beyond", "has_budget", "measured", "read_budget"]


def add_budget_options(parser: Parser) -> None:
    """``--max-params``, ``--max-macs`` and ``--max-memory``."""
    limits = parser.add_argument_group("Budgets (exit code 1 where one is exceeded)")
    limits.add_argument("--max-params", metavar="N", help="at most so many parameters: 1M")
    limits.add_argument("--max-macs", metavar="N", help="at most so many MACs for one image: 50M")
    limits.add_argument("--max-memory", metavar="SIZE", help="at most so much memory to run one image in float32: 8MiB")


def has_budget(options: Namespace) -> bool:
    """Whether anything is limited."""
    return any(text is not None for text in (options.max_params, options.max_macs, options.max_memory))


def read_budget(options: Namespace) -> Budget | None:
    """The limits that were given; None where none was.

    Raises:
        UsageError: one is malformed.
    """
    if not has_budget(options):
        return None
    from striate.analysis.budget import Budget, parse_bytes, parse_count

    params, macs, memory = options.max_params, options.max_macs, options.max_memory
    return Budget(
        parameters=None if params is None else parse_count(params, "--max-params"),
        macs=None if macs is None else parse_count(macs, "--max-macs"),
        memory=None if memory is None else parse_bytes(memory, "--max-memory"),
    )


def measured(options: Namespace, graph: Graph) -> tuple[BudgetCheck, ...]:
    """The network against each limit that was given."""
    budget = read_budget(options)
    if budget is None:
        return ()
    from striate.analysis.budget import check_budget

    return check_budget(graph, budget)


def check_budgets(options: Namespace, graph: Graph) -> None:
    """Tell how the network stands against its budgets.

    Raises:
        SystemExit: with code 1 where one is exceeded.
    """
    if checks := measured(options, graph):
        from striate.views.budget_checks import budget_view
        from striate.views.console import make_console

        # What programs read on standard output stays as it is.
        console = make_console(stderr=options.json or options.format not in (None, "table", "bars"))
        console.print()
        console.print(budget_view(checks))
        end_beyond(checks)


def end_beyond(checks: tuple[BudgetCheck, ...]) -> None:
    """End with code 1 where a budget is exceeded.

    Raises:
        SystemExit: then.
    """
    if not all(check.kept for check in checks):
        raise SystemExit(1)
