"""docs/lint.md: what it shows is what is printed, and its hooks, workflows and settings are read and run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from striate.cli import main
from striate.cli.program import make_parser, verb_modules
from striate.lint.settings import find_settings
from striate.lint.target import read_target

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "lint.md"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HOW = "write the texts into the page with STRIATE_WRITE_PAGES=1 pytest tests/lint/test_team_use.py"


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if found == kind]


def yaml(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(text)


NET, ALLOWED, CONFIG, LOCAL, *WORKFLOWS = blocks("yaml")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    printed = capfd.readouterr()
    return int(caught.value.code or 0), printed.out + printed.err


@pytest.mark.parametrize("place", range(len(blocks("text"))))
def test_what_is_shown_is_what_is_printed(place: int, capfd: pytest.CaptureFixture[str]) -> None:
    Path("net.yaml").write_text(NET, encoding="utf-8")
    shown = blocks("text")[place]
    line = shown.splitlines()[0]
    code, printed = run(capfd, *shlex.split(line.removeprefix("$ striate ")))
    assert code == 0
    if os.environ.get("STRIATE_WRITE_PAGES"):
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(page.replace(f"```text\n{shown}```", f"```text\n{line}\n{printed}```"), encoding="utf-8")
    assert blocks("text")[place] == f"{line}\n{printed}", HOW


def test_what_is_allowed_is_found_and_allowed(capfd: pytest.CaptureFixture[str]) -> None:
    Path("net.yaml").write_text(ALLOWED, encoding="utf-8")
    _, printed = run(capfd, "lint", "net.yaml", "--select", "N0,N105,N301,N501")
    assert printed == "1 network: nothing found; 3 allowed by comments\n"


def test_the_settings_are_settings(tmp_path: Path) -> None:
    [text] = blocks("toml")
    Path("pyproject.toml").write_text(text, encoding="utf-8")
    settings = find_settings(tmp_path)
    assert (settings.select, settings.ignore) == (("N1", "N3", "N4"), ("uneven-padding",))
    assert (settings.strict, settings.batch, settings.loss) == (True, 32, "cross-entropy")


def test_the_python_example_runs() -> None:
    [text] = blocks("python")
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=120, check=True)
    assert "info" in done.stdout


def hooks() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml(HOOKS.read_text(encoding="utf-8"))
    return found


def check_command(words: list[str]) -> None:
    """The program knows the verb and every option."""
    program, verb, *rest = words
    assert program == "striate"
    make_parser(verb, verb_modules()[verb]).parse(rest)


@pytest.mark.parametrize("hook", hooks(), ids=lambda hook: hook["id"])
def test_a_hook_runs_on_the_files_that_it_is_given(hook: dict[str, Any]) -> None:
    # What pre-commit asks of a manifest: https://pre-commit.com/#creating-new-hooks
    assert {"id", "name", "entry", "language"} <= set(hook)
    assert hook["language"] == "python"
    assert hook["require_serial"] is True
    for name, meant in (
        ("net.yaml", True),
        ("a/net-small.yml", True),
        ("a/config.yaml", False),
        ("planet.yaml", False),
    ):
        assert bool(re.search(hook["files"], name)) is meant
    Path("net.yaml").write_text(NET, encoding="utf-8")
    Path("network.yaml").write_text("layers: [", encoding="utf-8")
    words = shlex.split(hook["entry"])
    check_command([*words, "net.yaml"])
    command = [sys.executable, "-m", *words]
    good = subprocess.run([*command, "net.yaml"], capture_output=True, text=True, timeout=120, check=False)
    assert (good.returncode, "1 network:" in good.stdout) == (0, True), good.stderr
    bad = subprocess.run(
        [*command, "net.yaml", "network.yaml"], capture_output=True, text=True, timeout=120, check=False
    )
    assert bad.returncode == 1
    assert "network.yaml:1: error N000 invalid-network" in bad.stdout
    assert (Path("net.yaml").read_text() == NET) is ("--fix" not in words)


def test_the_configuration_names_a_hook() -> None:
    [repository] = yaml(CONFIG)["repos"]
    known = {hook["id"]: hook for hook in hooks()}
    for hook in repository["hooks"]:
        check_command([*shlex.split(known[hook["id"]]["entry"]), *hook["args"], "nets/a.yaml"])
        assert re.search(hook["files"], "nets/a.yaml")


def test_a_local_hook_runs_what_it_names() -> None:
    [repository] = yaml(LOCAL)["repos"]
    [hook] = repository["hooks"]
    assert repository["repo"] == "local"
    assert {"id", "name", "entry", "language"} <= set(hook)
    check_command([*shlex.split(hook["entry"]), "nets/a.yaml"])


@pytest.mark.parametrize("text", WORKFLOWS)
def test_the_steps_of_a_workflow_run(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    workflow = yaml(text)
    steps = workflow["jobs"]["lint"]["steps"]
    [command] = [step["run"] for step in steps if step.get("run", "").startswith("striate")]
    Path("nets").mkdir()
    Path("nets/a.yaml").write_text(NET, encoding="utf-8")
    words = [
        word
        for part in shlex.split(command)
        for word in (sorted(map(str, Path().glob(part))) if "*" in part else [part])
    ]
    check_command(words)
    code, printed = run(capfd, *words[1:])
    assert code == 0
    if "sarif" in command:
        [upload] = [step for step in steps if "upload-sarif" in step.get("uses", "")]
        assert Path(upload["with"]["sarif_file"]).is_file()
    else:
        assert "::warning file=nets/a.yaml,line=8,title=N302 two-activations::" in printed


def test_the_networks_of_the_page_are_networks() -> None:
    for text in (NET, ALLOWED):
        assert read_target(text).subject.graph.classes == 10
