"""Which array is which tensor of a network, where an import has given its nodes other names than the module has."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.graph import Graph
from striate.units import Shape

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Fit", "TensorArrays", "fit_names"]

_LEADING_DIGIT = re.compile(r"^(?=\d)")


@dataclass(frozen=True, slots=True)
class Fit:
    """How names were matched.

    Args:
        names: of the network's tensors, ``<node>.<name>``, each with the name of its array.
        missing: trained tensors of the network for which no array was found.
        wanted: how many trained tensors it has.
        differing: of those whose array has another shape, likewise.
    """

    names: Mapping[str, str]
    missing: tuple[str, ...]
    wanted: int
    differing: Mapping[str, str]


class TensorArrays(Mapping[str, "np.ndarray[Any, Any]"]):
    """Arrays or torch tensors by name, as read-only NumPy arrays under other names, each made when it is looked at.

    A tensor on the CPU is not copied, and nothing is written to any. bfloat16 becomes float32, which NumPy has.

    Args:
        values: arrays, or tensors of a module.
        names: which of them to show, and under which names; default: all, under their own.
    """

    def __init__(self, values: Mapping[str, Any], names: Mapping[str, str] | None = None) -> None:
        self.values_by_name = values
        self.names = {name: name for name in values} if names is None else dict(names)

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        import numpy as np

        value = self.values_by_name[self.names[name]]
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
        array = np.asarray(value).view()
        array.flags.writeable = False
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def fit_names(graph: Graph, shapes: Mapping[str, Shape]) -> Fit:
    """Match the tensors of a network with arrays, by name and shape as far as it goes.

    A name counts as equal where an import would have made the node's of it (``0.weight``: ``layer0.weight``). What is
    left is matched by shape within one module, then in the whole, and only where neither side leaves a choice.

    Args:
        graph: the network.
        shapes: of the arrays, by name.

    >>> from striate.graph import network
    >>> fit_names(network("n", (3, 8, 8)).conv(4, 3, name="layer0").build(), {"0.weight": (4, 3, 3, 3)}).missing
    ('layer0.bias',)
    """
    wanted = dict(_tensors(graph))
    imported = {_imported(name): name for name in reversed(list(shapes))}
    names: dict[str, str] = {}
    differing: dict[str, str] = {}
    for name, shape in wanted.items():
        stored = name if name in shapes else imported.get(name)
        if stored is not None and shapes[stored] == shape:
            names[name] = stored
        elif stored is not None:
            differing[name] = stored
    taken = set(names.values())
    rest = {name: shape for name, shape in wanted.items() if name not in names and name not in differing}
    left = {name: shape for name, shape in shapes.items() if name not in taken}
    names |= _paired(
        ((_module(name), shape, name) for name, shape in rest.items()),
        ((_imported(name).rpartition(".")[0], shape, name) for name, shape in left.items()),
    )
    taken = set(names.values())
    names |= _paired(
        (("", shape, name) for name, shape in rest.items() if name not in names),
        (("", shape, name) for name, shape in left.items() if name not in taken),
    )
    trained = [name for name, _ in graph.parameters()]
    missing = tuple(name for name in trained if name not in names)
    return Fit(names, missing, len(trained), differing)


def _tensors(graph: Graph) -> Iterator[tuple[str, Shape]]:
    for node in graph.nodes:
        for entry in (*graph.own_parameters(node), *graph.own_buffers(node)):
            yield f"{node.name}.{entry.name}", entry.shape


def _imported(name: str) -> str:
    """The name of a module's tensor as an import writes it."""
    home, _, short = name.rpartition(".")
    home = ".".join(re.sub(r"[^A-Za-z0-9_]", "_", part) or "_" for part in home.split("."))
    return f"{_LEADING_DIGIT.sub('layer', home)}.{short}" if home != "_" else short


def _module(name: str) -> str:
    """The module that an operation stands in: ``blocks.0`` for the tensor ``scale`` of ``blocks.0.layerscale1``."""
    return name.rpartition(".")[0].rpartition(".")[0]


_Keyed = Iterable[tuple[str, Shape, str]]


def _paired(ours: _Keyed, theirs: _Keyed) -> dict[str, str]:
    """Names that are each alone with their key on both sides."""
    sides: tuple[dict[tuple[str, Shape], list[str]], ...] = defaultdict(list), defaultdict(list)
    for side, entries in zip(sides, (ours, theirs), strict=True):
        for home, shape, name in entries:
            side[home, shape].append(name)
    return {
        names[0]: sides[1][key][0]
        for key, names in sides[0].items()
        if len(names) == 1 and len(sides[1].get(key, ())) == 1
    }
