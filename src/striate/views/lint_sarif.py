"""Findings as SARIF 2.1.0 (OASIS, 2020), which code hosts and editors read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from striate.findings import Finding
from striate.views.as_json import json_text
from striate.views.lint_text import LintedNetwork

__all__ = ["RuleLike", "sarif_text"]

#: Inline text can be long.
_NAME_LIMIT = 200

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


class RuleLike(Protocol):
    """What is said of a rule; :class:`striate.lint.rule.Rule` is one."""

    @property
    def code(self) -> str:
        """``N105``."""
        ...

    @property
    def name(self) -> str:
        """``even-kernel``."""
        ...

    @property
    def severity(self) -> str:
        """``info``, ``warning`` or ``error``."""
        ...

    @property
    def title(self) -> str:
        """One line."""
        ...

    @property
    def sections(self) -> Mapping[str, str]:
        """What its documentation says."""
        ...


def sarif_text(results: Sequence[LintedNetwork], rules: Sequence[RuleLike], version: str) -> str:
    """All findings as one SARIF log; those that comments allow stand in it as suppressed.

    Every result has a place in a file, because GitHub's code scanning refuses a log with one that has none: what is
    about no line stands at line 1 of the network's file; of a network that is no file (one of the zoo, inline text)
    the artifact is what was asked for.

    Args:
        results: one for each network.
        rules: those that were run.
        version: of Striate.
    """
    index = {rule.code: place for place, rule in enumerate(rules)}
    found = [_result(finding, result, index) for result in results for finding in result.findings]
    for result in results:
        for finding in result.allowed:
            found.append({**_result(finding, result, index), "suppressions": [{"kind": "inSource"}]})
    driver = {
        "name": "striate",
        "version": version,
        "rules": [_rule(rule) for rule in rules],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": found}
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule: RuleLike) -> dict[str, Any]:
    what, why, fix = (" ".join(rule.sections[name].split()) for name in ("What", "Why", "Fix"))
    return {
        "id": rule.code,
        "name": "".join(part.capitalize() for part in rule.name.split("-")),
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": f"{what} {why}"},
        "help": {"text": f"{what}\n\n{why}\n\nFix: {fix}\n\nSee: striate explain {rule.code}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, network: LintedNetwork, index: Mapping[str, int]) -> dict[str, Any]:
    message = finding.message if finding.fix is None else f"{finding.message}. Fix: {finding.fix}"
    result: dict[str, Any] = {"ruleId": finding.code}
    if finding.code in index:
        result["ruleIndex"] = index[finding.code]
    target = network.target
    logical = {"fullyQualifiedName": f"{target}: {finding.where}" if finding.where else target, "kind": "object"}
    file, line = _place(finding, network)
    physical = {"artifactLocation": {"uri": quote(file.replace("\\", "/"))}, "region": {"startLine": line}}
    location = {"physicalLocation": physical, "logicalLocations": [logical]}
    return {**result, "level": _LEVELS[finding.severity], "message": {"text": message}, "locations": [location]}


def _place(finding: Finding, network: LintedNetwork) -> tuple[str, int]:
    """The file and the line that a finding is shown at."""
    file, _, line = (finding.origin or "").rpartition(":")
    if file and line.isdecimal() and int(line):
        return file, int(line)
    return network.file or network.target[:_NAME_LIMIT] or "network", 1
