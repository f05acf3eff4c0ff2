"""LeNet-5 (LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", 1998, II.B).

This is the form in general use: every map of C3 sees every map of S2, the subsampling is a plain average, and the
output is a dense layer instead of radial basis functions. That makes 61,706 parameters where the paper's has 60,000
(its table I leaves out 40 of 96 connections of C3, and its subsampling layers have two weights for each map).
"""

from __future__ import annotations

from striate.graph import Graph, network
from striate.units import Shape
from striate.zoo.architecture import architecture

__all__ = ["lenet_5"]


@architecture(
    "lenet-5",
    input=(1, 32, 32),
    classes=10,
    summary="LeCun et al. 1998: 5×5 convolutions, tanh, average pooling",
    smallest=12,
    per_size=True,
)
def lenet_5(input: Shape, classes: int) -> Graph:
    """Adapts to inputs of at least 12 pixels along each axis.

    Below 32 pixels the first convolution is padded by 2, so that a 28×28 digit yields the paper's 28×28 maps in C1.
    """
    x = network("lenet-5", input, classes)
    x = x.conv(6, 5, padding=2 if min(input[1:]) < 32 else 0, name="c1").tanh().avgpool(2, name="s2")
    x = x.conv(16, 5, name="c3").tanh().avgpool(2, name="s4").flatten()
    return x.dense(120, name="c5").tanh().dense(84, name="f6").tanh().dense(classes, name="output").build()
