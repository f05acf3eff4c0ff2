"""Edits of the text of a YAML file: only what has to change is touched, comments and layout stay.

What a change of text does is never trusted: whoever asks for one reads the result again and compares it with the edit
of the Graph (:mod:`striate.lint.mending.rounds`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from striate.errors import NetworkError
from striate.graph.block import Block
from striate.lint.mending.graph_edits import CannotEdit
from striate.lint.rule import Edit
from striate.sources.arguments import attribute_names, sizes_or_text
from striate.sources.entries import Entry, nothing, read_entry
from striate.sources.scalars import flow
from striate.sources.tree import ListNode, MapNode, Scalar, TreeNode, content_end, scalar_value

__all__ = ["edit_text"]


@dataclass(frozen=True, slots=True)
class _Change:
    """The characters from ``start`` to before ``end`` become ``text``."""

    start: int
    end: int
    text: str


class _Places:
    """Where the pieces of a text stand: in which list, and whether within brackets.

    Pieces are known by where they begin and end, since the tree was read from the same text a second time.
    """

    def __init__(self, root: TreeNode) -> None:
        self._lists: dict[tuple[type, int, int], tuple[ListNode, int]] = {}
        self._flow: set[tuple[type, int, int]] = set()
        stack: list[tuple[TreeNode, bool]] = [(root, False)]
        while stack:
            node, inside = stack.pop()
            if isinstance(node, Scalar):
                continue
            inside = inside or node.flow
            children = node.items if isinstance(node, ListNode) else tuple(value for _, value in node.entries)
            for place, child in enumerate(children):
                key = _key(child)
                if isinstance(node, ListNode):
                    self._lists.setdefault(key, (node, place))
                if inside:
                    self._flow.add(key)
                stack.append((child, inside))

    def list_of(self, item: TreeNode) -> tuple[ListNode | None, int]:
        """The list that holds a piece, and its place there."""
        return self._lists.get(_key(item), (None, 0))

    def in_flow(self, item: TreeNode) -> bool:
        """Whether a piece stands somewhere within brackets or braces."""
        return _key(item) in self._flow


def _key(node: TreeNode) -> tuple[type, int, int]:
    return type(node), node.start, node.end


def edit_text(text: str, items: Mapping[str, TreeNode], edits: Sequence[Edit]) -> str:
    """The text with all of these edits.

    Args:
        text: a network in YAML.
        items: the piece that each node was written as.
        edits: of nodes of the network. Where one piece stands for several nodes, all of them have to get the same.

    Raises:
        CannotEdit: the piece is written in a way that a program had better leave alone.
    """
    from striate.sources.parsing import read_tree

    by_item: dict[int, list[Edit]] = {}
    for wish in edits:
        if wish.node not in items:
            raise CannotEdit(f"{wish.node} is not written as a layer of its own")
        by_item.setdefault(id(items[wish.node]), []).append(wish)
    places = _Places(read_tree(text, "the text"))
    written_as = _names_by_item(items)
    changes: list[_Change] = []
    for wanted in by_item.values():
        item = items[wanted[0].node]
        entry = _entry(item, wanted[0].node)
        _check_whole(written_as[id(item)], wanted)
        if any(edit.attribute is None for edit in wanted):
            changes.append(_removal(text, places, item, wanted[0].node))
            continue
        values = {str(edit.attribute): edit.value for edit in wanted}
        changes += _assignments(text, places, item, entry, values)
    return _changed(text, sorted(changes, key=lambda change: (change.start, change.end)))


def _changed(text: str, changes: Sequence[_Change]) -> str:
    for earlier, later in pairwise(changes):
        if earlier.end > later.start:
            raise CannotEdit("two edits meet in one place")
    pieces, done = [], 0
    for change in changes:
        pieces += [text[done : change.start], change.text]
        done = change.end
    return "".join([*pieces, text[done:]])


def _names_by_item(items: Mapping[str, TreeNode]) -> dict[int, set[str]]:
    """The nodes that each piece stands for."""
    found: dict[int, set[str]] = {}
    for name, item in items.items():
        found.setdefault(id(item), set()).add(name)
    return found


def _check_whole(names: set[str], wanted: Sequence[Edit]) -> None:
    """An edit of a piece is one of every node that it stands for."""
    for attribute, value in {(edit.attribute, repr(edit.value)) for edit in wanted}:
        given = {edit.node for edit in wanted if (edit.attribute, repr(edit.value)) == (attribute, value)}
        if given != names:
            raise CannotEdit(
                f"it is written once for {len(names)} layers ({', '.join(sorted(names)[:4])}"
                f"{', …' if len(names) > 4 else ''}), and {len(given)} of them would change"
            )


def _entry(item: TreeNode, node: str) -> Entry:
    entry = read_entry(item, "the text", node)
    if entry.structure is not None or entry.layer is None or issubclass(entry.layer, Block):
        raise CannotEdit(f"{node} is made by {entry.kind}")
    return entry


def _assignments(
    text: str, places: _Places, item: TreeNode, entry: Entry, values: Mapping[str, object]
) -> list[_Change]:
    value = entry.value
    written = {name: flow(new) for name, new in values.items()}
    if isinstance(item, Scalar):
        return [_Change(item.start, item.end, _alone(text, places, item, written))]
    if value is None or nothing(value):
        key = _head(item, entry)
        colon = text.index(":", key.end) + 1
        return [_Change(colon, colon, " " + _braces(written))]
    if isinstance(value, MapNode):
        return _in_mapping(text, value, written)
    return _in_values(text, entry, value, written)


def _alone(text: str, places: _Places, item: Scalar, written: Mapping[str, str]) -> str:
    """A layer that was one word; inside of brackets it needs braces of its own."""
    layer = f"{text[item.start : item.end]}: {_braces(written)}"
    return f"{{{layer}}}" if places.in_flow(item) else layer


def _in_mapping(text: str, value: MapNode, written: Mapping[str, str]) -> list[_Change]:
    changes, added = [], dict(written)
    for key, old in value.entries:
        if key.text in added:
            if not isinstance(old, Scalar) and not old.flow:
                raise CannotEdit(f"{key.text} is written over several lines")
            changes.append(_Change(old.start, old.end, added.pop(key.text)))
    if not added:
        return changes
    inner = ", ".join(f"{name}: {new}" for name, new in added.items())
    if value.flow:
        place = content_end(value.entries[-1][1]) if value.entries else value.start + 1
        return [*changes, _Change(place, place, f", {inner}" if value.entries else inner)]
    key, old = value.entries[-1]
    end = _line_end(text, max(content_end(old), key.end))
    indent = " " * (value.entries[0][0].start - _line_start(text, value.entries[0][0].start))
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = "".join(f"{newline}{indent}{name}: {new}" for name, new in added.items())
    return [*changes, _Change(end, end, lines)]


def _in_values(text: str, entry: Entry, value: Scalar | ListNode, written: Mapping[str, str]) -> list[_Change]:
    """Values without names (``conv: [16, 3]``): the one that is meant is replaced, else all of them get names."""
    cls = entry.layer
    if cls is None or cls.arity is None or cls.roles or (isinstance(value, ListNode) and not value.flow):
        raise CannotEdit(f"the values of {entry.kind} are written in a way that is not edited")
    pieces = list(value.items) if isinstance(value, ListNode) else [value]
    try:
        names = attribute_names(cls, [_value(piece) for piece in pieces])
    except NetworkError as error:
        raise CannotEdit(error.problem) from None
    if set(written) <= set(names):
        named = dict(zip(names, pieces, strict=True))
        return [_Change(named[name].start, named[name].end, new) for name, new in written.items()]
    attributes = {name: text[piece.start : piece.end] for name, piece in zip(names, pieces, strict=True)}
    return [_Change(value.start, value.end, _braces({**attributes, **written}))]


def _value(piece: TreeNode) -> bool | int | float | str | tuple[int, ...]:
    """What kind of value it is, as far as it decides which attribute it belongs to."""
    if not isinstance(piece, Scalar):
        return (1,)
    value = scalar_value(piece, "the text")
    if isinstance(value, str) and piece.plain:
        return (1,) if isinstance(sizes_or_text(value), tuple) else value
    return "" if value is None else value


def _removal(text: str, places: _Places, item: TreeNode, node: str) -> _Change:
    around, place = places.list_of(item)
    if around is None or len(around.items) == 1:
        raise CannotEdit(f"{node} stands alone in its list" if around else f"{node} is not written in a list")
    if around.flow:
        if place + 1 < len(around.items):
            start, end = item.start, around.items[place + 1].start
        else:
            start, end = content_end(around.items[place - 1]), content_end(item)
        if "#" in text[start:end]:
            raise CannotEdit(f"a comment would go with {node}")
        return _Change(start, end, "")
    start = _line_start(text, item.start)
    if text[start : item.start].strip() != "-":
        raise CannotEdit(f"{node} does not stand on a line of its own")
    end = _line_end(text, content_end(item))
    after = text[end : end + 2]
    return _Change(start, end + (2 if after == "\r\n" else 1 if after[:1] in ("\n", "\r") else 0), "")


def _head(item: TreeNode, entry: Entry) -> Scalar:
    entries = item.entries if isinstance(item, MapNode) else ()
    return next(key for key, value in entries if value is entry.value)


def _braces(written: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}: {text}" for name, text in written.items()) + "}"


def _line_start(text: str, place: int) -> int:
    return max(text.rfind("\n", 0, place), text.rfind("\r", 0, place)) + 1


def _line_end(text: str, place: int) -> int:
    ends = [found for found in (text.find("\n", place), text.find("\r", place)) if found >= 0]
    return min(ends, default=len(text))
