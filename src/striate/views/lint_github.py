"""Findings as GitHub workflow commands: annotations on the lines of a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from striate.findings import Finding
from striate.views.lint_text import LintedNetwork, count_line

__all__ = ["github_annotations"]

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def github_annotations(results: Sequence[LintedNetwork]) -> str:
    """One command for each finding, and a line that counts them; for a step of a workflow to print.

    Args:
        results: one for each network.

    >>> from striate.views.lint_github import annotation
    >>> print(annotation(Finding("N105", "warning", "50% is\\nlost", rule="even-kernel", origin="a,b.yaml:7"), "a"))
    ::warning file=a%2Cb.yaml,line=7,title=N105 even-kernel::50%25 is%0Alost
    """
    lines = [annotation(finding, result.target) for result in results for finding in result.findings]
    return "\n".join([*lines, count_line(results)]) + "\n"


def annotation(finding: Finding, target: str) -> str:
    """One workflow command; a finding without a line is told with the network it is about."""
    title = f"{finding.code} {finding.rule}" if finding.rule else finding.code
    properties = {"title": title}
    message = finding.message if finding.where is None else f"{finding.where}: {finding.message}"
    if finding.fix:
        message += f" (fix: {finding.fix})"
    file, _, line = (finding.origin or "").rpartition(":")
    if file and line.isdecimal():
        properties = {"file": file, "line": line, **properties}
    else:
        message = f"{target}: {message}"
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[finding.severity]} {written}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
