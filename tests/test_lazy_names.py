"""Packages that import their names when they are first used: what they offer, and that they import nothing before."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from striate.lazy import lazy_names

PACKAGES = ("analysis", "backend", "data", "insight", "runs", "sources", "training", "views")


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_offers_what_it_says(name: str) -> None:
    package = importlib.import_module(f"striate.{name}")
    assert set(dir(package)) == set(package.__all__)
    for offered in package.__all__:
        assert getattr(package, offered) is not None
    for module, names in package._HOMES.items():
        home = importlib.import_module(f"striate.{name}.{module}")
        assert all(getattr(home, offered) is getattr(package, offered) for offered in names)


@pytest.mark.parametrize("name", PACKAGES)
def test_another_name_is_refused_as_python_does(name: str) -> None:
    package = importlib.import_module(f"striate.{name}")
    with pytest.raises(AttributeError, match=f"module 'striate.{name}' has no attribute 'nothing'"):
        package.nothing  # noqa: B018


def test_a_name_whose_module_lacks_it_is_an_error() -> None:
    load, _ = lazy_names("striate", {"units": ("Nothing",)})
    with pytest.raises(AttributeError, match="Nothing"):
        load("Nothing")


def modules_after(statement: str) -> set[str]:
    script = f"import sys; sys.path[:0] = {sys.path!r}; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    return {name for name in done.stdout.split() if name.partition(".")[0] == "striate"}


@pytest.mark.parametrize("name", [name for name in PACKAGES if name != "sources"])
def test_a_package_loads_none_of_its_modules(name: str) -> None:
    assert modules_after(f"import striate.{name}") == {"striate", "striate.lazy", f"striate.{name}"}


def test_striate_itself_is_one_module() -> None:
    assert modules_after("import striate") == {"striate"}
