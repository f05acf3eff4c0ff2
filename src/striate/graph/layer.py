"""Layer: one operation of a network, as data, together with every rule that follows from its attributes.

A layer is a small frozen dataclass. It holds no weights and knows no framework. Its rules take the shapes that arrive,
``(channels, *spatial)`` with the batch left out, and answer with shapes, counts and index sets.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

from striate.graph.footprint import Footprint
from striate.graph.word import Word
from striate.units import Shape, format_count, format_shape

__all__ = [
    "EVERYTHING",
    "SAME_PLACE",
    "Indices",
    "Layer",
    "Parameter",
    "Rational",
    "Reach",
    "Role",
    "Step",
    "axis_names",
]

Rational = int | Fraction
Indices = frozenset[int]
Role = Literal["weight", "bias", "scale", "shift", "buffer"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A tensor that belongs to a layer.

    Args:
        name: its name inside the layer (``weight``); in a network it is ``<node>.<name>``.
        shape: as PyTorch stores it.
        role: ``weight`` (multiplies), ``bias``, ``scale`` and ``shift`` (of a normalisation), ``buffer`` (not trained).
        initial: its first value, where that is not drawn or the usual one of its role.
    """

    name: str
    shape: Shape
    role: Role
    initial: float | None = None

    @property
    def count(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Reach:
    """What one output index reads along one axis: the inputs from ``step·y + low`` to ``step·y + high``.

    The interval is the hull over all outputs y, in input pixels; it is fractional after upsampling. ``step`` 0 means
    that every output reads the same interval.
    """

    low: Rational
    high: Rational
    step: Rational


SAME_PLACE = Reach(0, 0, 1)
EVERYTHING: Literal["everything"] = "everything"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a derivation: a quantity, its formula, the formula with the numbers put in, and the result."""

    quantity: str
    formula: str
    numbers: str
    result: str


def axis_names(rank: int) -> tuple[str, ...]:
    """The names of the spatial axes.

    >>> axis_names(2)
    ('height', 'width')
    """
    return {0: (), 1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}[rank]


class Layer(Word, ABC):
    """The rules every layer answers. Subclasses are frozen dataclasses and set ``kind`` and what else a word has.

    Class attributes:
        shape_only: positions of inputs of which only the shape counts; :meth:`reads` of them is empty.
    """

    shape_only: ClassVar[tuple[int, ...]] = ()
    #: What weight initialisation should assume when this layer is the activation that follows; None: not an activation.
    nonlinearity: ClassVar[Literal["relu", "leaky_relu", "tanh", "sigmoid"] | None] = None

    @abstractmethod
    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        """The shape that leaves.

        Raises:
            ShapeError: when the inputs do not fit.
        """

    def parameters(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """The trained tensors, in PyTorch's order."""
        return ()

    def buffers(self, inputs: tuple[Shape, ...]) -> tuple[Parameter, ...]:
        """The stored tensors that are not trained (running statistics)."""
        return ()

    def macs(self, inputs: tuple[Shape, ...], output: Shape) -> int:
        """Multiply-adds of one forward pass for one image (bias, normalisation, activation, pooling: none)."""
        return 0

    def backward_macs(self, inputs: tuple[Shape, ...], output: Shape) -> tuple[int, int] | None:
        """Multiply-adds of the backward pass for one image: for the gradients of the inputs, and of the parameters.

        None where a layer has MACs and does not say; a layer without MACs has none backward.
        """
        return None if self.macs(inputs, output) else (0, 0)

    def elementwise(self, inputs: tuple[Shape, ...], output: Shape) -> int | None:
        """Operations of one forward pass at inference that are no multiply-adds; None where a layer does not say.

        An addition, multiplication, division, comparison or evaluation of a function of one number is one operation;
        moving numbers is none; taps in the padding count, as they do for MACs.
        """
        return None

    def footprint(self, inputs: tuple[Shape, ...], output: Shape, needs: tuple[bool, ...]) -> Footprint | None:
        """What the layer keeps for the backward pass and makes besides its output; None where a layer does not say.

        Args:
            inputs: the shapes that arrive.
            output: the shape that leaves.
            needs: for each input, whether a gradient flows back to it.
        """
        return None

    def reach(self, inputs: tuple[Shape, ...], position: int, axis: int) -> Reach | Literal["everything"]:
        """What an output reads of input number ``position`` along spatial ``axis``; default: the same place only."""
        return SAME_PLACE

    def interval(self, inputs: tuple[Shape, ...], position: int, axis: int, output: int) -> tuple[int, int] | None:
        """First and last input that one output reads along ``axis``, as if the map had no ends; None: it reads none.

        The default follows :meth:`reach`, whose bounds hold a whole number exactly where an input is read.
        """
        reach = self.reach(inputs, position, axis)
        if reach == EVERYTHING:
            return 0, inputs[position][1 + axis] - 1
        first, last = math.ceil(reach.low + output * reach.step), math.floor(reach.high + output * reach.step)
        return (first, last) if first <= last else None

    def reads(self, inputs: tuple[Shape, ...], position: int, axis: int, outputs: Indices) -> Indices:
        """The exact input indices along ``axis`` that the given output indices read, padding left out.

        The default follows :meth:`reach` where that is one place or everything.
        """
        reach = self.reach(inputs, position, axis)
        size = inputs[position][1 + axis]
        if reach == EVERYTHING:
            return frozenset(range(size)) if outputs else frozenset()
        if reach == SAME_PLACE:
            return outputs
        raise NotImplementedError(f"{type(self).__name__} has a window but no reads()")

    def steps(self, inputs: tuple[Shape, ...]) -> Iterable[Step]:
        """How the output shape follows, step by step (``striate inspect --layer``)."""
        output = self.output_shape(inputs)
        yield Step("output shape", "as the input", format_shape(inputs[0]), format_shape(output))

    def mac_step(self, inputs: tuple[Shape, ...], output: Shape) -> Step:
        """How the MACs follow."""
        return Step("MACs", "no multiply-adds are counted for this layer", "0", format_count(self.macs(inputs, output)))
