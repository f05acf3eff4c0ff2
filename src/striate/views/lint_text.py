"""``striate lint``: findings for people, one line each with what to do below it, and what they come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from striate.findings import Finding, Severity
from striate.views.safe_text import visible

__all__ = ["LintedNetwork", "count_line", "lint_view"]

_STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_ORDER: tuple[Severity, ...] = ("error", "warning", "info")
#: Of a rule that has more to say about a network, this many places are shown.
_SHOWN = 3
_FEW = 5
_INDENT = 10


class LintedNetwork(Protocol):
    """What the rules say about one network; :class:`striate.lint.result.LintResult` is one."""

    @property
    def target(self) -> str:
        """What was asked for."""
        ...

    @property
    def network(self) -> str:
        """Its name and the shape of its images; empty where there is no network."""
        ...

    @property
    def findings(self) -> Sequence[Finding]:
        """What was found."""
        ...

    @property
    def fixes(self) -> Sequence[str]:
        """For each finding whether a program can mend it: ``safe``, ``unsafe`` or ``none``."""
        ...

    @property
    def allowed(self) -> Sequence[Finding]:
        """What comments allow."""
        ...

    @property
    def file(self) -> str | None:
        """The file that it stands in; None where it stands in none."""
        ...


def lint_view(results: Sequence[LintedNetwork], *, whole: bool = False) -> RenderableType:
    """Findings by network, errors first, and a last line that counts them.

    Args:
        results: one for each network.
        whole: show every place; else a rule that informs about more than five is shown with three.
    """
    return _LintView(results, whole)


def count_line(results: Sequence[LintedNetwork]) -> str:
    """What all findings come to.

    >>> count_line([])
    '0 networks: nothing found'
    """
    findings = [finding for result in results for finding in result.findings]
    counts = Counter(finding.severity for finding in findings)
    fixes = Counter(safety for result in results for safety in result.fixes)
    allowed = sum(len(result.allowed) for result in results)
    parts = [_counted(counts[severity], severity) for severity in _ORDER if counts[severity]]
    line = f"{_counted(len(results), 'network')}: {', '.join(parts) or 'nothing found'}"
    notes = []
    if fixes["safe"]:
        notes.append(f"--fix mends {fixes['safe']}")
    if fixes["unsafe"]:
        notes.append(f"--unsafe-fixes mends {fixes['unsafe']}{' more' if fixes['safe'] else ''}")
    if allowed:
        notes.append(f"{allowed} allowed by comments")
    return "; ".join([line, *notes])


class _LintView:
    def __init__(self, results: Sequence[LintedNetwork], whole: bool) -> None:
        self.results = results
        self.whole = whole

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for result in self.results:
            if result.findings:
                yield Text(visible(f"{result.target}: {result.network}" if result.network else result.target), "bold")
                for line in self._lines(result):
                    yield from _broken(line, console, options.max_width)
                yield Text()
        yield Text(count_line(self.results))

    def _lines(self, result: LintedNetwork) -> Iterator[Text]:
        pairs = list(zip(result.findings, result.fixes, strict=True))
        pairs.sort(key=lambda pair: _ORDER.index(pair[0].severity))
        many = Counter(finding.code for finding, _ in pairs)
        shown: Counter[str] = Counter()
        for finding, safety in pairs:
            shown[finding.code] += 1
            if self.whole or finding.severity != "info" or many[finding.code] <= _FEW or shown[finding.code] <= _SHOWN:
                yield from _finding(finding, safety)
            elif shown[finding.code] == _SHOWN + 1:
                rest = many[finding.code] - _SHOWN
                yield Text(f"  … and {rest} more places of {finding.code} {finding.rule} (--all shows them)", "dim")


def _finding(finding: Finding, safety: str) -> Iterator[Text]:
    line = Text("  ")
    if finding.origin:
        line.append(f"{visible(finding.origin)}: ")
    line.append(finding.severity, _STYLES[finding.severity])
    line.append(f" {finding.code}")
    if finding.rule:
        line.append(f" {finding.rule}", "dim")
    if finding.where:
        line.append(f" {visible(finding.where)}", "bold")
    line.append(f": {visible(finding.message)}")
    yield line
    if finding.fix:
        how = {"safe": " (--fix)", "unsafe": " (--unsafe-fixes)"}.get(safety, "")
        yield Text.assemble("      fix: ", (visible(finding.fix), "green"), (how, "dim"))


def _broken(line: Text, console: Console, width: int) -> Iterator[Text]:
    """A line as it fits, its further parts indented below it."""
    if line.cell_len <= width:
        yield line
        return
    for number, part in enumerate(line.wrap(console, max(width - _INDENT, _INDENT), overflow="fold")):
        part.rstrip()
        yield Text.assemble(" " * _INDENT if number else "", part)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 or what == 'info' else 's'}"
