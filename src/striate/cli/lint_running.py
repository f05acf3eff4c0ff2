"""``striate lint`` for one network: look at it, change it as ``--set`` says, mend it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from striate.cli.lint_showing import Linted, show_change, show_difference
from striate.cli.options import read_count, read_options, read_shape
from striate.errors import NetworkError, UsageError
from striate.lint.checking import invalid_result
from striate.lint.result import lint_target
from striate.lint.target import Target, read_target

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.lint_options import Choice
    from striate.lint.mending import Mended

__all__ = ["lint_one", "tell"]


def lint_one(options: Namespace, choice: Choice, net: str) -> Linted:
    """Look at one network, and do with it what is asked for.

    Raises:
        UsageError, NetworkError: there is no such network, or an option does not fit it. A file that is no network is
            no error here, but a finding.
    """
    try:
        target = read_target(
            net,
            input=read_shape(options.input),
            classes=read_count(options.classes, "--classes"),
            weights=options.weights,
            batch=choice.batch,
            loss=choice.loss,
            kwargs=read_options(options.kwargs) if ":" in net else None,
        )
    except NetworkError as error:
        result = invalid_result(net, error)
        if result is None:
            raise
        return Linted(result)
    if options.set:
        before = lint_target(target, choice.rules)
        target = _changed(target, options.set)
        after = lint_target(target, choice.rules)
        show_change(options, before, after)
        return Linted(after)
    if options.diff:
        show_difference(target, _mended(options, choice, target).target)
    elif options.fix or options.unsafe_fixes:
        return _fixed(options, choice, target)
    return Linted(lint_target(target, choice.rules))


def tell(text: str) -> None:
    """A note beside the results, on standard error."""
    from striate.views.safe_text import visible

    sys.stderr.write(f"striate lint: {visible(text)}\n")


def _changed(target: Target, texts: list[str]) -> Target:
    from dataclasses import replace

    from striate.analysis.editing import edit
    from striate.sources.assignments import read_assignments

    changes = read_assignments(texts)
    try:
        graph = edit(target.subject.graph, changes)
    except (NetworkError, UsageError) as error:
        raise error.at(" ".join(f"--set {text}" for text in texts)) from None
    # What the weights would be after the change, nobody knows.
    return replace(target, subject=replace(target.subject, graph=graph, weights=None))


def _mended(options: Namespace, choice: Choice, target: Target) -> Mended:
    """The network after mending, what was mended and what not; says what could not be."""
    from striate.lint.mending import Mended, mend

    if target.not_mended is not None:
        tell(f"{target.name} is not mended: {target.not_mended}")
        return Mended(target, (), ())
    mended = mend(target, choice.rules, unsafe=options.unsafe_fixes)
    for finding, why in mended.left:
        place = finding.origin or target.name
        tell(f"{place}: {finding.code} {finding.rule} {finding.where or ''} is not mended: {why}")
    if mended.unfinished:
        tell(f"{target.name} is not mended to the end: again and again something new is found")
    return mended


def _fixed(options: Namespace, choice: Choice, target: Target) -> Linted:
    from striate.cli.lint_files import network_text, rewrite

    mended = _mended(options, choice, target)
    after, done = mended.target, mended.done
    text = None
    if done and target.yaml is not None and target.yaml.path is not None:
        rewrite(target, after)
        tell(f"{target.yaml.path}: {len(done)} place{'s' if len(done) > 1 else ''} mended")
    elif done:
        text = network_text(after)
    return Linted(lint_target(after, choice.rules).without_fixes(finding for finding, _ in mended.left), done, text)
