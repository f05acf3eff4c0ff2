"""N201: units that see a part of the image only, and are averaged."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from striate.analysis.head import last_map
from striate.graph.layers.global_pooling import AdaptivePool, GlobalPool
from striate.lint.geometry import behind_unknown, gives_vectors, spatial
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_share

__all__ = ["field_smaller_than_image"]

#: A warning where a unit sees less than this share of the image.
_LITTLE = Fraction(1, 4)


@rule("N201", "field-smaller-than-image", "info")
def field_smaller_than_image(net: Subject) -> Iterator[Evidence]:
    """Units see a part of the image only, and their answers are averaged.

    What: a network that pools its last map globally, of which a unit's receptive field is smaller than the image along
        an axis. A warning where it holds less than a quarter of the image (a limit of judgement; SqueezeNet's holds
        48 %). Silent for a head of flatten and dense, which joins the places by itself, and for networks that answer
        with a map: how much they need to see depends on what is looked for.
    Why: each unit judges its own part of the image, and global pooling only averages or compares these judgements: no
        unit sees how parts further apart than its field stand to each other. What has a noticeable effect on a unit is
        smaller still than its field.
    Example: conv 16 3 padding=1 > relu > conv 32 3 padding=1 > relu > globalavgpool > dense 10
    Instead: conv 16 3 same > maxpool 4 > conv 32 3 same > maxpool 2 > conv 64 3 same > globalavgpool > dense 10
    Fix: none: more layers, strides, larger kernels or dilation, or a smaller image.
    Source: Araujo, Norris and Sim 2019, "Computing receptive fields of convolutional neural networks", Distill
        (accuracy on ImageNet grows with the field); Luo et al. 2016, "Understanding the effective receptive field in
        deep convolutional neural networks", NeurIPS.
    """
    seen = {name: entry.field for name, entry in net.numbers.items() if entry.field}
    name = last_map(net.graph, seen)
    field, image = seen.get(name, ()), net.graph.shapes[net.graph.inputs[0].name]
    if not gives_vectors(net.graph) or name in behind_unknown(net.graph) or len(net.graph.inputs) != 1:
        return
    if not field or any(axis.kind != "local" for axis in field) or not _pooled(net, name):
        return
    sizes = [min(axis.size, size) for axis, size in zip(field, image[1:], strict=True)]
    if sizes == list(image[1:]):
        return
    share = Fraction(math.prod(sizes), math.prod(image[1:]))
    seen_pixels = "×".join(str(axis.size) for axis in field)
    yield Evidence(
        name,
        f"before global pooling a unit sees {seen_pixels} of the {spatial(image)} image, "
        f"{format_share(math.prod(sizes), math.prod(image[1:]))} of it",
        fix=f"more layers or strides, or an image of at most {seen_pixels}",
        severity="warning" if share < _LITTLE else "info",
    )


def _pooled(net: Subject, name: str) -> bool:
    """Whether a map of several positions is pooled to one."""
    if math.prod(net.graph.shapes[name][1:]) == 1:
        return False
    return any(
        isinstance(reader.layer, (GlobalPool, AdaptivePool)) and math.prod(net.graph.shapes[reader.name][1:]) == 1
        for reader in net.readers[name]
    )
