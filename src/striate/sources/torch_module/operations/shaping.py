"""Views, permutations and reshapes; slices; padding; whatever hands a tensor on as it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from striate.graph.layer import Layer
from striate.graph.layers.channel_padding import ChannelPad
from striate.graph.layers.crop import Crop
from striate.graph.layers.padding import Pad
from striate.graph.layers.shuffle import ChannelShuffle, PixelShuffle
from striate.graph.layers.slicing import Slice
from striate.sources.torch_module.calls import Call, told_name
from striate.sources.torch_module.faults import mixed_images
from striate.sources.torch_module.readers import is_map, on_map, reads
from striate.sources.torch_module.values import Found, Value

__all__ = ["pad", "sliced"]

#: The largest number that a pad layer holds; infinity, before a maximum, is more.
_LARGEST = 1e30


@reads(
    "contiguous",
    "clone",
    "detach",
    "alias",
    "requires_grad",
    "float",
    "half",
    "double",
    "bfloat16",
    "to",
    "type",
    "cpu",
    "cuda",
    "type_as",
    "data",
    "view_as_real_",
    "positive",
    "conj",
    "resolve_conj",
    "pin_memory",
)
def _handed_on(call: Call, input: Value, *args: Any, **kwargs: Any) -> Tensor | None:
    if not is_map(input):
        return None
    # A device that is asked for is not gone to.
    kept = [entry for entry in args if not _is_device(entry)]
    options = {key: entry for key, entry in kwargs.items() if key not in ("device", "non_blocking", "copy")}
    values = [entry.tensor if isinstance(entry, Value) else entry for entry in kept]
    if call.name in ("cpu", "cuda", "pin_memory", "data", "requires_grad"):
        out = input.tensor.detach()
    elif call.name == "to":
        kinds = [entry for entry in (*values, options.get("dtype")) if isinstance(entry, (torch.dtype, Tensor))]
        kind = kinds[0] if kinds else input.tensor
        out = input.tensor.to(dtype=kind.dtype if isinstance(kind, Tensor) else kind)
    else:
        out = call.func(input.tensor, *values, **options)
    return call.recorder.view(call, out, input.layout)


def _is_device(entry: Any) -> bool:
    words = ("cpu", "cuda", "meta", "mps", "xpu")
    return type(entry).__name__ == "device" or (isinstance(entry, str) and entry.startswith(words))


@reads("view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "view_as", "reshape_as", "unsafe_view")
def _reshaped(call: Call, input: Value, *args: Any, **kwargs: Any) -> Tensor | None:
    """Any call that keeps the order of the numbers."""
    if not is_map(input) or call.in_place or input.layout is None:
        return None
    out = call.recorder.run(call)
    if isinstance(out, Tensor):
        slowest = next((size for size in out.shape if size != 1), 1)
        if slowest % call.recorder.batch:
            # The batch is the slowest axis; what begins with another size cuts across the images.
            shape, batch = tuple(out.shape), call.recorder.batch
            raise mixed_images(told_name(call.func), shape, batch, call.recorder.place().origin)
    if not isinstance(out, Tensor) or out.dim() < 2 or out.shape[0] != call.recorder.batch:
        return None
    if out.dtype != input.tensor.dtype:
        return None
    layout = input.layout.reshaped(tuple(out.shape[1:]))
    return None if layout is None else call.recorder.view(call, out, layout)


@reads("permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t", "T", "mT")
def _permuted(call: Call, input: Value, *args: Any, **kwargs: Any) -> Tensor | None:
    """Any call that puts the axes in another order, found out on a tensor whose sizes tell the axes apart."""
    if not is_map(input) or call.in_place or input.layout is None:
        return None
    probe = input.tensor.new_empty(tuple(range(2, 2 + input.tensor.dim())))
    given = [entry.tensor if isinstance(entry, Value) else entry for entry in args]
    told = call.func(probe) if call.name in ("T", "mT") else call.func(probe, *given, **kwargs)
    order = [size - 2 for size in told.shape]
    if order[0] != 0:
        return None
    out = call.recorder.run(call)
    return call.recorder.view(call, out, input.layout.permuted([axis - 1 for axis in order[1:]]))


@reads("expand", "expand_as", "broadcast_to")
def _expanded(call: Call, input: Value, *args: Any, **kwargs: Any) -> Tensor | None:
    if not is_map(input):
        return None
    out = call.recorder.run(call)
    return call.recorder.view(call, out, input.layout) if out.shape == input.tensor.shape else None


@reads("pixel_shuffle")
def _pixel_shuffle(call: Call, input: Value, upscale_factor: int) -> Found | None:
    return on_map(call, PixelShuffle(upscale_factor), input) if is_map(input, 2) else None


@reads("channel_shuffle", "native_channel_shuffle")
def _channel_shuffle(call: Call, input: Value, groups: int) -> Found | None:
    return on_map(call, ChannelShuffle(groups), input) if is_map(input) else None


@reads("pad")
def pad(call: Call, input: Value, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Any:
    """Pixels around a map, or less of it, or channels of zeros."""
    if not is_map(input) or input.layout is None or not all(isinstance(entry, int) for entry in pad):
        return None
    shape = input.layout.shape
    amounts = [(0, 0)] * (len(shape) - len(pad) // 2) + [
        (pad[index], pad[index + 1]) for index in range(len(pad) - 2, -1, -2)
    ]
    if len(amounts) != len(shape):
        return None
    if not any(any(entry) for entry in amounts):
        return call.recorder.view(call, input.tensor.detach(), input.layout)
    spatial = tuple(amounts[1:])
    layer: Layer
    if amounts[0] == (0, 0) and all(entry >= 0 for pair in spatial for entry in pair):
        finite = value is None or abs(value) <= _LARGEST
        layer = Pad(spatial, "zero" if mode == "constant" else mode, float(value or 0.0) if finite else 0.0)
        found = on_map(call, layer, input)
        found.alike = not finite
        return found
    elif amounts[0] == (0, 0) and all(entry <= 0 for pair in spatial for entry in pair):
        layer = Crop(tuple((-before, -after) for before, after in spatial))
    elif mode == "constant" and not value and min(amounts[0]) >= 0 and not any(any(pair) for pair in spatial):
        layer = ChannelPad(amounts[0][1], amounts[0][0])
    else:
        return None
    return on_map(call, layer, input)


def sliced(
    call: Call, value: Value, axis: int, start: int, stop: int, step: int = 1, view: Tensor | None = None
) -> Tensor | None:
    """A part of a map along one of its axes (0: the channels); the map itself where that is all of it.

    ``view`` is the tensor that torch makes of it, in the memory of the map.
    """
    recorder = call.recorder
    if value.layout is None:
        return None
    size = value.layout.shape[axis]
    if (start, stop, step) == (0, size, 1):
        return recorder.view(call, value.tensor.detach(), value.layout)
    found = on_map(call, Slice(axis, start, None if stop == size else stop, step), value)
    return recorder.made(call, found, view)


@reads("chunk", "split", "tensor_split", "split_with_sizes", "unsafe_chunk", "unsafe_split")
def _parts(call: Call, input: Value, *args: Any, **kwargs: Any) -> Any:
    """Parts of a map, one after the other along an axis."""
    if not is_map(input) or input.layout is None:
        return None
    outputs = call.recorder.run(call)
    shape = tuple(input.tensor.shape)
    changed = [axis for axis in range(len(shape)) if any(part.shape[axis] != shape[axis] for part in outputs)]
    if len(changed) != 1 or changed[0] == 0:
        return None
    axis, start, parts = changed[0], 0, []
    for part in outputs:
        parts.append(sliced(call, input, axis - 1, start, start + part.shape[axis], view=part))
        start += part.shape[axis]
    return None if any(part is None for part in parts) or start != shape[axis] else tuple(parts)


@reads("narrow")
def _narrow(call: Call, input: Value, dim: int, start: int, length: int) -> Tensor | None:
    if not is_map(input) or not isinstance(start, int):
        return None
    axis = dim % input.tensor.dim()
    if axis == 0:
        return None
    size = input.tensor.shape[axis]
    start = start + size if start < 0 else start
    return sliced(call, input, axis - 1, start, start + length, view=call.recorder.run(call))


@reads("__getitem__", "getitem")
def _item(call: Call, input: Value, index: Any) -> Tensor | None:
    """Slices along the axes of a map; anything else (numbers, lists, masks, new axes) is not one."""
    if not is_map(input) or input.layout is None:
        return None
    entries = list(index) if isinstance(index, tuple) else [index]
    if any(entry is not Ellipsis and not isinstance(entry, slice) for entry in entries):
        return None
    shape = tuple(input.tensor.shape)
    if Ellipsis in entries:
        place = entries.index(Ellipsis)
        entries[place : place + 1] = [slice(None)] * (len(shape) - len(entries) + 1)
    if len(entries) > len(shape) or any(_has_tensor(entry) for entry in entries):
        return None
    if entries and entries[0].indices(shape[0]) != (0, shape[0], 1):
        return None
    bounds = [entry.indices(size) for entry, size in zip(entries[1:], shape[1:], strict=False)]
    if any(step < 1 or stop <= start for start, stop, step in bounds):
        return None
    value: Value = input
    tensor: Tensor | None = None
    whole = call.recorder.run(call)
    for axis, (start, stop, step) in enumerate(bounds):
        if (start, stop, step) != (0, shape[1 + axis], 1):
            tensor = sliced(call, value, axis, start, stop, step, view=whole)
            if tensor is None:
                return None
            value = call.recorder.value_of(tensor)
    return call.recorder.view(call, input.tensor.detach(), input.layout) if tensor is None else tensor


def _has_tensor(entry: slice) -> bool:
    return any(isinstance(bound, Value) for bound in (entry.start, entry.stop, entry.step))
