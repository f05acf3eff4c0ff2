"""Which rules are run: ``--select`` and ``--ignore``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from striate.errors import UsageError, near_miss
from striate.lint.engine import all_rules
from striate.lint.rule import Rule

__all__ = ["choose_rules", "find_rule"]

_PREFIX = re.compile(r"[A-Z][0-9]{0,3}")


def choose_rules(
    select: Iterable[str] | None = None, ignore: Iterable[str] = (), where: tuple[str, str] = ("select", "ignore")
) -> tuple[Rule, ...]:
    """The rules that are meant.

    Args:
        select: names, codes (``N105``) or beginnings of codes (``N1``); default: all rules.
        ignore: what is left out of these, written likewise.
        where: what errors call the two; empty for one that is not given.

    Raises:
        UsageError: one of them means no rule, or no rule is left.

    >>> [rule.code for rule in choose_rules(["conv-bias-before-batchnorm", "N0"])]
    ['N001', 'N301']
    """
    chosen = dict(all_rules())
    if select is not None:
        wanted = {code for term in select for code in _meant(term, where[0])}
        chosen = {code: rule for code, rule in chosen.items() if code in wanted}
    for term in ignore:
        for code in _meant(term, where[1]):
            chosen.pop(code, None)
    if not chosen:
        raise UsageError("no rule is left", where=" and ".join(part for part in where if part))
    return tuple(chosen.values())


def find_rule(term: str) -> Rule | None:
    """The rule of that name or code, however its letters are written.

    >>> find_rule("n301").name
    'conv-bias-before-batchnorm'
    """
    folded = term.strip().lower()
    return next((rule for rule in all_rules().values() if folded in (rule.code.lower(), rule.name)), None)


def _meant(term: str, where: str) -> list[str]:
    known = all_rules()
    if (rule := find_rule(term)) is not None:
        return [rule.code]
    prefix = term.strip().upper()
    if _PREFIX.fullmatch(prefix) and (codes := [code for code in known if code.startswith(prefix)]):
        return codes
    raise UsageError(
        "no rule is called this",
        where=where,
        got=term,
        needs="a name (even-kernel), a code (N105) or the beginning of codes (N1); 'striate explain --list' has all",
        write=near_miss(term, [*known, *(rule.name for rule in known.values())]),
    )
