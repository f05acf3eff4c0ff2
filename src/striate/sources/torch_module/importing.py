"""Any ``nn.Module`` → Graph, by running its forward pass once on tensors without numbers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from striate.errors import SourceError, StriateError
from striate.graph.graph import Graph, Node
from striate.graph.layers.input import Input
from striate.sources.torch_module.faults import forward_failed
from striate.sources.torch_module.naming import names_of
from striate.sources.torch_module.nodes import Nodes
from striate.sources.torch_module.places import Places
from striate.sources.torch_module.recorder import Recorder
from striate.sources.torch_module.unchanged import unchanged
from striate.sources.torch_module.values import Pending, Place, Value, tensors_in
from striate.units import Shape, format_shape

__all__ = ["import_module"]

#: Sizes of a batch to try: primes, so that a batch is recognised in what views make of it, and large ones, which no map
#: has by chance.
_BATCHES = (1009, 1013, 1019, 1021, 1031, 1033, 1039, 1049, 1051, 1061, 1063, 1069, 1087, 1091, 1093, 1097)


def import_module(
    module: nn.Module,
    input: Shape | Sequence[Shape],
    *,
    name: str | None = None,
    names: Sequence[str] | None = None,
) -> Graph:
    """The network that a module computes in evaluation mode.

    Its forward pass runs once, on tensors that have a shape and no numbers, so that nothing is computed and no memory
    is taken, however large the image or the module. The module is the same afterwards; hooks that its author
    registered run, as in any pass. What no layer describes becomes an opaque node; parameters that no operation uses
    stand in nodes of their own at the end, which nothing reads.

    Args:
        module: any module, on any device, of any type.
        input: ``(channels, *spatial)``, or one such shape for each argument of ``forward``.
        name: of the network; default: the name of the class.
        names: of the inputs; default: ``input``, or those of the arguments.

    Raises:
        SourceError: it cannot be traced: its course depends on the image, it fails, it mixes the images of a batch,
            or it is compiled. The message names the author's file and line.
        LayerError: ``input`` is not the shape of an image.

    >>> graph = import_module(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(288, 2)), (3, 8, 8))
    >>> [(node.name, node.layer.kind, graph.shapes[node.name]) for node in graph.nodes][1:3]
    [('layer0', 'conv', (8, 6, 6)), ('layer1', 'relu', (8, 6, 6))]
    """
    title = type(module).__name__ if name is None else name
    _check_kind(module, title)
    shapes = _shapes(input)
    layers = [Input(shape) for shape in shapes]
    labels = _labels(module, len(shapes), names)
    parameters = dict(module.named_parameters())
    batch = _batch(shapes, parameters)
    places = Places(module)
    recorder = Recorder(parameters, _others(module), batch, places)
    for layer, label in zip(layers, labels, strict=True):
        recorder.nodes.pending.append(Pending(layer, (), layer.shape, Place("", False, None), name=label))
    dtype = next((p.dtype for p in parameters.values() if p.is_floating_point()), torch.get_default_dtype())
    with unchanged(module):
        entries = [recorder.enter(layer.shape, number, dtype) for number, layer in enumerate(layers)]
        result = _run(module, entries, recorder, places, shapes)
        outputs = _outputs(result, recorder, title)
    used = {name for node in recorder.nodes.pending for name in node.weights}
    recorder.nodes.unused([name for name in parameters if name not in used])
    return _graph(title, recorder.nodes, outputs)


def _run(module: nn.Module, entries: list[Tensor], recorder: Recorder, places: Places, shapes: Sequence[Shape]) -> Any:
    try:
        with places, recorder:
            return module(*entries)
    except StriateError:
        raise
    except (Exception, SystemExit) as error:
        shown = " and ".join(format_shape(shape) for shape in shapes)
        where = places.of(error.__traceback__) or (f"module {recorder.calling}" if recorder.calling else None)
        raise forward_failed(error, where, shown, recorder.batch, recorder.nodes.refusal) from None


def _outputs(result: Any, recorder: Recorder, title: str) -> tuple[int, ...]:
    values = [recorder.value_of(tensor) for tensor in tensors_in(result)]
    found = tuple(dict.fromkeys(recorder.nodes.plain(value) for value in values if value.node is not None))
    if not found:
        raise SourceError(
            "nothing that leaves this module depends on its input",
            where=title,
            got=f"{type(result).__name__} with {len(values)} tensors",
            needs="a forward pass that returns tensors computed from its arguments",
        )
    for value in values:
        if value.node is not None and value.tensor.dim() and value.tensor.shape[0] not in (0, 1, recorder.batch):
            _check_rows(value, recorder)
    return found


def _check_rows(value: Value, recorder: Recorder) -> None:
    """What is returned has one row for each image: ``x.view(-1, 512)`` may have made several of one."""
    if value.tensor.shape[0] % recorder.batch:
        return
    waiting, seen = [value.node], set[int]()
    while waiting:
        node = waiting.pop(0)
        if node is None or node in seen:
            continue
        if node in recorder.mixing:
            raise recorder.mixing[node]
        seen.add(node)
        waiting += recorder.nodes.pending[node].inputs


def _graph(title: str, nodes: Nodes, outputs: tuple[int, ...]) -> Graph:
    names = names_of(nodes.pending)
    made = tuple(
        Node(
            names[index],
            entry.layer,
            tuple(names[source] for source in entry.inputs),
            None if entry.shares is None else names[entry.shares],
            entry.place.origin,
        )
        for index, entry in enumerate(nodes.pending)
    )
    return Graph(title, made, tuple(names[index] for index in outputs))


def _check_kind(module: nn.Module, title: str) -> None:
    if isinstance(module, torch.jit.ScriptModule):
        problem, write = "a scripted or traced module keeps no Python to follow", "the module it was made from"
    elif type(module).__name__ == "OptimizedModule" and hasattr(module, "_orig_mod"):
        problem, write = "a compiled module runs without its Python", "module._orig_mod"
    elif any(is_lazy(entry) for entry in (*module.parameters(), *module.buffers())):
        problem, write = "this module has lazy parameters, whose shapes its first image sets", "module(torch.zeros(…))"
    else:
        return
    raise SourceError(problem, where=title, got=type(module).__name__, needs="a plain nn.Module", write=write)


def _shapes(input: Any) -> list[Shape]:
    entries = list(input)
    if entries and all(isinstance(entry, (list, tuple)) for entry in entries):
        return [tuple(entry) for entry in entries]
    return [tuple(entries)]


def _labels(module: nn.Module, count: int, names: Sequence[str] | None) -> list[str]:
    if names is not None:
        if len(names) != count:
            raise SourceError(
                "the inputs and their names differ in number",
                got=f"{count} shapes, {len(names)} names",
                needs="as many",
            )
        return list(names)
    if count == 1:
        return ["input"]
    try:
        known = list(inspect.signature(module.forward).parameters)
    except (TypeError, ValueError):
        known = []
    return [known[index] if index < len(known) else f"input{index + 1}" for index in range(count)]


def _others(module: nn.Module) -> list[Tensor]:
    """Buffers, and tensors that are attributes of a part or stand in one of its lists and mappings."""
    return tensors_in([vars(part) for part in module.modules()])


def _batch(shapes: Sequence[Shape], parameters: Mapping[str, Tensor]) -> int:
    """A size for the batch that divides no size of an input or parameter."""
    seen = {size for shape in shapes for size in shape} | {s for entry in parameters.values() for s in entry.shape}
    return next((prime for prime in _BATCHES if all(size % prime for size in seen if size)), _BATCHES[0])
