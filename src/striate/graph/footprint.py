"""Footprint: what a layer leaves in memory besides its output, and what the backward pass needs of it.

The rules say what PyTorch 2.11 to 2.13 does: an operation keeps for the backward pass the tensors that its derivative
is written with (``tools/autograd/derivatives.yaml`` in its source).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["KEEPS_INPUT", "KEEPS_NOTHING", "KEEPS_OUTPUT", "VIEW", "Extra", "Footprint", "Unit"]

#: What a number of an extra tensor is: of the network's own type; an index (8 bytes); a truth value (1 byte); a
#: drop-or-keep mask (of the network's type, on CUDA 1 byte); a mean or deviation (of the network's type, on CUDA at
#: least 4 bytes).
Unit = Literal["number", "index", "flag", "mask", "statistic"]


@dataclass(frozen=True, slots=True)
class Extra:
    """A tensor that a layer makes besides its output.

    Args:
        name: what it holds.
        count: how many numbers, for each image.
        unit: what a number of it is.
        shared: there is one for the whole batch instead of one for each image.
        kept: it is kept for the backward pass, not only while the layer is computed.
        inference: it is made at inference too, and dropped when the layer is done.
        backward: it is made by the backward step alone, and dropped with it.
    """

    name: str
    count: int
    unit: Unit = "number"
    shared: bool = False
    kept: bool = True
    inference: bool = False
    backward: bool = False


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a layer needs of memory.

    Args:
        inputs: positions of the inputs that the backward pass reads again.
        output: whether the backward pass reads the output again.
        extras: what is made besides the output.
        view: the output is the first input's memory, looked at in another way.
        idle: at inference the output is the first input itself.
        hands_on: the gradients of the inputs are the one of the output, or parts of it, and are not copied.

    >>> Footprint(inputs=(0,), extras=(Extra("indices", 64 * 56 * 56, "index", inference=True),)).view
    False
    """

    inputs: tuple[int, ...] = ()
    output: bool = False
    extras: tuple[Extra, ...] = ()
    view: bool = False
    idle: bool = False
    hands_on: bool = False


KEEPS_NOTHING = Footprint()
KEEPS_INPUT = Footprint(inputs=(0,))
KEEPS_OUTPUT = Footprint(output=True)
VIEW = Footprint(view=True)
