"""The zoo: networks people know, one file each, found by themselves.

To add one, add a file with a function decorated by :func:`striate.zoo.architecture.architecture`.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from types import MappingProxyType

from striate.errors import SourceError, near_miss
from striate.graph import Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture

__all__ = ["Architecture", "architectures", "build", "find", "names"]


def _fold(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


@functools.cache
def architectures() -> MappingProxyType[str, Architecture]:
    """Every architecture by its name, in alphabetical order."""
    found: dict[str, Architecture] = {}
    for module in pkgutil.iter_modules(__path__):
        for member in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            # A family of one design (VGG-11 to VGG-19) is a tuple of architectures.
            for entry in member if isinstance(member, tuple) else (member,):
                if isinstance(entry, Architecture):
                    found[entry.name] = entry
    return MappingProxyType(dict(sorted(found.items())))


def names() -> tuple[str, ...]:
    """The names of the zoo.

    >>> "simple-cnn" in names()
    True
    """
    return tuple(architectures())


def find(name: str) -> Architecture | None:
    """The architecture of that name (case, ``-`` and ``_`` do not matter), or None.

    >>> find("Simple_CNN").name
    'simple-cnn'
    """
    wanted = _fold(name)
    for entry in architectures().values():
        if wanted in (_fold(known) for known in (entry.name, *entry.aliases)):
            return entry
    return None


def build(name: str, input: Shape | None = None, classes: int | None = None) -> Graph:
    """A network of the zoo, for its own input and classes or for others.

    Raises:
        SourceError: when there is no such network; a near miss is suggested.
        NetworkError: when the input does not fit.

    >>> build("simple-cnn").parameter_count
    268650
    """
    entry = find(name)
    if entry is None:
        raise SourceError(
            f"the zoo has no network {name!r}",
            got=name,
            needs=f"one of {', '.join(names())}",
            write=near_miss(name, names()),
        )
    return entry.build(input, classes)
