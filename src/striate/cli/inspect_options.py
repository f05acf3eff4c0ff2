"""What ``striate inspect`` can do besides showing its table: which options there are, and which go together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from striate.cli import inspect_views
from striate.cli.effective_options import add_effective_options, check_effective
from striate.cli.inspect_budgets import add_budget_options, check_budgets, end_beyond, has_budget, measured, read_budget
from striate.cli.options import read_count, read_options, read_shapes
from striate.errors import NetworkError, UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser
    from striate.graph import Graph

__all__ = ["add_inspect_options", "check_options", "load_network", "show_asked"]

#: The views besides the table, of which one is shown, and what makes each.
VIEWS: dict[str, Callable[[Namespace, Graph], inspect_views.Shown]] = {
    "unit": inspect_views.show_unit,
    "advice": inspect_views.show_advice,
    "cost": inspect_views.show_cost,
    "memory": inspect_views.show_memory,
    "count_like": inspect_views.show_like,
}
#: Of these the ones that ``--depth`` collapses.
DEEP = ("cost", "memory")


def add_inspect_options(parser: Parser) -> None:
    """Views of their own, what goes with ``--memory``, and budgets."""
    group = parser.options
    group.add_argument("--unit", metavar="LAYER:Y,X", help="what one unit sees of the image: conv3:4,7")
    group.add_argument("--advice", action="store_true", help="input sizes that fit, and branches that do not align")
    group.add_argument(
        "--cost", action="store_true", help="MACs forward and backward, and all other operations, layer by layer"
    )
    group.add_argument(
        "--count-like",
        metavar="TOOL",
        help="the number that torchinfo, thop, ptflops, ptflops-aten, fvcore, torch or a paper gives, and why",
    )
    group.add_argument(
        "--set",
        metavar="LAYER.ATTRIBUTE=VALUE",
        action="append",
        default=[],
        help="change an attribute (conv1.stride=2; again for more) and show what it changes",
    )
    needs = parser.add_argument_group("Memory")
    needs.add_argument(
        "--memory", action="store_true", help="bytes to run and to train it, layer by layer, and checkpoints"
    )
    needs.add_argument("--batch", metavar="N", help="with --memory: images in a batch [1]")
    needs.add_argument(
        "--dtype", metavar="TYPE", help="with --memory: float32, bfloat16, float16 or float64, throughout [float32]"
    )
    needs.add_argument("--optimizer", metavar="NAME", help="with --memory: sgd, sgd-momentum, adam or adamw [adamw]")
    needs.add_argument("--fit", metavar="SIZE", help="with --memory: the largest batch that fits into it: 8GiB")
    add_effective_options(parser)
    add_budget_options(parser)


def check_options(options: Namespace) -> None:
    """Refuse options that would be without effect, and what is malformed, before anything is computed.

    Raises:
        UsageError: names the option.
    """
    read_budget(options)
    check_effective(options)
    views = [_flag(name) for name in ("layer", *VIEWS) if getattr(options, name)]
    if len(views) > 1:
        raise UsageError("these show different things", got=" and ".join(views), needs="one of them", write=views[0])
    idle = [name for name in inspect_views.BYTES_OPTIONS if getattr(options, name) is not None]
    if idle and not options.memory:
        flag = f"--{idle[0]} {getattr(options, idle[0])}"
        raise UsageError(f"--{idle[0]} has no effect without --memory", write=f"--memory {flag}")
    if options.json and (options.format or options.depth):
        raise UsageError("--json has every node; --format and --depth are for the other formats")
    if options.layer is not None:
        if options.format or options.depth or options.output:
            raise UsageError("--layer derives one layer; --format, --depth and --output are for the whole network")
        return
    alone = [*views, *(["--set"] if options.set else [])]
    shaped = [_flag(name) for name in ("format", "depth") if getattr(options, name)]
    if any(getattr(options, name) for name in DEEP) or alone == ["--set"]:
        shaped = [flag for flag in shaped if flag != "--depth"]
    if alone and shaped:
        raise UsageError(
            f"{alone[0]} shows a view of its own, for which {shaped[0]} has no meaning",
            write=f"{alone[0]} or {shaped[0]}",
        )


def load_network(options: Namespace) -> Graph:
    """The network that was asked for, with the changes of ``--set``; the one without is kept as ``options.unchanged``.

    Raises:
        UsageError: an option is malformed, or names what is not there.
        NetworkError: no such network, or it does not run.
    """
    from dataclasses import replace

    import striate as st

    shape, classes = read_shapes(options.input), read_count(options.classes, "--classes")
    options.unchanged = st.load(options.net, input=shape, classes=classes, kwargs=read_options(options.kwargs))
    if not options.set:
        return options.unchanged  # type: ignore[no-any-return]
    from striate.sources.assignments import read_assignments

    changes = read_assignments(options.set)
    try:
        # Whatever is shown of it says that it is not the network as it was written.
        name = f"{options.unchanged.name} with {', '.join(options.set)}"
        return replace(st.edit(options.unchanged, changes), name=name)
    except (NetworkError, UsageError) as error:
        raise error.at(" ".join(f"--set {text}" for text in options.set)) from None


def show_asked(options: Namespace, graph: Graph) -> bool:
    """Show the view that was asked for, what ``--set`` changes, or the budgets in JSON.

    Returns:
        Whether there was something to show; if not, the verb shows what it shows anyway.

    Raises:
        UsageError: its option is malformed, or names what is not there.
        SystemExit: with code 1 where a budget is exceeded.
    """
    chosen = next((name for name in VIEWS if getattr(options, name)), None)
    if chosen is not None:
        _put(options, graph, VIEWS[chosen](options, graph))
    elif options.layer is not None:
        return False
    elif options.set:
        _put(options, graph, inspect_views.show_changes(options, graph))
    elif options.json and has_budget(options):
        import striate as st

        _put(options, graph, (st.inspect(graph).as_dict(), None))
    else:
        return False
    return True


def _put(options: Namespace, graph: Graph, shown: inspect_views.Shown) -> None:
    from striate.cli.output import deliver, printed
    from striate.views import json_text

    data, view = shown
    if not options.json:
        deliver(printed(view, options.output), options.output)
        check_budgets(options, graph)
        return
    checks = measured(options, graph)
    text = json_text({**data, "budgets": [check.as_dict() for check in checks]} if checks else data)
    deliver(text, options.output)
    end_beyond(checks)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
