"""Values as text gives them → a Layer. Shared by YAML and inline text, so that both mean the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import Field, fields
from typing import TypeVar

from striate.errors import LayerError
from striate.graph.builder import make_layer
from striate.graph.word import Word
from striate.sources.wording import quoted

__all__ = ["CLASSES", "Classes", "Value", "attribute_at_fault", "attribute_names", "make", "sizes_or_text"]

Made = TypeVar("Made", bound=Word)
Value = bool | int | float | str | tuple["Value", ...]

CLASSES = "classes"
"""The word that stands for the network's number of classes."""

#: More than any attribute takes: a pair for each of three axes.
_COUNT_LIMIT = 8
_SIZES = re.compile(r"[0-9]{1,9}([x×][0-9]{1,9})+")
_NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?")


class Classes:
    """The number of classes, and whether the text ever asked for it."""

    def __init__(self, count: int | None, missing: str) -> None:
        self.count = count
        self.used = False
        self._missing = missing

    def take(self) -> int:
        """The number that ``classes`` stands for.

        Raises:
            LayerError: when there is none.
        """
        self.used = True
        if self.count is None:
            raise LayerError(
                "'classes' stands here, and the number of classes is not given",
                got="classes",
                needs="the number of classes",
                write=self._missing,
            )
        return self.count


def sizes_or_text(text: str) -> Value:
    """``3x5`` as one size for each axis; any other word as it is.

    >>> sizes_or_text("3x5"), sizes_or_text("same")
    ((3, 5), 'same')
    """
    if _SIZES.fullmatch(text):
        return tuple(int(part) for part in re.split("[x×]", text))
    return text


def make(cls: type[Made], values: Sequence[Value], named: dict[str, Value], classes: Classes) -> Made:
    """A layer or block from values without a name and attributes with one.

    A word goes to the attribute that the layer keeps for words (``same`` to ``padding``); every other value goes to
    the layer's unnamed attributes, in their order.

    Raises:
        LayerError: unknown, repeated, missing, superfluous or impossible attributes.

    >>> from striate.graph.layers.convolution import Conv
    >>> make(Conv, [16, 3, "same"], {"bias": False}, Classes(None, "")).padding
    'same'
    """
    attributes: dict[str, Value] = {}
    for name, value in zip(attribute_names(cls, values), values, strict=True):
        _set(cls, attributes, name, value)
    for name, value in named.items():
        _set(cls, attributes, name, value)
    return make_layer(cls, [], {name: _meant(cls, name, value, classes) for name, value in attributes.items()})


def attribute_names(cls: type[Word], values: Sequence[Value]) -> list[str]:
    """The attribute that each unnamed value belongs to.

    Raises:
        LayerError: there are more values than attributes without a name.
    """
    names: list[str] = []
    order = list(cls.positional)
    for value in values:
        if cls.words is not None and isinstance(value, str) and value != CLASSES and cls.words not in names:
            names.append(cls.words)
        elif order:
            names.append(order.pop(0))
        else:
            raise _superfluous(cls, value, values)
    return names


def _set(cls: type[Word], attributes: dict[str, Value], name: str, value: Value) -> None:
    if name in attributes:
        raise LayerError(
            f"{cls.kind} is given its {name} twice",
            got=f"{name}: {str(value)[:80]}",
            needs=f"one {name}; another value was {str(attributes[name])[:80]}",
        )
    attributes[name] = value


def _meant(cls: type[Word], name: str, value: Value, classes: Classes) -> Value:
    """The value with ``classes`` replaced, once it is sure that a message about it stays readable."""
    if value == CLASSES and any(field.name == name and field.type in ("int", int) for field in _fields(cls)):
        return classes.take()
    if _count(value) > _COUNT_LIMIT:
        raise LayerError(
            f"{cls.kind} cannot use this {name}",
            got=f"{name}: a list of {_count(value)} values",
            needs="one value, or one for each of at most three axes",
        )
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        raise LayerError(
            f"the {name} of {cls.kind} stands in quotes, which make it text",
            got=f'{name}: "{value}"',
            needs="a number without quotes",
            write=f"{name}: {value}",
        )
    return value


def _count(value: Value) -> int:
    return sum(_count(entry) for entry in value) if isinstance(value, tuple) else 1


def attribute_at_fault(error: LayerError, kind: str, names: Iterable[str]) -> str | None:
    """Which of the given attributes an error is about, so that it can be told at its own place.

    >>> attribute_at_fault(LayerError("conv cannot use this stride", got="stride: 0"), "conv", ["kernel", "stride"])
    'stride'
    """
    if error.problem.startswith(f"{kind} needs "):
        # Something is missing; what was got is everything else.
        return None
    return next((name for name in names if (error.got or "").startswith(f"{name}:")), None)


def _fields(cls: type[Word]) -> tuple[Field[object], ...]:
    # Every layer is a dataclass, which the type of the base class cannot say.
    return fields(cls)  # type: ignore[arg-type]


def _superfluous(cls: type[Word], value: Value, values: Sequence[Value]) -> LayerError:
    known = [field.name for field in _fields(cls)]
    shown = quoted(value, 40) if isinstance(value, str) else str(value)[:80]
    if not known:
        return LayerError(f"{cls.kind} takes no values", got=shown, needs=f"{cls.kind} alone")
    taken = cls.positional
    rest = [name for name in known if name not in taken]
    count = f"{len(taken)} value{'s' if len(taken) != 1 else ''} without a name" if taken else "no value without a name"
    needs = f"{count}{': ' if taken else ''}{', '.join(taken)}" + (
        f"; with its name: {', '.join(rest)}" if rest else ""
    )
    write = None
    if len(taken) == 1 and len(values) <= 3 and all(isinstance(entry, int) for entry in values):
        # The values of one attribute, one for each axis, were probably meant.
        write = f"{cls.kind}: {{{taken[0]}: [{', '.join(map(str, values))}]}}"
    return LayerError(f"{cls.kind} is given one value too many", got=shown, needs=needs, write=write)
