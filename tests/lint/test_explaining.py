"""docs/rules.md and ``striate explain`` say what the rules' own documentation says, about every code there is."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path

import pytest

import striate
from striate.lint import all_rules
from striate.lint.catalogue import other_codes
from striate.lint.documentation import FAMILIES, RUN_FAMILIES, explanation, find_code, listing, rules_page
from striate.lint.run_rules import all_run_rules

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "rules.md"
HOW = "write the page with STRIATE_WRITE_PAGES=1 pytest tests/lint/test_explaining.py"


def test_the_page_is_current() -> None:
    if os.environ.get("STRIATE_WRITE_PAGES"):
        PAGE.write_text(rules_page(), encoding="utf-8")
    assert PAGE.is_file(), HOW
    assert PAGE.read_text(encoding="utf-8") == rules_page(), HOW


def test_links_within_the_page_lead_somewhere() -> None:
    page = rules_page()
    # As GitHub makes anchors: lower case, spaces become hyphens, what is no word goes.
    anchors = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)$", page, re.M)
    }
    links = re.findall(r"\]\(#(.*?)\)", page)
    assert links
    assert set(links) <= anchors
    for file in re.findall(r"\]\((\w[\w-]*\.md)\)", page):
        assert (PAGE.parent / file).is_file(), file


def codes_in_source() -> set[str]:
    """Every code that stands as a text in the source of the library, but in the linter itself."""
    found = set()
    for path in (ROOT / "src" / "striate").rglob("*.py"):
        if "lint" not in path.relative_to(ROOT).parts:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.update(re.findall(r"^[NDT][0-9]{3}$", node.value))
    return found


def test_every_code_can_be_explained() -> None:
    unknown = codes_in_source() - set(other_codes()) - set(all_rules()) - set(all_run_rules())
    others = (codes_in_source() | {"N000", "N940"}) - set(all_run_rules())
    assert not unknown, f"add a line for each to src/striate/lint/catalogue.py: {sorted(unknown)}"
    assert set(other_codes()) == others, "a code that is found nowhere need not be explained"
    assert not set(other_codes()) & set(all_rules())
    names = [row[1] for row in listing()]
    assert len(set(names)) == len(names)
    for code, name, _, title in listing():
        assert find_code(code) == find_code(name.upper())
        assert title in explanation(find_code(code))
        assert not title.endswith(".")


def test_every_rule_belongs_to_a_family() -> None:
    assert {code[:2] for code in all_rules()} <= set(FAMILIES)
    assert {code[:2] for code in all_run_rules()} == set(RUN_FAMILIES)


@pytest.mark.parametrize("code", list(all_run_rules()))
def test_an_explanation_of_a_training_fits_a_terminal(code: str) -> None:
    rule = all_run_rules()[code]
    text = striate.explain(code)
    assert text.startswith(f"{code} {rule.name}\n{rule.title}.\nseverity: {rule.severity}; judged ")
    assert all(f"\n{name}: " in text for name in rule.sections)
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize("code", list(all_rules()))
def test_an_explanation_fits_a_terminal(code: str) -> None:
    rule = all_rules()[code]
    text = striate.explain(code)
    assert text.startswith(f"{code} {rule.name}\n{rule.title}.\nseverity: {rule.severity}; mended: ")
    for line in text.splitlines():
        assert len(line) <= 100 or line.startswith("  striate lint ")
