"""Train a network on images; what comes out is a run folder with a report.

No option is needed, and each of them can also stand in a recipe file, by its name with _ for -.

Examples:
  striate train
  striate train mnist-cnn --data photos/ --epochs 20
  striate train net.yaml --data labels.csv --recipe recipe.yaml --time 10m
  striate train --print-recipe > recipe.yaml
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from striate.cli.options import add_json, add_runs

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser
    from striate.training import TrainedRun

__all__ = ["arguments", "command"]


def arguments(parser: Parser) -> None:
    """``NET``, ``--data``, ``--recipe``, ``--print-recipe``, ``--runs``, ``--json``, and a flag for each of Recipe."""
    from striate.cli.flags import add_recipe_flags

    parser.words.add_argument(
        "net",
        metavar="NET",
        nargs="?",
        default="simple-cnn",
        help="a zoo name, a YAML file or inline text; sized for the data where it can be [simple-cnn]",
    )
    parser.options.add_argument(
        "--data",
        metavar="DATA",
        default="digits",
        help="'digits', a folder of class folders, IDX files, a .csv or a .npz file [digits]",
    )
    parser.options.add_argument("--recipe", metavar="FILE", help="a YAML file of options; flags win over it")
    parser.options.add_argument(
        "--print-recipe", action="store_true", help="print a recipe file with every option, and stop"
    )
    add_runs(parser)
    add_json(parser, "write the finished run's record as JSON")
    add_recipe_flags(parser)


def command(options: Namespace) -> None:
    """Train, tell how it goes on standard error, and show the evaluation."""
    from striate.cli.flags import read_flags, recipe_text
    from striate.cli.output import write_plain

    recipe = read_flags(options, options.recipe)
    if options.print_recipe:
        write_plain(recipe_text(recipe))
        return
    import striate as st
    from striate import insight, training
    from striate.cli.interrupts import begin_work
    from striate.cli.progress import progress_listener
    from striate.views import json_text

    _ = training.train, insight.write_report  # torch comes with them
    begin_work()
    words = " ".join(shlex.quote(word) for word in ("striate", *options.words))
    with progress_listener() as progress:
        run = st.train(options.net, options.data, recipe, runs=options.runs, listen=progress, command=words)
    if options.json:
        write_plain(json_text(run.record))
    else:
        _show(run)


def _show(run: TrainedRun) -> None:
    from striate.cli.output import show, write_plain
    from striate.cli.progress import format_seconds
    from striate.views import evaluation_view

    for split in ("test", "val"):
        if split in run.folder.evaluated_splits():
            show(evaluation_view(run.folder.evaluation(split)))
            write_plain("")
            break
    seconds = run.record.results["seconds"]
    write_plain(f"{run.record.reason}, {format_seconds(float(seconds or 0))} of training")
    write_plain(f"run     {run.folder.path}\nreport  {run.folder.report_html}")
