"""What ``striate inspect`` can do with a network besides showing it: a unit, advice, changes and budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from striate.cli.options import read_count, read_shape
from striate.errors import NetworkError, UsageError
from striate.units import Shape, format_shape

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.analysis.budget import BudgetCheck
    from striate.cli.parser import Parser
    from striate.graph import Graph

__all__ = ["add_inspect_options", "check_budgets", "load_network", "show_asked"]

#: Sizes on which a text that names no input is tried, to find the smallest it runs on.
_TRIED = (64, 256, 1024)
_SMALLEST_LIMIT = 1024


def add_inspect_options(parser: Parser) -> None:
    """``--unit``, ``--advice``, ``--set``, ``--max-params``, ``--max-macs`` and ``--max-memory``."""
    group = parser.options
    group.add_argument("--unit", metavar="LAYER:Y,X", help="what one unit sees of the image: conv3:4,7")
    group.add_argument("--advice", action="store_true", help="input sizes that fit, and branches that do not align")
    group.add_argument(
        "--set",
        metavar="LAYER.ATTRIBUTE=VALUE",
        action="append",
        default=[],
        help="change an attribute (conv1.stride=2; again for more) and show what it changes",
    )
    limits = parser.add_argument_group("Budgets (exit code 1 where one is exceeded)")
    limits.add_argument("--max-params", metavar="N", help="at most so many parameters: 1M")
    limits.add_argument("--max-macs", metavar="N", help="at most so many MACs for one image: 50M")
    limits.add_argument("--max-memory", metavar="SIZE", help="at most so much memory to run one image in float32: 8MiB")


def load_network(options: Namespace) -> Graph:
    """The network that was asked for, with the changes of ``--set``; the one without is kept as ``options.unchanged``.

    Raises:
        UsageError: an option is malformed, or names what is not there.
        NetworkError: no such network, or it does not run; where the input is too small the message says which size is
            not.
    """
    import striate as st

    _read_budget(options)  # what is malformed is told before anything is computed
    shape, classes = read_shape(options.input), read_count(options.classes, "--classes")
    try:
        options.unchanged = st.load(options.net, input=shape, classes=classes)
    except NetworkError as error:
        raise _with_smallest(options.net, shape, classes, error) from None
    if not options.set:
        return options.unchanged  # type: ignore[no-any-return]
    from striate.analysis.editing import edit
    from striate.sources.assignments import read_assignments

    changes = read_assignments(options.set)
    try:
        return edit(options.unchanged, changes)
    except (NetworkError, UsageError) as error:
        raise error.at(" ".join(f"--set {text}" for text in options.set)) from None


def show_asked(options: Namespace, graph: Graph) -> bool:
    """Show what ``--unit``, ``--advice``, ``--set`` and budgets in JSON ask for.

    Returns:
        Whether there was something to show; if not, the verb shows what it shows anyway.

    Raises:
        UsageError: more than one view is asked for.
        SystemExit: with code 1 where a budget is exceeded.
    """
    chosen = [f"--{name}" for name in ("layer", "unit", "advice") if getattr(options, name)]
    if len(chosen) > 1:
        raise UsageError("these show different things", got=" and ".join(chosen), needs="one of them", write=chosen[0])
    alone = [*chosen, *(["--set"] if options.set and options.layer is None else [])]
    shaped = [f"--{name}" for name in ("format", "depth", "output") if getattr(options, name)]
    if alone and shaped and options.layer is None:
        raise UsageError(
            f"{alone[0]} shows a view of its own, for which {shaped[0]} has no meaning",
            write=f"{alone[0]} or {shaped[0]}",
        )
    if options.unit is not None:
        data, view = _unit(graph, options.unit)
    elif options.advice:
        data, view = _advice(graph)
    elif options.set and options.layer is None:
        data, view = _changes(options, graph)
    elif options.json and options.layer is None and options.output is None and _limits(options):
        import striate as st

        data, view = st.inspect(graph).as_dict(), None
    else:
        return False
    _put(options, graph, data, view)
    return True


def check_budgets(options: Namespace, graph: Graph) -> None:
    """Tell how the network stands against its budgets.

    Raises:
        SystemExit: with code 1 where one is exceeded.
    """
    if checks := _checks(options, graph):
        from striate.views.budget_checks import budget_view
        from striate.views.console import make_console

        # What programs read on standard output stays as it is.
        console = make_console(stderr=options.json or options.format not in (None, "table", "bars"))
        console.print()
        console.print(budget_view(checks))
        _exit(checks)


def _put(options: Namespace, graph: Graph, data: dict[str, Any], view: Any) -> None:
    from striate.cli.output import show, write_plain
    from striate.views import json_text

    if not options.json:
        show(view)
        check_budgets(options, graph)
        return
    checks = _checks(options, graph)
    write_plain(json_text({**data, "budgets": [check.as_dict() for check in checks]} if checks else data))
    _exit(checks)


def _unit(graph: Graph, text: str) -> tuple[dict[str, Any], Any]:
    from striate.analysis.coverage import view_unit
    from striate.views.unit_fields import unit_view

    name, colon, written = text.partition(":")
    places = [part.strip() for part in written.split(",")] if colon else []
    if not name or not all(place.isascii() and place.isdecimal() and len(place) < 10 for place in places):
        raise UsageError(
            "this does not name a unit",
            where="--unit",
            got=text,
            needs="a layer, a colon and an index for each axis, counted from 0; for a vector the layer alone",
            write="--unit conv1:0,0",
        )
    try:
        view = view_unit(graph, name, tuple(int(place) for place in places))
    except UsageError as error:
        raise error.at("--unit") from None
    return view.as_dict(), unit_view(view)


def _advice(graph: Graph) -> tuple[dict[str, Any], Any]:
    from striate.analysis.advice import advise
    from striate.analysis.alignment import misalignments
    from striate.views.size_advice import advice_view

    advice, misaligned = advise(graph), misalignments(graph)
    return {**advice.as_dict(), "misaligned": [entry.as_dict() for entry in misaligned]}, advice_view(
        advice, misaligned
    )


def _changes(options: Namespace, graph: Graph) -> tuple[dict[str, Any], Any]:
    from striate.analysis.comparison import compare
    from striate.views.comparisons import comparison_view

    comparison = compare(options.unchanged, graph, layers=True)
    return comparison.as_dict(), comparison_view(comparison, titles=("before", "after"))


def _limits(options: Namespace) -> bool:
    return any(text is not None for text in (options.max_params, options.max_macs, options.max_memory))


def _read_budget(options: Namespace) -> Any:
    if not _limits(options):
        return None
    from striate.analysis.budget import Budget, parse_bytes, parse_count

    params, macs, memory = options.max_params, options.max_macs, options.max_memory
    return Budget(
        parameters=None if params is None else parse_count(params, "--max-params"),
        macs=None if macs is None else parse_count(macs, "--max-macs"),
        memory=None if memory is None else parse_bytes(memory, "--max-memory"),
    )


def _checks(options: Namespace, graph: Graph) -> tuple[BudgetCheck, ...]:
    budget = _read_budget(options)
    if budget is None:
        return ()
    from striate.analysis.budget import check_budget

    return check_budget(graph, budget)


def _exit(checks: tuple[BudgetCheck, ...]) -> None:
    if not all(check.kept for check in checks):
        raise SystemExit(1)


def _with_smallest(net: str, shape: Shape | None, classes: int | None, error: NetworkError) -> NetworkError:
    """The error, with the smallest size that works where a larger one would help."""
    if shape is None or len(shape) < 2:
        return error
    found = _smallest(net, shape, classes)
    if found is None:
        return error
    needs = f"{error.needs}; " if error.needs else ""
    return type(error)(
        error.problem,
        where=error.where,
        got=error.got,
        needs=f"{needs}the smallest image that works is {format_shape(found)}",
        write=f"--input {'x'.join(map(str, found))}",
    )


def _smallest(net: str, shape: Shape, classes: int | None) -> Shape | None:
    """The smallest enlargement of a shape on which a network runs; None where no enlargement helps."""
    import striate as st
    from striate.analysis.sizing import Sizing

    channels, *sizes = shape
    for tried in (None, *((channels, *(size,) * len(sizes)) for size in _TRIED)):
        try:
            sizing = Sizing(st.load(net, input=tried, classes=classes))
        except (NetworkError, UsageError):
            continue
        if len(sizing.shape) != len(shape):
            return None
        for enlarge in (True, False):
            for size in range(min(sizes), _SMALLEST_LIMIT + 1):
                other = (channels, *(max(size, old) if enlarge else size for old in sizes))
                if sizing.runs(other):
                    return other
        return None
    return None
