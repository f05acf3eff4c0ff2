"""Hypothesis strategies for valid random networks, and a few ways to run them.

`graphs()` draws networks of every layer kind, in one to three dimensions, with non-square maps, branches, gates and
several outputs. Attributes are drawn so that they fit the shape that arrives; what is refused all the same is left out.
"""

from __future__ import annotations

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from properties.drawn_layers import MAP_KINDS, ROOM, VECTOR_KINDS, any_layer
from properties.drawn_more_layers import LIKE_KINDS, MORE_LOCAL
from striate.errors import NetworkError
from striate.graph import Graph, Layer, layer_class, layer_classes
from striate.graph.builder import Draft
from striate.units import Shape

__all__ = [
    "ALL_KINDS",
    "LOCAL_KINDS",
    "MAP_KINDS",
    "VECTOR_KINDS",
    "any_layer",
    "graphs",
    "input_shapes",
    "single_layer_graphs",
    "units",
]

ALL_KINDS = tuple(layer_classes())
LARGEST = {1: 20, 2: 20, 3: 9}

#: Kinds after which a unit still sees a part of the image only.
LOCAL_KINDS = (
    *["input", "conv", "convtranspose", "maxpool", "avgpool", "upsample", "adaptiveavgpool", "adaptivemaxpool"],
    *["add", "multiply", "concat", "batchnorm", "relu", "identity", "dense"],
    *[*MORE_LOCAL, *LIKE_KINDS, "slice"],
)

_MERGES = ("add", "multiply", "concat")


@st.composite
def input_shapes(draw: DrawFn, ranks: tuple[int, ...] = (1, 2, 3)) -> Shape:
    """The shape of one image: few channels, sizes that differ between the axes."""
    rank = draw(st.sampled_from(ranks))
    return (draw(st.integers(1, 6)), *(draw(st.integers(1, LARGEST[rank])) for _ in range(rank)))


class _Writer:
    """A network being drawn."""

    def __init__(self, draw: DrawFn, ranks: tuple[int, ...]) -> None:
        self.draw = draw
        self.draft = Draft("random")
        self.dotted = draw(st.booleans())
        self.block = 0
        self.add_input(draw(input_shapes(ranks)))

    def shape(self, node: str) -> Shape:
        return self.draft.shapes[node]

    def add_input(self, shape: Shape) -> None:
        self.append(layer_class("input")(shape), (), dotted=False)

    def append(self, layer: Layer, inputs: tuple[str, ...], dotted: bool = True) -> str | None:
        """The new node's name, or None where the layer is refused or its output would be too large to test."""
        name = f"block{self.block}.{len(self.draft.nodes)}.{layer.kind}" if self.dotted and dotted else None
        try:
            shape = layer.output_shape(tuple(self.shape(entry) for entry in inputs))
            if len(shape) > 1 and (shape[0] > 16 or max(shape[1:]) > ROOM[len(shape) - 1]):
                return None
            return self.draft.append(layer, inputs, name)
        except NetworkError:
            return None

    def layer(self, node: str, kinds: tuple[str, ...]) -> str | None:
        allowed = VECTOR_KINDS if len(self.shape(node)) == 1 else MAP_KINDS
        kind = self.draw(st.sampled_from([kind for kind in allowed if kind in kinds]))
        try:
            layer = any_layer(self.draw, kind, self.shape(node))
        except NetworkError:
            return None
        return self.append(layer, (node,))

    def keeping_conv(self, node: str, stride: int) -> str | None:
        """A convolution after which the size depends on the stride alone: kernels and sides of padding differ."""
        shape, rank = self.shape(node), len(self.shape(node)) - 1
        kernel = tuple(self.draw(st.integers(1, 4)) for _ in range(rank))
        before = tuple(self.draw(st.integers(0, size - 1)) for size in kernel)
        pads = tuple((front, size - 1 - front) for front, size in zip(before, kernel, strict=True))
        layer = layer_class("conv")(filters=shape[0], kernel=kernel, stride=stride, padding=pads)  # type: ignore[call-arg]
        return self.append(layer, (node,))

    def branches(self, node: str) -> str | None:
        """Two convolutions of one map, joined; or one and the map itself."""
        stride = self.draw(st.integers(1, 2))
        first = self.keeping_conv(node, stride)
        second = node if stride == 1 and self.draw(st.booleans()) else self.keeping_conv(node, stride)
        if first is None or second is None:
            return None
        return self.append(layer_class(self.draw(st.sampled_from(_MERGES)))(), (first, second))

    def gate(self, node: str) -> str | None:
        """A squeeze-and-excitation gate (Hu et al. 2018), sometimes squeezing one axis only."""
        shape, rank = self.shape(node), len(self.shape(node)) - 1
        if self.draw(st.booleans()):
            squeezed = self.append(layer_class("globalavgpool")(keep=True), (node,))  # type: ignore[call-arg]
        else:
            axis = self.draw(st.integers(0, rank - 1))
            size = tuple(1 if index == axis else entry for index, entry in enumerate(shape[1:]))
            squeezed = self.append(layer_class("adaptiveavgpool")(size=size), (node,))  # type: ignore[call-arg]
        if squeezed is None:
            return None
        opened = self.append(layer_class("sigmoid")(), (squeezed,))
        inputs = (node, opened or squeezed)
        return self.append(layer_class("multiply")(), inputs if self.draw(st.booleans()) else inputs[::-1])

    def like(self, node: str, kind: str) -> str | None:
        """Bring the node to the size of any other."""
        layer = any_layer(self.draw, kind, self.shape(node))
        fitting = []
        for other in self.draft.shapes:
            try:
                layer.output_shape((self.shape(node), self.shape(other)))
                fitting.append(other)
            except NetworkError:
                continue
        return self.append(layer, (node, self.draw(st.sampled_from(fitting)))) if fitting else None

    def merge(self, node: str) -> str | None:
        """Join with any node that fits."""
        kind = self.draw(st.sampled_from(_MERGES))
        layer = layer_class(kind)()
        fitting = []
        for other in self.draft.shapes:
            try:
                layer.output_shape((self.shape(node), self.shape(other)))
                fitting.append(other)
            except NetworkError:
                continue
        others = self.draw(st.lists(st.sampled_from(fitting), min_size=1, max_size=2)) if fitting else []
        return self.append(layer, (node, *others)) if others else None


@st.composite
def graphs(
    draw: DrawFn, max_nodes: int = 10, ranks: tuple[int, ...] = (1, 2, 3), kinds: tuple[str, ...] = ALL_KINDS
) -> Graph:
    """A random valid network.

    Args:
        draw: given by hypothesis.
        max_nodes: about how many nodes at most.
        ranks: how many spatial axes it may have.
        kinds: the layer kinds that may stand in it.
    """
    writer = _Writer(draw, ranks)
    inputs = [node.name for node in writer.draft.nodes]
    if draw(st.integers(0, 5)) == 0:
        writer.add_input(writer.shape(inputs[0]))
    last = inputs[0]
    steps = draw(st.integers(max_nodes // 2, max_nodes))
    moves = ("layer",) * 8 + ("branches", "gate", "merge", "like", "return")
    while len(writer.draft.nodes) < steps + len(inputs):
        is_map = len(writer.shape(last)) > 1
        move = draw(st.sampled_from(moves))
        if move == "return":
            last, steps = draw(st.sampled_from(list(writer.draft.shapes))), steps - 1
            continue
        if move == "branches" and is_map and {"conv", *_MERGES} <= set(kinds):
            new = writer.branches(last)
        elif move == "gate" and is_map and {"multiply", "sigmoid"} <= set(kinds):
            new = writer.gate(last)
        elif move == "merge" and set(_MERGES) <= set(kinds):
            new = writer.merge(last)
        elif move == "like" and is_map and set(LIKE_KINDS) <= set(kinds):
            new = writer.like(last, draw(st.sampled_from(LIKE_KINDS)))
        else:
            new = writer.layer(last, kinds)
        if new is None:
            steps -= 1
            continue
        writer.block += draw(st.booleans())
        last = new
    names = list(writer.draft.shapes)
    outputs = (
        (names[-1],)
        if draw(st.integers(0, 3))
        else tuple(draw(st.lists(st.sampled_from(names), min_size=2, max_size=3)))
    )
    return Graph("random", tuple(writer.draft.nodes), outputs, draw(st.sampled_from((None, 10))))


@st.composite
def single_layer_graphs(draw: DrawFn, kind: str, ranks: tuple[int, ...] = (1, 2, 3)) -> Graph:
    """An input and one layer of that kind: what a fault shrinks to.

    Vector layers stand behind a flatten; merges join what comes before them.
    """
    writer = _Writer(draw, ranks)
    last = next(iter(writer.draft.shapes))
    if kind in _MERGES:
        first, second = writer.keeping_conv(last, 1), writer.keeping_conv(last, 1)
        if writer.append(layer_class(kind)(), tuple(name for name in (first, second, last) if name)) is None:
            reject()
    elif kind in LIKE_KINDS:
        # The reference is another map: smaller or larger, and with other sizes along each axis.
        other = writer.layer(last, ("maxpool", "convtranspose", "resize", "crop", "adaptiveavgpool"))
        if other is None or writer.like(draw(st.sampled_from((last, other))), kind) is None:
            reject()
    else:
        on_vector = kind not in MAP_KINDS or (kind in VECTOR_KINDS and draw(st.booleans()))
        if on_vector:
            last = writer.append(layer_class("flatten")(), (last,)) or last
        if kind != "input" and all(writer.layer(last, (kind,)) is None for _ in range(5)):
            reject()
    return Graph("single", tuple(writer.draft.nodes))


@st.composite
def units(draw: DrawFn, graph: Graph) -> tuple[str, tuple[int, ...]]:
    """A node, most often one of the last, and a position there: corners and edges as often as what lies inside."""
    names = [entry.name for entry in graph.nodes if entry.inputs] or [graph.nodes[0].name]
    node = draw(st.sampled_from(names[-1:] * len(names) + names[-2:] * len(names) + names))
    ends = [st.sampled_from((0, size - 1)) | st.integers(0, size - 1) for size in graph.shapes[node][1:]]
    return node, tuple(draw(end) for end in ends)
