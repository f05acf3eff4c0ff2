"""One item of a list of layers, taken apart: its kind, its value, its name and what it reads."""

from __future__ import annotations

from dataclasses import dataclass, replace

from striate.errors import LayerError, SourceError, near_miss
from striate.graph.block import Block
from striate.graph.layer import Layer
from striate.graph.vocabulary import word_class
from striate.sources.arguments import Classes, Value, attribute_at_fault, make, sizes_or_text
from striate.sources.scalars import flow
from striate.sources.tree import ListNode, MapNode, Scalar, TreeNode, scalar_value
from striate.sources.wording import quoted, told_at

__all__ = ["BESIDE", "STRUCTURES", "Entry", "described", "layer_of", "names_in", "nothing", "read_entry"]

STRUCTURES = ("residual", "branches", "repeat")
BESIDE = ("as", "from", "weights")
"""What may stand beside a layer."""

_ENTRY = "a word (relu), or a layer with its values (conv: {filters: 16, kernel: 3})"


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands behind one ``-``.

    Args:
        kind: as it was written.
        structure: residual, branches or repeat; None for a layer.
        layer: the class of a layer or block; None for a structure.
        value: what follows the colon, if anything.
        name: the value of ``as``.
        sources: the value of ``from``.
        line: where it begins.
        weights: the value of ``weights``.
    """

    kind: str
    structure: str | None
    layer: type[Layer] | type[Block] | None
    value: TreeNode | None
    name: Scalar | None
    sources: TreeNode | None
    line: int
    weights: Scalar | None = None


def nothing(node: TreeNode | None) -> bool:
    """Whether no value was written."""
    return node is None or (isinstance(node, Scalar) and node.plain and not node.text)


def described(node: TreeNode) -> str:
    """What a piece of YAML is, for a message."""
    if isinstance(node, Scalar):
        return "nothing" if nothing(node) else quoted(node.text)
    if isinstance(node, ListNode):
        return f"a list of {len(node.items)}"
    return "a mapping with " + (", ".join(quoted(key.text, 30) for key, _ in node.entries[:6]) or "nothing in it")


def read_entry(item: TreeNode, file: str, trail: str) -> Entry:
    """Take one item apart.

    Args:
        item: what stands behind the ``-``.
        file: name of the text, for messages.
        trail: which layer this is (``layer 3``), for messages.

    Raises:
        SourceError: it is no layer in form.
        LayerError: it is no layer by name.
    """
    where = f"{file}:{item.line}, {trail}"
    if nothing(item):
        raise SourceError("nothing stands behind this '-'", where=where, needs=_ENTRY)
    if isinstance(item, Scalar):
        return _entry(item, None, None, None, where)
    if isinstance(item, ListNode):
        raise SourceError(
            "a list stands where a layer is needed",
            where=where,
            got=described(item),
            needs=_ENTRY,
            write="branches: [[…], […]] for parallel paths, or take the inner brackets away",
        )
    heads = [(key, value) for key, value in item.entries if key.text not in BESIDE]
    if len(heads) != 1:
        raise _not_one(item, heads, where)
    extras = {key.text: value for key, value in item.entries if key.text in BESIDE}
    name = _one_name("as", "stem", extras, file, trail)
    weights = _one_name("weights", "conv1", extras, file, trail)
    ((key, value),) = heads
    entry = replace(_entry(key, value, name, extras.get("from"), where), weights=weights)
    if weights is not None and (entry.layer is None or not issubclass(entry.layer, Layer)):
        raise SourceError(
            f"'weights' names the weights of one layer, and {entry.kind} is several",
            where=f"{file}:{weights.line}, {trail}",
            got=f"weights: {quoted(weights.text)}",
            needs="'weights' beside a layer",
        )
    return entry


def _one_name(key: str, example: str, extras: dict[str, TreeNode], file: str, trail: str) -> Scalar | None:
    name = extras.get(key)
    if name is None or (isinstance(name, Scalar) and name.text):
        return name
    raise SourceError(
        f"{key!r} needs a name", where=f"{file}:{name.line}, {trail}", got=described(name), write=f"{key}: {example}"
    )


def _entry(key: Scalar, value: TreeNode | None, name: Scalar | None, sources: TreeNode | None, where: str) -> Entry:
    folded = key.text.lower().replace("-", "").replace("_", "")
    if folded in STRUCTURES:
        return Entry(folded, folded, None, value, name, sources, key.line)
    try:
        cls = word_class(key.text)
    except LayerError as error:
        raise _unknown(key.text, error, where) from None
    return Entry(cls.kind, None, cls, value, name, sources, key.line)


def _unknown(text: str, error: LayerError, where: str) -> LayerError:
    """An unknown layer; the structures are known here too, and text meant for the command line is recognised."""
    first = next(iter(text.split(maxsplit=1)), "")
    needs = f"{error.needs}, {', '.join(STRUCTURES)}"
    write = near_miss(text, [*STRUCTURES, *([error.write] if error.write else [])])
    if first != text:
        try:
            cls = word_class(first)
        except LayerError:
            pass
        else:
            needs, write = "values behind a colon", f"{cls.kind}: [{', '.join(text.split()[1:])}]"
    return LayerError(f"there is no layer {quoted(text)}", where=where, got=quoted(text), needs=needs, write=write)


def _not_one(item: MapNode, heads: list[tuple[Scalar, TreeNode]], where: str) -> SourceError:
    if not heads:
        return SourceError("this item has no layer in it", where=where, got=described(item), needs=_ENTRY)
    names = " and ".join(quoted(key.text, 30) for key, _ in heads[:4])
    first = heads[0][0].text
    attribute = heads[1][0].text
    return SourceError(
        "this item holds more than one name where one layer belongs",
        where=where,
        got=names,
        needs="one layer behind each '-', its attributes in braces or indented below it",
        write=f"{quoted(first, 30)[1:-1]}: {{{quoted(attribute, 30)[1:-1]}: …}}, or a '-' before the second",
    )


def layer_of(entry: Entry, classes: Classes, file: str, trail: str) -> Layer | Block:
    """The layer or block of an entry that is not a structure and whose value is not a list of nodes to join.

    What stands under the names of a layer's further inputs (``like``) is left to whoever looks for nodes.

    Raises:
        LayerError: an attribute is unknown, missing or impossible; told at its line.
        SourceError: a value is not one.
    """
    if entry.layer is None:
        raise TypeError(f"{entry.kind} is a structure")
    where = f"{file}:{entry.line}, {trail}"
    values: list[Value] = []
    named: dict[str, Value] = {}
    lines: dict[str, int] = {}
    value = entry.value
    if isinstance(value, MapNode):
        for key, node in value.entries:
            place = f"{file}:{key.line}, {trail}"
            if key.text in entry.layer.roles:
                continue
            if key.text in BESIDE:
                raise SourceError(
                    f"{quoted(key.text)} stands among the attributes of {entry.kind}",
                    where=place,
                    got=f"{key.text}: {described(node)}",
                    needs=f"it beside {entry.kind}, not inside its braces",
                    write=f"- {{{entry.kind}: {{…}}, {key.text}: …}}",
                )
            named[key.text] = _value(node, key.text, entry.kind, place)
            lines[key.text] = key.line
    elif isinstance(value, ListNode):
        if entry.kind == "input":
            values = [_value(value, "shape", entry.kind, where)]
        else:
            values = [_value(node, "value", entry.kind, where) for node in value.items]
    elif value is not None and not nothing(value):
        values = [_value(value, "value", entry.kind, where)]
    try:
        return make(entry.layer, values, named, classes)
    except LayerError as error:
        name = attribute_at_fault(error, entry.kind, lines)
        if name is None:
            raise told_at(error, where) from None
        told = told_at(error, f"{file}:{lines[name]}, {trail}")
        if error.got == f"{name}: {named[name]!r}":
            # The value as YAML writes it, not as Python does.
            told.got = f"{name}: {flow(named[name])}"
        raise told from None


def _value(node: TreeNode, name: str, kind: str, where: str) -> Value:
    if isinstance(node, ListNode):
        return tuple(_value(item, name, kind, where) for item in node.items)
    if isinstance(node, MapNode):
        raise SourceError(
            f"a mapping stands where {kind} needs a value",
            where=where,
            got=f"{name}: {described(node)}",
            needs="a number, a word, true, false, or a list of numbers",
        )
    value = scalar_value(node, where)
    if value is None:
        raise SourceError(
            f"the {name} of {kind} has no value",
            where=where,
            got=f"{name}: {node.text or 'nothing'}",
            needs="a value, or leave it out",
        )
    return sizes_or_text(value) if isinstance(value, str) and node.plain else value


def names_in(node: TreeNode, what: str, where: str) -> list[str]:
    """One name, or a list of names.

    Raises:
        SourceError: it is something else.
    """
    items = node.items if isinstance(node, ListNode) else (node,)
    names = [item.text for item in items if isinstance(item, Scalar) and item.text]
    if not names or len(names) != len(items):
        raise SourceError(
            f"{quoted(what)} needs the name of an earlier layer, or a list of names",
            where=where,
            got=described(node),
            write=f"{what}: NAME, with 'as: NAME' on the layer that is meant",
        )
    return names
