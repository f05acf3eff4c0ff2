"""The blocks: one file each, found by themselves.

To add a block, add a file with a frozen dataclass that derives from :class:`striate.graph.block.Block`, sets ``kind``
and expands into layers; YAML, inline text, the builder and the documentation know it from then on.
"""

from __future__ import annotations

import importlib
import pkgutil

from striate.graph.block import Block
from striate.graph.layers import layer_names

__all__ = ["block_classes", "block_names"]


def _discover() -> tuple[dict[str, type[Block]], dict[str, type[Block]]]:
    kinds: dict[str, type[Block]] = {}
    names: dict[str, type[Block]] = {}
    for module in pkgutil.iter_modules(__path__):
        for member in vars(importlib.import_module(f"{__name__}.{module.name}")).values():
            if isinstance(member, type) and issubclass(member, Block) and member.kind and "kind" in vars(member):
                kinds[member.kind] = member
                for name in (member.kind, *member.aliases):
                    if name in layer_names() or names.setdefault(name, member) is not member:
                        raise TypeError(f"the block {member.__name__} takes the name {name!r} of another word")
    return kinds, names


_KINDS, _NAMES = _discover()


def block_classes() -> dict[str, type[Block]]:
    """Every block class by its kind, in alphabetical order.

    >>> "separableconv" in block_classes()
    True
    """
    return dict(sorted(_KINDS.items()))


def block_names() -> dict[str, type[Block]]:
    """Every block class by each of its names, aliases included."""
    return dict(_NAMES)
