"""Each view loads what it needs and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("jinja2", "matplotlib", "numpy", "PIL", "pydantic", "sklearn", "torch")

PRINT_A_TABLE = """
from striate import zoo
from striate.analysis import derive, inspect
from striate.errors import StriateError
from striate.views import derivation_view, error_view, inspect_table, json_text, make_console, zoo_table
net = zoo.build("simple-cnn")
console = make_console(stderr=True)
console.print(inspect_table(inspect(net)))
console.print(derivation_view(derive(net, "conv1")))
console.print(zoo_table(zoo.architectures().values()))
console.print(error_view(StriateError("wrong", got="this")))
json_text(inspect(net))
import striate.views.terminal
"""


def loaded(script: str, names: tuple[str, ...]) -> str:
    script += f"\nimport sys; print([name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("script", "names"),
    [
        ("import striate.views", (*HEAVY, "rich")),
        (PRINT_A_TABLE, HEAVY),
        ("from striate.views import json_text", (*HEAVY, "rich")),
        ("from striate.views import Picture", tuple(name for name in HEAVY if name != "numpy")),
        ("from striate.views import render_report", ("sklearn", "torch", "rich", "matplotlib.pyplot")),
    ],
    ids=["package", "terminal", "json", "pictures", "page"],
)
def test_nothing_heavier_is_loaded(script: str, names: tuple[str, ...]) -> None:
    assert loaded(script, names) == "[]"


def test_a_loaded_module_would_be_seen() -> None:
    assert loaded("import striate.views.report_parts", ("numpy",)) == "['numpy']"
