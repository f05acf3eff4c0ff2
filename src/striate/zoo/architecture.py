"""Architecture: an entry of the zoo, a function from input size and classes to a Graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Literal

from striate.errors import ShapeError, SourceError
from striate.graph import Graph
from striate.units import Shape

__all__ = ["Architecture", "Writing", "architecture"]

Build = Callable[[Shape, int], Graph]
#: How torchvision writes a layer: as a function where one would expect a module (``F.relu``), as a
#: method of the tensor (``x.mean``), or as torch's own module where one would expect another class.
Writing = Literal["function", "method", "module"]


@dataclass(frozen=True)
class Architecture:
    """One network of the zoo.

    Args:
        name: as people know it.
        input: the shape it was designed for, ``(channels, *spatial)``.
        classes: the number of classes it was designed for; 0 for a network that tells none apart (its output is an
            image, say), which then takes no other number.
        summary: one line for ``striate zoo``.
        function: builds it for any input and number of classes.
        aliases: other names.
        published: the number of parameters that the paper or the reference implementation states, at ``input`` and
            ``classes``; None where none is stated.
        family: what it is for: ``classification``, ``segmentation``, ``detection``, ``generation``,
            ``super-resolution``, ``audio`` or ``video``.
        smallest: the fewest pixels along each axis, where an image can be too small for it.
        per_size: whether another size must be built anew: the layers depend on the size of the image, or sizes are
            refused on which its layers would run.
        writing: how torchvision, where it has the network, writes layers, by patterns of their names; all others are
            the module that torch has for such a layer.
    """

    name: str
    input: Shape
    classes: int
    summary: str
    function: Build
    aliases: tuple[str, ...] = ()
    published: int | None = None
    family: str = "classification"
    smallest: int = 1
    per_size: bool = False
    writing: Mapping[str, Writing] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    @property
    def adapts_classes(self) -> bool:
        """Whether another number of classes makes another network."""
        return self.classes > 0

    def build(self, input: Shape | None = None, classes: int | None = None) -> Graph:
        """The network, at its own size unless another is given.

        Raises:
            NetworkError: when the input is too small; the message names the layer.
            SourceError: when ``classes`` is given to a network without classes.
        """
        if classes is not None and not self.adapts_classes:
            raise SourceError(
                f"classes={classes} has no effect",
                where=self.name,
                got=f"a network for {self.family}, which tells no classes apart",
                needs="its input alone",
                write=f"{self.name} without classes",
            )
        shape = input or self.input
        try:
            return self.function(shape, classes or self.classes)
        except ShapeError as error:
            if len(shape) < 2 or min(shape[1:]) >= self.smallest or _names_a_size(error):
                raise
            needs = f"at least {self.smallest} pixels along each axis of the image"
            raise ShapeError(
                error.problem,
                where=error.where,
                got=error.got,
                needs=f"{error.needs}; {needs}" if error.needs else needs,
                write=f"input={(shape[0], *(max(size, self.smallest) for size in shape[1:]))}",
            ) from None

    def written(self, graph: Graph) -> dict[str, Writing]:
        """How torchvision writes each layer that ``writing`` is about."""
        return {
            node.name: how
            for pattern, how in self.writing.items()
            for node in graph.nodes
            if fnmatchcase(node.name, pattern)
        }


def _names_a_size(error: ShapeError) -> bool:
    """Whether an error says which input to write."""
    return error.write is not None and error.write.startswith("input=")


def architecture(
    name: str,
    *,
    input: Shape,
    classes: int,
    summary: str,
    aliases: tuple[str, ...] = (),
    published: int | None = None,
    family: str = "classification",
    smallest: int = 1,
    per_size: bool = False,
    writing: Mapping[str, Writing] = MappingProxyType({}),
) -> Callable[[Build], Architecture]:
    """Decorate a function ``(input, classes) -> Graph`` so that the zoo finds it."""

    def wrap(function: Build) -> Architecture:
        return Architecture(
            name, input, classes, summary, function, aliases, published, family, smallest, per_size, writing
        )

    return wrap
