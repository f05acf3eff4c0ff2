"""Set networks side by side: parameters, MACs, memory, depth, receptive field, and the layers that differ.

Examples:
  striate compare resnet18 resnet34
  striate compare old.yaml new.yaml --layers
  striate compare --example dense-vs-conv
  striate compare --list-examples
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.options import add_json, add_kwargs, read_count, read_options, read_shape

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser

__all__ = ["arguments", "command"]


def arguments(parser: Parser) -> None:
    """``NET ...``, ``--input``, ``--classes``, ``--layers``, ``--example``, ``--list-examples``, ``--json``."""
    parser.words.add_argument(
        "nets", metavar="NET", nargs="*", help="two or more: zoo names, YAML files, run folders, inline texts"
    )
    group = parser.options
    group.add_argument("--input", metavar="SHAPE", help="the input shape of all, channels first, such as 3x64x48")
    group.add_argument("--classes", metavar="N", help="the number of classes of all")
    group.add_argument(
        "--layers", action="store_true", help="layer by layer, for two; without it where they are versions of one"
    )
    group.add_argument("--example", metavar="NAME", help="a ready-made comparison")
    group.add_argument("--list-examples", action="store_true", help="the names of these")
    add_kwargs(parser)
    add_json(parser)


def command(options: Namespace) -> None:
    """The table of several networks, of an example, or the list of examples."""
    from striate.analysis.examples import examples
    from striate.cli.output import show, write_plain
    from striate.views import json_text
    from striate.views.comparisons import example_list

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
    from striate.cli.output import show, write_plain
    from striate.errors import UsageError
    from striate.views import json_text
    from striate.views.comparisons import comparison_view

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
    if options.json:
        write_plain(json_text(comparison))
    else:
        show(comparison_view(comparison))


def _example(options: Namespace) -> None:
    from striate.analysis.comparison import compare
    from striate.analysis.examples import example
    from striate.cli.output import show, write_plain
    from striate.errors import UsageError
    from striate.views import json_text
    from striate.views.comparisons import example_view

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
        write_plain(json_text({"example": chosen.name, "lesson": chosen.lesson, **comparison.as_dict()}))
    else:
        show(example_view(chosen, comparison))
