"""Which operations of ONNX treat numbers alike, for those that no layer describes."""

from __future__ import annotations

__all__ = ["BINARY", "DERIVED", "MOVES", "NO_MACS", "POINTWISE", "REDUCTIONS", "SAME_SIZES"]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNARY = _names(
    """Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Cast CastLike Ceil Celu Clip Cos Cosh DequantizeLinear Elu Erf
    Exp Floor Gelu HardSigmoid HardSwish Identity IsInf IsNaN LeakyRelu Log Mish Neg Not QuantizeLinear Reciprocal Relu
    Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Swish Tan Tanh ThresholdedRelu"""
)
BINARY = _names(
    """Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min
    Mod Mul Or PRelu Pow Sub Sum Where Xor"""
)
"""Operations on numbers at the same place of several values, of which those of size 1 are repeated."""

POINTWISE = _UNARY | BINARY
"""Operations in which each number is a function of the numbers at its own place."""

REDUCTIONS = _names(
    """ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
    ReduceSumSquare"""
)
"""Operations that make one number of all along some axes."""

_WHOLE = _names(
    """BatchNormalization CumSum Dropout GroupNormalization Hardmax InstanceNormalization LRN LayerNormalization
    LogSoftmax LpNormalization MeanVarianceNormalization RMSNormalization ScatterElements ScatterND Softmax"""
)
SAME_SIZES = _UNARY | _WHOLE | {"ReverseSequence", "Trilu"}
"""Operations whose output is as large as their first input."""

MOVES = _names(
    """Compress Concat DepthToSpace Expand Flatten Gather GatherElements GatherND Pad Reshape Resize ReverseSequence
    Slice SpaceToDepth Split Squeeze Tile Transpose Trilu Unsqueeze"""
)
"""Operations that move numbers and compute none (a resize interpolates, which is no multiply-add here)."""

NO_MACS = (
    POINTWISE
    | MOVES
    | REDUCTIONS
    | _WHOLE
    | _names(
        """ArgMax ArgMin AveragePool GlobalAveragePool GlobalLpPool GlobalMaxPool LpPool MaxPool MaxRoiPool NonZero
        OneHot Shape Size TopK Unique"""
    )
)
"""Operations without multiply-adds as they are counted here."""

DERIVED = (
    _names(
        """Abs Add Cast Clip Concat DequantizeLinear Div Exp Expand Flatten Gather Identity Mul Neg Pow QuantizeLinear
    Reshape Sign Slice Sqrt Squeeze Sub Tile Transpose Unsqueeze"""
    )
    | REDUCTIONS
)
"""What may be done to a stored tensor so that it stays one."""
