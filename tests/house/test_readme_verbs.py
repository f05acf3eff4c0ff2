"""The README names every verb of the command line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


def verbs(help_text: str) -> list[str]:
    """The verbs listed under "Commands" in the output of ``striate --help``."""
    _, found, listing = help_text.partition("Commands")
    if not found:
        return []
    # A name stands first on its line and is followed by its explanation; whatever draws the frame is left out.
    names = re.findall(r"^[\s│|]{0,4}([a-z][a-z-]*)(?:\s{2,}|\s*[│|]?$)", listing, flags=re.MULTILINE)
    return [str(name) for name in names]


def unmentioned(names: list[str], readme: str) -> list[str]:
    return [name for name in names if not re.search(rf"striate {re.escape(name)}\b", readme)]


def test_the_readme_names_every_verb(library: Path, repository: Path) -> None:
    if not (library / "cli" / "__init__.py").exists():
        pytest.skip("there is no striate.cli yet")
    script = "import sys; from striate.cli import main; sys.argv = ['striate', '--help']; main()"
    environment = {**os.environ, "COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=120, check=True
    )
    names = verbs(done.stdout)
    assert names, f"no verb was found in:\n{done.stdout}"
    readme = (repository / "README.md").read_text(encoding="utf-8")
    assert not unmentioned(names, readme), "write an example of each, 'striate VERB …', into README.md"


FRAMED = """
 Usage: striate [OPTIONS] COMMAND [ARGS]...

╭─ Options ──────────────────────────╮
│ --help          Show this message. │
╰────────────────────────────────────╯
╭─ Commands ─────────────────────────╮
│ inspect   Shapes, parameters, cost │
│           and receptive fields.    │
│ train     Train on images.         │
│ explain-pixel                      │
╰────────────────────────────────────╯
"""
PLAIN = "Options:\n  --help  Show this.\n\nCommands:\n  inspect  Shapes.\n  train    Train.\n"


def test_verbs_are_read_off_the_help() -> None:
    assert verbs(FRAMED) == ["inspect", "train", "explain-pixel"]
    assert verbs(PLAIN) == ["inspect", "train"]
    assert verbs("Options:\n  --help  Show this.\n") == []


def test_a_verb_the_readme_leaves_out_is_caught() -> None:
    assert unmentioned(["train", "inspect"], "Write `striate train`, then inspect it; striate inspector") == ["inspect"]
