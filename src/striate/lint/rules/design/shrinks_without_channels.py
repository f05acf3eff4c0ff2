"""N114: maps that shrink twice while their channels do not grow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from striate.graph.layers.convolution import Conv
from striate.graph.layers.merge import Concat
from striate.lint.geometry import gives_vectors
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import Shape, format_shape

__all__ = ["shrinks_without_channels"]


@rule("N114", "shrinks-without-channels", "info")
def shrinks_without_channels(net: Subject) -> Iterator[Evidence]:
    """Maps shrink twice in a row and their channels do not grow.

    What: in a network that gives one answer for an image, three resolutions one after the other, the widest map of the
        last with no more channels than that of the first. One finding for the first such place. A single step without
        growth is common (the last of VGG) and not told.
    Why: each step leaves a quarter of the positions; without more channels the map holds a sixteenth of the numbers
        after two, and what does not fit through there is lost to all layers behind. The usual design doubles the
        channels where it halves the size, which also keeps the cost of a layer.
    Example: conv 8 3 > relu > maxpool 2 > conv 8 3 > relu > maxpool 2 > conv 8 3 > relu > globalavgpool > dense 10
    Instead: conv 8 3 > relu > maxpool 2 > conv 16 3 > relu > maxpool 2 > conv 32 3 > relu > globalavgpool > dense 10
    Fix: none: more filters where the map is smaller.
    Source: He et al. 2016, "Deep residual learning for image recognition", section 3.3; Szegedy et al. 2016,
        "Rethinking the Inception architecture for computer vision", section 2, principle 1.
    """
    if not gives_vectors(net.graph):
        return
    widest: dict[Fraction, tuple[str, Shape]] = {}
    for node in net.graph.nodes:
        field, shape = net.numbers[node.name].field, net.graph.shapes[node.name]
        if not isinstance(node.layer, (Conv, Concat)) or any(axis.kind != "local" for axis in field) or not field:
            continue
        level = math.prod((Fraction(axis.jump) for axis in field), start=Fraction(1))
        if level not in widest or shape[0] > widest[level][1][0]:
            widest[level] = node.name, shape
    levels = sorted(widest)
    for first, second, third in zip(levels, levels[1:], levels[2:], strict=False):
        (_, before), (_, between), (name, after) = widest[first], widest[second], widest[third]
        if between[0] <= before[0] >= after[0]:
            yield Evidence(
                name,
                f"the widest maps shrink from {format_shape(before)} over {format_shape(between)} to "
                f"{format_shape(after)}: {_times(math.prod(before), math.prod(after))} times fewer numbers",
                fix="more filters at each smaller size",
            )
            return


def _times(before: int, after: int) -> str:
    return f"{before / after:.3g}"
