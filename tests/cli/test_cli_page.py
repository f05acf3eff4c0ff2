"""docs/cli.md shows every help text as it is printed, and says the truth about the rest."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.commands import Run
from striate import errors
from striate.cli.program import verb_modules

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
BLOCK = re.compile(r"^```text\n\$ striate (.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COLUMNS = "100"

HOW = "write the texts into the page with STRIATE_WRITE_PAGES=1 pytest tests/cli/test_cli_page.py"
WRITE = bool(os.environ.get("STRIATE_WRITE_PAGES"))


def blocks() -> Iterator[tuple[str, str]]:
    for found in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        yield found[1], found[2]


@pytest.mark.parametrize("line", [line for line, _ in blocks()])
def test_what_is_shown_is_what_is_printed(striate: Run, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", COLUMNS)
    result = striate(*re.sub(r"[\"']", "", line).split())
    printed = result.out + result.err
    if WRITE:
        text = PAGE.read_text(encoding="utf-8")
        start = f"```text\n$ striate {line}\n"
        before, _, after = text.partition(start)
        PAGE.write_text(f"{before}{start}{printed}```{after.partition('```')[2]}", encoding="utf-8")
    assert dict(blocks())[line] == printed, HOW


def test_every_verb_is_shown() -> None:
    shown = {line for line, _ in blocks()}
    missing = {"--help", *(f"{verb} --help" for verb in verb_modules())} - shown
    assert not missing, f"add a block of text that starts with '$ striate {min(missing)}' to {PAGE}; {HOW}"


def test_the_exit_codes_are_the_true_ones() -> None:
    text = PAGE.read_text(encoding="utf-8").split("## Exit codes")[1].split("\n## ")[0]
    told = {int(code): meaning for code, meaning in re.findall(r"^\| (\d+) \| (.*?) \|$", text, re.MULTILINE)}
    assert set(told) == {0, 1, 2, 3, 4, 70, 130, 143}
    for kind in (getattr(errors, name) for name in errors.__all__ if name != "near_miss"):
        assert kind.exit_code in told
