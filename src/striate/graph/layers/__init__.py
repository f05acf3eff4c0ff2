"""The layers: one file for each family, found by themselves.

To add a layer, add a file with a frozen dataclass that derives from :class:`striate.graph.layer.Layer` and sets
``kind``; YAML, inline text, the builder and the documentation know it from then on.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TypeGuard

from striate.errors import LayerError, near_miss
from striate.graph.layer import Layer

__all__ = ["layer_class", "layer_classes", "layer_names", "not_written"]


def _discover() -> tuple[dict[str, type[Layer]], dict[str, type[Layer]]]:
    kinds: dict[str, type[Layer]] = {}
    names: dict[str, type[Layer]] = {}
    for module in pkgutil.iter_modules(__path__):
        for member in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if _is_layer(member) and member.written:
                kinds[member.kind] = member
                for name in (member.kind, *member.aliases):
                    if names.setdefault(name, member) is not member:
                        raise TypeError(f"two layers are called {name!r}: {names[name].__name__} and {member.__name__}")
    return kinds, names


def _is_layer(member: object) -> TypeGuard[type[Layer]]:
    return isinstance(member, type) and issubclass(member, Layer) and bool(member.kind) and "kind" in vars(member)


_KINDS, _NAMES = _discover()


def layer_classes() -> dict[str, type[Layer]]:
    """Every layer class that can be written, by its kind, in alphabetical order.

    >>> "conv" in layer_classes()
    True
    """
    return dict(sorted(_KINDS.items()))


def layer_names() -> dict[str, type[Layer]]:
    """Every layer class by each of its names, aliases included."""
    return dict(_NAMES)


def layer_class(name: str) -> type[Layer]:
    """The layer class with that kind or alias; case, ``-`` and ``_`` do not matter.

    Raises:
        LayerError: when there is none; a near miss is suggested.

    >>> layer_class("Max_Pool").__name__
    'MaxPool'
    """
    folded = name.lower().replace("-", "").replace("_", "")
    if folded not in _NAMES:
        if folded == "opaque":
            raise not_written()
        hint = near_miss(name, _NAMES)
        raise LayerError(
            f"there is no layer {name!r}",
            got=name,
            needs=f"one of {', '.join(kind for kind in sorted(_KINDS) if kind != 'input')}",
            write=hint,
        )
    return _NAMES[folded]


def not_written(operation: str | None = None, where: str | None = None) -> LayerError:
    """The error for ``opaque`` where a layer is to be written."""
    return LayerError(
        "opaque cannot be written: it is an operation of an imported network that no layer describes",
        where=where,
        got="opaque" if operation is None else f"opaque ({operation})",
        needs="a layer; the imported network itself can be inspected and compared",
    )
