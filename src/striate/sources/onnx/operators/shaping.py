"""Operations that look at numbers in another way, and those that pass them on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.graph.layers.reshape import Identity
from striate.graph.layers.shuffle import PixelShuffle
from striate.sources.onnx.inference import infer
from striate.sources.onnx.maps import Map, Value, transposed
from striate.sources.onnx.resolving import resolve_order
from striate.sources.onnx.views import reshaped

if TYPE_CHECKING:
    from striate.sources.onnx.importer import Importer
    from striate.sources.onnx.model import Operation
    from striate.sources.onnx.operators import Rule

__all__ = ["RULES"]

#: More than this no layer is written with; a longer row would take ever longer to follow.
_VIEWS_LIMIT = 8


def _kept_short(importer: Importer, operation: Operation) -> Map | None:
    """The map that is looked at; views are kept aside while there are few of them."""
    value = importer.map(operation)
    if value is None or len(value.views) < _VIEWS_LIMIT:
        return value
    return importer.straight(operation, value)


def _view(importer: Importer, operation: Operation) -> Value | None:
    """Reshape, Flatten, Squeeze, Unsqueeze: kept aside until something needs the new axes."""
    value = _kept_short(importer, operation)
    if value is None:
        return None
    arrays = [None, *(importer.known(operation, position) for position in range(1, len(operation.inputs)))]
    sizes = [value.sizes, *((),) * (len(operation.inputs) - 1)]
    if len(operation.inputs) > 1 and operation.inputs[1] and arrays[1] is None:
        return None
    (found, *_) = infer(operation, sizes, arrays)
    return None if found is None else reshaped(value, found)


def _transpose(importer: Importer, operation: Operation) -> Value | None:
    value = _kept_short(importer, operation)
    if value is None:
        return None
    infer(operation, [value.sizes], [None])
    return transposed(value, resolve_order(operation, len(value.sizes)))


def _pass(importer: Importer, operation: Operation) -> Value | None:
    """Identity, and casts between types of numbers."""
    value = importer.map(operation)
    if value is None or operation.op != "Identity" or operation.outputs[0] not in importer.model.outputs:
        return value
    # Where it leaves the network it stands for itself.
    name, sizes = importer.emit(operation, Identity(), [value])
    return value.on(name, sizes)


def _depth_to_space(importer: Importer, operation: Operation) -> Value | None:
    value, scale = importer.plain(operation, rank=4), operation.integer("blocksize", 0)
    if value is None or operation.text("mode", "DCR") != "CRD" or scale < 1:
        return None
    name, sizes = importer.emit(operation, PixelShuffle(scale), [value])
    return Map(name, sizes, sizes)


RULES: dict[str, Rule] = {
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze"), _view),
    **dict.fromkeys(("Identity", "Cast", "CastLike"), _pass),
    "Transpose": _transpose,
    "DepthToSpace": _depth_to_space,
}
