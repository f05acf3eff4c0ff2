"""What ``striate inspect`` shows instead of its table: each function makes the data for programs and the view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from striate.cli.effective_options import show_effective
from striate.cli.options import read_count
from striate.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from striate.graph import Graph
    from striate.units import Shape

__all__ = [
    "BYTES_OPTIONS",
    "Shown",
    "show_advice",
    "show_changes",
    "show_cost",
    "show_like",
    "show_memory",
    "show_unit",
]

#: What goes with ``--memory`` alone.
BYTES_OPTIONS = ("batch", "dtype", "optimizer", "fit")

Shown = tuple[dict[str, Any], Any]


def show_unit(options: Namespace, graph: Graph) -> Shown:
    """``--unit``, also with ``--effective``.

    Raises:
        UsageError: it names no unit of the network.
    """
    from striate.analysis.coverage import view_unit
    from striate.views.unit_fields import unit_view

    name, position = _named_unit(options.unit)
    if options.effective:
        return show_effective(options, graph, name, position)
    try:
        view = view_unit(graph, name, position or ())
    except UsageError as error:
        raise error.at("--unit") from None
    return view.as_dict(), unit_view(view)


def show_advice(options: Namespace, graph: Graph) -> Shown:
    """``--advice``."""
    from striate.analysis.advice import advise
    from striate.analysis.alignment import misalignments
    from striate.views.size_advice import advice_view

    advice, misaligned = advise(graph, _resizer(options)), misalignments(graph)
    return {**advice.as_dict(), "misaligned": [entry.as_dict() for entry in misaligned]}, advice_view(
        advice, misaligned
    )


def _resizer(options: Namespace) -> Callable[[Shape], Graph] | None:
    """What builds the network for another shape, with the changes of ``--set``, where its layers depend on the size."""
    from striate.analysis import edit
    from striate.sources.assignments import read_assignments
    from striate.sources.resizing import resizer

    build = resizer(options.net, read_count(options.classes, "--classes"))
    if build is None or not options.set:
        return build
    changes = read_assignments(options.set)
    return lambda shape: edit(build(shape), changes)


def show_changes(options: Namespace, graph: Graph) -> Shown:
    """``--set``: the network before and after."""
    from striate.analysis.comparison import compare
    from striate.views.comparisons import comparison_view

    comparison, depth = compare(options.unchanged, graph, layers=True), read_count(options.depth, "--depth")
    return comparison.as_dict(), comparison_view(comparison, titles=("before", "after"), depth=depth)


def show_cost(options: Namespace, graph: Graph) -> Shown:
    """``--cost``."""
    from striate.analysis import cost, inspect
    from striate.views.cost_tables import cost_view

    costs, depth = cost(graph), read_count(options.depth, "--depth")
    return costs.as_dict(), cost_view(inspect(graph), costs, depth)


def show_like(options: Namespace, graph: Graph) -> Shown:
    """``--count-like``.

    Raises:
        UsageError: how that tool counts is not known.
    """
    from striate.analysis.counting import count_like
    from striate.sources.resizing import zoo_entry
    from striate.views.reconciliations import reconciliation_view

    entry = zoo_entry(options.net)
    try:
        found = count_like(graph, options.count_like, writing=entry.written(graph) if entry else None)
    except UsageError as error:
        raise error.at("--count-like") from None
    return found.as_dict(), reconciliation_view(found)


def show_memory(options: Namespace, graph: Graph) -> Shown:
    """``--memory``, at ``--batch``, ``--dtype`` and ``--optimizer``, held against ``--fit``.

    Raises:
        UsageError: one of these is malformed.
    """
    from striate.analysis import checkpoints, inspect, memory
    from striate.views.memory_tables import memory_view

    batch, budget = read_count(options.batch, "--batch") or 1, _budget(options.fit)
    given = {name: value for name in ("dtype", "optimizer") if (value := getattr(options, name)) is not None}
    try:
        needs = memory(graph, batch, **given)
        plans = checkpoints(graph, batch, dtype=needs.dtype)
    except UsageError as error:
        raise error.at(" ".join(f"--{name} {value}" for name, value in given.items())) from None
    data = {**needs.as_dict(), "checkpoints": [plan.as_dict() for plan in plans]}
    if budget is not None:
        largest = {purpose: needs.largest_batch(budget, purpose) for purpose in ("training", "inference")}
        data["fit"] = {"budget": budget, "largest_batch": largest}
    depth = read_count(options.depth, "--depth")
    return data, memory_view(inspect(graph), needs, plans, budget=budget, depth=depth)


def _budget(text: str | None) -> int | None:
    if text is None:
        return None
    from striate.analysis.budget import parse_bytes

    return parse_bytes(text, "--fit")


def _named_unit(text: str) -> tuple[str, tuple[int, ...] | None]:
    """The layer and the place behind ``--unit``; None for the place where the layer stands alone.

    Raises:
        UsageError: it does not name a unit.
    """
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
    return name, tuple(int(place) for place in places) if colon else None
