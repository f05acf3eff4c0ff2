"""Train a network on images; what comes out is a run folder with a report.

No option is needed, and each of them can also stand in a recipe file, by its name with _ for -.

Examples:
  striate train
  striate train mnist-cnn --data photos/ --epochs 20
  striate train net.yaml --data labels.csv --recipe recipe.yaml --time 10m
  striate train airbench94 --data photos/ --recipe fast-cifar
  striate train mnist-cnn --data mnist/ --find-lr
  striate train --print-recipe > recipe.yaml
  striate train --data photos/ --run-folder mine     (again: goes on where it was stopped)
"""

from __future__ import annotations

import dataclasses
import shlex
from typing import TYPE_CHECKING

from striate.cli.options import add_json, add_runs
from striate.errors import StriateError, UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser
    from striate.training import Recipe, TrainedRun

__all__ = ["add_checkpoint_every", "arguments", "command", "read_checkpoint_every", "show_run"]


def arguments(parser: Parser) -> None:
    """``NET``, the options on where and how often things are written, and a flag for each of Recipe."""
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
    parser.options.add_argument(
        "--recipe", metavar="NAME|FILE", help="a recipe of --list-recipes, or a YAML file of options; flags win over it"
    )
    parser.options.add_argument(
        "--list-recipes", action="store_true", help="list the recipes that come with Striate, and stop"
    )
    parser.options.add_argument(
        "--print-recipe", action="store_true", help="print a recipe file with every option, and stop"
    )
    add_runs(parser)
    parser.options.add_argument(
        "--run-folder",
        metavar="DIR",
        help="the folder of this run, or its name below --runs; an unfinished run in it goes on [a new one, numbered]",
    )
    add_checkpoint_every(parser)
    parser.options.add_argument(
        "--find-lr",
        action="store_true",
        help="look for a good learning rate by a few steps on a copy with a rate that grows, and stop; writes nothing",
    )
    parser.options.add_argument(
        "--verify-resume",
        action="store_true",
        help="prove on a few steps that a training which was stopped and resumed is the same to the last bit, and stop",
    )
    add_json(parser, "write the finished run's record as JSON")
    add_recipe_flags(parser)


def command(options: Namespace) -> None:
    """Train, tell how it goes on standard error, and show the evaluation."""
    from striate.cli.flags import read_flags, recipe_text
    from striate.cli.output import write_plain

    if options.list_recipes:
        _list_recipes()
        return
    recipe = read_flags(options, options.recipe)
    if options.print_recipe:
        write_plain(recipe_text(recipe))
        return
    every = read_checkpoint_every(options)
    import striate as st
    from striate import insight, training
    from striate.cli.interrupts import begin_work
    from striate.cli.progress import progress_listener

    _ = training.train, insight.write_report  # torch comes with them
    begin_work()
    if options.find_lr or options.verify_resume:
        (_find_rate if options.find_lr else _verify)(options, recipe)
        return
    words = " ".join(shlex.quote(word) for word in ("striate", *options.words))
    with progress_listener() as progress:
        run = st.train(
            options.net,
            options.data,
            recipe,
            runs=options.runs,
            folder=options.run_folder,
            checkpoint_every=every,
            listen=progress,
            command=words,
        )
    show_run(run, as_json=options.json)


def add_checkpoint_every(parser: Parser) -> None:
    """``--checkpoint-every``."""
    parser.options.add_argument(
        "--checkpoint-every",
        metavar="TIME",
        help="time between two checkpoints inside an epoch [60s, and seldomer where they would take more than 5 %%]",
    )


def read_checkpoint_every(options: Namespace) -> float | None:
    """The seconds behind ``--checkpoint-every``.

    Raises:
        UsageError: when it is no duration.
    """
    from striate.training.recipe_values import parse_duration

    if options.checkpoint_every is None:
        return None
    try:
        return parse_duration(options.checkpoint_every)
    except ValueError as error:
        raise UsageError(
            "this is not a time",
            where="--checkpoint-every",
            got=options.checkpoint_every,
            needs=str(error),
            write="--checkpoint-every 30s",
        ) from None


def _verify(options: Namespace, recipe: Recipe) -> None:
    """Compare a training straight on with one that was stopped and resumed, and say what was compared."""
    from striate.cli.output import write_plain
    from striate.cli.progress import progress_listener
    from striate.training import verify_resume
    from striate.views import json_text

    _refuse_idle(options, "--verify-resume")
    with progress_listener() as progress:
        proof = verify_resume(options.net, options.data, recipe, listen=progress)
    if options.json:
        write_plain(json_text({**dataclasses.asdict(proof), "equal": proof.equal}))
    else:
        write_plain(
            f"{proof.steps + proof.more} steps straight on, and {proof.steps} + {proof.more} resumed in {proof.how}:"
        )
        for part in proof.parts:
            count = "" if not part.count else f"{part.count} tensor{'s' if part.count > 1 else ''}"
            verdict = "equal" if part.equal else f"DIFFERENT: resumed {part.resumed[:16]}"
            write_plain(f"  {part.name:<26}{count:>12}  sha256 {part.straight[:16]}  {verdict}")
    if not proof.equal:
        raise StriateError(
            "a resumed training is not the same as one that was not stopped, on this machine with this network",
            where="--verify-resume",
            got=", ".join(part.name for part in proof.parts if not part.equal),
            write="--threads 1 beside it, to see whether it is the order of the threads; please report it",
        )


def _find_rate(options: Namespace, recipe: Recipe) -> None:
    """The range test, as a table with bars."""
    from striate.cli.output import show, write_plain
    from striate.cli.progress import progress_listener
    from striate.training.range_test import RULE, find_learning_rate
    from striate.views import json_text
    from striate.views.rate_sweeps import rate_sweep_view

    _refuse_idle(options, "--find-lr")
    with progress_listener() as progress:
        found = find_learning_rate(options.net, options.data, recipe, listen=progress)
    if options.json:
        write_plain(json_text(found.as_dict()))
        return
    show(rate_sweep_view(found.rates, found.smoothed, found.suggestion, found.reason, RULE))
    write_plain(f"for {found.optimizer} and a batch of {found.batch}: another batch or update rule has another rate")


def _refuse_idle(options: Namespace, beside: str) -> None:
    for option in ("run_folder", "checkpoint_every"):
        if getattr(options, option) is not None:
            flag = f"--{option.replace('_', '-')}"
            raise UsageError(f"{flag} has no effect beside {beside}", where=flag, write=f"no {flag}")


def _list_recipes() -> None:
    """Every recipe that comes with Striate, with what it is for."""
    from striate.cli.output import write_plain
    from striate.training.recipe_file import recipe_names, recipe_summary

    width = max(map(len, recipe_names()))
    for name in recipe_names():
        write_plain(f"{name:<{width}}  {recipe_summary(name)}")


def show_run(run: TrainedRun, *, as_json: bool) -> None:
    """The evaluation of a finished run and where it is, or its record."""
    from striate.cli.output import show, write_plain
    from striate.views import json_text

    if as_json:
        write_plain(json_text(run.record))
        return
    from striate.cli.progress import format_seconds
    from striate.views import evaluation_view

    for split in ("test", "val"):
        if split in run.folder.evaluated_splits():
            show(evaluation_view(run.folder.evaluation(split)))
            plain = run.record.results.get(f"{split}_accuracy_without_tta")
            if isinstance(plain, float):
                write_plain(f"with {run.views} views of each image; {plain:.2%} without")
            write_plain("")
            break
    seconds = run.record.results["seconds"]
    write_plain(f"{run.record.reason}, {format_seconds(float(seconds or 0))} of training")
    write_plain(f"run     {run.folder.path}\nreport  {run.folder.report_html}")
