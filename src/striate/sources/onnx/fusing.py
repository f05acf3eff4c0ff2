"""Functions that exporters write as several operations, put back together: SiLU, GELU, Mish, hard swish, layer norm.

A pattern is a tree of operations. A name stands for any value, the same name for the same value; a number for a
constant. It is replaced only where nothing else reads what lies in between.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from striate.sources.onnx.model import DEFAULT_DOMAINS, OnnxModel, Operation, StoredTensor
from striate.sources.onnx.numbers import numbers_of

__all__ = ["fused"]

Pattern = str | float | tuple[object, ...]
_EITHER_WAY = frozenset({"Add", "Mul"})

_GATE = ("Clip", ("Add", "x", 3.0), 0.0, 6.0)
_ERF = ("Add", ("Erf", ("Div", "x", math.sqrt(2))), 1.0)
_ERF_TIMES = ("Add", ("Erf", ("Mul", "x", math.sqrt(0.5))), 1.0)
_CUBE = ("Mul", ("Add", "x", ("Mul", ("Pow", "x", 3.0), 0.044715)), math.sqrt(2 / math.pi))
_TANH = ("Add", ("Tanh", _CUBE), 1.0)
_CENTRED = ("Sub", "x", ("ReduceMean", "x"))
_DEVIATION = ("Sqrt", ("Add", ("ReduceMean", ("Pow", _CENTRED, 2.0)), "epsilon"))


def _halves(factor: Pattern) -> list[Pattern]:
    """``x · factor / 2`` in every order of the products."""
    return [
        ("Mul", ("Mul", "x", factor), 0.5),
        ("Mul", ("Mul", "x", 0.5), factor),
        ("Mul", "x", ("Mul", factor, 0.5)),
    ]


_PATTERNS: list[tuple[Pattern, str, Mapping[str, int | float | str]]] = [
    (("Mul", "x", ("Sigmoid", "x")), "Swish", {"alpha": 1.0}),
    (("Mul", "x", ("HardSigmoid", "x")), "HardSwish", {}),
    (("Mul", "x", ("Div", _GATE, 6.0)), "HardSwish", {}),
    (("Div", ("Mul", "x", _GATE), 6.0), "HardSwish", {}),
    (("Mul", "x", ("Mul", _GATE, 1 / 6)), "HardSwish", {}),
    (("Mul", "x", ("Tanh", ("Softplus", "x"))), "Mish", {}),
    *((pattern, "Gelu", {}) for factor in (_ERF, _ERF_TIMES) for pattern in _halves(factor)),
    *((pattern, "Gelu", {"approximate": "tanh"}) for pattern in _halves(_TANH)),
    (("Div", _GATE, 6.0), "HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
]
_OF_GROUPS = ("Reshape", ("InstanceNormalization", ("Reshape", "x", "groups"), "ones", "zeros"), "shape")
_GROUP_NORM: Pattern = ("Add", ("Mul", _OF_GROUPS, "scale"), "shift")
_LAYER_NORM: Pattern = ("Add", ("Mul", ("Div", _CENTRED, _DEVIATION), "scale"), "shift")


def fused(model: OnnxModel) -> OnnxModel:
    """The model with what was taken apart put back together."""
    matcher = _Matcher(model)
    replaced: dict[int, Operation] = {}
    gone: set[int] = set()
    ends = {pattern[0] for pattern, _, _ in _PATTERNS if isinstance(pattern, tuple)} | {"Add"}
    # From the end: what is larger is found before its parts.
    for position in range(len(model.operations) - 1, -1, -1):
        operation = model.operations[position]
        if position in gone or operation.op not in ends or operation.domain not in DEFAULT_DOMAINS:
            continue
        found = matcher.best(operation)
        if found is not None:
            replaced[position], inner = found
            gone |= inner
    if not replaced:
        return model
    kept = tuple(
        replaced.get(position, operation) for position, operation in enumerate(model.operations) if position not in gone
    )
    return replace(model, operations=kept)


class _Matcher:
    def __init__(self, model: OnnxModel) -> None:
        self._model = model
        self._makers = {name: place for place, operation in enumerate(model.operations) for name in operation.outputs}
        self._readers = Counter(name for operation in model.operations for name in operation.reads())
        self._readers.update(model.outputs)

    def best(self, operation: Operation) -> tuple[Operation, set[int]] | None:
        """The function that ends in this operation, and the places of the operations it replaces besides."""
        for pattern, op, attributes in _PATTERNS:
            bound: dict[str, str] = {}
            inner: set[int] = set()
            if self._fits(pattern, operation.outputs[0], bound, inner, top=True) and self._gate_exact(op, inner):
                inner.discard(self._makers[operation.outputs[0]])
                return replace(operation, op=op, inputs=(bound["x"],), attributes=dict(attributes)), inner
        return self._layer_norm(operation) or self._group_norm(operation)

    def _group_norm(self, operation: Operation) -> tuple[Operation, set[int]] | None:
        """Groups as channels, normalised one by one: how PyTorch's exporters write group normalisation."""
        bound: dict[str, str] = {}
        inner: set[int] = set()
        if not self._fits(_GROUP_NORM, operation.outputs[0], bound, inner, top=True):
            return None
        groups, ones, zeros = (self._array(bound[name]) for name in ("groups", "ones", "zeros"))
        if groups is None or ones is None or zeros is None or len(groups) != 3 or groups[0] != 0 or groups[2] != -1:
            return None
        tensors = all(name in self._model.tensors for name in (bound["scale"], bound["shift"]))
        if any(value != 1 for value in ones) or any(zeros) or not tensors:
            return None
        norm = next(self._model.operations[place] for place in inner if "Norm" in self._model.operations[place].op)
        inner.discard(self._makers[operation.outputs[0]])
        attributes = {"num_groups": int(groups[1]), "epsilon": norm.attributes.get("epsilon", 1e-5)}
        inputs = (bound["x"], bound["scale"], bound["shift"])
        return replace(operation, op="GroupNormalization", inputs=inputs, attributes=attributes), inner

    def _layer_norm(self, operation: Operation) -> tuple[Operation, set[int]] | None:
        bound: dict[str, str] = {}
        inner: set[int] = set()
        if not self._fits(_LAYER_NORM, operation.outputs[0], bound, inner, top=True):
            return None
        epsilon = self._number(bound["epsilon"])
        means = [self._model.operations[place] for place in inner if self._model.operations[place].op == "ReduceMean"]
        over = {mean.attributes.get("axes") for mean in means}
        # Only over the last axis can it be told from the operations alone which axes they are.
        tensors = all(name in self._model.tensors for name in (bound["scale"], bound["shift"]))
        if epsilon is None or over != {(-1,)} or not tensors:
            return None
        inner.discard(self._makers[operation.outputs[0]])
        attributes = {"axis": -1, "epsilon": epsilon}
        inputs = (bound["x"], bound["scale"], bound["shift"])
        return replace(operation, op="LayerNormalization", inputs=inputs, attributes=attributes), inner

    def _gate_exact(self, op: str, inner: set[int]) -> bool:
        """Whether a hard sigmoid inside has the slope of the hard swish."""
        gates = [self._model.operations[place] for place in inner if self._model.operations[place].op == "HardSigmoid"]
        slopes = [gate.attributes.get("alpha", 0.2) for gate in gates]
        shifts = [gate.attributes.get("beta", 0.5) for gate in gates]
        return all(isinstance(slope, float) and math.isclose(slope, 1 / 6, rel_tol=1e-5) for slope in slopes) and all(
            shift == 0.5 for shift in shifts
        )

    def _fits(self, pattern: object, name: str, bound: dict[str, str], inner: set[int], top: bool = False) -> bool:
        if isinstance(pattern, str):
            return bound.setdefault(pattern, name) == name
        if isinstance(pattern, float):
            number = self._number(name)
            return number is not None and math.isclose(number, pattern, rel_tol=1e-4, abs_tol=1e-7)
        place = self._makers.get(name)
        if place is None or not isinstance(pattern, tuple):
            return False
        operation = self._model.operations[place]
        if operation.op != pattern[0] or operation.domain not in DEFAULT_DOMAINS:
            return False
        arguments, given = pattern[1:], operation.inputs
        if operation.op == "Clip" and len(given) == 1:
            bounds = (operation.attributes.get("min"), operation.attributes.get("max"))
            arguments, good = arguments[:1], bounds == (0.0, 6.0)
            if not good:
                return False
        if operation.op == "ReduceMean":
            given = given[:1]
        if len(arguments) != len(given) or (not top and not self._alone(name, pattern)):
            return False
        orders = [given, given[::-1]] if operation.op in _EITHER_WAY else [given]
        for order in orders:
            trial, inside = dict(bound), set(inner)
            if all(self._fits(part, entry, trial, inside) for part, entry in zip(arguments, order, strict=True)):
                bound.clear()
                bound.update(trial)
                inner.clear()
                inner.update(inside | {place})
                return True
        return False

    def _alone(self, name: str, pattern: object) -> bool:
        # The centred numbers of a layer norm are read twice inside of it: divided, and squared.
        return self._readers[name] == 1 or (pattern is _CENTRED and self._readers[name] == 2)

    def _array(self, name: str) -> list[float] | None:
        """The values of a small constant."""
        tensor: object = self._model.tensors.get(name)
        place = self._makers.get(name)
        if place is not None and self._model.operations[place].op == "Constant":
            tensor = self._model.operations[place].attributes.get("value")
        if not isinstance(tensor, StoredTensor) or tensor.external is not None:
            return None
        array = numbers_of(tensor, None)
        return None if array is None else [float(value) for value in array.reshape(-1)]

    def _number(self, name: str) -> float | None:
        """The value of a constant that is one number."""
        tensor: object = self._model.tensors.get(name)
        place = self._makers.get(name)
        if place is not None and self._model.operations[place].op == "Constant":
            attributes = self._model.operations[place].attributes
            value = attributes.get("value_float", attributes.get("value_int"))
            if isinstance(value, (int, float)):
                return float(value)
            tensor = attributes.get("value")
        if place is not None and self._model.operations[place].op == "Cast":
            return self._number(self._model.operations[place].inputs[0])
        if not isinstance(tensor, StoredTensor) or tensor.external is not None:
            return None
        array = numbers_of(tensor, None)
        return float(array.reshape(-1)[0]) if array is not None and array.size == 1 else None
