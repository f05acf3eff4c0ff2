"""What the rules say about every network of the zoo: no error, and every warning is true and explained.

The reasons stand in ``zoo_reasons/CODE-name.toml``, one file for each rule that warns; a key is a network or a pattern
(``"resnet*"``), its value the reason, in one sentence. From them comes ``docs/lint-zoo.md``.
"""

from __future__ import annotations

import fnmatch
import functools
import os
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from striate import zoo
from striate.findings import Finding
from striate.lint import Subject, all_rules, lint_network

PAGE = Path(__file__).resolve().parents[2] / "docs" / "lint-zoo.md"
REASONS = Path(__file__).parent / "zoo_reasons"
HOW = "write the page with STRIATE_WRITE_PAGES=1 pytest tests/lint/test_zoo.py"

HEAD = """\
# What the linter says about the zoo

Every rule runs on every network of the zoo, each at the input it was designed for, in the tests. None gets an error.
The warnings are listed here with the reason why each of them is true: what is known to work can still be mended, and a
warning is no verdict. Rules that only inform are left out; `striate lint NET` shows them. Batch size, loss and weights
are not given here. This page is written by the tests from what the rules find.

"""


@functools.cache
def findings(name: str) -> tuple[Finding, ...]:
    return tuple(lint_network(Subject(zoo.build(name))))


@functools.cache
def warnings() -> dict[tuple[str, str], int]:
    """How many warnings each rule has for each network."""
    counts = Counter(
        (finding.code, name) for name in zoo.names() for finding in findings(name) if finding.severity == "warning"
    )
    return dict(sorted(counts.items()))


@functools.cache
def reasons(code: str) -> dict[str, str]:
    file = REASONS / f"{code}-{all_rules()[code].name}.toml"
    if not file.is_file():
        return {}
    return {str(key): str(value) for key, value in tomllib.loads(file.read_text(encoding="utf-8")).items()}


def reason(code: str, name: str) -> str | None:
    """The reason of one network; its own name goes before a pattern."""
    listed = reasons(code)
    pattern = name if name in listed else next((key for key in listed if fnmatch.fnmatchcase(name, key)), None)
    return None if pattern is None else listed[pattern]


@pytest.mark.parametrize("name", zoo.names())
def test_no_network_of_the_zoo_gets_an_error(name: str) -> None:
    assert [finding.line() for finding in findings(name) if finding.severity == "error"] == []


@pytest.mark.parametrize("name", zoo.names())
def test_findings_name_a_node_and_say_one_thing(name: str) -> None:
    graph = zoo.build(name)
    names = {node.name for node in graph.nodes}
    for finding in findings(name):
        assert finding.where is None or finding.where in names
        assert finding.rule == all_rules()[finding.code].name
        assert finding.message == finding.message.strip()
        assert not finding.message.endswith(".")
        assert "\n" not in finding.message


def test_every_warning_has_its_reason() -> None:
    missing = [f"{code} {name}" for code, name in warnings() if reason(code, name) is None]
    assert not missing, f"look at each, and write why it is true into {REASONS}/CODE-name.toml:\n" + "\n".join(missing)


def test_no_reason_is_left_over() -> None:
    names = {f"{rule.code}-{rule.name}": rule.code for rule in all_rules().values()}
    for file in sorted(REASONS.glob("*.toml")):
        assert file.stem in names, f"{file.name} belongs to no rule"
        code = names[file.stem]
        warned = [name for found, name in warnings() if found == code]
        idle = [key for key in reasons(code) if not fnmatch.filter(warned, key)]
        assert not idle, f"{file.name}: nothing is found in {', '.join(idle)}"


def page() -> str:
    lines = [HEAD]
    by_code: dict[str, dict[str, int]] = {}
    for (code, name), count in warnings().items():
        by_code.setdefault(code, {})[name] = count
    quiet = [name for name in zoo.names() if not any(name in counts for counts in by_code.values())]
    lines.append(f"{len(quiet)} of {len(zoo.names())} networks get no warning.\n\n")
    for code, counts in by_code.items():
        rule = all_rules()[code]
        lines.append(
            f"## {code} {rule.name}\n\n{rule.title} ([what it is about](rules.md#{code.lower()}-{rule.name})).\n\n"
        )
        lines.append("| network | places | why it is true |\n|---|--:|---|\n")
        together: dict[str, list[str]] = {}
        for name in counts:
            together.setdefault(reason(code, name) or "**no reason is written**", []).append(name)
        for why, names in together.items():
            places = ", ".join(str(counts[name]) for name in names)
            lines.append(f"| {', '.join(names)} | {places} | {why} |\n")
        lines.append("\n")
    return "".join(lines).rstrip("\n") + "\n"


def test_the_page_is_current() -> None:
    if os.environ.get("STRIATE_WRITE_PAGES"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.is_file(), HOW
    assert PAGE.read_text(encoding="utf-8") == page(), HOW
