"""The given weights of a network, unit by unit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.graph import Node, Parameter
from striate.graph.attributes import per_axis
from striate.graph.layers.convolution import Conv
from striate.graph.layers.layer_scale import LayerScale
from striate.graph.layers.merge import Add, Concat
from striate.graph.layers.normalization import BatchNorm, Normalization
from striate.graph.layers.transposed_convolution import ConvTranspose
from striate.lint.subject import Subject
from striate.lint.traits import AVERAGES, MAXIMA, MOVES, PASSES, WEIGHS, behind
from striate.units import Shape

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Weighted", "ends_residual", "is_fresh", "is_rescaled", "tensors", "weighted"]

#: How many numbers of a tensor are looked at where a sample will do.
_SAMPLE = 65_536
#: Below so many numbers the shape of a distribution cannot be seen.
_ENOUGH = 1000


@dataclass(frozen=True)
class Weighted:
    """A layer with weights and their values.

    Args:
        node: the layer.
        rows: ``(units, inputs of each)``, float32 or float64, with the bias left out.
        bias: ``(units,)``, or None.
        groups: how many groups of units see different inputs.
        fan_in: how many inputs one output sums; a mean where outputs differ.
        fan_out: how many outputs one input reaches, strides not counted.
    """

    node: Node
    rows: npt.NDArray[Any]
    bias: npt.NDArray[Any] | None
    groups: int
    fan_in: float
    fan_out: float

    @property
    def each(self) -> int:
        """How many parameters belong to one unit."""
        return int(self.rows.shape[1]) + (self.bias is not None)

    @property
    def power(self) -> float:
        """What the mean square of the inputs is multiplied with: the mean square of the weights, times the fan-in."""
        import numpy as np

        # Summed in float64 without a copy of the weights.
        return float(np.einsum("ij,ij->", self.rows, self.rows, dtype=np.float64)) / self.rows.size * self.fan_in


def tensors(net: Subject) -> Iterator[tuple[Node, Parameter, npt.NDArray[Any]]]:
    """Every given tensor of floating-point numbers that has the shape its layer says; a shared one once."""
    if net.weights is None:
        return
    import numpy as np

    for node in net.graph.nodes:
        for entry in (*net.graph.own_parameters(node), *net.graph.own_buffers(node)):
            name = f"{node.name}.{entry.name}"
            if name in net.weights:
                array = np.asarray(net.weights[name])
                if array.shape == entry.shape and array.dtype.kind == "f" and array.size:
                    yield node, entry, array


def weighted(net: Subject) -> Iterator[Weighted]:
    """Every layer with weights whose values are given and finite."""
    if net.weights is None:
        return
    import numpy as np

    found: dict[str, dict[str, npt.NDArray[Any]]] = {}
    for node, entry, array in tensors(net):
        if isinstance(node.layer, WEIGHS) and np.isfinite(array).all():
            found.setdefault(node.name, {})[entry.name] = array
    for name, entries in found.items():
        if "weight" in entries:
            node, weight = net.graph[name], entries["weight"]
            groups = node.layer.groups if isinstance(node.layer, Conv | ConvTranspose) else 1
            fans = _fan_in(node, weight.shape), _fan_out(node, weight.shape)
            yield Weighted(node, _rows(node, weight), entries.get("bias"), groups, *fans)


def _rows(node: Node, weight: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if weight.dtype.itemsize < 4:
        weight = weight.astype("float32")
    if not isinstance(node.layer, ConvTranspose):
        return weight.reshape(weight.shape[0], -1)
    # Stored as (inputs, units of a group, *kernel), group after group.
    groups, units = node.layer.groups, weight.shape[1]
    blocks = weight.reshape(groups, weight.shape[0] // groups, units, -1).swapaxes(1, 2)
    return blocks.reshape(groups * units, -1)


def _fan_in(node: Node, shape: Shape) -> float:
    if not isinstance(node.layer, ConvTranspose):
        return float(math.prod(shape[1:]))
    # Of the taps of a window, only those that the stride lets land on one output are summed there.
    layer, rank, taps = node.layer, len(shape) - 2, 1.0
    strides, dilations = (per_axis(layer.kind, name, getattr(layer, name), rank) for name in ("stride", "dilation"))
    for kernel, stride, dilation in zip(shape[2:], strides, dilations, strict=True):
        taps *= kernel / min(kernel, stride // math.gcd(stride, dilation))
    return shape[0] / layer.groups * taps


def _fan_out(node: Node, shape: Shape) -> float:
    window = math.prod(shape[2:])
    if isinstance(node.layer, ConvTranspose):
        return float(shape[1] * window)
    return shape[0] / (node.layer.groups if isinstance(node.layer, Conv) else 1) * window


def is_fresh(net: Subject) -> bool:
    """Whether all weights look as if they were drawn: a mean of 0, and tails as of a uniform or normal distribution.

    Training moves the mean of some layer away from 0 and makes its tails heavier. Constant tensors say nothing, and
    with less than 1,000 numbers in each tensor nothing is known: then the answer is no.
    """
    import numpy as np

    seen = False
    for entry in weighted(net):
        flat = entry.rows.reshape(-1)
        sample = flat[:: max(1, flat.size // _SAMPLE)].astype(np.float64)
        deviation = float(sample.std())
        if sample.size < _ENOUGH or deviation == 0:
            continue
        seen = True
        scaled = (sample - sample.mean()) / deviation
        tails = float((scaled**4).mean())
        if abs(float(sample.mean())) > 5 * deviation / math.sqrt(sample.size) or not 1.6 < tails < 4:
            return False
    return seen


def is_rescaled(net: Subject, node: Node) -> bool:
    """Whether the scale of what leaves a node does not count, because on every way a normalisation comes next.

    Layers before it may move numbers, take means or maxima, or put channels side by side.
    """
    waiting, seen = [node], {node.name}
    while waiting:
        here = waiting.pop()
        if here.name in net.graph.outputs or not net.readers[here.name]:
            return False
        for reader in net.readers[here.name]:
            if isinstance(reader.layer, Normalization) or reader.name in seen:
                continue
            if not isinstance(reader.layer, (*MOVES, *PASSES, *AVERAGES, *MAXIMA, Concat)):
                return False
            seen.add(reader.name)
            waiting.append(reader)
    return True


def ends_residual(net: Subject, node: Node) -> bool:
    """Whether a node is the last of a branch that is added: zeros there are a way to begin with."""
    reader = behind(net, node, (*PASSES, BatchNorm, LayerScale))
    return reader is not None and isinstance(reader.layer, Add)
