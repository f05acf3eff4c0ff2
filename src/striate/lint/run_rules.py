"""Every rule about a training: those that the monitors judge while it runs, and those about a run that stands."""

from __future__ import annotations

import functools

from striate.training.monitors.judging import all_monitors, rules_in
from striate.training.monitors.rule import RunRule

__all__ = ["all_run_rules", "find_run_rule"]


@functools.cache
def all_run_rules() -> dict[str, RunRule]:
    """Every rule about a training by its code, in the order of the codes.

    >>> [rule.name for rule in all_run_rules().values()][:2]
    ['loss-at-start', 'outputs-not-finite']
    """
    return dict(sorted({**all_monitors(), **rules_in("striate.lint.rules.training")}.items()))


def find_run_rule(term: str) -> RunRule | None:
    """The rule of that name or code, however its letters are written.

    >>> find_run_rule("t404").name
    'overfitting'
    """
    folded = term.strip().lower()
    return next((rule for rule in all_run_rules().values() if folded in (rule.code.lower(), rule.name)), None)
