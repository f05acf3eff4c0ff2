"""What a rule's docstring says, as text for a terminal and as a page of the documentation."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from striate.errors import UsageError, near_miss
from striate.lint.catalogue import Code, other_codes
from striate.lint.engine import all_rules
from striate.lint.rule import Rule
from striate.lint.run_rules import all_run_rules, find_run_rule
from striate.lint.selection import find_rule
from striate.training.monitors.rule import RunRule

__all__ = ["FAMILIES", "RUN_FAMILIES", "explanation", "find_code", "listing", "rules_page"]

#: What the first digit of a code says.
FAMILIES = {
    "N0": "Comments and files",
    "N1": "Geometry of windows and sizes",
    "N2": "Receptive field",
    "N3": "Order and composition of layers",
    "N4": "Head and loss",
    "N5": "Cost and hardware",
    "N6": "Structure",
    "N7": "Values of weights",
    "N8": "Initialisation",
}
#: And of one about a training.
RUN_FAMILIES = {
    "T1": "Before the first step",
    "T2": "Gradients",
    "T3": "Activations",
    "T4": "Loss and metrics",
    "T5": "Parameters",
}

_FIXES = {"safe": "--fix", "unsafe": "--unsafe-fixes", "none": "by hand"}
_USES = {"weights": "--weights", "batch": "--batch", "loss": "--loss"}
_SCOPES = {
    "start": "before the first step",
    "samples": "while training, on steps that are looked at closely",
    "epochs": "after each epoch",
    "end": "by striate diagnose",
}
_WIDTH = 100

_HEAD = """\
# The rules

What `striate lint` looks for, from the documentation of each rule; `striate explain CODE` prints the same. How to
choose rules, allow a finding and mend a network is told in [lint.md](lint.md); what the rules say about the networks of
the zoo in [lint-zoo.md](lint-zoo.md). A rule's severity may be another at places that are better or worse than most.
*Mended* says which option of `striate lint` mends it: `--fix` where the network computes the same before and after,
which is proven in training and evaluation mode, `--unsafe-fixes` where it does not. This page is written by the tests.

"""


def find_code(term: str) -> Rule | RunRule | Code:
    """The rule, or the code that no rule has, of that name or code.

    Raises:
        UsageError: there is none; a near miss is suggested.

    >>> find_code("d003").title, find_code("unused-allow").code
    ('Images carry an EXIF rotation, which was applied', 'N001')
    """
    rule = find_rule(term) or find_run_rule(term)
    if rule is not None:
        return rule
    folded = term.strip().lower()
    for code in other_codes().values():
        if folded in (code.code.lower(), code.name):
            return code
    known = [name for row in listing() for name in row[:2]]
    raise UsageError(
        "no rule is called this",
        where="striate explain",
        got=term,
        needs="a code (N301) or a name; 'striate explain --list' has all",
        write=near_miss(term, known),
    )


def explanation(entry: Rule | RunRule | Code) -> str:
    """All there is to say about a rule or a code, as text.

    >>> print(explanation(find_code("D007")))
    D007 colour-palette
    Images with a palette were expanded to full colours.
    <BLANKLINE>
    What to do: Nothing.
    """
    head = f"{entry.code} {entry.name}\n{entry.title}."
    if isinstance(entry, Code):
        why = f"\n\nWhy: {entry.why}" if entry.why else ""
        return f"{head}{why}\n\nWhat to do: {entry.advice}"
    if isinstance(entry, RunRule):
        parts = (f"{name}: {' '.join(text.split())}" for name, text in entry.sections.items())
        blocks = [textwrap.fill(part, _WIDTH, subsequent_indent="  ", break_on_hyphens=False) for part in parts]
        return "\n\n".join([f"{head}\nseverity: {entry.severity}; judged {_SCOPES[entry.scope]}", *blocks])
    facts = f"severity: {entry.severity}; mended: {_FIXES[entry.fix]}"
    if entry.uses:
        facts += f"; looks at: {', '.join(_USES[name] for name in entry.uses)}"
    blocks = [f"{head}\n{facts}"]
    for name, text in entry.sections.items():
        words = " ".join(text.split())
        if name in ("Example", "Instead") and not words[:1].isupper():
            blocks.append(f"{name}:\n  striate lint {_command(words)}")
        else:
            blocks.append(textwrap.fill(f"{name}: {words}", _WIDTH, subsequent_indent="  ", break_on_hyphens=False))
    return "\n\n".join(blocks)


def listing() -> list[tuple[str, str, str, str]]:
    """Code, name, severity and title of every rule, then of every other code, by code."""
    rules = [(rule.code, rule.name, rule.severity, rule.title) for rule in all_rules().values()]
    rules += [(rule.code, rule.name, rule.severity, rule.title) for rule in all_run_rules().values()]
    others = [(code.code, code.name, "", code.title) for code in other_codes().values()]
    return sorted([*rules, *others], key=lambda row: ("NDT".index(row[0][0]), row[0]))


def rules_page() -> str:
    """``docs/rules.md``."""
    return _HEAD + "".join([*_index(), *_families(), *_runs(), *_others()])


def _index() -> Iterator[str]:
    yield "| code | name | severity | mended | |\n|---|---|---|---|---|\n"
    for rule in all_rules().values():
        link = f"[{rule.code}](#{rule.code.lower()}-{rule.name})"
        yield f"| {link} | {rule.name} | {rule.severity} | {_FIXES[rule.fix]} | {_escaped(rule.title)} |\n"


def _families() -> Iterator[str]:
    for prefix, title in FAMILIES.items():
        rules = [rule for rule in all_rules().values() if rule.code.startswith(prefix)]
        if rules:
            yield f"\n## {prefix}xx: {title}\n"
        for rule in rules:
            yield from _section(rule)


def _section(rule: Rule) -> Iterator[str]:
    yield f"\n### {rule.code} {rule.name}\n\n**{_escaped(rule.title)}.** "
    yield f"Severity {rule.severity}, mended {_FIXES[rule.fix]}"
    yield f"; looks at {', '.join(f'`{_USES[name]}`' for name in rule.uses)}.\n" if rule.uses else ".\n"
    for name, text in rule.sections.items():
        words = " ".join(text.split())
        if name in ("Example", "Instead") and not words[:1].isupper():
            yield f"\n*{name}:*\n\n```sh\nstriate lint {_command(words)}\n```\n"
        else:
            yield f"\n*{name}:* {_escaped(words)}\n"


def _runs() -> Iterator[str]:
    yield "\n## Rules about a training\n\n"
    yield "The monitors judge by these while a network is trained, and `striate diagnose` afterwards; each finding\n"
    yield "says what to write. They are stored in the run's `findings.json`, and stand in its report.\n"
    for prefix, title in RUN_FAMILIES.items():
        yield f"\n## {prefix}xx: {title}\n"
        for rule in all_run_rules().values():
            if rule.code.startswith(prefix):
                yield f"\n### {rule.code} {rule.name}\n\n**{_escaped(rule.title)}.** "
                yield f"Severity {rule.severity}, judged {_SCOPES[rule.scope]}.\n"
                for name, text in rule.sections.items():
                    yield f"\n*{name}:* {_escaped(' '.join(text.split()))}\n"


def _others() -> Iterator[str]:
    yield "\n## Codes without a rule\n\n"
    yield "These are found while files, images and runs are read; they cannot be allowed.\n\n"
    yield "| code | name | | what to do |\n|---|---|---|---|\n"
    for code in other_codes().values():
        about = f"{code.title}. {code.why}" if code.why else code.title
        yield f"| {code.code} | {code.name} | {_escaped(about)} | {_escaped(code.advice)} |\n"


def _command(words: str) -> str:
    """The example as it is typed: ``NETWORK with batch=8`` becomes options."""
    network, _, options = words.partition(" with ")
    return " ".join([f'"{network}"', *(f"--{name} {value}" for name, _, value in _pairs(options))])


def _pairs(options: str) -> list[tuple[str, str, str]]:
    return [word.partition("=") for word in options.split()]


def _escaped(text: str) -> str:
    """For Markdown: what would be read as HTML or as the end of a cell."""
    parts = text.replace("``", "`").split("`")
    return "`".join(
        part if place % 2 else part.replace("<", "&lt;").replace("|", "\\|").replace("*", "\\*")
        for place, part in enumerate(parts)
    )
