"""Find out which tricks of a recipe pay on your images: leave out each in turn, with several seeds.

Accuracies are those of the validation images, differences are paired by seed, and no run is kept.

Examples:
  striate ablate airbench94 --data photos/ --recipe fast-cifar --epochs 3
  striate ablate mnist-cnn --data mnist/ --recipe fast-digits --seeds 5
  striate ablate net.yaml --data photos/ --recipe recipe.yaml --time 2h --json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.options import add_json, read_count
from striate.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser

__all__ = ["arguments", "command"]


def arguments(parser: Parser) -> None:
    """``NET``, ``--data``, ``--recipe``, ``--epochs``, ``--seeds``, ``--time``, ``--json``."""
    parser.words.add_argument(
        "net", metavar="NET", nargs="?", default="simple-cnn", help="as for striate train [simple-cnn]"
    )
    group = parser.options
    group.add_argument("--data", metavar="DATA", default="digits", help="as for striate train [digits]")
    group.add_argument("--recipe", metavar="NAME|FILE", help="whose tricks are left out; see striate train")
    group.add_argument("--epochs", metavar="N", help="of each training [the recipe's]")
    group.add_argument("--seeds", metavar="N", default="3", help="trainings of each kind, at least 2 [3]")
    group.add_argument("--time", metavar="TIME", help="begin no seed that would not be finished by then [no end]")
    add_json(parser)


def command(options: Namespace) -> None:
    """The table of tricks."""
    from striate.cli.output import show, write_plain
    from striate.training.recipe import make_recipe
    from striate.training.recipe_values import parse_duration

    seeds = read_count(options.seeds, "--seeds") or 3
    epochs = None
    if options.epochs is not None:
        epochs = make_recipe({"epochs": options.epochs}, where="--epochs").epochs
    try:
        seconds = None if options.time is None else parse_duration(options.time)
    except ValueError as error:
        raise UsageError("this is not a time", where="--time", got=options.time, needs=str(error)) from None
    import striate as st
    from striate.cli.interrupts import begin_work
    from striate.cli.progress import progress_listener
    from striate.training import ablation
    from striate.views import json_text
    from striate.views.ablations import ablation_view

    _ = ablation  # torch comes with it
    begin_work()
    with progress_listener() as progress:
        found = st.ablate(
            options.net, options.data, options.recipe, seeds=seeds, time=seconds, epochs=epochs, listen=progress
        )
    if options.json:
        write_plain(json_text(found.as_dict()))
    else:
        show(ablation_view(found))
