"""RunRule: one thing that can be wrong with a training, and everything there is to say about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from striate.findings import Finding
from striate.rule_texts import rule_text

if TYPE_CHECKING:
    from striate.findings import Severity
    from striate.training.monitors.story import Story

__all__ = ["SECTIONS", "Remark", "RunRule", "Scope", "run_rule"]

#: What the docstring of every rule says, in this order.
SECTIONS = ("What", "Why", "Fix", "Source")

Scope = Literal["start", "samples", "epochs", "end"]
"""What a rule judges: the checks before training, the newest samples, the epochs so far, or a run that is over."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One place where a rule fires.

    Args:
        where: the layer, parameter or split it is about; None for the whole training.
        message: one sentence with the measured evidence in it, without a full stop.
        fix: an option to write, or what else to do.
        severity: another one than the rule's, where this place is better or worse than most.
    """

    where: str | None
    message: str
    fix: str
    severity: Severity | None = None


Judge = Callable[["Story"], Iterator[Remark]]


@dataclass(frozen=True, slots=True)
class RunRule:
    """A rule about a training, with its documentation.

    Args:
        code: ``T…``; stable, never used again for another rule.
        name: ``dead-units``.
        severity: of its findings, unless one says otherwise.
        scope: what it judges.
        judge: finds the places; it reads a Story and nothing else.
        title: one line.
        sections: ``What``, ``Why``, ``Fix`` and ``Source``, each as text.
    """

    code: str
    name: str
    severity: Severity
    scope: Scope
    judge: Judge
    title: str
    sections: dict[str, str]

    def findings(self, story: Story) -> Iterator[Finding]:
        """What the rule finds, as findings."""
        for remark in self.judge(story):
            severity = remark.severity or self.severity
            yield Finding(self.code, severity, remark.message, where=remark.where, fix=remark.fix, rule=self.name)


def run_rule(code: str, name: str, severity: Severity, scope: Scope) -> Callable[[Judge], RunRule]:
    """Make a function that judges, and its docstring, a rule.

    Args:
        code, name, severity, scope: as :class:`RunRule` has them.

    Raises:
        ValueError: the code, the name or the docstring does not have its form.
    """
    if not re.fullmatch(r"T[1-9]\d{2}", code) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f"a rule about a training is called like T404 overfitting, not {code} {name}")

    def register(judge: Judge) -> RunRule:
        title, sections = rule_text(judge, code, SECTIONS)
        return RunRule(code, name, severity, scope, judge, title, sections)

    return register
