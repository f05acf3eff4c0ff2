"""N113: a stem made for large images on a small one."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from striate.graph import Node
from striate.graph.layers.convolution import Conv
from striate.lint.geometry import behind_unknown, gives_vectors, spatial
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_shape

__all__ = ["early_downsampling"]

#: Images up to this size are small.
_SMALL = 64
#: A stem that shrinks as much before the second convolution was made for images of about 224 pixels.
_STEM = 4


@rule("N113", "early-downsampling", "info")
def early_downsampling(net: Subject) -> Iterator[Evidence]:
    """A small image is made four times smaller before the second convolution.

    What: a network that gives one answer for an image of at most 64 pixels, of which the second convolution with a
        window reads a map with a stride of 4 or more. A warning where the last such convolution reads a map of at most
        2 positions along an axis for this reason. The limits are those of what is known to work: cuda-convnet and VGG
        shrink 32 pixels by 2 before their second stage, ResNet for CIFAR by 1; the stems for 224 pixels shrink by 4.
    Why: what the first convolution sees of the detail of a small image is thrown away at once, and all deeper layers
        work on maps of a few positions. Networks that shrink late are better at the same number of parameters.
    Example: conv 64 7 stride=2 padding=3 > relu > maxpool 2 > conv 64 3 padding=1 > relu > globalavgpool > dense 10
    Instead: conv 64 3 padding=1 > relu > conv 64 3 padding=1 > relu > maxpool 2 > globalavgpool > dense 10
    Fix: none: a stem without stride and pooling, kernel 3, as ResNet has it for CIFAR-10; more multiply-adds, and
        trained weights of the old stem do not fit.
    Source: He et al. 2016, "Deep residual learning for image recognition", section 4.2; Iandola et al. 2016,
        "SqueezeNet", section 3.1, strategy 3 (downsample late).
    """
    image = net.graph.shapes[net.graph.inputs[0].name]
    if max(image[1:], default=0) > _SMALL or not gives_vectors(net.graph):
        return
    unknown = behind_unknown(net.graph)
    windowed = [node for node in net.graph.nodes if _has_window(net, node) and node.name not in unknown]
    if len(windowed) < 2:
        return
    first, second, last = windowed[0], windowed[1], windowed[-1]
    strides = _strides(net, second)
    if len(strides) != len(image) - 1 or min(strides, default=0) < _STEM:
        return
    end = net.graph.shapes[last.inputs[0]]
    lost = [
        size for size, left, stride in zip(image[1:], end[1:], _strides(net, last), strict=True) if left <= 2 <= stride
    ]
    told = f", and the last, {last.name}, {format_shape(end[1:])}" if last is not second else ""
    yield Evidence(
        first.name,
        f"of the {spatial(image)} image the second convolution, {second.name}, reads "
        f"{format_shape(net.graph.shapes[second.inputs[0]][1:])} positions{told}",
        fix=f"stride: 1 in {first.name} and no pooling behind it",
        severity="warning" if lost and last is not second else "info",
    )


def _has_window(net: Subject, node: Node) -> bool:
    if not isinstance(node.layer, Conv):
        return False
    return any(window.kernel > 1 for window in node.layer.windows(len(net.graph.shapes[node.name]) - 1))


def _strides(net: Subject, node: Node) -> list[Fraction]:
    """How far apart on the image the units are that a node reads; 0 along each axis where that cannot be told."""
    return [Fraction(axis.jump) if axis.kind == "local" else Fraction(0) for axis in net.numbers[node.inputs[0]].field]
