"""What works without torch does not load it: whole packages, and the command line until a verb needs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT_TORCH = ("graph", "zoo", "analysis", "views", "runs", "lint")

IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module("striate.{package}")
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print("torch" in sys.modules)
"""

COMMAND_LINE = """
import sys
from striate.cli import main
sys.argv = ["striate", *{arguments!r}]
code = 0
try:
    main()
except SystemExit as error:
    code = error.code or 0
print(f"\\nexit code {{code}}, torch loaded: {{'torch' in sys.modules}}")
"""


def last_line(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("package", WITHOUT_TORCH)
def test_the_package_does_not_load_torch(library: Path, package: str) -> None:
    if not (library / package / "__init__.py").exists():
        pytest.skip(f"there is no striate.{package} yet")
    assert last_line(IMPORT_ALL.format(package=package)) == "False"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["inspect", "simple-cnn"],
        ["lint", "simple-cnn"],
        ["lint", "conv 8 3 > relu > relu > globalavgpool > dense 10", "--fix", "--format", "sarif"],
        ["lint", "input: [3, 8, 8]\nlayers: [relu, relu]", "--diff"],
        ["explain", "N301"],
        ["explain", "T404"],
    ],
    ids=" ".join,
)
def test_the_command_line_does_not_load_torch(library: Path, arguments: list[str]) -> None:
    if not (library / "cli" / "__init__.py").exists():
        pytest.skip("there is no striate.cli yet")
    assert last_line(COMMAND_LINE.format(arguments=arguments)) == "exit code 0, torch loaded: False"


def test_a_loaded_torch_would_be_seen() -> None:
    # A stand-in module of that name: the question is whether the look into sys.modules works.
    script = "import sys, types; sys.modules['torch'] = types.ModuleType('torch')\n" + IMPORT_ALL.format(package="runs")
    assert last_line(script) == "True"
