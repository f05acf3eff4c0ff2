"""Why a module cannot be imported, in words: where in the author's code, what was asked, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from striate.errors import SourceError
from striate.sources.torch_module.values import Place
from striate.units import Shape, format_shape

__all__ = [
    "NumbersMissingError",
    "channels_misfit",
    "data_dependent",
    "forward_failed",
    "mixed_images",
    "named_input",
    "nothing_left",
    "scripted_part",
    "unseen_tensor",
    "weights_misfit",
]


class NumbersMissingError(SourceError):
    """A forward pass failed because its module has no numbers: it may succeed with them."""


_ASKED = {
    "__bool__": "the truth of a tensor (if, while, and, or, assert)",
    "__int__": "int() of a tensor",
    "__float__": "float() of a tensor",
    "__index__": "a tensor as an index or count (range, a slice, a size)",
    "item": "tensor.item()",
    "tolist": "tensor.tolist()",
    "numpy": "tensor.numpy()",
    "__array__": "a tensor as a NumPy array",
    "tensor": "torch.tensor() of a tensor",
    "as_tensor": "torch.as_tensor() of a tensor",
}

#: Words of torch's on tensors without numbers; what was asked; what to write instead.
_WITHOUT_NUMBERS = (
    ("nonzero", "the places where a mask is true (x[mask], nonzero)", "torch.where(mask, x, 0)"),
    ("masked_select", "the numbers where a mask is true", "torch.where(mask, x, 0)"),
    ("::nms", "non-maximum suppression", "a forward that returns boxes and scores, suppression outside of it"),
    ("higher order operator", "torch.cond, or another operator that takes functions", "torch.where(…) of both results"),
    ("batchedtensor", "torch.vmap", "the function on the whole batch, without vmap"),
    ("sparse", "a sparse tensor", "dense tensors"),
)


def _needs_numbers(asked: str, write: str, where: str | None) -> SourceError:
    return SourceError(
        "the forward pass asks for something that cannot be followed without numbers",
        where=where,
        got=asked,
        needs="plain calls, whose results have sizes that follow from shapes alone",
        write=write,
    )


def data_dependent(name: str, where: str | None, *, constant: bool = False) -> SourceError:
    """The error for a forward pass that asks for numbers which depend on the image (``constant``: on the module)."""
    return (NumbersMissingError if constant else SourceError)(
        "the forward pass asks for numbers that only a real image has, so that its course depends on the image",
        where=where,
        got=_ASKED.get(name, f"{name}: a result whose size depends on the numbers"),
        needs="a course that follows from shapes and settings alone; a module is imported without running images",
        write="torch.where(…) instead of a branch, a constant set in __init__, or that part outside of forward",
    )


def mixed_images(operation: str, shape: Shape, batch: int, where: str | None) -> SourceError:
    """The error for an operation after which no axis is the batch."""
    return SourceError(
        "the images of a batch are mixed, or taken apart one by one",
        where=where,
        got=f"{operation} makes {format_shape(shape)} of a batch of {batch}",
        needs="the batch as an axis of its own, of any size",
        write="x.flatten(1), or x.view(x.shape[0], …) with the batch in front",
    )


def scripted_part(path: str, kind: str, where: str | None) -> SourceError:
    """The error for a scripted or traced part, whose operations cannot be seen."""
    return SourceError(
        f"the part {path or 'at the top'} is scripted or traced, and keeps no Python to follow",
        where=where,
        got=kind,
        needs="plain nn.Module parts",
        write="the module that it was made from, without torch.jit",
    )


def unseen_tensor(shape: Shape, where: str | None) -> SourceError:
    """The error for a tensor that was computed where no call can be seen, so that its origin is unknown."""
    return NumbersMissingError(
        "a tensor comes from where no operation can be seen",
        where=where,
        got=f"{format_shape(shape)} from a scripted function, a compiled one, or an extension",
        needs="operations of torch that are called from Python",
        write="the same function without torch.jit.script",
    )


def named_input(name: str, where: str | None) -> SourceError:
    """The error for a forward pass that takes a mapping of tensors."""
    return SourceError(
        "the forward pass takes a mapping, and a network has inputs one after the other",
        where=where,
        got=f"[{name!r}] of its input",
        needs="a tensor for each argument of forward",
        write=f"a module around it whose forward({name}) calls it with {{{name!r}: {name}}}",
    )


def nothing_left(operation: str, shape: Shape, where: str | None) -> SourceError:
    """The error for an operation after which a map has no numbers."""
    return SourceError(
        "nothing is left of the map",
        where=where,
        got=f"{operation} makes {format_shape(shape)}",
        needs="at least one number along every axis",
        write="a larger input, or a smaller cut",
    )


def weights_misfit(
    kind: str, place: Place, given: Sequence[Shape], wanted: Sequence[Shape], arriving: Sequence[Shape]
) -> SourceError:
    """The error for a layer whose weights are not those for what arrives."""
    has, takes, reads = (" and ".join(map(format_shape, shapes)) for shapes in (given, wanted, arriving))
    return SourceError(
        f"the weights of {kind} do not fit what arrives",
        where=place.origin or (f"module {place.path}" if place.path else None),
        got=f"weights {has}, input {reads}",
        needs=f"weights {takes} for that input",
    )


def channels_misfit(name: str, place: Place, arriving: Shape, weight: Shape, channels: int) -> SourceError:
    """The error for a convolution that gets other channels than its weights are for."""
    return SourceError(
        f"the weights of {name} do not fit what arrives",
        where=place.origin or (f"module {place.path}" if place.path else None),
        got=f"weights {format_shape(weight)}, input {format_shape(arriving)} with the batch in front",
        needs=f"{channels} channels",
    )


def forward_failed(
    error: BaseException, where: str | None, shapes: str, batch: int, refusal: str | None = None
) -> SourceError:
    """The error for anything that the module's own forward pass raises; ``refusal``: what a layer says of it."""
    text = " ".join(str(error).split())
    told = f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
    told += f" ({refusal})" if refusal else ""
    missing = isinstance(error, RuntimeError) and "meta" in text.lower()
    if isinstance(error, RuntimeError):
        for words, asked, write in _WITHOUT_NUMBERS:
            if words in text.lower():
                return _needs_numbers(asked, write, where)
    hint = None
    if "lazy" in text.lower():
        hint = "run one image through the module first"
    elif isinstance(error, TypeError) and "argument" in text:
        hint = "one input shape for each argument of forward: input=((3, 224, 224), (1, 8, 8))"
    return (NumbersMissingError if missing else SourceError)(
        "the module's forward pass fails",
        where=where,
        got=told,
        needs=f"a forward pass that runs on a batch of images ({batch} of {shapes} were tried, without numbers)",
        write=hint,
    )
