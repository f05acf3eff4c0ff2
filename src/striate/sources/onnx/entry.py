"""Where images enter: which input, of which shape, and with the channels first or last."""

from __future__ import annotations

from collections.abc import Sequence

from striate.errors import SourceError
from striate.graph.layers.input import Input
from striate.sources.onnx.families import POINTWISE
from striate.sources.onnx.faults import short
from striate.sources.onnx.importer import Importer
from striate.sources.onnx.maps import Map, Sizes, transposed
from striate.sources.onnx.model import Dimension, Operation
from striate.units import Shape, format_shape

__all__ = ["enter_inputs"]

_LOOKED_THROUGH = 64


def enter_inputs(importer: Importer, given: tuple[Shape, ...] | None, where: str) -> int | None:
    """Add the inputs of a file to the network.

    Args:
        importer: of the file.
        given: the shape of one image that its caller asks for, for each input.
        where: the file, for errors.

    Returns:
        The size of the batch where the file fixes it; None where it is left open.

    Raises:
        SourceError: there is no input, another number of them than of shapes given, or one whose shape is open or no
            image's.
    """
    inputs = importer.model.inputs
    if not inputs:
        raise SourceError("this network has no input", where=where, needs="an input that takes images")
    if given is not None and len(given) != len(inputs):
        counted = "one input shape is given" if len(given) == 1 else f"{len(given)} input shapes are given"
        raise SourceError(
            f"{counted} for a network with {'several inputs' if len(inputs) > 1 else 'one'}",
            where=where,
            got=f"{' and '.join(map(format_shape, given))} for {short(', '.join(inputs))}",
            needs="one shape for each input",
            write="--input " + ",".join("3x224x224" for _ in inputs),
        )
    batches: set[int | None] = set()
    for index, (name, sizes) in enumerate(inputs.items()):
        last = _channels_last(importer, name, sizes)
        shape = _shape(name, sizes, None if given is None else given[index], last, where)
        batch = sizes[0] if sizes else None
        batches.add(batch if isinstance(batch, int) else None)
        count = batch if isinstance(batch, int) else 1
        importer.batch = count if importer.batch in (None, count) else 0
        value = _entered(importer, name, shape, count)
        importer.set(name, transposed(value, (0, *range(2, len(shape) + 1), 1)) if last else value)
    return batches.pop() if len(batches) == 1 else None


def _entered(importer: Importer, name: str, shape: Shape, batch: int) -> Map:
    operation = Operation("Input", "", f"/{short(name)}" if name else "", (), (name,))
    node, sizes = importer.emit(operation, Input(shape), ())
    return Map(node, (batch, *sizes), (batch, *sizes))


def _shape(name: str, sizes: Sequence[Dimension] | None, given: Shape | None, last: bool, where: str) -> Shape:
    """The shape of one image, channels first."""
    place = f"{where}, input {short(name)}"
    write = "--input 3x224x224"
    if sizes is None:
        if given is None:
            raise SourceError(
                "this file does not say how large its input is", where=place, needs="a shape", write=write
            )
        return given
    told = ", ".join("?" if size is None else short(size, 20) for size in sizes)
    if not 3 <= len(sizes) <= 5:
        raise SourceError(
            "this input does not take images",
            where=place,
            got=f"[{told}]",
            needs="a batch, channels and one to three spatial axes",
        )
    own = (sizes[-1], *sizes[1:-1]) if last else tuple(sizes[1:])
    if given is not None:
        if len(given) != len(own):
            raise SourceError(
                "the given input has another number of axes than the file's",
                where=place,
                got=f"{format_shape(given)} for [{told}]",
                needs=f"channels and {len(own) - 1} spatial sizes",
            )
        return given
    if not all(isinstance(size, int) for size in own):
        usual = ["3", *["224"] * (len(own) - 1)]
        example = "x".join(str(size) if isinstance(size, int) else usual[axis] for axis, size in enumerate(own))
        raise SourceError(
            "this file leaves sizes of its input open",
            where=place,
            got=f"[{told}]",
            needs="the size of one image, channels first",
            write=f"--input {example}",
        )
    return tuple(int(size) for size in own if isinstance(size, int))


def _channels_last(importer: Importer, name: str, sizes: Sequence[Dimension] | None) -> bool:
    """Whether the first thing that happens to an input is that its channels are moved to the front.

    What treats each number on its own (a mean that is subtracted, say) may come before that.
    """
    if sizes is None or len(sizes) < 3:
        return False
    rank = len(sizes)
    names, found = {name}, False
    for operation in importer.model.operations[:_LOOKED_THROUGH]:
        if not names & set(operation.inputs):
            continue
        if operation.op == "Transpose" and operation.attributes.get("perm") == (0, rank - 1, *range(1, rank - 1)):
            found = True
        elif operation.op == "Reshape" and sizes[-1] == 1 and sizes[1] != 1:
            found = found or _moves_one(importer, operation, sizes)
        elif operation.op in POINTWISE or operation.op == "Pad":
            names.update(operation.outputs)
        elif operation.op != "Shape":
            return False
    return found


def _moves_one(importer: Importer, operation: Operation, sizes: Sequence[Dimension]) -> bool:
    """A single channel is moved to the front by a reshape."""
    target = importer.model.tensors.get(operation.inputs[1]) if len(operation.inputs) > 1 else None
    array = None if target is None else importer.known(operation, 1)
    wanted: Sizes = () if array is None else tuple(int(size) for size in array.reshape(-1)[1:])
    return wanted == (1, *sizes[1:-1])
