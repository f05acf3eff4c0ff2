"""docs/importing.md: what it shows is what is printed, and what it says of checkpoints is so."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
import torch

from striate.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "importing.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if found == kind]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")
    [model] = blocks("python")
    Path("model.py").write_text(model, encoding="utf-8")


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    printed = capfd.readouterr()
    return int(caught.value.code or 0), printed.out + printed.err


@pytest.mark.parametrize("place", range(len(blocks("text"))))
def test_what_is_shown_is_what_is_printed(place: int, capfd: pytest.CaptureFixture[str]) -> None:
    shown = blocks("text")[place]
    line = shown.splitlines()[0]
    code, printed = run(capfd, *shlex.split(line.removeprefix("$ striate ")))
    assert code == 0
    if os.environ.get("STRIATE_WRITE_PAGES"):
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(page.replace(f"```text\n{shown}```", f"```text\n{line}\n{printed}```"), encoding="utf-8")
    how = "write it into the page with STRIATE_WRITE_PAGES=1 pytest tests/importing/test_importing_page.py"
    assert blocks("text")[place] == f"{line}\n{printed}", how


def test_the_numbers_of_the_example_by_hand(capfd: pytest.CaptureFixture[str]) -> None:
    _, printed = run(capfd, "inspect", "model.py:Net", "--input", "3x32x32")
    weights = (27 * 16 + 16) + 32 + (144 * 16 + 16) + 20 + 170
    macs = 32 * 32 * (27 * 16 + 2 * 144 * 16) + 160
    assert f"{weights:,}" in printed
    assert f"{macs:,}" in printed


class Program:
    """What a pickle can hold: a call of a program."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch ran",)


def test_a_file_that_would_run_a_program_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    torch.save({"weight": torch.zeros(2), "more": Program()}, "bad.pth")
    code, printed = run(capfd, "inspect", "bad.pth")
    assert "system" in printed
    assert not Path("ran").exists()
    assert code in (0, 1)
