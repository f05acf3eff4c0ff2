"""From a Story to findings: while training, and of a run that is over."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import replace

from striate.findings import Finding
from striate.training.monitors.rule import RunRule, Scope
from striate.training.monitors.story import Story

__all__ = ["WINDOW", "all_monitors", "judge", "judge_whole", "rules_in"]

#: So many samples, the newest, are judged together.
WINDOW = 5


def rules_in(package: str) -> dict[str, RunRule]:
    """Every rule in the files of a package by its code, in the order of the codes.

    Raises:
        ValueError: two have one code.
    """
    home = importlib.import_module(package)
    found: dict[str, RunRule] = {}
    for entry in pkgutil.iter_modules(home.__path__, f"{package}."):
        for value in vars(importlib.import_module(entry.name)).values():
            if isinstance(value, RunRule):
                if found.get(value.code, value) is not value:
                    raise ValueError(f"two rules are called {value.code}")
                found[value.code] = value
    return dict(sorted(found.items()))


@functools.cache
def all_monitors() -> dict[str, RunRule]:
    """Every rule that is judged while training, by its code.

    >>> all_monitors()["T404"].name
    'overfitting'
    """
    return rules_in("striate.training.monitors.rules")


def judge(story: Story, scope: Scope, rules: Iterable[RunRule] | None = None) -> Iterator[Finding]:
    """What the rules of one scope find; of the samples, only the newest are looked at.

    Args:
        story: so far.
        scope: which rules.
        rules: to choose from; default: all monitors.
    """
    if scope == "samples":
        story = replace(story, samples=story.samples[-WINDOW:])
    for rule in all_monitors().values() if rules is None else rules:
        if rule.scope == scope:
            yield from rule.findings(story)


def judge_whole(story: Story, rules: Iterable[RunRule] | None = None) -> list[Finding]:
    """What the rules find in the whole of a training, each place of a rule once.

    What samples showed at any time stays; what the epochs showed counts as it stands at the end.
    """
    chosen = list(all_monitors().values() if rules is None else rules)
    found: dict[tuple[str, str | None], Finding] = {}
    for finding in judge(story, "start", chosen):
        found[finding.code, finding.where] = finding
    for end in range(1, len(story.samples) + 1):
        window = replace(story, samples=story.samples[max(0, end - WINDOW) : end])
        for finding in judge(window, "samples", chosen):
            found.setdefault((finding.code, finding.where), finding)
    for scope in ("epochs", "end"):
        for finding in judge(story, "epochs" if scope == "epochs" else "end", chosen):
            found[finding.code, finding.where] = finding
    return list(found.values())
