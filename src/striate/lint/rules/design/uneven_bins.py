"""N111: adaptive pooling into bins that differ, overlap or repeat."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.graph.layers.global_pooling import AdaptivePool
from striate.lint.geometry import spatial
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_count

__all__ = ["uneven_bins"]


@rule("N111", "uneven-bins", "info")
def uneven_bins(net: Subject) -> Iterator[Evidence]:
    """Adaptive pooling cuts a map into bins that differ, overlap or repeat pixels.

    What: adaptive pooling to a size that does not divide that of its map. A warning where there are more bins than
        pixels: then it copies them.
    Why: bin i covers floor(i·n/bins) to ceil((i+1)·n/bins) - 1: where bins do not divide n they overlap by a pixel and
        weigh pixels unequally; with more bins than pixels, whatever is dense behind reads the same number several
        times, and its parameters are many times more than can be told apart.
    Example: maxpool 16 > adaptiveavgpool 7 > flatten > dense 10
    Instead: maxpool 4 > adaptiveavgpool 4 > flatten > dense 10
    Fix: none: a number of bins that divides the map, or another image size.
    Source: PyTorch's adaptive_avg_pool2d, of which the bins are those above (aten/src/ATen/native/AdaptivePooling.h).
    """
    for node in net.graph.nodes:
        if not isinstance(node.layer, AdaptivePool):
            continue
        shape, output = net.graph.shapes[node.inputs[0]], net.graph.shapes[node.name]
        pairs = list(zip(shape[1:], output[1:], strict=True))
        if all(size % bins == 0 for size, bins in pairs):
            continue
        divisors = [max(d for d in range(1, min(size, bins) + 1) if size % d == 0) for size, bins in pairs]
        fix = "size: " + "×".join(str(size) for size in divisors)
        if any(bins > size for size, bins in pairs):
            told = (
                f"it makes {spatial(output)} bins of a {spatial(shape)} map: "
                f"{format_count(math.prod(output))} numbers, of which at most "
                f"{format_count(shape[0] * math.prod(_different(size, bins) for size, bins in pairs))} differ"
            )
            yield Evidence(node.name, told, fix, severity="warning")
        else:
            overlap = sum(sum(_width(i, size, bins) for i in range(bins)) - size for size, bins in pairs)
            widths = sorted({_width(i, size, bins) for size, bins in pairs for i in range(bins)})
            yield Evidence(
                node.name,
                f"{spatial(output)} bins do not divide the {spatial(shape)} map: bins of "
                f"{' and '.join(str(width) for width in widths)} pixels along an axis, "
                f"{overlap} lines are read by two bins",
                fix,
            )


def _edges(index: int, size: int, bins: int) -> tuple[int, int]:
    return index * size // bins, -(-(index + 1) * size // bins)


def _width(index: int, size: int, bins: int) -> int:
    start, end = _edges(index, size, bins)
    return end - start


def _different(size: int, bins: int) -> int:
    return len({_edges(index, size, bins) for index in range(bins)})
