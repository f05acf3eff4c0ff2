"""Graph → YAML text that reads well and gives the same Graph again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from striate.errors import SourceError
from striate.graph.graph import Graph, Node
from striate.graph.layers.input import Input
from striate.graph.layers.merge import Add, Concat
from striate.sources.assembly import NODE_LIMIT
from striate.sources.folding import Block, Item, fold
from striate.sources.options import channel_attribute, head_names
from striate.sources.parsing import SCALAR_LIMIT, TEXT_LIMIT
from striate.sources.scalars import flow, word
from striate.sources.shortest import automatic_names, shortest
from striate.units import format_bytes, format_count

__all__ = ["to_yaml"]

_WIDTH = 100


@dataclass(slots=True)
class _Entry:
    """What will stand behind one ``-``: a kind, a value in flow style or parts with lists, and ``from`` and ``as``."""

    kind: str
    value: str | None = None
    parts: list[tuple[str, list[_Entry]]] = field(default_factory=list)
    paths: list[list[_Entry]] = field(default_factory=list)
    merge: str | None = None
    extras: list[tuple[str, str]] = field(default_factory=list)


def to_yaml(graph: Graph) -> str:
    """A network as the text of a YAML file.

    Default attributes and automatic names are left out; residual blocks and branches are written as such.

    Args:
        graph: any network.

    Raises:
        SourceError: the text would be larger than the reader accepts, or an operation of an imported network has no
            layer that describes it.

    >>> from striate.graph import network
    >>> x = network("tiny", (1, 8, 8), classes=2).conv(4, 3, padding="same").relu().globalavgpool().dense(2)
    >>> print(to_yaml(x.build()), end="")
    name: tiny
    input: [1, 8, 8]
    classes: 2
    layers:
      - conv: {filters: 4, kernel: 3, padding: same}
      - relu
      - globalavgpool
      - dense: classes
    """
    _check_written(graph)
    inputs = _leading_inputs(graph)
    lines = [f"name: {word(graph.name)}"]
    if [node.name for node in inputs] == ["input"]:
        lines.append(f"input: {flow(graph.shapes['input'])}")
    else:
        lines += ["inputs:", *(f"  {word(node.name)}: {flow(graph.shapes[node.name])}" for node in inputs)]
    if graph.classes is not None:
        lines.append(f"classes: {graph.classes}")
    items = fold(graph)[len(inputs) :]
    entries = _Entries(graph, len(inputs)).sequence(items, inputs[0].name if len(inputs) == 1 else None)
    lines += ["layers:", *_block(entries, "  ")] if entries else ["layers: []"]
    if graph.outputs != (_last(graph, inputs),):
        lines.append(f"outputs: {_names(graph.outputs)}")
    text = "\n".join(lines) + "\n"
    _check_size(graph, text)
    return text


def _check_written(graph: Graph) -> None:
    for node in graph.nodes:
        if not node.layer.written:
            raise SourceError(
                "this network cannot be written: no layer describes one of its operations",
                where=f"{graph.name[:60]}, node {node.name}",
                got=str(getattr(node.layer, "operation", node.layer.kind)),
                needs="layers alone",
                write="the module or file that it was imported from",
            )


def _leading_inputs(graph: Graph) -> list[Node]:
    count = 0
    while count < len(graph.nodes) and isinstance(graph.nodes[count].layer, Input):
        count += 1
    return list(graph.nodes[:count])


def _last(graph: Graph, inputs: list[Node]) -> str | None:
    """The output of a text that names none."""
    return None if len(graph.nodes) == len(inputs) > 1 else graph.nodes[-1].name


def _check_size(graph: Graph, text: str) -> None:
    longest = max(map(len, (graph.name, *(node.name for node in graph.nodes))))
    if len(text) > TEXT_LIMIT or len(graph.nodes) > NODE_LIMIT or longest > SCALAR_LIMIT:
        raise SourceError(
            "this network is too large for a YAML file",
            where=graph.name[:60],
            got=f"{format_count(len(graph.nodes))} nodes, {format_bytes(len(text))}, a name of {longest} characters",
            needs=f"at most {format_count(NODE_LIMIT)} nodes, {format_bytes(TEXT_LIMIT)} and names of {SCALAR_LIMIT}",
        )


class _Entries:
    """Turns items into entries, knowing the names that come by themselves and the layers that set the classes."""

    def __init__(self, graph: Graph, given: int) -> None:
        self._automatic = automatic_names(graph, given)
        self._heads = frozenset(head_names(graph))

    def sequence(self, items: Sequence[Item], point: str | None) -> list[_Entry]:
        entries = []
        for item in items:
            entry = self._block(item, point) if isinstance(item, Block) else self._leaf(item.node, point)
            if self._automatic[item.node.name] != item.node.name:
                entry.extras.append(("as", word(item.node.name)))
            if item.node.shares is not None:
                entry.extras.append(("weights", word(item.node.shares)))
            entries.append(entry)
            point = item.node.name
        return entries

    def _leaf(self, node: Node, point: str | None) -> _Entry:
        layer = node.layer
        entry = _Entry(layer.kind, self._value(node))
        if not node.inputs or node.inputs == (point,):
            return entry
        if layer.arity is None and entry.value is None and node.inputs[0] == point:
            entry.value = _names(node.inputs[1:])
        elif layer.roles and node.inputs[0] == point:
            others = [f"{role}: {word(name)}" for role, name in zip(layer.roles, node.inputs[1:], strict=True)]
            given = [f"{name}: {flow(value)}" for name, value in shortest(layer).items()]
            alone = len(others) == 1 and not given
            entry.value = word(node.inputs[1]) if alone else "{" + ", ".join([*others, *given]) + "}"
        else:
            entry.extras.append(("from", _names(node.inputs)))
        return entry

    def _value(self, node: Node) -> str | None:
        layer = node.layer
        if isinstance(layer, Input):
            return flow(layer.shape)
        attributes = {name: flow(value) for name, value in shortest(layer).items()}
        if not attributes:
            return None
        if node.name in self._heads:
            attributes[str(channel_attribute(layer))] = "classes"
        if len(attributes) == 1:
            ((name, text),) = attributes.items()
            # Behind a layer with several inputs a word is the name of one.
            words = (layer.words,) if layer.words and not layer.roles else ()
            unnamed = layer.positional[:1] or words
            if name in unnamed and not text.startswith("[") and text not in ("true", "false"):
                return text
        return "{" + ", ".join(f"{name}: {text}" for name, text in attributes.items()) + "}"

    def _block(self, block: Block, point: str | None) -> _Entry:
        paths = [self.sequence(path, block.start) for path in block.paths]
        extras = [] if block.start == point else [("from", word(block.start))]
        if isinstance(block.node.layer, Add) and len(paths) == 2 and paths[0]:
            parts = [("layers", paths[0])] + ([("shortcut", paths[1])] if paths[1] else [])
            return _Entry("residual", parts=parts, extras=extras)
        merge = None if isinstance(block.node.layer, Concat) else block.node.layer.kind
        return _Entry("branches", paths=paths, merge=merge, extras=extras)


def _names(names: Sequence[str]) -> str:
    return word(names[0]) if len(names) == 1 else f"[{', '.join(word(name) for name in names)}]"


def _block(entries: Sequence[_Entry], indent: str) -> list[str]:
    """Entries as block-style lines, each list indented below its ``-``."""
    lines: list[str] = []
    for entry in entries:
        lines += _lines(entry, indent)
        lines += [f"{indent}  {key}: {text}" for key, text in entry.extras]
    return lines


def _lines(entry: _Entry, indent: str) -> list[str]:
    if not entry.parts and not entry.paths:
        if entry.value is None:
            return [f"{indent}- {entry.kind}" + (": {}" if entry.extras else "")]
        return [f"{indent}- {entry.kind}: {entry.value}"]
    head, deeper = f"{indent}- {entry.kind}:", f"{indent}    "
    if entry.parts:
        if len(entry.parts) == 1:
            return [head, *_block(entry.parts[0][1], f"{deeper}")]
        lines = [head]
        for name, layers in entry.parts:
            lines += [f"{deeper}{name}:", *_block(layers, f"{deeper}  ")]
        return lines
    if entry.merge is None:
        return [head, *_path_lines(entry.paths, deeper)]
    return [head, f"{deeper}merge: {entry.merge}", f"{deeper}paths:", *_path_lines(entry.paths, f"{deeper}  ")]


def _path_lines(paths: Sequence[Sequence[_Entry]], indent: str) -> list[str]:
    lines: list[str] = []
    for path in paths:
        short = _flow(path)
        if short is not None and len(indent) + 2 + len(short) <= _WIDTH:
            lines.append(f"{indent}- {short}")
        else:
            block = _block(path, f"{indent}  ")
            lines += [f"{indent}- {block[0].lstrip()}", *block[1:]]
    return lines


def _flow(path: Sequence[_Entry]) -> str | None:
    """A path on one line; None when it holds a structure."""
    words = []
    for entry in path:
        if entry.parts or entry.paths:
            return None
        if entry.value is None and not entry.extras:
            words.append(entry.kind)
        else:
            extras = "".join(f", {key}: {text}" for key, text in entry.extras)
            words.append(f"{{{entry.kind}: {'{}' if entry.value is None else entry.value}{extras}}}")
    return f"[{', '.join(words)}]"
