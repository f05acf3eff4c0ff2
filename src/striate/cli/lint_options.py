"""The options of ``striate lint``, and what they come to together with ``pyproject.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.cli.options import add_json, add_kwargs, read_count
from striate.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser
    from striate.lint.rule import Rule
    from striate.lint.settings import Settings

__all__ = ["FORMATS", "Choice", "add_lint_options", "check_options", "read_choice"]

FORMATS = ("text", "json", "github", "sarif")


@dataclass(frozen=True)
class Choice:
    """What is looked for, and how severely.

    Args:
        rules: the rules to run.
        strict: whether warnings count as errors.
        batch, loss: what is known about training.
        note: which file decided a part of it; None where none did.
    """

    rules: tuple[Rule, ...]
    strict: bool
    batch: int | None
    loss: str | None
    note: str | None


def add_lint_options(parser: Parser) -> None:
    """Everything but ``NET``."""
    group = parser.options
    group.add_argument("--input", metavar="SHAPE", help="another input shape, channels first, such as 3x64x48")
    group.add_argument("--classes", metavar="N", help="another number of classes")
    group.add_argument("--batch", metavar="N", help="images of a training step; some rules look at it")
    group.add_argument("--loss", metavar="LOSS", help="cross-entropy, bce or mse; some rules look at it")
    group.add_argument(
        "--weights", metavar="FILE", help="a .safetensors file or a run folder, for the rules about weights"
    )
    group.add_argument(
        "--set",
        metavar="LAYER.ATTRIBUTE=VALUE",
        action="append",
        default=[],
        help="change an attribute (conv1.stride=2; again for more) and show which findings that changes",
    )
    group.add_argument("--format", choices=FORMATS, help=f"one of {', '.join(FORMATS)} [text]")
    add_json(parser, "the same as --format json")
    add_kwargs(parser)
    group.add_argument("-o", "--output", metavar="FILE", help="write into this file")
    group.add_argument("--all", action="store_true", help="show every place of a rule that informs about many")
    rules = parser.add_argument_group("Rules")
    rules.add_argument(
        "--select", metavar="RULES", action="append", help="only these: names, codes (N105), beginnings of codes (N1)"
    )
    rules.add_argument("--ignore", metavar="RULES", action="append", help="all but these")
    rules.add_argument("--strict", action="store_true", help="exit code 1 on warnings too")
    rules.add_argument("--isolated", action="store_true", help="do not look for pyproject.toml")
    fixes = parser.add_argument_group("Mending")
    fixes.add_argument("--fix", action="store_true", help="mend what can be mended without changing any result")
    fixes.add_argument("--unsafe-fixes", action="store_true", help="mend also what changes results")
    fixes.add_argument("--diff", action="store_true", help="show what --fix would change, and change nothing")


def check_options(options: Namespace) -> None:
    """Refuse what goes without effect together.

    Raises:
        UsageError: names the options.
    """
    if not options.nets:
        raise UsageError("NET is missing", where="striate lint", write="striate lint NET ...")
    if options.json and options.format not in (None, "json"):
        raise UsageError(f"--json and --format {options.format} are two formats", write=f"--format {options.format}")
    if options.kwargs and not any(":" in net for net in options.nets):
        raise UsageError("--kwargs is for networks in Python", got=", ".join(options.nets), write="model.py:Net")
    mending = [flag for flag, on in _mending(options) if on]
    if options.set:
        if len(options.nets) > 1:
            raise UsageError("--set changes one network", got=f"{len(options.nets)} networks", write="one NET")
        if mending:
            raise UsageError(f"--set shows a change, and {mending[0]} makes others", write=f"--set or {mending[0]}")
        if options.format in ("github", "sarif"):
            raise UsageError(f"--set has no form in --format {options.format}", write="--format json")
    if mending and options.weights is not None:
        raise UsageError(
            f"{mending[0]} changes the network, which its weights would no longer fit",
            where="--weights",
            write=f"{mending[0]} without --weights",
        )
    if options.diff and (options.format or options.json):
        raise UsageError("--diff shows a difference and no findings", write="--diff without --format and --json")
    if options.weights is not None and len(options.nets) > 1:
        raise UsageError("--weights are those of one network", got=f"{len(options.nets)} networks", write="one NET")


def _mending(options: Namespace) -> list[tuple[str, bool]]:
    return [("--fix", options.fix), ("--unsafe-fixes", options.unsafe_fixes), ("--diff", options.diff)]


def read_choice(options: Namespace) -> Choice:
    """What is asked for: an option wins over the setting of the same name.

    Raises:
        UsageError: an option or a setting has no meaning.
    """
    from pathlib import Path

    from striate.lint.selection import choose_rules
    from striate.lint.settings import Settings, find_settings, read_loss

    settings = Settings() if options.isolated else find_settings(Path.cwd())
    select, ignore = _listed(options.select), _listed(options.ignore)
    table = f"{settings.path}, [tool.striate.lint]"
    where = (
        "--select" if select else f"{table} select" if settings.select is not None else "",
        "--ignore" if ignore else f"{table} ignore" if settings.ignore else "",
    )
    rules = choose_rules(select or settings.select, ignore or settings.ignore, where)
    batch = read_count(options.batch, "--batch")
    loss = None if options.loss is None else read_loss(options.loss, "--loss")
    used = {
        "select": settings.select is not None and not select,
        "ignore": bool(settings.ignore) and not ignore,
        "strict": settings.strict and not options.strict,
        "batch": settings.batch is not None and batch is None,
        "loss": settings.loss is not None and loss is None,
    }
    return Choice(
        rules,
        options.strict or settings.strict,
        settings.batch if batch is None else batch,
        loss or settings.loss,
        _note(settings, used),
    )


def _note(settings: Settings, used: dict[str, bool]) -> str | None:
    names = [name for name, on in used.items() if on]
    return f"{' and '.join(names)} from {settings.path}" if names else None


def _listed(texts: list[str] | None) -> tuple[str, ...]:
    return tuple(part.strip() for text in texts or () for part in text.split(",") if part.strip())
