"""A zoo network at other sizes, where its layers depend on the size."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from striate.sources.recognition import recognise
from striate.units import Shape

if TYPE_CHECKING:
    from striate.graph import Graph
    from striate.zoo import Architecture

__all__ = ["resizer", "zoo_entry"]


def zoo_entry(source: Any) -> Architecture | None:
    """The architecture of the zoo that a source names; None where it names none.

    Raises:
        SourceError: it is text that names no network at all.

    >>> zoo_entry("LeNet5").name, zoo_entry("conv 8 3 > relu")
    ('lenet-5', None)
    """
    if not isinstance(source, str):
        return None
    found = recognise(source)
    if found.kind != "zoo":
        return None
    from striate import zoo

    return zoo.find(found.text)


def resizer(source: Any, classes: int | None = None) -> Callable[[Shape], Graph] | None:
    """What builds a network for another shape; None where its layers are the same at every size.

    Args:
        source: as :func:`striate.load` takes it.
        classes: the number of classes it was loaded with.

    >>> build = resizer("lenet-5")
    >>> build((1, 28, 28)).nodes[1].layer.padding, build((1, 32, 32)).nodes[1].layer.padding
    (2, 0)
    >>> resizer("resnet18") is None
    True
    """
    entry = zoo_entry(source)
    if entry is None or not entry.per_size:
        return None
    return lambda shape: entry.build(shape, classes)
