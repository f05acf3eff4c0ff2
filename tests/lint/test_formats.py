"""The formats for programs: GitHub's workflow commands and SARIF 2.1.0, each read as its specification says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

import striate
from striate.findings import Finding
from striate.lint import all_rules
from striate.lint.result import LintResult, lint_target
from striate.lint.target import read_target
from striate.views import make_console
from striate.views.lint_change import change_view
from striate.views.lint_github import annotation, github_annotations
from striate.views.lint_sarif import sarif_text
from striate.views.lint_text import count_line, lint_view

TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


def finding(**changes: Any) -> Finding:
    given: dict[str, Any] = {"code": "N105", "severity": "warning", "message": "50 % lost", "where": "conv1"}
    return Finding(**{**given, "fix": "kernel: 3", "rule": "even-kernel", "origin": "a/net.yaml:7", **changes})


def result(*findings: Finding, fixes: str = "none", allowed: tuple[Finding, ...] = ()) -> LintResult:
    return LintResult("a/net.yaml", "net (3×32×32)", findings, (fixes,) * len(findings), allowed)  # type: ignore[arg-type]


def unescaped(text: str) -> str:
    """As the runner of GitHub Actions reads a value (actions/toolkit, command.ts, backwards)."""
    for code, char in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def read_command(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command taken apart."""
    found = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line)
    assert found is not None, line
    properties = dict(pair.split("=", 1) for pair in found[2].split(","))
    message = found[3].replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")
    return found[1], {name: unescaped(value) for name, value in properties.items()}, message


def test_an_annotation() -> None:
    command, properties, message = read_command(annotation(finding(), "a/net.yaml"))
    assert command == "warning"
    assert properties == {"file": "a/net.yaml", "line": "7", "title": "N105 even-kernel"}
    assert message == "conv1: 50 % lost (fix: kernel: 3)"


@given(TEXT, TEXT, st.sampled_from(["info", "warning", "error"]))
def test_nothing_in_a_finding_breaks_out_of_its_command(message: str, file: str, severity: str) -> None:
    line = annotation(finding(message=message, severity=severity, origin=f"{file}:7", fix=None), "x")
    assert "\n" not in line
    assert "\r" not in line
    command, properties, told = read_command(line)
    assert command == {"info": "notice"}.get(severity, severity)
    if file:
        assert properties["file"] == file
        assert told == f"conv1: {message}"
    else:
        assert "file" not in properties
        assert told == f"x: conv1: {message}"


def test_annotations_end_with_a_count() -> None:
    text = github_annotations([result(finding(), finding(severity="error"), finding(severity="info"))])
    *commands, count = text.splitlines()
    assert [read_command(line)[0] for line in commands] == ["warning", "error", "notice"]
    assert count == "1 network: 1 error, 1 warning, 1 info"


def sarif(*results: LintResult) -> Any:
    return json.loads(sarif_text(results, list(all_rules().values()), striate.__version__))


def check_sarif(log: Any) -> None:
    """What the schema of SARIF 2.1.0 asks of the parts that are written here."""
    assert set(log) == {"$schema", "version", "runs"}
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    assert set(run) <= {"tool", "results", "columnKind"}
    assert run["columnKind"] in ("utf16CodeUnits", "unicodeCodePoints")
    driver = run["tool"]["driver"]
    assert set(driver) <= {"name", "version", "informationUri", "rules"}
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        assert set(rule) <= {"id", "name", "shortDescription", "fullDescription", "help", "defaultConfiguration"}
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in ("none", "note", "warning", "error")
    for entry in run["results"]:
        assert set(entry) <= {"ruleId", "ruleIndex", "level", "message", "locations", "suppressions"}
        assert isinstance(entry["message"]["text"], str)
        assert entry["level"] in ("none", "note", "warning", "error")
        if "ruleIndex" in entry:
            assert ids[entry["ruleIndex"]] == entry["ruleId"]
        for suppression in entry.get("suppressions", []):
            assert suppression["kind"] in ("inSource", "external")
        for location in entry["locations"]:
            # GitHub's code scanning refuses a whole log where one result has no place in a file.
            assert set(location) == {"physicalLocation", "logicalLocations"}
            assert location["physicalLocation"]["region"]["startLine"] >= 1
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            assert re.fullmatch(r"[A-Za-z0-9._~!$&'()*+,;=:@/%-]+", uri)


def test_sarif_of_real_findings() -> None:
    log = sarif(lint_target(read_target("resnet18")), lint_target(read_target("lenet-5")))
    check_sarif(log)
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(all_rules())
    assert log["runs"][0]["results"]


def test_a_sarif_result() -> None:
    log = sarif(result(finding(code="N301", origin="a b/näh.yaml:7"), allowed=(finding(code="N301"),)))
    check_sarif(log)
    found, suppressed = log["runs"][0]["results"]
    assert found["message"]["text"] == "50 % lost. Fix: kernel: 3"
    assert found["level"] == "warning"
    location = found["locations"][0]["physicalLocation"]
    assert unquote(urlsplit(location["artifactLocation"]["uri"]).path) == "a b/näh.yaml"
    assert location["region"] == {"startLine": 7}
    assert suppressed["suppressions"] == [{"kind": "inSource"}]
    assert "suppressions" not in found


MODEL = """\
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.idle = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return self.used(x)
"""


@pytest.mark.parametrize(
    ("asked", "shape", "file"),
    [
        ("nets/a.yaml", None, "nets/a.yaml"),
        ("model.py:Net", (3, 8, 8), "model.py"),
        ("resnet18", None, "resnet18"),
        ("flatten > dense 4", (3, 8, 8), "flatten > dense 4"),
    ],
)
def test_what_is_about_no_line_stands_at_the_first_of_its_file(
    asked: str, shape: Any, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nets").mkdir()
    Path("nets/a.yaml").write_text("input: 3x8x8\nlayers: [flatten, dense: 4]\n", encoding="utf-8")
    Path("model.py").write_text(MODEL, encoding="utf-8")
    linted = lint_target(read_target(asked, input=shape))
    whole = replace(linted, findings=(finding(where=None, origin=None),), fixes=("none",))
    log = sarif(linted, whole)
    check_sarif(log)
    physical = log["runs"][0]["results"][-1]["locations"][0]["physicalLocation"]
    assert unquote(physical["artifactLocation"]["uri"]) == file
    assert physical["region"] == {"startLine": 1}


@given(TEXT, TEXT)
def test_any_text_is_sarif(message: str, file: str) -> None:
    check_sarif(sarif(result(finding(message=message, origin=f"{file}:3"))))


def shown(*results: LintResult, whole: bool = False) -> str:
    console = make_console()
    with console.capture() as capture:
        console.print(lint_view(results, whole=whole))
    return capture.get()


def test_text_has_the_line_first_and_errors_on_top() -> None:
    text = shown(
        result(finding(), finding(code="N705", rule="non-finite-weights", severity="error", origin=None), fixes="safe")
    )
    assert text == (
        "a/net.yaml: net (3×32×32)\n"
        "  error N705 non-finite-weights conv1: 50 % lost\n"
        "      fix: kernel: 3 (--fix)\n"
        "  a/net.yaml:7: warning N105 even-kernel conv1: 50 % lost\n"
        "      fix: kernel: 3 (--fix)\n"
        "\n"
        "1 network: 1 error, 1 warning; --fix mends 2\n"
    )


def test_a_rule_that_informs_about_many_places_is_shortened() -> None:
    many = result(*(finding(severity="info", where=f"conv{number}", fix=None) for number in range(9)))
    text = shown(many)
    assert text.count("even-kernel conv") == 3
    assert "… and 6 more places of N105 even-kernel (--all shows them)" in text
    assert shown(many, whole=True).count("even-kernel conv") == 9
    warned = result(*(finding(where=f"conv{number}") for number in range(9)))
    assert shown(warned).count("even-kernel conv") == 9


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in shown(result(finding(message="\x1b[2J", fix="\x1b[2J", origin="\x1b[2J:1")))


@pytest.mark.parametrize(
    ("results", "line"),
    [
        ([], "0 networks: nothing found"),
        ([result()], "1 network: nothing found"),
        ([result(finding(), fixes="unsafe")], "1 network: 1 warning; --unsafe-fixes mends 1"),
        ([result(allowed=(finding(),)), result(finding())], "2 networks: 1 warning; 1 allowed by comments"),
    ],
)
def test_the_count(results: list[LintResult], line: str) -> None:
    assert count_line(results) == line


def test_what_a_change_does() -> None:
    before = result(finding(), finding(where="conv2"), finding(code="N101", rule="x"))
    after = result(finding(), finding(where="conv2", message="60 % lost"), finding(code="N102", rule="y", fix=None))
    console = make_console()
    with console.capture() as capture:
        console.print(change_view(before, after))
    assert capture.get() == (
        "a/net.yaml: net (3×32×32)\n"
        "- warning N101 x conv1: 50 % lost\n"
        "+ warning N102 y conv1: 50 % lost\n"
        "~ warning N105 even-kernel conv2: 60 % lost\n"
        "1 gone, 1 new, 1 with other numbers, 1 as before\n"
    )
