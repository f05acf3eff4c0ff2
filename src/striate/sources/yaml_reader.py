"""YAML text → Graph: the keys at the top; the layers are read by LayerReader."""

from __future__ import annotations

from collections.abc import Iterator

from striate.errors import LayerError, SourceError, near_miss
from striate.graph.graph import Graph
from striate.graph.layers.input import Input
from striate.graph.vocabulary import word_class
from striate.sources.arguments import CLASSES, Classes, Value, sizes_or_text
from striate.sources.assembly import Assembly
from striate.sources.entries import BESIDE, described, names_in, nothing
from striate.sources.layers import LayerReader
from striate.sources.options import check_classes, check_input, without_effect
from striate.sources.parsing import read_tree
from striate.sources.scalars import flow
from striate.sources.tree import ListNode, MapNode, Scalar, TreeNode, scalar_value
from striate.sources.wording import quoted, told_at
from striate.units import Shape

__all__ = ["KEYS", "read_located_yaml", "read_yaml", "yaml_leaves_open"]

KEYS = ("name", "input", "inputs", "classes", "layers", "outputs")
"""What may stand at the top of a file."""

_EXAMPLE = "input: [3, 32, 32]"


def read_yaml(
    text: str,
    *,
    where: str = "net.yaml",
    input: Shape | None = None,
    classes: int | None = None,
    name: str = "network",
) -> Graph:
    """The network that a YAML text describes; ``docs/network-format.md`` says how to write one.

    Args:
        text: the YAML.
        where: what errors call the text.
        input: ``(channels, *spatial)`` in place of the one in the text.
        classes: the number of classes in place of the one in the text.
        name: of the network, where the text gives none.

    Raises:
        SourceError: the text is not such a description, or an option has no effect.
        LayerError: an attribute of a layer is wrong.
        ShapeError: what arrives at a layer does not fit it.
        UsageError: ``classes`` is not a number.

    >>> read_yaml("{input: [1, 8, 8], classes: 3, layers: [flatten, dense: classes]}").output_shape
    (3,)
    """
    return _read(text, where, input, classes, name)[0]


def read_located_yaml(
    text: str, *, where: str = "net.yaml", input: Shape | None = None, classes: int | None = None, name: str = "network"
) -> tuple[Graph, dict[str, TreeNode]]:
    """The same, with the piece of text that each node was written as; one in ``repeat`` stands for several nodes.

    Args:
        text, where, input, classes, name: as :func:`read_yaml` has them.

    Raises:
        SourceError, LayerError, ShapeError, UsageError: as :func:`read_yaml`.

    >>> text = "{input: [1, 8, 8], layers: [relu, repeat: {times: 2, layers: [tanh]}]}"
    >>> {node: text[item.start : item.end] for node, item in read_located_yaml(text)[1].items()}
    {'relu1': 'relu', 'tanh1': 'tanh', 'tanh2': 'tanh'}
    """
    graph, assembly = _read(text, where, input, classes, name)
    return graph, assembly.items


def _read(text: str, where: str, input: Shape | None, classes: int | None, name: str) -> tuple[Graph, Assembly]:
    size, count = check_input(input), check_classes(classes)
    keys = _keys(read_tree(text, where), where)
    declared = _declared_classes(keys.get("classes"), where)
    meaning = Classes(declared if count is None else count, "classes: 10 at the top of the file, or the option classes")
    assembly = Assembly(_name(keys.get("name"), name, where))
    point = _enter(assembly, keys, size, where)
    layers = keys.get("layers")
    if not isinstance(layers, ListNode):
        raise _no_layers(layers, where)
    last = LayerReader(assembly, meaning, where, layers).read(point)
    outputs = _outputs(assembly, keys.get("outputs"), last, where)
    draft = assembly.draft
    graph = Graph(draft.name, tuple(draft.nodes), outputs, meaning.count)
    if size is not None and len(graph.inputs) > 1:
        names = ", ".join(node.name for node in graph.inputs)
        raise SourceError(
            "the option input fits a network with one input", where=where, got=f"the inputs {names}", needs="one input"
        )
    if count is not None and not meaning.used and count != declared and graph.output_shape != (count,):
        raise without_effect(count, graph, where, "dense: classes")
    return graph, assembly


def yaml_leaves_open(text: str, where: str = "net.yaml") -> tuple[bool, bool]:
    """Whether the text leaves its input and its number of classes to whoever loads it.

    Raises:
        SourceError: it is not YAML.

    >>> yaml_leaves_open("layers: [flatten, dense: classes]"), yaml_leaves_open("{input: [1, 8, 8], layers: []}")
    ((True, True), (False, False))
    """
    keys = _keys(read_tree(text, where), where)
    open_classes = "classes" not in keys and "layers" in keys and CLASSES in _values(keys["layers"])
    return "input" not in keys and "inputs" not in keys, open_classes


def _values(node: TreeNode) -> Iterator[str]:
    """Every word that stands for a value of a layer; names of nodes are left out."""
    if isinstance(node, Scalar):
        yield node.text
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from _values(item)
    elif isinstance(node, MapNode):
        for key, value in node.entries:
            if key.text not in BESIDE and not _joins(key.text):
                yield from _values(value)


def _joins(kind: str) -> bool:
    try:
        cls = word_class(kind)
    except LayerError:
        return False
    return cls.arity is None or bool(cls.roles)


def _keys(root: TreeNode, where: str) -> dict[str, TreeNode]:
    if isinstance(root, ListNode):
        raise SourceError(
            "this is a list of layers without an input",
            where=where,
            got=described(root),
            needs="'input:', and 'layers:' before the list",
            write=f"{_EXAMPLE}, and below it layers: [relu, …]",
        )
    if isinstance(root, Scalar):
        raise SourceError(
            "this is a text, and YAML with input and layers is needed",
            where=f"{where}:{root.line}",
            got=quoted(root.text),
            needs=f"{_EXAMPLE} and layers:, or inline text on one line with '>' between the layers",
        )
    for key, _ in root.entries:
        if key.text not in KEYS:
            raise SourceError(
                f"there is no key {quoted(key.text)} at the top of a network",
                where=f"{where}:{key.line}",
                got=quoted(key.text),
                needs=f"one of {', '.join(KEYS)}",
                write=near_miss(key.text, KEYS),
            )
    return {key.text: value for key, value in root.entries}


def _name(node: TreeNode | None, default: str, where: str) -> str:
    if node is None:
        return default
    if not isinstance(node, Scalar) or nothing(node):
        raise SourceError(
            "the name is not a text", where=f"{where}:{node.line}", got=described(node), write="name: my-network"
        )
    return node.text


def _declared_classes(node: TreeNode | None, where: str) -> int | None:
    if node is None:
        return None
    place = f"{where}:{node.line}"
    value = scalar_value(node, place) if isinstance(node, Scalar) else None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise SourceError(
            "this is not a number of classes",
            where=place,
            got=f"classes: {described(node)}",
            needs="a whole number of at least 1",
            write="classes: 10",
        )
    return value


def _enter(assembly: Assembly, keys: dict[str, TreeNode], size: Shape | None, where: str) -> str | None:
    """Append the inputs; the node that the first layer reads, None where there are several."""
    single, several = keys.get("input"), keys.get("inputs")
    if single is not None and several is not None:
        raise SourceError(
            "'input' and 'inputs' are both given",
            where=f"{where}:{several.line}",
            needs="input for one, inputs for more",
        )
    if several is None:
        if single is None and size is None:
            raise SourceError("there is no input", where=where, needs="the shape of an image", write=_EXAMPLE)
        place = where if single is None else f"{where}:{single.line}"
        shape = _shape(single, place) if single is not None else size
        entry = assembly.append(_input(size or shape, place), (), place, "input")
        assembly.locate(0, place)
        return entry
    if not isinstance(several, MapNode) or not several.entries:
        raise SourceError(
            "inputs needs a name and a shape for each",
            where=f"{where}:{several.line}",
            got=described(several),
            write="inputs: {left: [3, 32, 32], right: [3, 32, 32]}",
        )
    names = []
    for key, node in several.entries:
        place = f"{where}:{key.line}"
        shape = _shape(node, place)
        layer = _input(size if size is not None and len(several.entries) == 1 else shape, place)
        name = assembly.free_name(key.text, False, key.line, place)
        names.append(assembly.append(layer, (), place, name))
        assembly.locate(len(names) - 1, place)
    return names[0] if len(names) == 1 else None


def _shape(node: TreeNode, place: str) -> Value | None:
    """What was written as a shape; whether it is one, the input layer says."""
    items = node.items if isinstance(node, ListNode) else (node,)
    words = [item for item in items if isinstance(item, Scalar)]
    if len(words) != len(items) or len(items) > 8:
        raise SourceError(
            "this is not the shape of an image", where=place, got=described(node), needs="numbers", write=_EXAMPLE
        )
    values = [scalar_value(item, place) for item in words]
    if isinstance(node, ListNode):
        return tuple(value if value is not None else "" for value in values)
    return sizes_or_text(values[0]) if isinstance(values[0], str) else values[0]


def _input(shape: object, place: str) -> Input:
    try:
        return Input(shape)  # type: ignore[arg-type]
    except LayerError as error:
        told = told_at(error, place)
        told.got = f"input: {flow(shape)}"
        raise told from None


def _no_layers(node: TreeNode | None, where: str) -> SourceError:
    if node is None:
        return SourceError("there are no layers", where=where, needs="a list of layers", write="layers: [relu, …]")
    write = "layers: [relu, …], or '- relu' on the lines below"
    if isinstance(node, MapNode) and node.entries:
        write = f"'- ' before each layer: - {quoted(node.entries[0][0].text, 30)[1:-1]}: …"
    return SourceError(
        "layers is not a list", where=f"{where}:{node.line}", got=described(node), needs="a list of layers", write=write
    )


def _outputs(assembly: Assembly, node: TreeNode | None, last: str | None, where: str) -> tuple[str, ...]:
    if node is None:
        if last is None:
            raise SourceError(
                "there are several inputs and no layers", where=where, needs="outputs", write="outputs: [NAME, NAME]"
            )
        return (last,)
    place = f"{where}:{node.line}, outputs"
    return tuple(assembly.find(name, place) for name in names_in(node, "outputs", place))
