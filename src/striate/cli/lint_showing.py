"""What ``striate lint`` prints, in each of its formats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from rich.console import RenderableType

    from striate.cli.lint_options import Choice
    from striate.findings import Finding
    from striate.lint.result import LintResult
    from striate.lint.target import Target

__all__ = ["Linted", "deliver", "show_change", "show_difference"]


@dataclass(frozen=True)
class Linted:
    """What came of one network.

    Args:
        result: its findings, after mending where that was asked for.
        mended: what was mended.
        text: the mended network, where there is no file to write it into.
    """

    result: LintResult
    mended: tuple[Finding, ...] = ()
    text: str | None = None


def deliver(options: Namespace, choice: Choice, linted: Sequence[Linted]) -> None:
    """Print all findings, or write them into the file that is asked for."""
    results = [one.result for one in linted]
    kind = "json" if options.json else options.format or "text"
    if kind == "json":
        text = _json(choice, linted)
    elif kind == "github":
        from striate.views.lint_github import github_annotations

        text = github_annotations(results)
    elif kind == "sarif":
        from striate import __version__
        from striate.views.lint_sarif import sarif_text

        text = sarif_text(results, choice.rules, __version__)
    else:
        from striate.views.lint_text import lint_view

        text = _printed(lint_view(results, whole=options.all), options.output)
        text += "".join(f"\n{one.text}" for one in linted if one.text is not None)
    _put(text, options.output)


def show_change(options: Namespace, before: LintResult, after: LintResult) -> None:
    """Which findings ``--set`` takes away, and which it brings."""
    if options.json or options.format == "json":
        from striate.views import json_text

        _put(json_text({"format": 1, "before": before.as_dict(), "after": after.as_dict()}), options.output)
        return
    from striate.views.lint_change import change_view

    _put(_printed(change_view(before, after), options.output), options.output)


def show_difference(before: Target, after: Target) -> None:
    """What mending would change, as a unified difference."""
    from striate.cli.lint_files import difference
    from striate.cli.output import write_plain

    if text := difference(before, after):
        write_plain(text)


def _json(choice: Choice, linted: Sequence[Linted]) -> str:
    from collections import Counter

    from striate.views import json_text

    counts = Counter(finding.severity for one in linted for finding in one.result.findings)
    networks: list[dict[str, Any]] = []
    for one in linted:
        entry = one.result.as_dict()
        if one.mended:
            entry["mended"] = [finding.as_dict() for finding in one.mended]
        if one.text is not None:
            entry["text"] = one.text
        networks.append(entry)
    return json_text(
        {
            "format": 1,
            "counts": {severity: counts[severity] for severity in ("error", "warning", "info")},
            "strict": choice.strict,
            "settings": choice.note,
            "networks": networks,
        }
    )


def _printed(view: RenderableType, output: str | None) -> str:
    """A view as text; in a file it is plain and as wide as it needs to be."""
    if output is None:
        from striate.cli.output import rendered

        return rendered(view)
    import io

    from striate.views import make_console

    stream = io.StringIO()
    make_console(stream).print(view)
    return stream.getvalue()


def _put(text: str, output: str | None) -> None:
    from striate.cli.output import write_plain

    if output is None:
        write_plain(text)
        return
    from pathlib import Path

    from striate.errors import StorageError
    from striate.runs.atomic import write_text

    try:
        write_text(Path(output), text if text.endswith("\n") else f"{text}\n")
    except StorageError as error:
        raise StorageError(error.problem, where=error.where, got=error.got, write="-o FILE") from None
