"""Which network of the zoo some tensors are the weights of, by their names and shapes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache

from striate import zoo
from striate.errors import NetworkError
from striate.graph import Graph
from striate.sources.checkpoint.listing import Guess, ListedTensor
from striate.sources.options import head_names
from striate.units import Shape, format_shape
from striate.zoo import Architecture

__all__ = ["PREFIXES", "guess_networks", "unwrapped"]

PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.", "encoder.", "ema_model.", "ema.")
"""What wrappers put before every name: data parallel, compiled, Lightning, and people."""

_TOLD = 5
#: Below this share of equal tensors a network is not worth naming.
_WORTH = 0.3
_SHAPES_ONLY = 8
_GROUPS = 4

Shapes = Mapping[str, Shape]


def guess_networks(tensors: Iterable[ListedTensor]) -> tuple[Guess, ...]:
    """The networks of the zoo that fit best: all that fit by every name, else by every shape, else the nearest one.

    Args:
        tensors: as a file lists them; of several groups (a model, its moving average, an optimizer) the largest few
            are compared.
    """
    groups: dict[str, dict[str, Shape]] = {}
    for tensor in tensors:
        groups.setdefault(tensor.group, {})[tensor.name] = tensor.shape
    best: tuple[Guess, ...] = ()
    for group, shapes in sorted(groups.items(), key=lambda entry: -len(entry[1]))[:_GROUPS]:
        found = tuple(replace(guess, group=group) for guess in _guesses(shapes))
        if found and (not best or _rank(found[0]) > _rank(best[0])):
            best = found
    return best


def _rank(guess: Guess) -> tuple[int, int]:
    return ("part", "shapes", "names").index(guess.fit), guess.matched


def unwrapped(shapes: Shapes) -> tuple[str, dict[str, Shape]]:
    """The prefix that nearly all names share, and the tensors without it.

    >>> unwrapped({"module.fc.weight": (10, 5), "module.fc.bias": (10,)})
    ('module.', {'fc.weight': (10, 5), 'fc.bias': (10,)})
    """
    found, prefix = dict(shapes), ""
    while True:
        for candidate in PREFIXES:
            inner = {name[len(candidate) :]: shape for name, shape in found.items() if name.startswith(candidate)}
            if inner and len(inner) >= 0.8 * len(found):
                found, prefix = inner, prefix + candidate
                break
        else:
            return prefix, found


def _guesses(shapes: Shapes) -> list[Guess]:
    prefix, stripped = unwrapped(_compared(shapes))
    names = [replace(guess, prefix=prefix) for guess in _by_name(stripped)]
    exact = [guess for guess in names if guess.fit == "names"]
    if exact:
        return exact
    in_order = [replace(guess, prefix=prefix) for guess in _by_shape(stripped)]
    if in_order:
        return in_order
    worth = [guess for guess in names if guess.matched >= max(_WORTH * guess.count, 2)]
    return sorted(worth, key=lambda guess: (-guess.matched / max(guess.count, len(stripped)), guess.network))[:1]


def _compared(shapes: Shapes) -> dict[str, Shape]:
    """Without the counters of batch normalisation, which older files lack."""
    return {name: shape for name, shape in shapes.items() if not name.endswith("num_batches_tracked")}


@cache
def _known() -> dict[str, tuple[Graph, dict[str, Shape]]]:
    """Every network of the zoo at its own size, with its tensors."""
    found = {}
    for entry in zoo.architectures().values():
        graph = entry.build()
        found[entry.name] = graph, _tensors(graph)
    return found


def _tensors(graph: Graph) -> dict[str, Shape]:
    """Names and shapes of everything that a network stores."""
    found: dict[str, Shape] = {}
    for node in graph.nodes:
        for entry in (*graph.own_parameters(node), *graph.own_buffers(node)):
            found[f"{node.name}.{entry.name}"] = entry.shape
    return _compared(found)


def _by_name(shapes: Shapes) -> Iterable[Guess]:
    for name, (graph, tensors) in _known().items():
        common = shapes.keys() & tensors.keys()
        if len(common) < _WORTH * len(tensors):
            continue
        entry = zoo.architectures()[name]
        fitted, theirs = _adapted(entry, graph, tensors, shapes)
        matched = sum(shapes[key] == theirs[key] for key in shapes.keys() & theirs.keys())
        whole = matched == len(theirs) == len(shapes)
        yield Guess(
            name,
            "names" if whole else "part",
            fitted.classes if entry.adapts_classes else None,
            _channels(fitted),
            matched,
            len(theirs),
            differences=() if whole else tuple(_differences(shapes, theirs)),
        )


def _adapted(
    entry: Architecture, graph: Graph, tensors: dict[str, Shape], shapes: Shapes
) -> tuple[Graph, dict[str, Shape]]:
    """The network for the number of classes and of colours that the tensors show."""
    heads = [f"{head}.weight" for head in head_names(graph)] if graph.classes is not None else []
    counts = {shapes[head][0] for head in heads if shapes.get(head)}
    classes = counts.pop() if entry.adapts_classes and len(counts) == 1 else None
    first = next(iter(tensors))
    channels = _channels(graph)
    if first in shapes and len(shapes[first]) > 1 and shapes[first][1] != tensors[first][1]:
        channels = shapes[first][1]
    if (classes or graph.classes) == graph.classes and channels == _channels(graph):
        return graph, tensors
    try:
        graph = entry.build((channels, *graph.shapes[graph.inputs[0].name][1:]), classes)
    except NetworkError:
        # A file may name 0 classes or channels; the network is then as it was.
        return graph, tensors
    return graph, _tensors(graph)


def _channels(graph: Graph) -> int:
    return graph.shapes[graph.inputs[0].name][0]


def _by_shape(shapes: Shapes) -> list[Guess]:
    """Networks whose tensors have these shapes in this order; the last layer may be for other classes."""
    if len(shapes) < _SHAPES_ONLY:
        return []
    ours, found = list(shapes.values()), []
    for name, (graph, tensors) in _known().items():
        if len(tensors) != len(ours):
            continue
        heads = {f"{head}.{kind}" for head in head_names(graph) for kind in ("weight", "bias")} if graph.classes else ()
        pairs = list(zip(tensors.items(), ours, strict=True))
        same = all(mine == their or (key in heads and mine[1:] == their[1:]) for (key, their), mine in pairs)
        if same:
            classes = next((mine[0] for (key, _), mine in pairs if key in heads), None)
            found.append(Guess(name, "shapes", classes, _channels(graph), len(ours), len(tensors)))
    return found


def _differences(shapes: Shapes, tensors: Shapes) -> Iterable[str]:
    told = [f"{name} is missing" for name in tensors if name not in shapes]
    told += [
        f"{name} is {_sizes(shapes[name])} in the file and {_sizes(shape)} in the network"
        for name, shape in tensors.items()
        if name in shapes and shapes[name] != shape
    ]
    told += [f"{name} is not in the network" for name in shapes if name not in tensors]
    yield from told[:_TOLD]
    if len(told) > _TOLD:
        yield f"and {len(told) - _TOLD} more"


def _sizes(shape: Shape) -> str:
    return format_shape(shape) if shape else "one number"
