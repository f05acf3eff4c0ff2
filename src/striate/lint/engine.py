"""The engine: a network through every rule."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from striate.findings import Finding
from striate.lint.allowing import Allow, sift
from striate.lint.rule import Evidence, Rule
from striate.lint.subject import Subject

__all__ = ["UNUSED", "Found", "all_rules", "examine", "lint_network", "run_rules"]

#: The rule about comments that allow what no rule finds.
UNUSED = "N001"


@dataclass(frozen=True, slots=True)
class Found:
    """A place where a rule fired, with the rule."""

    rule: Rule
    evidence: Evidence
    origin: str | None

    def finding(self) -> Finding:
        """The same as a :class:`~striate.findings.Finding`."""
        return Finding(
            self.rule.code,
            self.evidence.severity or self.rule.severity,
            self.evidence.message,
            where=self.evidence.node,
            fix=self.evidence.fix,
            rule=self.rule.name,
            origin=self.origin,
        )


@functools.cache
def all_rules() -> dict[str, Rule]:
    """Every rule by its code, in the order of the codes."""
    home = importlib.import_module("striate.lint.rules")
    found: dict[str, Rule] = {}
    for module_info in pkgutil.walk_packages(home.__path__, f"{home.__name__}."):
        if module_info.ispkg:
            continue
        module = importlib.import_module(module_info.name)
        for value in vars(module).values():
            if isinstance(value, Rule):
                if found.get(value.code, value) is not value:
                    raise ValueError(f"two rules are called {value.code}")
                found[value.code] = value
    return dict(sorted(found.items()))


def run_rules(subject: Subject, chosen: Iterable[Rule] | None = None) -> list[Found]:
    """Every place where one of the chosen rules fires; in the order of the nodes, then of the codes."""
    place = {node.name: index for index, node in enumerate(subject.graph.nodes)}
    found = [
        Found(rule, evidence, evidence.origin or _origin(subject, evidence.node))
        for rule in (all_rules().values() if chosen is None else chosen)
        for evidence in rule.check(subject)
    ]
    return sorted(found, key=lambda one: (place.get(one.evidence.node or "", len(place)), one.rule.code))


def _origin(subject: Subject, node: str | None) -> str | None:
    return None if node is None else subject.graph[node].origin


def lint_network(subject: Subject) -> list[Finding]:
    """What all rules find in a network.

    >>> from striate import zoo
    >>> [finding.severity for finding in lint_network(Subject(zoo.build("lenet-5"))) if finding.severity == "error"]
    []
    """
    return [found.finding() for found in run_rules(subject)]


def examine(
    subject: Subject, chosen: Iterable[Rule] | None = None, allows: Sequence[Allow] = ()
) -> tuple[list[Found], list[Found]]:
    """What the chosen rules find in a network, and what of that its author allows.

    Args:
        subject: the network.
        chosen: rules; default: all.
        allows: the comments in its text; one that allows nothing is found itself (N001).

    >>> from striate import zoo
    >>> found, allowed = examine(Subject(zoo.build("lenet-5")))
    >>> [one.rule.name for one in found if one.finding().severity == "error"], allowed
    ([], [])
    """
    rules = list(all_rules().values() if chosen is None else chosen)
    judged = [rule for rule in rules if all(getattr(subject, name) is not None for name in rule.uses)]
    known = {name: rule.code for rule in all_rules().values() for name in (rule.code, rule.name)}
    found = run_rules(subject, rules)
    allowed, idle = sift(((one.rule.code, one.origin) for one in found), allows, known, {rule.code for rule in judged})
    kept = [one for one, excused in zip(found, allowed, strict=True) if not excused]
    if idle:
        kept += run_rules(replace(subject, idle_allows=idle), [rule for rule in rules if rule.code == UNUSED])
    return kept, [one for one, excused in zip(found, allowed, strict=True) if excused]
