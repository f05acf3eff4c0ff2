"""Word: what a layer and a block have in common for whoever writes them, in YAML, inline text or with the builder."""

from __future__ import annotations

from typing import ClassVar

__all__ = ["Word"]


class Word:
    """A name with attributes. Subclasses are frozen dataclasses.

    Class attributes:
        kind: the name in YAML, in inline text and as a builder method.
        aliases: other accepted names.
        arity: the number of inputs; None means two or more.
        any_arity: any number of inputs will do, none included; ``arity`` is then not looked at.
        written: whether people write it; else it stands in imported networks only.
        positional: attributes that may be given without their name, in this order.
        words: attribute that a bare word fills in inline text (``conv 16 3 same`` fills ``padding``).
        roles: what the inputs after the first are called in YAML, for a layer whose inputs are not of one kind.
    """

    kind: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    arity: ClassVar[int | None] = 1
    any_arity: ClassVar[bool] = False
    written: ClassVar[bool] = True
    positional: ClassVar[tuple[str, ...]] = ()
    words: ClassVar[str | None] = None
    roles: ClassVar[tuple[str, ...]] = ()
