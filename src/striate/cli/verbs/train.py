"""Train a network on images; with no argument, simple-cnn on the bundled digits."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated, Any

import typer

from striate.cli.flags import given_options, with_recipe_flags
from striate.cli.options import Runs

__all__ = ["command"]


@with_recipe_flags
def command(
    net: Annotated[
        str, typer.Argument(help="A zoo name, a YAML file or inline text; sized for the data where it can be.")
    ] = "simple-cnn",
    data: Annotated[
        str, typer.Option("--data", help="'digits', a folder of class folders, IDX files, a .csv or a .npz file.")
    ] = "digits",
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="A YAML file of options; flags win.", show_default=False)
    ] = None,
    print_recipe: Annotated[bool, typer.Option("--print-recipe", help="Print every option as YAML and stop.")] = False,
    runs: Runs = "runs",
    json: Annotated[bool, typer.Option("--json", help="Print the finished run's record as JSON.")] = False,
    **options: Any,
) -> None:
    """Train a network on images and write a run folder with a report. No option is needed."""
    from striate.training.recipe import make_recipe, read_recipe

    given = given_options(options)
    chosen = make_recipe(given, where="the command line") if recipe is None else read_recipe(recipe, given)
    if print_recipe:
        _print_recipe(chosen.as_dict())
        return
    from striate import insight, training
    from striate.cli.output import show, write_plain
    from striate.cli.progress import format_seconds, progress_listener
    from striate.views import evaluation_view

    words = " ".join(shlex.quote(word) for word in sys.argv[1:])
    run = training.train(net, data, chosen, runs=runs, listen=progress_listener(), command=f"striate {words}")
    page = insight.write_report(run)
    if json:
        write_plain(run.record.json_bytes().decode())
        return
    for split in ("test", "val"):
        if split in run.folder.evaluated_splits():
            show(evaluation_view(run.folder.evaluation(split)))
            break
    seconds = run.record.results["seconds"]
    show(f"{run.record.reason}, {format_seconds(float(seconds or 0))} of training", f"run    {run.folder.path}")
    show(f"report {page}")


def _print_recipe(recipe: dict[str, Any]) -> None:
    from ruamel.yaml import YAML

    writer = YAML()
    writer.representer.add_representer(
        type(None), lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    writer.dump(recipe, sys.stdout)
