"""Set networks side by side: parameters, MACs, memory, depth, receptive field, and the layers that differ.

Examples:
  striate compare resnet18 resnet34
  striate compare old.yaml new.yaml --layers
  striate compare resnet18 resnet34 resnet50 --format markdown -o table.md
  striate compare --example dense-vs-conv
  striate compare --list-examples
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.options import add_json, add_kwargs, read_count, read_options, read_shape

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.analysis.comparison import Comparison
    from striate.cli.parser import Parser

__all__ = ["arguments", "command"]

#: A text so long is no title of a column.
_LONGEST_TITLE = 24


def arguments(parser: Parser) -> None:
    """``NET ...``, ``--input``, ``--classes``, ``--layers``, ``--depth``, ``--example``, ``--format``, ``--json``."""
    parser.words.add_argument(
        "nets", metavar="NET", nargs="*", help="two or more: zoo names, YAML files, run folders, inline texts"
    )
    group = parser.options
    group.add_argument("--input", metavar="SHAPE", help="the input shape of all, channels first, such as 3x64x48")
    group.add_argument("--classes", metavar="N", help="the number of classes of all")
    group.add_argument(
        "--layers", action="store_true", help="layer by layer, for two; without it where they are versions of one"
    )
    group.add_argument("--depth", metavar="N", help="tell N parts of the layers' names apart, where they are the same")
    group.add_argument("--example", metavar="NAME", help="a ready-made comparison")
    group.add_argument("--list-examples", action="store_true", help="the names of these")
    group.add_argument("--format", choices=("table", "markdown"), help="one of table, markdown [table]")
    group.add_argument("-o", "--output", metavar="FILE", help="write into this file")
    add_kwargs(parser)
    add_json(parser)


def command(options: Namespace) -> None:
    """The table of several networks, of an example, or the list of examples."""
    from striate.analysis.examples import examples
    from striate.cli.output import show, write_plain
    from striate.errors import UsageError
    from striate.views import json_text
    from striate.views.comparisons import example_list

    if options.json and (options.format or options.depth):
        raise UsageError("--json has every layer; --format and --depth are for the other formats")
    if options.list_examples:
        listed = list(examples().values())
        if options.json:
            write_plain(json_text([{"name": e.name, "title": e.title, "lesson": e.lesson} for e in listed]))
        else:
            show(example_list(listed))
        return
    if options.example is not None:
        _example(options)
        return
    _networks(options)


def _networks(options: Namespace) -> None:
    import striate as st
    from striate.errors import UsageError

    if len(options.nets) < 2:
        raise UsageError(
            "a comparison needs two networks or more",
            where="striate compare",
            got=options.nets[0] if options.nets else "none",
            needs="NET NET ..., or --example NAME",
            write=f"striate compare {options.nets[0] if options.nets else 'resnet18'} resnet34",
        )
    shape, classes = read_shape(options.input), read_count(options.classes, "--classes")
    nets, kwargs = options.nets, read_options(options.kwargs)
    if kwargs is not None:
        nets = [st.load(net, input=shape, classes=classes, kwargs=kwargs if ":" in net else None) for net in nets]
    comparison = st.compare(*nets, input=shape, classes=classes, layers=True if options.layers else None)
    _deliver(options, comparison, titles=_titles(options.nets, comparison))


def _titles(typed: list[str], comparison: Comparison) -> list[str] | None:
    """What was typed, where the names do not tell the networks apart and what was typed does, in few characters."""
    names = {entry.report.name for entry in comparison.networks}
    if len(names) == len(typed) or len(set(typed)) < len(typed) or max(map(len, typed)) > _LONGEST_TITLE:
        return None
    return typed


def _deliver(options: Namespace, comparison: Comparison, *, titles: list[str] | None) -> None:
    from striate.cli.output import deliver, printed
    from striate.views import json_text
    from striate.views.comparisons import comparison_markdown, comparison_view

    depth = read_count(options.depth, "--depth")
    if options.json:
        text = json_text(comparison)
    elif options.format == "markdown":
        text = comparison_markdown(comparison, titles, depth)
    else:
        text = printed(comparison_view(comparison, titles, depth), options.output)
    deliver(text, options.output)


def _example(options: Namespace) -> None:
    from striate.analysis.comparison import compare
    from striate.analysis.examples import example
    from striate.cli.output import deliver, printed
    from striate.errors import UsageError
    from striate.views import json_text
    from striate.views.comparisons import comparison_markdown, example_view

    if options.nets or options.input is not None or options.classes is not None:
        raise UsageError(
            "an example brings its own networks",
            where="striate compare --example",
            got=" ".join(options.nets) or "--input or --classes",
            write=f"striate compare --example {options.example}",
        )
    chosen = example(options.example)
    comparison = compare(*chosen.build(), layers=False)
    if options.json:
        text = json_text({"example": chosen.name, "lesson": chosen.lesson, **comparison.as_dict()})
    elif options.format == "markdown":
        text = f"{comparison_markdown(comparison)}\n{chosen.lesson}\n"
    else:
        text = printed(example_view(chosen, comparison), options.output)
    deliver(text, options.output)
