"""A list of layers, with everything that may stand in it, appended to an Assembly."""

from __future__ import annotations

from collections.abc import Iterator

from striate.errors import SourceError
from striate.graph.block import Block
from striate.graph.layer import Layer
from striate.graph.layers.input import Input
from striate.sources.arguments import Classes
from striate.sources.assembly import Assembly
from striate.sources.entries import Entry, layer_of, names_in, nothing, read_entry
from striate.sources.structures import READERS
from striate.sources.tree import ListNode, MapNode, Scalar, TreeNode

__all__ = ["LayerReader"]


class LayerReader:
    """Reads layers; a *point* is the node that the next layer reads, None where there are several inputs.

    Args:
        assembly: receives the nodes.
        classes: what the word ``classes`` stands for.
        file: name of the text, for messages.
        root: the list of all layers.
    """

    def __init__(self, assembly: Assembly, classes: Classes, file: str, root: ListNode) -> None:
        self.assembly = assembly
        self._classes = classes
        self.file = file
        self._root = root
        #: Scalars after ``as`` that have named a node; a layer that is used again gives it a number.
        self._spent: set[int] = set()

    def read(self, point: str | None) -> str | None:
        """Append all layers; the last point."""
        return self.sequence(self._root, point, "")

    def at(self, line: int, trail: str) -> str:
        """The place of a line, for messages: ``net.yaml:7, layer 3 (conv)``."""
        return f"{self.file}:{line}, {trail}"

    def sequence(self, layers: ListNode, point: str | None, trail: str) -> str | None:
        """Append layers one after the other; the last point. ``trail`` says whose layers they are."""
        for number, item in enumerate(layers.items, start=1):
            point = self._entry(item, point, f"{trail}layer {number}")
        return point

    def _entry(self, item: TreeNode, point: str | None, trail: str) -> str | None:
        entry = read_entry(item, self.file, trail)
        trail, count = f"{trail} ({entry.kind})", len(self.assembly.draft.nodes)
        if entry.structure is not None:
            point = READERS[entry.structure](self, entry, point, trail)
        else:
            point = self._layer(entry, point, trail)
        self.assembly.locate(count, f"{self.file}:{entry.line}", item)
        return point

    def _layer(self, entry: Entry, point: str | None, trail: str) -> str:
        where = self.at(entry.line, trail)
        inputs = self._sources(entry, point, trail)
        cls, value = entry.layer, entry.value
        named = isinstance(value, (Scalar, ListNode)) and not nothing(value)
        joins = cls is not None and (cls.arity is None or cls.roles)
        if cls is not None and value is not None and issubclass(cls, Layer) and joins and named:
            place = self.at(value.line, trail)
            others = [self._find(name, place) for name in names_in(value, entry.kind, place)]
            return self.append(cls(), (*self._need(inputs, entry, where), *others), entry, trail)
        layer = layer_of(entry, self._classes, self.file, trail)
        if not isinstance(layer, Layer):
            return self._expand(layer, entry, point, trail)
        if isinstance(layer, Input):
            if entry.sources is not None:
                raise SourceError("an input reads nothing", where=where, got="from", needs="input without 'from'")
            return self.append(layer, (), entry, trail)
        return self.append(layer, (*self._need(inputs, entry, where), *self._named_inputs(entry, trail)), entry, trail)

    def _named_inputs(self, entry: Entry, trail: str) -> Iterator[str]:
        """The further inputs that stand among the attributes of a layer (``like: NAME``)."""
        roles = entry.layer.roles if entry.layer is not None else ()
        if isinstance(entry.value, MapNode):
            for key, value in entry.value.entries:
                if key.text in roles:
                    place = self.at(key.line, trail)
                    yield from (self._find(name, place) for name in names_in(value, key.text, place))

    def _expand(self, block: Block, entry: Entry, point: str | None, trail: str) -> str:
        where = self.at(entry.line, trail)
        start = self.start(entry, point, trail)
        if entry.name is None:
            return self.assembly.expand(block, start, where)
        end = self.assembly.expand(block, start, where, self._label(entry.name, trail))
        self.assembly.remember(entry.name.text, end)
        return end

    def append(self, layer: Layer, inputs: tuple[str, ...], entry: Entry, trail: str) -> str:
        """Append one node, under the entry's name if it has one."""
        where = self.at(entry.line, trail)
        arity = layer.arity
        if arity is None and len(inputs) < 2:
            raise SourceError(
                f"{layer.kind} needs something to join with what arrives",
                where=where,
                got="one input",
                needs="the name of an earlier layer, given there with 'as: NAME'",
                write=f"{layer.kind}: NAME, or {layer.kind} with from: [NAME, NAME]",
            )
        if arity is not None and len(inputs) != arity:
            names = ", ".join(inputs[:8])
            if layer.roles:
                raise SourceError(
                    f"{layer.kind} needs what arrives and {len(layer.roles)} more",
                    where=where,
                    got=f"{len(inputs)}: {names}",
                    needs="the name of an earlier layer, given there with 'as: NAME'",
                    write=f"{layer.kind}: NAME, or {layer.kind}: {{{layer.roles[0]}: NAME}}",
                )
            raise SourceError(
                f"{layer.kind} cannot read {len(inputs)} layers",
                where=where,
                got=f"from: [{names}]",
                needs="one layer" if arity == 1 else f"{arity} layers",
                write="concat or add with that 'from', and this layer after it",
            )
        shares = None
        if entry.weights is not None:
            where = self.at(entry.weights.line, trail)
            shares = self._find(entry.weights.text, where)
        if entry.name is None:
            return self.assembly.append(layer, inputs, where, shares=shares)
        node = self.assembly.append(layer, inputs, where, self._label(entry.name, trail), shares)
        self.assembly.remember(entry.name.text, node)
        return node

    def _label(self, given: Scalar, trail: str) -> str:
        """The node's name that the word after ``as`` gives."""
        again = id(given) in self._spent
        name = self.assembly.free_name(given.text, again, given.line, self.at(given.line, trail))
        self._spent.add(id(given))
        return name

    def _sources(self, entry: Entry, point: str | None, trail: str) -> tuple[str, ...]:
        if entry.sources is None:
            return () if point is None else (point,)
        where = self.at(entry.sources.line, trail)
        return tuple(self._find(name, where) for name in names_in(entry.sources, "from", where))

    def _need(self, inputs: tuple[str, ...], entry: Entry, where: str) -> tuple[str, ...]:
        if inputs:
            return inputs
        names = list(self.assembly.draft.shapes)
        raise SourceError(
            f"there are several inputs, and {entry.kind} does not say which it reads",
            where=where,
            needs=f"'from' with one of {', '.join(names[:8])}, or a list",
            write=f"from: {names[0]}",
        )

    def start(self, entry: Entry, point: str | None, trail: str) -> str:
        """The one node at which a structure begins."""
        where = self.at(entry.line, trail)
        inputs = self._need(self._sources(entry, point, trail), entry, where)
        if len(inputs) != 1:
            raise SourceError(
                f"{entry.kind} begins at one layer", where=where, got=f"{len(inputs)} names in 'from'", needs="one name"
            )
        return inputs[0]

    def _find(self, name: str, where: str) -> str:
        try:
            return self.assembly.find(name, where)
        except SourceError:
            # Only now is it worth looking through the whole text for a name that comes later.
            return self.assembly.find(name, where, frozenset(_given_names(self._root)))


def _given_names(node: TreeNode) -> Iterator[str]:
    """Every name that follows an ``as`` anywhere in the text."""
    if isinstance(node, ListNode):
        for item in node.items:
            yield from _given_names(item)
    elif isinstance(node, MapNode):
        for key, value in node.entries:
            if key.text == "as" and isinstance(value, Scalar):
                yield value.text
            yield from _given_names(value)
