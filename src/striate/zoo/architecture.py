"""Architecture: an entry of the zoo, a function from input size and classes to a Graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from striate.errors import SourceError
from striate.graph import Graph
from striate.units import Shape

__all__ = ["Architecture", "architecture"]

Build = Callable[[Shape, int], Graph]


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
    """

    name: str
    input: Shape
    classes: int
    summary: str
    function: Build
    aliases: tuple[str, ...] = ()
    published: int | None = None
    family: str = "classification"

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
        return self.function(input or self.input, classes or self.classes)


def architecture(
    name: str,
    *,
    input: Shape,
    classes: int,
    summary: str,
    aliases: tuple[str, ...] = (),
    published: int | None = None,
    family: str = "classification",
) -> Callable[[Build], Architecture]:
    """Decorate a function ``(input, classes) -> Graph`` so that the zoo finds it."""

    def wrap(function: Build) -> Architecture:
        return Architecture(name, input, classes, summary, function, aliases, published, family)

    return wrap
