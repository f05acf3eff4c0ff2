"""Names of a package that are imported when they are first used, so that importing the package costs nothing.

The one implementation of PEP 562 for every package of Striate that offers names from modules it does not load.
"""

from __future__ import annotations

from importlib import import_module

# `typing` would be the slowest part of a package that loads nothing else; type checkers take this name for theirs.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["lazy_names"]


def lazy_names(
    package: str, homes: Mapping[str, Sequence[str]], ready: Sequence[str] = ()
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: its ``__name__``.
        homes: for each module below it the names it has to offer.
        ready: names that the package offers besides, already loaded.

    Returns:
        Both functions. The first raises AttributeError for a name that is nowhere, as Python itself does; the second
        lists what the package offers and nothing else.

    >>> get, names = lazy_names("striate.analysis", {"editing": ("edit",), "report": ("Report", "inspect")})
    >>> names(), get("edit").__module__
    (['Report', 'edit', 'inspect'], 'striate.analysis.editing')
    >>> get("edti")
    Traceback (most recent call last):
        ...
    AttributeError: module 'striate.analysis' has no attribute 'edti'
    """
    modules = {name: module for module, names in homes.items() for name in names}

    def load(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{modules[name]}"), name)

    def listed() -> list[str]:
        return sorted({*modules, *ready})

    return load, listed
