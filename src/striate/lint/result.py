"""LintResult: what the rules say about one network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from striate.findings import Finding
from striate.lint.engine import examine
from striate.lint.rule import FixSafety, Rule
from striate.lint.target import Target

__all__ = ["LintResult", "lint_target"]


@dataclass(frozen=True)
class LintResult:
    """What the rules say about one network.

    Args:
        target: what was asked for.
        network: its name and the shapes of its images, for a heading; empty where there is no network.
        findings: what was found, in the order of the nodes.
        fixes: for each of them whether a program can mend it, and how safely.
        allowed: what comments allow.
        file: the file that the network stands in; None where it stands in none.
    """

    target: str
    network: str
    findings: tuple[Finding, ...]
    fixes: tuple[FixSafety, ...]
    allowed: tuple[Finding, ...] = ()
    file: str | None = None

    def without_fixes(self, refused: Iterable[Finding]) -> LintResult:
        """The same result, in which no program can mend these findings: it was tried."""
        left = list(refused)
        none: FixSafety = "none"
        pairs = zip(self.findings, self.fixes, strict=True)
        return replace(self, fixes=tuple(none if finding in left else safety for finding, safety in pairs))

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON-ready data."""
        return {
            "target": self.target,
            "network": self.network,
            "findings": [
                {**finding.as_dict(), "mends": None if safety == "none" else safety}
                for finding, safety in zip(self.findings, self.fixes, strict=True)
            ],
            "allowed": [finding.as_dict() for finding in self.allowed],
        }


def lint_target(target: Target, rules: Iterable[Rule] | None = None) -> LintResult:
    """What the rules find in a network.

    >>> from striate.lint.selection import choose_rules
    >>> from striate.lint.target import read_target
    >>> net = read_target("conv 8 3 > batchnorm > relu > globalavgpool > dense 10")
    >>> [finding.rule for finding in lint_target(net, choose_rules(["N301"])).findings]
    ['conv-bias-before-batchnorm']
    """
    from striate.units import format_shape

    found, allowed = examine(target.subject, rules, target.allows)
    graph = target.subject.graph
    mends = target.not_mended is None
    none: FixSafety = "none"
    shapes = ", ".join(format_shape(graph.shapes[node.name]) for node in graph.inputs)
    return LintResult(
        target.name,
        f"{graph.name} ({shapes})",
        (*target.said, *(one.finding() for one in found)),
        (*(none,) * len(target.said), *(one.rule.fix if one.evidence.edits and mends else none for one in found)),
        tuple(one.finding() for one in allowed),
        target.file,
    )
