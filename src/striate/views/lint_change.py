"""``striate lint NET --set``: the findings that a change takes away, and those that it brings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from striate.findings import Finding
from striate.views.lint_text import LintedNetwork
from striate.views.safe_text import visible

__all__ = ["change_view"]


def change_view(before: LintedNetwork, after: LintedNetwork) -> RenderableType:
    """Findings that are gone (``-``), that are new (``+``) or have other numbers (``~``), and how many stay.

    Args:
        before, after: the same network without and with the change.
    """
    return _ChangeView(before, after)


class _ChangeView:
    def __init__(self, before: LintedNetwork, after: LintedNetwork) -> None:
        self.before = before
        self.after = after

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(visible(f"{self.after.target}: {self.after.network}"), "bold")
        ours, theirs = self.before.findings, self.after.findings
        gone, new = _rest(ours, theirs, _place), _rest(theirs, ours, _place)
        other = [finding for finding in _rest(theirs, ours, _words) if finding not in new]
        yield from _lines("-", "green", gone)
        yield from _lines("+", "red", new)
        yield from _lines("~", "yellow", other)
        same = len(theirs) - len(new) - len(other)
        yield Text(f"{len(gone)} gone, {len(new)} new, {len(other)} with other numbers, {same} as before")


def _rest(
    ours: Sequence[Finding], theirs: Sequence[Finding], key: Callable[[Finding], tuple[str | None, ...]]
) -> list[Finding]:
    """Findings of the first that the second has not."""
    left = Counter(key(finding) for finding in theirs)
    rest = []
    for finding in ours:
        if left[key(finding)]:
            left[key(finding)] -= 1
        else:
            rest.append(finding)
    return rest


def _place(finding: Finding) -> tuple[str | None, ...]:
    return finding.code, finding.where


def _words(finding: Finding) -> tuple[str | None, ...]:
    return finding.code, finding.where, finding.message


def _lines(sign: str, style: str, findings: Sequence[Finding]) -> Iterator[Text]:
    for finding in findings:
        place = f" {visible(finding.where)}" if finding.where else ""
        head = f"{sign} {finding.severity} {finding.code} {finding.rule}{place}"
        yield Text.assemble((head, style), f": {visible(finding.message)}", overflow="fold")
