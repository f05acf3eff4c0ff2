"""What ``striate lint`` prints, in each of its formats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.cli import output

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

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

        text = output.printed(lint_view(results, whole=options.all), options.output)
        text += "".join(f"\n{one.text}" for one in linted if one.text is not None)
    output.deliver(text, options.output)


def show_change(options: Namespace, before: LintResult, after: LintResult) -> None:
    """Which findings ``--set`` takes away, and which it brings."""
    if options.json or options.format == "json":
        from striate.views import json_text

        output.deliver(json_text({"format": 1, "before": before.as_dict(), "after": after.as_dict()}), options.output)
        return
    from striate.views.lint_change import change_view

    output.deliver(output.printed(change_view(before, after), options.output), options.output)


def show_difference(before: Target, after: Target) -> None:
    """What mending would change, as a unified difference; nothing where nothing was mended."""
    if after is before:
        return  # it may be a network that cannot be written at all
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
