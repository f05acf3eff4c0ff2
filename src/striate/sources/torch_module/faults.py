"""Why a module cannot be imported, in words: where in the author's code, what was asked, what to do."""

from __future__ import annotations

from collections.abc import Sequence

from striate.errors import SourceError
from striate.sources.torch_module.values import Place
from striate.units import Shape, format_shape

__all__ = ["channels_misfit", "data_dependent", "forward_failed", "mixed_images", "nothing_left", "weights_misfit"]

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


def data_dependent(name: str, where: str | None) -> SourceError:
    """The error for a forward pass that asks for numbers which depend on the image."""
    return SourceError(
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
    hint = None
    if "lazy" in text.lower():
        hint = "run one image through the module first"
    elif isinstance(error, TypeError) and "argument" in text:
        hint = "one input shape for each argument of forward: input=((3, 224, 224), (1, 8, 8))"
    return SourceError(
        "the module's forward pass fails",
        where=where,
        got=told,
        needs=f"a forward pass that runs on a batch of images ({batch} of {shapes} were tried, without numbers)",
        write=hint,
    )
