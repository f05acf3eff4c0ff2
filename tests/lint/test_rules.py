"""Every rule against its literate test, and its documentation against itself."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from lint.literate import FILES, Case, cases, found_lines, rule_of, subject_of
from striate.lint import Rule, all_rules

RULES = list(all_rules().values())
CASES = [case for file in FILES for case in cases(file)]


def named(value: object) -> str | None:
    return value.place if isinstance(value, Case) else value.code if isinstance(value, Rule) else None


@pytest.mark.parametrize("case", CASES, ids=named)
def test_literate(case: Case) -> None:
    rule = rule_of(case.file)
    found = found_lines(*subject_of(case.kind, case.text, case.options), rule)
    assert "\n".join(found) == case.expected, case.place


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_every_rule_fires_somewhere_and_is_silent_somewhere(rule: Rule) -> None:
    file = Path(__file__).parent / "rules" / f"{rule.code}-{rule.name}.md"
    assert file.is_file(), f"write {file}, as N301-conv-bias-before-batchnorm.md is written"
    found = [case.expected for case in cases(file)]
    assert any(found), f"{file.name}: a network on which {rule.code} fires is missing"
    assert not all(found), f"{file.name}: a network on which {rule.code} is silent is missing"
    title = file.read_text(encoding="utf-8").splitlines()[0]
    assert title == f"# {rule.code} {rule.name}"


def fires(rule: Rule, section: str) -> bool | None:
    """Whether the rule fires on the network of a section of its documentation; None where that is a sentence.

    A network may be followed by ``with batch=8 loss=mse``.
    """
    text = " ".join(rule.sections[section].split())
    if text[:1].isupper():
        return None
    network, _, words = text.partition(" with ")
    options = dict(word.split("=", 1) for word in words.split())
    return bool(found_lines(*subject_of("inline", network, options), rule))


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_the_example_fires_and_what_is_written_instead_does_not(rule: Rule) -> None:
    assert fires(rule, "Example") in (True, None), f"{rule.code} does not fire on its example"
    assert fires(rule, "Instead") in (False, None), f"{rule.code} fires on what is to be written instead"


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_stands_in_the_file_of_its_name(rule: Rule) -> None:
    assert rule.check.__module__.rpartition(".")[2] == rule.name.replace("-", "_")


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_a_rule_is_documented(rule: Rule) -> None:
    assert rule.code.startswith("N")
    said = rule.sections["Fix"].lower().split()[0].strip(":;,.")
    assert rule.fix == "none" or said == rule.fix, f"the section Fix of {rule.code} has to begin with {rule.fix!r}"
    assert len(rule.title) <= 100


def test_names_and_codes_are_unique_and_well_formed() -> None:
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]+", name) for name in names)
    assert list(all_rules()) == sorted(all_rules())


def test_every_literate_file_belongs_to_a_rule() -> None:
    assert FILES
    for file in FILES:
        rule_of(file)


def test_a_network_without_findings_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "N301-conv-bias-before-batchnorm.md"
    file.write_text("```inline\nrelu\n```\n")
    with pytest.raises(ValueError, match="no findings follow"):
        list(cases(file))
    file.write_text("```inline size=3\nrelu\n```\n")
    with pytest.raises(ValueError, match="no option size"):
        list(cases(file))


def looked_at(rule: Rule) -> set[str]:
    """What the file of a rule reads of a Subject besides the network."""
    tree = ast.parse(Path(inspect.getfile(rule.check)).read_text(encoding="utf-8"))
    found = set()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            subjects = {
                argument.arg
                for argument in function.args.args
                if isinstance(argument.annotation, ast.Name) and argument.annotation.id == "Subject"
            }
            found |= {
                node.attr
                for node in ast.walk(function)
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in subjects
            }
    return found & {"batch", "loss", "weights"}


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_what_a_rule_looks_at_is_told(rule: Rule) -> None:
    expected = looked_at(rule) | ({"weights"} if ".rules.weights." in rule.check.__module__ else set())
    assert set(rule.uses) == expected, f"write uses={tuple(sorted(expected))} into @rule({rule.code!r}, …)"
