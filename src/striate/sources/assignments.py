"""``conv1.stride=2`` → a node, an attribute and its value, read as YAML reads it."""

from __future__ import annotations

from collections.abc import Iterable

from striate.errors import NetworkError, UsageError
from striate.sources.arguments import Value, sizes_or_text
from striate.sources.tree import ListNode, Scalar, TreeNode, scalar_value
from striate.sources.wording import quoted

__all__ = ["read_assignments"]


def read_assignments(texts: Iterable[str], where: str = "--set") -> dict[str, dict[str, Value]]:
    """The attributes to change, by node.

    Args:
        texts: each ``NODE.ATTRIBUTE=VALUE``; the value is a number, a word, ``true``, ``false``, ``3x5`` or a list
            such as ``[1, 2]``.
        where: the option they were given with, for messages.

    Raises:
        UsageError: one is not of that form, or an attribute is given twice.

    >>> read_assignments(["conv1.stride=2", "layer1.0.conv1.padding=[[0, 1], 2]", "conv1.bias=false"])
    {'conv1': {'stride': 2, 'bias': False}, 'layer1.0.conv1': {'padding': ((0, 1), 2)}}
    """
    found: dict[str, dict[str, Value]] = {}
    for text in texts:
        target, equals, written = text.partition("=")
        node, dot, attribute = target.strip().rpartition(".")
        if not (equals and dot and node and attribute and written.strip()):
            raise UsageError(
                "this does not change an attribute",
                where=where,
                got=quoted(text),
                needs="a layer, a dot, an attribute, = and a value",
                write=f"{where} conv1.stride=2",
            )
        if attribute in found.get(node, {}):
            raise UsageError(
                f"{node}.{attribute} is set twice", where=where, got=quoted(text), needs="one value for it"
            )
        found.setdefault(node, {})[attribute] = _read(written.strip(), text, where)
    return found


def _read(written: str, text: str, where: str) -> Value:
    if written[0] not in "[{\"'&*!|>%@`":
        return _value(Scalar(written, True, 1), text, where)
    # Only a list needs the parser.
    from striate.sources.parsing import read_tree

    try:
        return _value(read_tree(written, where), text, where)
    except NetworkError as error:
        raise UsageError(
            "this value cannot be read", where=where, got=f"{quoted(text)} ({error.problem})", write="[1, 2] for a list"
        ) from None


def _value(node: TreeNode, text: str, where: str) -> Value:
    if isinstance(node, ListNode):
        return tuple(_value(item, text, where) for item in node.items)
    try:
        value = scalar_value(node, where) if isinstance(node, Scalar) else None
    except NetworkError as error:
        raise UsageError(error.problem, where=where, got=quoted(text), needs=error.needs, write=error.write) from None
    if value is None:
        raise UsageError(
            "this is not a value of an attribute",
            where=where,
            got=quoted(text),
            needs="a number, a word, true, false, or a list of numbers",
        )
    return sizes_or_text(value) if isinstance(value, str) and isinstance(node, Scalar) and node.plain else value
