"""The structures of a list of layers: residual, branches and repeat."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from striate.errors import LayerError, NetworkError, ShapeError, SourceError, near_miss
from striate.graph.layer import Layer
from striate.graph.layers import layer_class, layer_classes
from striate.graph.layers.convolution import Conv
from striate.graph.layers.merge import Add, Concat
from striate.sources.assembly import NODE_LIMIT, Assembly
from striate.sources.entries import Entry, described
from striate.sources.tree import ListNode, MapNode, Scalar, TreeNode, scalar_value
from striate.sources.wording import quoted
from striate.units import format_count

__all__ = ["READERS", "Reader", "read_branches", "read_repeat", "read_residual"]

_RESIDUAL = "residual: [{conv: {filters: 16, kernel: 3, padding: same}}, relu]"
_BRANCHES = "branches: [[{conv: {filters: 16, kernel: 1}}], [{maxpool: {kernel: 3, stride: 1, padding: same}}]]"
_REPEAT = "repeat: {times: 2, layers: [relu]}"


class Reader(Protocol):
    """What reads the layers inside of a structure; LayerReader is one."""

    @property
    def assembly(self) -> Assembly:
        """Where nodes go."""
        ...

    def at(self, line: int, trail: str) -> str:
        """The place of a line, for messages."""
        ...

    def sequence(self, layers: ListNode, point: str | None, trail: str) -> str | None:
        """Append layers one after the other; the last point."""
        ...

    def append(self, layer: Layer, inputs: tuple[str, ...], entry: Entry, trail: str) -> str:
        """Append one node, under the entry's name if it has one."""
        ...

    def start(self, entry: Entry, point: str | None, trail: str) -> str:
        """The one node at which a structure begins."""
        ...


def read_repeat(reader: Reader, entry: Entry, point: str | None, trail: str) -> str | None:
    """The same layers several times, one after the other; each time with weights of its own."""
    where = reader.at(entry.line, trail)
    parts = _parts(reader, entry, ("times", "layers"), _REPEAT, trail)
    if entry.name is not None:
        raise SourceError(
            "'as' names one layer, and repeat is many", where=where, needs="'as' on a layer inside of repeat"
        )
    for needed in ("times", "layers"):
        if needed not in parts:
            raise SourceError(f"repeat needs {needed}", where=where, got=_only(parts), write=_REPEAT)
    times = parts["times"]
    place = reader.at(times.line, trail)
    count = scalar_value(times, place) if isinstance(times, Scalar) else None
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= NODE_LIMIT:
        raise SourceError(
            "repeat cannot be done this many times",
            where=place,
            got=f"times: {described(times)}",
            needs=f"a whole number from 1 to {format_count(NODE_LIMIT)}",
            write="times: 2",
        )
    layers = _list(reader, parts["layers"], "the layers of repeat", trail)
    if entry.sources is not None:
        point = reader.start(entry, point, trail)
    for turn in range(1, count + 1):
        point = reader.sequence(layers, point, f"{trail}, time {turn}, ")
    return point


def read_residual(reader: Reader, entry: Entry, point: str | None, trail: str) -> str:
    """Layers, and what arrived (or a shortcut made from it) added to what leaves them."""
    shortcut: TreeNode | None = None
    if isinstance(entry.value, ListNode):
        layers = _list(reader, entry.value, "the layers of residual", trail)
    else:
        parts = _parts(reader, entry, ("layers", "shortcut"), _RESIDUAL, trail)
        if "layers" not in parts:
            where = reader.at(entry.line, trail)
            raise SourceError("residual needs layers", where=where, got=_only(parts), write=_RESIDUAL)
        layers = _list(reader, parts["layers"], "the layers of residual", trail)
        shortcut = parts.get("shortcut")
    start = reader.start(entry, point, trail)
    end = str(reader.sequence(layers, start, f"{trail}, "))
    other = start
    if shortcut is not None:
        steps = _list(reader, shortcut, "the shortcut of residual", trail, empty=True)
        other = str(reader.sequence(steps, start, f"{trail}, shortcut, "))
    try:
        return reader.append(Add(), (end, other), entry, trail)
    except ShapeError as error:
        fix = None if shortcut is not None else _projection(reader.assembly, start, end)
        if fix is None:
            raise
        raise ShapeError(error.problem, where=error.where, got=error.got, needs=error.needs, write=fix) from None


def _projection(assembly: Assembly, start: str, end: str) -> str | None:
    """The shortcut with a 1×1 convolution that makes the shapes fit, where there is one."""
    arriving, leaving = (assembly.draft.shapes[name] for name in (start, end))
    if len(arriving) != len(leaving) or len(arriving) < 2:
        return None
    stride = -(-arriving[1] // leaving[1])
    try:
        fits = Conv(leaving[0], 1, stride=stride).output_shape((arriving,)) == leaving
    except NetworkError:
        return None
    step = f", stride: {stride}" if stride > 1 else ""
    conv = f"{{conv: {{filters: {leaving[0]}, kernel: 1{step}}}}}"
    return f"residual: {{layers: […], shortcut: [{conv}]}}" if fits else None


def read_branches(reader: Reader, entry: Entry, point: str | None, trail: str) -> str:
    """Parallel paths that begin at one point and are joined: concatenated, added or multiplied."""
    merge: Layer = Concat()
    listed: TreeNode | None = entry.value
    if isinstance(entry.value, MapNode):
        parts = _parts(reader, entry, ("merge", "paths"), _BRANCHES, trail)
        if "merge" in parts:
            merge = _merge(reader, parts["merge"], trail)
        listed = parts.get("paths")
    if not isinstance(listed, ListNode) or len(listed.items) < 2:
        raise SourceError(
            "branches needs at least two paths",
            where=reader.at(entry.line, trail),
            got="nothing" if listed is None else described(listed),
            needs="a list of lists; an empty list [] is a path that changes nothing",
            write=_BRANCHES,
        )
    start = reader.start(entry, point, trail)
    ends = []
    for number, path in enumerate(listed.items, start=1):
        steps = _list(reader, path, f"path {number} of branches", trail, empty=True)
        ends.append(str(reader.sequence(steps, start, f"{trail}, path {number}, ")))
    return reader.append(merge, tuple(ends), entry, trail)


def _merge(reader: Reader, node: TreeNode, trail: str) -> Layer:
    known = [kind for kind, cls in layer_classes().items() if cls.arity is None]
    text = node.text if isinstance(node, Scalar) else ""
    try:
        cls = layer_class(text)
    except LayerError:
        cls = None
    if cls is None or cls.kind not in known:
        raise SourceError(
            "paths cannot be merged like this",
            where=reader.at(node.line, trail),
            got=f"merge: {described(node)}",
            needs=f"one of {', '.join(known)}",
            write=f"merge: {near_miss(text, known) or 'concat'}",
        )
    return cls()


def _parts(reader: Reader, entry: Entry, known: tuple[str, ...], example: str, trail: str) -> dict[str, TreeNode]:
    """The named parts of a structure."""
    if not isinstance(entry.value, MapNode):
        got = "nothing" if entry.value is None else described(entry.value)
        where = reader.at(entry.line, trail)
        raise SourceError(f"{entry.kind} needs layers", where=where, got=got, write=example)
    for key, _ in entry.value.entries:
        if key.text not in known:
            raise SourceError(
                f"{entry.kind} has no part {quoted(key.text)}",
                where=reader.at(key.line, trail),
                got=quoted(key.text),
                needs=" and ".join(known),
                write=near_miss(key.text, known) or example,
            )
    return {key.text: value for key, value in entry.value.entries}


def _list(reader: Reader, node: TreeNode, what: str, trail: str, *, empty: bool = False) -> ListNode:
    if isinstance(node, ListNode) and (empty or node.items):
        return node
    verb = "is" if what.startswith(("path", "the shortcut")) else "are"
    raise SourceError(
        f"{what} {verb} not a list of layers",
        where=reader.at(node.line, trail),
        got="an empty list" if isinstance(node, ListNode) else described(node),
        needs="at least one layer" if isinstance(node, ListNode) else "a list, even for one layer",
        write="[relu]",
    )


def _only(parts: dict[str, TreeNode]) -> str:
    return "only " + " and ".join(parts) if parts else "nothing"


READERS: dict[str, Callable[[Reader, Entry, str | None, str], str | None]] = {
    "residual": read_residual,
    "branches": read_branches,
    "repeat": read_repeat,
}
