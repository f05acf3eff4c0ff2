"""Inline text → Graph: a plain chain on one line, for the command line and for teaching.

    conv 16 3 same > relu > maxpool 2 > flatten > dense 10

Layers stand between ``>``; behind a layer's name come its unnamed values in their order, a word where the layer takes
one (``same``), and ``name=value`` pairs. Sizes for each axis are ``3x5`` or ``3,5``. The first item may be
``input 1x28x28``; without it an image is 3×32×32.
"""

from __future__ import annotations

import re

from striate.errors import LayerError, NetworkError, SourceError
from striate.graph.block import Block
from striate.graph.graph import Graph
from striate.graph.layer import Layer
from striate.graph.layers.input import Input
from striate.graph.vocabulary import word_class
from striate.sources.arguments import CLASSES, Classes, Value, attribute_at_fault, attribute_names, make, sizes_or_text
from striate.sources.assembly import Assembly
from striate.sources.inline_text import WHERE, Part, Span, marked, split_text
from striate.sources.options import check_classes, check_input, without_effect
from striate.sources.tree import Scalar, scalar_value
from striate.sources.wording import quoted, told_at
from striate.units import Shape

__all__ = ["DEFAULT_INPUT", "inline_leaves_open", "read_inline"]

DEFAULT_INPUT: Shape = (3, 32, 32)
"""The image of an inline network that names no input."""

_COMMAS = re.compile(r"[0-9]{1,9}(,[0-9]{1,9})+")


def read_inline(text: str, *, input: Shape | None = None, classes: int | None = None, name: str = "inline") -> Graph:
    """The network that an inline text describes.

    Args:
        text: layers with ``>`` between them.
        input: ``(channels, *spatial)`` in place of the one in the text.
        classes: what ``dense classes`` means.
        name: of the network.

    Raises:
        SourceError: the text is not a chain of layers, or ``classes`` has no effect.
        LayerError: an attribute of a layer is wrong.
        ShapeError: what arrives at a layer does not fit it.
        UsageError: ``classes`` is not a number.

    >>> read_inline("conv 16 3 same > relu > maxpool 2 > flatten > dense 10", input=(1, 8, 8)).parameter_count
    2730
    """
    size, count = check_input(input), check_classes(classes)
    parts = split_text(text)
    meaning = Classes(count, "dense 10, or the option classes")
    assembly = Assembly(name)
    first = _first_input(text, parts)
    point = assembly.append(Input(size or first or DEFAULT_INPUT), (), WHERE, "input")
    layers = parts[1:] if first is not None else parts
    if not layers:
        raise marked(SourceError("no layer follows the input", where=WHERE, write="… > relu"), text, parts[0].whole)
    for number, part in enumerate(layers, start=1):
        point = _append(assembly, part, meaning, point, text, number)
    draft = assembly.draft
    graph = Graph(draft.name, tuple(draft.nodes), (), meaning.count)
    if count is not None and not meaning.used and graph.output_shape != (count,):
        raise without_effect(count, graph, WHERE, "dense classes")
    return graph


def inline_leaves_open(text: str) -> tuple[bool, bool]:
    """Whether the text leaves its input and its number of classes to whoever loads it.

    >>> inline_leaves_open("flatten > dense classes"), inline_leaves_open("input 1x8x8 > flatten > dense 3")
    ((True, True), (False, False))
    """
    parts = split_text(text)
    values = [word.text.split("=")[-1] for part in parts for word in part.words[1:]]
    return parts[0].words[0].text.lower() != "input", CLASSES in values


def _append(assembly: Assembly, part: Part, classes: Classes, point: str, text: str, number: int) -> str:
    kind, trail = part.words[0], f"layer {number}"
    try:
        cls = _layer_class(kind, part)
    except (LayerError, SourceError) as error:
        raise marked(told_at(error, trail), text, kind) from None
    trail = f"{trail} ({cls.kind})"
    if cls.arity != 1:
        what = "an input belongs at the beginning" if cls is Input else f"{cls.kind} joins several layers"
        needs = "a YAML file for several inputs or branches" if cls is not Input else "input first, and once"
        raise marked(SourceError(what, where=trail, needs=needs), text, kind)
    values, named, spans = _arguments(part, cls, text, trail)
    try:
        made = make(cls, values, named, classes)
    except LayerError as error:
        name = attribute_at_fault(error, cls.kind, spans)
        told = told_at(error, trail)
        told.write = _inline_form(error.write, cls)
        raise marked(told, text, part.whole if name is None else spans[name]) from None
    try:
        if isinstance(made, Block):
            return assembly.expand(made, point, trail)
        return assembly.append(made, (point,), trail)
    except NetworkError as error:
        raise marked(error, text, part.whole) from None


def _layer_class(kind: Span, part: Part) -> type[Layer] | type[Block]:
    try:
        return word_class(kind.text)
    except LayerError as error:
        inner = re.match(r"[A-Za-z0-9_-]+", kind.text)
        if inner is not None and inner[0] != kind.text:
            try:
                known = word_class(inner[0]).kind
            except LayerError:
                pass
            else:
                rest = " ".join(re.findall(r"[A-Za-z0-9_.=-]+", part.whole.text)[1:])
                raise SourceError(
                    "values follow a layer's name after a space",
                    needs="no brackets, colons or commas",
                    write=f"{known} {rest}".rstrip(),
                ) from None
        raise LayerError(f"there is no layer {quoted(kind.text)}", needs=error.needs, write=error.write) from None


def _inline_form(write: str | None, cls: type[Layer] | type[Block]) -> str | None:
    """What to write, which the layers say in the form of YAML, in the form of this text.

    >>> from striate.graph.layers.convolution import Conv
    >>> _inline_form("stride: 1 or [1, 1]", Conv), _inline_form("conv: {filters: 3, kernel: 3}", Conv)
    ('stride=1 or 1x1', 'conv filters=3 kernel=3')
    """
    if write is None:
        return None
    write = re.sub(r"\[([^]]*)\]", lambda match: match[1].replace(", ", "x"), write)
    write = re.sub(rf"^{cls.kind}: \{{(.*)\}}$", lambda match: f"{cls.kind} {match[1].replace(', ', ' ')}", write)
    return re.sub(r"\b([a-z_]+): ", r"\1=", write)


def _arguments(
    part: Part, cls: type[Layer] | type[Block], text: str, trail: str
) -> tuple[list[Value], dict[str, Value], dict[str, Span]]:
    """The unnamed values, the named ones, and where each attribute stands."""
    values: list[Value] = []
    named: dict[str, Value] = {}
    spans: dict[str, Span] = {}
    for word in part.words[1:]:
        name, equals, value = word.text.partition("=")
        if not equals:
            values.append(_value(word.text, word, text, trail))
            try:
                spans[attribute_names(cls, values)[-1]] = word
            except LayerError as error:
                told = told_at(error, trail)
                told.write = _inline_form(error.write, cls)
                raise marked(told, text, word) from None
            continue
        if not name or not value:
            alone = SourceError("'=' needs a name before it and a value behind it", where=trail, write="stride=2")
            raise marked(alone, text, word)
        if name in named:
            raise marked(LayerError(f"{quoted(name)} is given twice", where=trail, needs="it once"), text, word)
        named[name], spans[name] = _value(value, word, text, trail), word
    return values, named, spans


def _value(word: str, span: Span, text: str, trail: str) -> Value:
    if _COMMAS.fullmatch(word):
        word = word.replace(",", "x")
    elif "," in word:
        error = SourceError("a comma belongs between two sizes, without spaces", where=trail, write="3,5 or 3x5")
        raise marked(error, text, span)
    try:
        value = scalar_value(Scalar(word, True, 1), trail)
    except SourceError as error:
        raise marked(error, text, span) from None
    if value is None:
        raise marked(SourceError("this is not a value", where=trail, needs="a number or a word"), text, span)
    return sizes_or_text(value) if isinstance(value, str) else value


def _first_input(text: str, parts: list[Part]) -> Shape | None:
    first = parts[0]
    if first.words[0].text.lower() != "input":
        return None
    sizes = " ".join(word.text for word in first.words[1:])
    numbers = re.split(r"[x×, ]+", sizes.lower())
    try:
        good = all(re.fullmatch("[0-9]{1,10}", number) for number in numbers)
        return Input(tuple(int(number) for number in numbers) if good else sizes).shape  # type: ignore[arg-type]
    except LayerError as error:
        told = LayerError(error.problem, where=WHERE, needs=error.needs, write="input 3x32x32")
        raise marked(told, text, first.whole) from None
