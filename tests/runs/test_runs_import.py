"""`import striate.runs` is light, and every name it offers is there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import striate.runs


def test_importing_the_package_loads_nothing_heavy() -> None:
    script = (
        "import sys, striate.runs\n"
        "from striate.runs import atomic, folder, layout, metrics\n"
        "heavy = {'pydantic', 'numpy', 'torch', 'yaml', 'ruamel', 'rich'}\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & heavy))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_name_is_there() -> None:
    for name in striate.runs.__all__:
        assert getattr(striate.runs, name).__module__.startswith(("striate.runs.", "typing"))
    assert set(striate.runs.__all__) <= set(dir(striate.runs))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        striate.runs.nothing  # noqa: B018
