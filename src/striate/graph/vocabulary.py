"""Every word that stands for a layer or a block, for whatever reads what people write."""

from __future__ import annotations

import functools

from striate.errors import LayerError, near_miss
from striate.graph.block import Block
from striate.graph.blocks import block_classes, block_names
from striate.graph.layer import Layer
from striate.graph.layers import layer_classes, layer_names, not_written

__all__ = ["word_class"]


@functools.lru_cache(maxsize=1024)
def word_class(name: str) -> type[Layer] | type[Block]:
    """The layer or block class with that kind or alias; case, ``-`` and ``_`` do not matter.

    Raises:
        LayerError: when there is none; a near miss is suggested.

    >>> word_class("Max_Pool").__name__, word_class("squeeze-excite").__name__
    ('MaxPool', 'SqueezeExcite')
    """
    folded = name.lower().replace("-", "").replace("_", "")
    known: dict[str, type[Layer] | type[Block]] = {**layer_names(), **block_names()}
    if folded == "opaque":
        raise not_written()
    if folded not in known:
        kinds = sorted([*layer_classes(), *block_classes()])
        raise LayerError(
            f"there is no layer {name!r}",
            got=name,
            needs=f"one of {', '.join(kind for kind in kinds if kind != 'input')}",
            write=near_miss(name, known),
        )
    return known[folded]
