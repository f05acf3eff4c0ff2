"""Convolutions and their transposes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from striate.graph.layers.convolution import Conv
from striate.graph.layers.crop import Crop
from striate.graph.layers.transposed_convolution import ConvTranspose
from striate.sources.onnx.faults import fault
from striate.sources.onnx.inference import infer
from striate.sources.onnx.maps import Map, Sizes, Stored, Value
from striate.sources.onnx.windows import axes_of, transposed_pads

if TYPE_CHECKING:
    from striate.sources.onnx.importer import Importer
    from striate.sources.onnx.model import Operation
    from striate.sources.onnx.operators import Rule

__all__ = ["RULES"]


def _weights(importer: Importer, operation: Operation, value: Map) -> tuple[Stored, Stored | None] | None:
    """Weight and bias; None where the weight is computed from the images."""
    weight, bias = importer.stored(operation, 1), importer.stored(operation, 2)
    zeros = importer.known(operation, 2)
    if zeros is not None and not zeros.any() and (bias is None or bias.constant):
        # Zeros that are made on the way stand for no bias.
        bias = None
    elif bias is None and importer.given(operation, 2) is not None:
        return None
    if weight is None:
        return None
    if len(weight.sizes) != len(value.sizes):
        raise fault(
            f"the weight of {operation.op} does not fit its input",
            got=f"a weight of {list(weight.sizes)}, an input of {list(value.sizes)}",
            needs="as many axes",
        )
    return weight, bias


def _conv(importer: Importer, operation: Operation) -> Value | None:
    value = importer.plain(operation)
    weights = None if value is None else _weights(importer, operation, value)
    if value is None or weights is None:
        return None
    weight, bias = weights
    groups = operation.integer("group", 1)
    if value.sizes[1] != weight.sizes[1] * groups or groups < 1 or weight.sizes[0] % groups:
        raise fault(
            "the weight of Conv does not fit its input",
            got=f"a weight of {list(weight.sizes)}, group {groups}, an input of {list(value.sizes)}",
            needs="input channels = channels of the weight × group, filters a multiple of group",
        )
    _check_bias(operation, bias, weight.sizes[0])
    windows = axes_of(operation, value.sizes[2:], weight.sizes[2:])
    layer = Conv(
        filters=weight.sizes[0],
        kernel=weight.sizes[2:],
        stride=tuple(window.stride for window in windows),
        padding=tuple((window.before, window.after) for window in windows),
        dilation=tuple(window.dilation for window in windows),
        groups=groups,
        bias=bias is not None,
    )
    tensors = [entry for entry in (weight, bias) if entry is not None]
    name, sizes = importer.emit(operation, layer, [value], tensors)
    return Map(name, sizes, sizes)


def _check_bias(operation: Operation, bias: Stored | None, filters: int) -> None:
    if bias is not None and bias.sizes != (filters,):
        raise fault(f"the bias of {operation.op} does not fit", got=list(bias.sizes), needs=f"[{filters}]")


def _conv_transpose(importer: Importer, operation: Operation) -> Value | None:
    value = importer.plain(operation)
    weights = None if value is None else _weights(importer, operation, value)
    if value is None or weights is None:
        return None
    weight, bias = weights
    groups = operation.integer("group", 1)
    if value.sizes[1] != weight.sizes[0] or groups < 1 or weight.sizes[0] % groups:
        raise fault(
            "the weight of ConvTranspose does not fit its input",
            got=f"a weight of {list(weight.sizes)}, group {groups}, an input of {list(value.sizes)}",
            needs="input channels = rows of the weight, a multiple of group",
        )
    filters, kernel = weight.sizes[1] * groups, weight.sizes[2:]
    _check_bias(operation, bias, filters)
    rank = len(kernel)
    strides = operation.integers("strides", rank) or (1,) * rank
    dilations = operation.integers("dilations", rank) or (1,) * rank
    pads = transposed_pads(operation, value.sizes[2:], kernel)
    # What is cut off evenly is padding; a rest behind is less output padding, a rest before is cropped.
    padding, extras, crops = [], [], []
    for (before, after, extra), stride, dilation in zip(pads, strides, dilations, strict=True):
        behind = before > after and extra + before - after < max(stride, dilation)
        even = before if behind else min(before, after)
        padding.append(even)
        extras.append(extra + before - after if behind else extra)
        crops.append((before - even, max(after - even, 0)))
    if any(extra >= max(s, d) for extra, s, d in zip(extras, strides, dilations, strict=True)):
        return None
    layer = ConvTranspose(filters, kernel, strides, tuple(padding), tuple(extras), dilations, groups, bias is not None)
    tensors = [entry for entry in (weight, bias) if entry is not None]
    name, sizes = importer.emit(operation, layer, [value], tensors)
    result = Map(name, sizes, sizes)
    if any(amount != (0, 0) for amount in crops):
        name, sizes = importer.emit(operation, Crop(tuple(crops)), [result])
        result = Map(name, sizes, sizes)
    return result


def _quantized(importer: Importer, operation: Operation) -> Value | None:
    """A convolution of whole numbers: no layer, but its multiply-adds are those of a convolution."""
    place = 3 if operation.op == "QLinearConv" else 1
    value, weight = importer.plain(operation), importer.stored(operation, place)
    if value is None or weight is None or len(weight.sizes) != len(value.sizes):
        return None
    inputs: list[Sizes] = [()] * len(operation.inputs)
    inputs[0], inputs[place] = value.sizes, weight.sizes
    (sizes, *_) = infer(operation, inputs, [None] * len(inputs))
    if sizes is None:
        return None
    tensors = [weight]
    if operation.op == "QLinearConv" and (bias := importer.stored(operation, 8)) is not None:
        tensors.append(bias)
    cost = math.prod(sizes[1:]) * math.prod(weight.sizes[1:])
    return importer.opaque(operation, [value], sizes, tensors=tensors, cost=cost)


RULES: dict[str, Rule] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "QLinearConv": _quantized,
    "ConvInteger": _quantized,
}
