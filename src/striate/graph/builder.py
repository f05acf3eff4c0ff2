"""The builder: a network as a chain of calls.

>>> x = network("simple", input=(3, 32, 32))
>>> x = x.conv(16, 3, padding="same").relu().maxpool(2)
>>> shortcut = x
>>> x = x.conv(16, 3, padding="same").add(shortcut).relu()
>>> net = x.flatten().dense(10).build()
>>> net.parameter_count
43738
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

from striate.errors import LayerError, NetworkError, near_miss
from striate.graph.block import Block
from striate.graph.blocks import block_classes
from striate.graph.graph import Graph, Node
from striate.graph.layer import Layer
from striate.graph.layers import layer_classes, not_written
from striate.graph.layers.input import Input
from striate.graph.sharing import check_shares
from striate.graph.vocabulary import word_class
from striate.graph.word import Word
from striate.units import Shape

__all__ = ["Chain", "Draft", "make_layer", "network"]

Made = TypeVar("Made", bound=Word)


class Draft:
    """A network being written: nodes so far, their shapes, and a name for the next one."""

    def __init__(self, name: str, classes: int | None = None) -> None:
        self.name = name
        self.classes = classes
        self.nodes: list[Node] = []
        self.shapes: dict[str, Shape] = {}
        self._by_name: dict[str, Node] = {}
        self._counts: dict[str, int] = {}
        #: What names with dots begin with: ``a`` and ``a.b`` for ``a.b.c``.
        self._prefixes: set[str] = set()

    def fresh_name(self, kind: str) -> str:
        """``conv1``, ``conv2``, …, ``relu6_1``, …; names that were given by hand are skipped."""
        between = "_" if kind[-1].isdigit() else ""
        while True:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            name = f"{kind}{between}{self._counts[kind]}"
            if not self.taken(name):
                return name

    def taken(self, name: str) -> bool:
        """Whether a node or a block has that name, or names of nodes begin with it and a dot."""
        return name in self.shapes or name in self._prefixes

    def take(self, name: str, shape: Shape) -> None:
        """Note a name as a node's, and the shape that leaves it."""
        self.shapes[name] = shape
        parent = name.rpartition(".")[0]
        while parent and parent not in self._prefixes:
            self._prefixes.add(parent)
            parent = parent.rpartition(".")[0]

    def append(self, layer: Layer, inputs: tuple[str, ...], name: str | None = None, shares: str | None = None) -> str:
        """Add a node, so that a shape error is told at the call that caused it; the name of it.

        Raises:
            NetworkError: when the name is taken, the shapes do not fit, or the weights of the node ``shares`` do not.
        """
        if not layer.written:
            raise not_written(getattr(layer, "operation", None), self.name)
        name = self.fresh_name(layer.kind) if name is None else name
        if name in self.shapes:
            raise NetworkError(
                f"two nodes are called {name!r}", where=self.name, needs="a name of its own for each node"
            )
        self._check_arity(layer, inputs, name)
        try:
            shape = layer.output_shape(tuple(self.shapes[entry] for entry in inputs))
        except NetworkError as error:
            raise error.at(f"{self.name}, node {name!r}") from None
        node = Node(name, layer, inputs, shares)
        if shares is not None:
            check_shares(self.name, node, self._by_name, self.shapes)
        self._by_name[name] = node
        self.nodes.append(node)
        self.take(name, shape)
        return name

    def expand(self, block: Block, start: str, name: str | None = None) -> str:
        """Add the nodes of a block that begins at ``start``; the name of the last.

        Raises:
            NetworkError: when the name is taken or the shapes do not fit.
        """
        name = self.fresh_name(block.kind) if name is None else name
        if self.taken(name):
            raise NetworkError(
                f"two nodes are called {name!r}",
                where=self.name,
                got=f"the block {block.kind} with that name, after a node or a block of the same name",
                needs="a name of its own for each node and block",
            )
        count = len(self.nodes)
        try:
            return block.expand(Chain(self, start), name).node
        except NetworkError:
            # A block is there as a whole or not at all.
            for node in self.nodes[count:]:
                del self._by_name[node.name]
            del self.nodes[count:]
            kept = {node.name: self.shapes[node.name] for node in self.nodes}
            self.shapes.clear()
            self._prefixes.clear()
            for node_name, shape in kept.items():
                self.take(node_name, shape)
            raise

    def _check_arity(self, layer: Layer, inputs: tuple[str, ...], name: str) -> None:
        where, arity = f"{self.name}, node {name!r}", layer.arity
        if arity is None and len(inputs) < 2:
            raise NetworkError(
                f"{layer.kind} needs something to join", where=where, got="one input", needs="two or more"
            )
        if arity is not None and len(inputs) != arity:
            raise NetworkError(
                f"{layer.kind} has the wrong number of inputs",
                where=where,
                got=f"{len(inputs)} ({', '.join(inputs)})" if inputs else "none",
                needs=str(arity),
                write=f"x.{layer.kind}(reference)" if arity == 2 else None,
            )


class Chain:
    """A point in a network being built. Every layer is a method by its kind: ``x.conv(16, 3)``, ``x.add(y, z)``.

    A chain is never changed; each call returns the next point, so branches start by keeping a chain in a variable.
    ``name="stem"`` names the node, else it is ``conv1``, ``conv2`` and so on.
    """

    def __init__(self, draft: Draft, node: str) -> None:
        self._draft = draft
        self.node = node

    @property
    def shape(self) -> Shape:
        """The shape here, ``(channels, *spatial)``."""
        return self._draft.shapes[self.node]

    @property
    def channels(self) -> int:
        """The channels here."""
        return self.shape[0]

    def then(self, layer: Layer, *others: Chain, name: str | None = None) -> Chain:
        """Append any layer; ``others`` are its further inputs."""
        for other in others:
            if other._draft is not self._draft:
                raise NetworkError("these chains belong to different networks", where=self._draft.name)
        inputs = (self.node, *(other.node for other in others))
        return Chain(self._draft, self._draft.append(layer, inputs, name))

    def __getattr__(self, kind: str) -> Callable[..., Chain]:
        if kind.startswith("_"):
            raise AttributeError(kind)
        try:
            cls = word_class(kind)
        except LayerError:
            hint = near_miss(kind, [*layer_classes(), *block_classes()])
            raise AttributeError(
                f"there is no layer {kind!r}" + (f"; did you mean {hint!r}?" if hint else "")
            ) from None

        def append(*args: Any, name: str | None = None, **attributes: Any) -> Chain:
            others = [arg for arg in args if isinstance(arg, Chain)]
            values = [arg for arg in args if not isinstance(arg, Chain)]
            made = make_layer(cls, values, attributes)
            if isinstance(made, Layer):
                return self.then(made, *others, name=name)
            if not isinstance(made, Block) or others:
                raise NetworkError(f"{made.kind} reads one layer", where=self._draft.name, needs="no further inputs")
            return Chain(self._draft, self._draft.expand(made, self.node, name))

        return append

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *layer_classes(), *block_classes()]

    def build(self, *others: Chain) -> Graph:
        """The finished network; this point is its output (and ``others``, when it has several)."""
        outputs = (self.node, *(other.node for other in others))
        return Graph(self._draft.name, tuple(self._draft.nodes), outputs, self._draft.classes)


def make_layer(cls: type[Made], values: list[Any], attributes: dict[str, Any]) -> Made:
    """A layer or block from positional and named attributes, with errors a reader can act on.

    Raises:
        LayerError: for an unknown, repeated, missing or impossible attribute.
    """
    # fields(), not __dataclass_fields__: the latter also lists class attributes such as ``kind``.
    known, required = _attributes(cls)  # type: ignore[arg-type]
    if not (values or attributes or required):
        plain: Made = _plain(cls)  # type: ignore[arg-type]
        return plain
    if len(values) > len(known):
        raise LayerError(
            f"{cls.kind} was given too many values",
            got=", ".join(map(str, values)),
            needs=f"at most {len(known)}: {', '.join(known)}" if known else "none",
        )
    for name, value in attributes.items():
        if name not in known:
            raise LayerError(
                f"{cls.kind} has no attribute {name!r}",
                got=f"{name}: {value}",
                needs=f"one of {', '.join(known)}" if known else "no attributes",
                write=near_miss(name, known),
            )
    given = dict(zip(known, values, strict=False))
    if twice := [name for name in given if name in attributes]:
        raise LayerError(f"{cls.kind} was given {twice[0]} twice", got=f"{given[twice[0]]} and {attributes[twice[0]]}")
    merged = {**given, **attributes}
    missing = [name for name in required if name not in merged]
    if missing:
        raise LayerError(
            f"{cls.kind} needs {' and '.join(missing)}",
            got=", ".join(f"{key}: {value}" for key, value in merged.items()) or "nothing",
            write=f"{cls.kind}: {{{', '.join(f'{name}: 3' for name in missing)}}}",
        )
    return cls(**merged)


@functools.cache
def _plain(cls: type[Word]) -> Any:
    """A word as it is without attributes; layers never change, so that one serves all."""
    return cls()


@functools.cache
def _attributes(cls: type[Word]) -> tuple[list[str], list[str]]:
    """Names of a word's attributes, and of those that must be given."""
    entries = fields(cls)  # type: ignore[arg-type]
    return [f.name for f in entries], [f.name for f in entries if _required(f)]


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def network(name: str, input: Shape, classes: int | None = None) -> Chain:
    """Start a network.

    Args:
        name: what people call it.
        input: the shape of one image, ``(channels, *spatial)``.
        classes: how many classes it tells apart, where that is its purpose.

    Raises:
        LayerError: when ``input`` is not the shape of an image.

    >>> network("tiny", input=(1, 8, 8)).conv(4, 3).relu().globalavgpool().dense(2).build().parameter_count
    50
    """
    draft = Draft(name, classes)
    return Chain(draft, draft.append(Input(input), (), "input"))
