"""The package itself is light: torch is imported when something is built, not before."""

from __future__ import annotations

import subprocess
import sys

import pytest

import striate.backend


def test_listing_the_schemes_does_not_import_torch() -> None:
    code = "import sys; from striate.backend import SCHEMES; sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_name_it_offers_is_there() -> None:
    assert set(striate.backend.__all__) <= set(dir(striate.backend))
    for name in striate.backend.__all__:
        assert getattr(striate.backend, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = striate.backend.nothing
