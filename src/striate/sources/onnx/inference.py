"""The sizes that leave an operation that no layer describes, batch included (ONNX operator specification)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from striate.sources.onnx import size_rules
from striate.sources.onnx.families import BINARY, REDUCTIONS, SAME_SIZES
from striate.sources.onnx.faults import fault
from striate.sources.onnx.maps import Sizes
from striate.sources.onnx.resolving import Arrays, broadcast

if TYPE_CHECKING:
    from striate.sources.onnx.model import Operation

__all__ = ["infer"]

_Rule = Callable[["Operation", Sequence[Sizes], Arrays], tuple[Sizes | None, ...]]


def infer(operation: Operation, sizes: Sequence[Sizes], arrays: Arrays) -> tuple[Sizes | None, ...]:
    """The sizes of each output; None for those that are not known.

    Args:
        operation: any.
        sizes: of its inputs, in their order; an input that is left out has none, ``()``.
        arrays: the numbers of its inputs, where they are known.

    Raises:
        SourceError: the sizes do not fit the operation.
    """
    rule = _RULES.get(operation.op)
    if rule is None or not sizes:
        return (None,) * len(operation.outputs)
    try:
        found = rule(operation, sizes, arrays)
    except (IndexError, ValueError, TypeError, ZeroDivisionError, OverflowError) as error:
        raise fault(
            f"{operation.op} does not fit what it is given", got=f"{[list(entry) for entry in sizes]}: {error}"
        ) from None
    return (*found, *(None,) * (len(operation.outputs) - len(found)))


_WINDOWS = ("AveragePool", "Conv", "ConvInteger", "DeformConv", "LpPool", "MaxPool", "QLinearConv")
_RULES: dict[str, _Rule] = {
    **dict.fromkeys(SAME_SIZES, lambda operation, sizes, arrays: (sizes[0],)),
    **dict.fromkeys(BINARY, lambda operation, sizes, arrays: (broadcast(*sizes),)),
    **dict.fromkeys(REDUCTIONS, size_rules.reduce_rule),
    **dict.fromkeys(_WINDOWS, size_rules.windows_rule),
    **dict.fromkeys(
        ("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"),
        lambda operation, sizes, arrays: ((*sizes[0][:2], *(1,) * (len(sizes[0]) - 2)),),
    ),
    "ArgMax": size_rules.arg_rule,
    "ArgMin": size_rules.arg_rule,
    "Concat": size_rules.concat_rule,
    "ConvTranspose": size_rules.conv_transpose_rule,
    "DepthToSpace": size_rules.block_rule,
    "DynamicQuantizeLinear": lambda operation, sizes, arrays: (sizes[0], (), ()),
    "Expand": size_rules.expand_rule,
    "Flatten": size_rules.flatten_rule,
    "Gather": size_rules.gather_rule,
    "GatherElements": lambda operation, sizes, arrays: (sizes[1],),
    "Gemm": size_rules.gemm_rule,
    "GridSample": size_rules.grid_sample_rule,
    "MatMul": size_rules.matmul_rule,
    "MatMulInteger": size_rules.matmul_rule,
    "Pad": size_rules.pad_rule,
    "Reshape": size_rules.reshape_rule,
    "Resize": size_rules.resize_rule,
    "Slice": size_rules.slice_rule,
    "SpaceToDepth": size_rules.block_rule,
    "Split": size_rules.split_rule,
    "Squeeze": size_rules.squeeze_rule,
    "Tile": size_rules.tile_rule,
    "TopK": size_rules.topk_rule,
    "Transpose": size_rules.transpose_rule,
    "Unsqueeze": size_rules.unsqueeze_rule,
}
