"""Rule: one thing that can be wrong with a network, and everything there is to say about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from striate.findings import Severity
from striate.lint.subject import Subject
from striate.rule_texts import rule_text

__all__ = ["SECTIONS", "Check", "Edit", "Evidence", "FixSafety", "Knowledge", "Rule", "rule"]

FixSafety = Literal["safe", "unsafe", "none"]

#: What a rule may look at besides the network itself.
Knowledge = Literal["weights", "batch", "loss"]

#: What the docstring of every rule says, in this order.
SECTIONS = ("What", "Why", "Example", "Instead", "Fix", "Source")


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of a network.

    Args:
        node: the node to change.
        attribute: the attribute of its layer that gets another value; None removes the node, and whoever read it reads
            what it read.
        value: the new value.
    """

    node: str
    attribute: str | None = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One place where a rule fires.

    Args:
        node: the node it is about; None for the whole network.
        message: one sentence with the measured evidence in it, without a full stop.
        fix: what to do, in the imperative.
        edits: the changes that do it, where a program can; their safety is the rule's.
        severity: another one than the rule's, where this place is better or worse than most.
        origin: where it is written, ``net.yaml:12``; default: where the node is.
    """

    node: str | None
    message: str
    fix: str | None = None
    edits: tuple[Edit, ...] = ()
    severity: Severity | None = None
    origin: str | None = None


Check = Callable[[Subject], Iterator[Evidence]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with its documentation.

    Args:
        code: ``N…``; stable, never used again for another rule.
        name: what stands after ``allow``: ``even-kernel``.
        severity: of its findings, unless one says otherwise.
        fix: whether its edits keep the function of the network (``safe``: proven equal in train and eval mode on random
            input), change it (``unsafe``), or do not exist (``none``).
        check: finds the places.
        title: one line.
        sections: ``What``, ``Why``, ``Example``, ``Instead``, ``Fix`` and ``Source``, each as text. Example and Instead
            are inline networks (perhaps followed by ``with batch=8 loss=mse``), or a sentence where none can be
            written.
        uses: what it looks at besides the network; without that it may find less.
    """

    code: str
    name: str
    severity: Severity
    fix: FixSafety
    check: Check
    title: str
    sections: dict[str, str]
    uses: tuple[Knowledge, ...] = ()


def rule(
    code: str, name: str, severity: Severity, *, fix: FixSafety = "none", uses: tuple[Knowledge, ...] = ()
) -> Callable[[Check], Rule]:
    """Make a function that finds places, and its docstring, a rule.

    Args:
        code, name, severity, fix, uses: as :class:`Rule` has them.

    Raises:
        ValueError: the code, the name or the docstring does not have its form.
    """
    if not re.fullmatch(r"[NDT]\d{3}", code) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise ValueError(f"a rule is called like N301 conv-bias-before-batchnorm, not {code} {name}")

    def register(check: Check) -> Rule:
        title, sections = rule_text(check, code, SECTIONS)
        return Rule(code, name, severity, fix, check, title, sections, uses)

    return register
