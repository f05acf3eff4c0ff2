"""``striate diagnose``: what is wrong with a run, worst first, each with what to do below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from striate.findings import Finding, Severity
from striate.views.safe_text import visible
from striate.views.time_spent import time_spent_line

if TYPE_CHECKING:
    from striate.runs.spent_record import SpentRecord

__all__ = ["Diagnosed", "diagnosis_view"]

_STYLES: dict[Severity, str] = {"error": "bold red", "warning": "yellow", "info": "cyan"}
_INDENT = 8


class Diagnosed(Protocol):
    """What is known about a run; :class:`striate.lint.diagnosis.Diagnosis` is one."""

    @property
    def run(self) -> str:
        """The run folder."""
        ...

    @property
    def network(self) -> str:
        """The name of its network."""
        ...

    @property
    def status(self) -> str:
        """How it stands or ended."""
        ...

    @property
    def findings(self) -> Sequence[Finding]:
        """What was found, worst first."""
        ...

    @property
    def overhead(self) -> Mapping[str, float]:
        """What the monitors cost."""
        ...

    @property
    def spent(self) -> SpentRecord | None:
        """Where the time went."""
        ...


def diagnosis_view(diagnosis: Diagnosed) -> RenderableType:
    """Findings under the run's name, where its time went, and a last line that counts the findings."""
    return _DiagnosisView(diagnosis)


class _DiagnosisView:
    def __init__(self, diagnosis: Diagnosed) -> None:
        self.diagnosis = diagnosis

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        diagnosis = self.diagnosis
        yield Text(visible(f"{diagnosis.run}: {diagnosis.network}, {diagnosis.status}"), "bold")
        for line in _lines(diagnosis.findings):
            for number, part in enumerate(line.wrap(console, max(options.max_width - _INDENT, _INDENT))):
                part.rstrip()
                yield Text.assemble(" " * (_INDENT if number else 2), part)
        if diagnosis.spent is not None:
            yield Text(time_spent_line(diagnosis.spent))
            if diagnosis.spent.advice is not None:
                yield Text(f"advice: {visible(diagnosis.spent.advice)}")
        yield Text(_counts(diagnosis))


def _lines(findings: Sequence[Finding]) -> Iterator[Text]:
    for finding in findings:
        line = Text.assemble((finding.severity, _STYLES[finding.severity]), f" {finding.code}")
        if finding.rule:
            line.append(f" {finding.rule}", "dim")
        if finding.where:
            line.append(f" {visible(finding.where)}", "bold")
        line.append(f": {visible(finding.message)}")
        yield line
        if finding.fix:
            yield Text.assemble("    fix: ", (visible(finding.fix), "green"))


def _counts(diagnosis: Diagnosed) -> str:
    counts = Counter(finding.severity for finding in diagnosis.findings)
    words = [
        f"{counts[severity]} {severity}{'' if counts[severity] == 1 or severity == 'info' else 's'}"
        for severity in _STYLES
        if counts[severity]
    ]
    overhead = diagnosis.overhead
    looked = ""
    if overhead.get("samples"):
        share = 100 * overhead.get("share", 0.0)
        steps = f"{overhead['samples']:.0f} of {overhead['steps']:.0f} steps"
        looked = f"; the monitors looked at {steps}, {share:.1f} % of the time"
    return f"{', '.join(words) or 'nothing found'}{looked}"
