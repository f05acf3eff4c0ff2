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

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Any

from striate.errors import LayerError, NetworkError, near_miss
from striate.graph.graph import Graph, Node
from striate.graph.layer import Layer
from striate.graph.layers import layer_class, layer_classes
from striate.graph.layers.input import Input
from striate.units import Shape

__all__ = ["Chain", "Draft", "make_layer", "network"]


class Draft:
    """A network being written: nodes so far, their shapes, and a name for the next one."""

    def __init__(self, name: str, classes: int | None = None) -> None:
        self.name = name
        self.classes = classes
        self.nodes: list[Node] = []
        self.shapes: dict[str, Shape] = {}
        self._counts: dict[str, int] = {}

    def fresh_name(self, kind: str) -> str:
        """``conv1``, ``conv2``, …; names that were given by hand are skipped."""
        while True:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            name = f"{kind}{self._counts[kind]}"
            if name not in self.shapes:
                return name

    def append(self, layer: Layer, inputs: tuple[str, ...], name: str | None = None) -> str:
        """Add a node, so that a shape error is told at the call that caused it.

        Raises:
            NetworkError: when the name is taken or the shapes do not fit.
        """
        name = self.fresh_name(layer.kind) if name is None else name
        if name in self.shapes:
            raise NetworkError(
                f"two nodes are called {name!r}", where=self.name, needs="a name of its own for each node"
            )
        if layer.arity is None and len(inputs) < 2:
            raise NetworkError(
                f"{layer.kind} needs something to join",
                where=f"{self.name}, node {name!r}",
                got="one input",
                needs="two or more",
            )
        try:
            shape = layer.output_shape(tuple(self.shapes[entry] for entry in inputs))
        except NetworkError as error:
            raise error.at(f"{self.name}, node {name!r}") from None
        self.nodes.append(Node(name, layer, inputs))
        self.shapes[name] = shape
        return name


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
            cls = layer_class(kind)
        except LayerError:
            hint = near_miss(kind, layer_classes())
            raise AttributeError(
                f"there is no layer {kind!r}" + (f"; did you mean {hint!r}?" if hint else "")
            ) from None

        def append(*args: Any, name: str | None = None, **attributes: Any) -> Chain:
            others = [arg for arg in args if isinstance(arg, Chain)]
            values = [arg for arg in args if not isinstance(arg, Chain)]
            return self.then(make_layer(cls, values, attributes), *others, name=name)

        return append

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *layer_classes()]

    def build(self, *others: Chain) -> Graph:
        """The finished network; this point is its output (and ``others``, when it has several)."""
        outputs = (self.node, *(other.node for other in others))
        return Graph(self._draft.name, tuple(self._draft.nodes), outputs, self._draft.classes)


def make_layer(cls: type[Layer], values: list[Any], attributes: dict[str, Any]) -> Layer:
    """A layer from positional and named attributes, with errors a reader can act on.

    Raises:
        LayerError: for an unknown, repeated, missing or impossible attribute.
    """
    # fields(), not __dataclass_fields__: the latter also lists class attributes such as ``kind``.
    entries = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    known = list(entries)
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
    missing = [name for name, field in entries.items() if name not in merged and _required(field)]
    if missing:
        raise LayerError(
            f"{cls.kind} needs {' and '.join(missing)}",
            got=", ".join(f"{key}: {value}" for key, value in merged.items()) or "nothing",
            write=f"{cls.kind}: {{{', '.join(f'{name}: 3' for name in missing)}}}",
        )
    return cls(**merged)


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def network(name: str, input: Shape, classes: int | None = None) -> Chain:
    """Start a network.

    Args:
        name: what people call it.
        input: the shape of one image, ``(channels, *spatial)``.
        classes: how many classes it tells apart, where that is its purpose.
    """
    draft = Draft(name, classes)
    return Chain(draft, draft.append(Input(input), (), "input"))
