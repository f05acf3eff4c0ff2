"""``striate inspect NET --unit LAYER:Y,X --effective``: the options that go with it, and what is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.cli.options import read_count
from striate.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser
    from striate.graph import Graph

__all__ = ["add_effective_options", "check_effective", "show_effective"]

#: What goes with ``--effective`` alone.
OPTIONS = ("weights", "images", "seed")


def add_effective_options(parser: Parser) -> None:
    """``--effective``, ``--weights``, ``--images`` and ``--seed``."""
    group = parser.add_argument_group("Effective receptive field")
    group.add_argument(
        "--effective",
        action="store_true",
        help="with --unit: how much each pixel moves the unit, measured by gradients, beside what it can read",
    )
    group.add_argument(
        "--weights",
        metavar="RUN|FILE",
        help="with --effective: a run (its images are used too) or a safetensors file [NET's own if it is a run, else"
        " fresh weights]",
    )
    group.add_argument("--images", metavar="N", help="with --effective: how many images are averaged over [16]")
    group.add_argument("--seed", metavar="N", help="with --effective: of fresh weights and random images [0]")


def check_effective(options: Namespace) -> None:
    """Refuse options that would be without effect.

    Raises:
        UsageError: names the option.
    """
    idle = [name for name in OPTIONS if getattr(options, name) is not None]
    if idle and not options.effective:
        flag = f"--{idle[0]} {getattr(options, idle[0])}"
        raise UsageError(f"--{idle[0]} has no effect without --effective", write=f"--effective {flag}")
    if options.effective and not options.unit:
        raise UsageError("--effective has no effect without --unit", write="--unit conv1 --effective")


def show_effective(
    options: Namespace, graph: Graph, name: str, position: tuple[int, ...] | None
) -> tuple[dict[str, Any], Any]:
    """``--unit --effective``: of a unit, or of the one in the middle of a layer.

    Raises:
        UsageError: an option is malformed, or there is no such unit.
        WeightsError, RunError, DataError: the weights or the images cannot be read.
    """
    from striate.insight.effective_field import MOST_IMAGES, effective_field
    from striate.views.effective_fields import effective_view

    count = read_count(options.images, "--images") or 16
    if count > MOST_IMAGES:
        raise UsageError("so many images are not averaged over", where="--images", got=str(count), needs="at most 1024")
    weights = options.weights
    if weights is None and (Path(options.net) / "run.json").is_file():
        weights = options.net
    try:
        field = effective_field(graph, name, position, weights=weights, seed=_seed(options.seed), count=count)
    except UsageError as error:
        raise error if error.where else error.at("--unit") from None
    return field.as_dict(), effective_view(field)


def _seed(text: str | None) -> int:
    if text is None:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise UsageError("this is not a seed", where="--seed", got=text[:40], needs="a whole number of at least 0")
    return int(text)
