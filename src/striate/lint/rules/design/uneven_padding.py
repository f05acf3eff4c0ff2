"""N103: padding of which one side is used more than the other."""

from __future__ import annotations

from collections.abc import Iterator

from striate.analysis.sizing import Sizing
from striate.lint.geometry import listed, nearest_sizes, spatial
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_count

__all__ = ["uneven_padding"]


@rule("N103", "uneven-padding", "info")
def uneven_padding(net: Subject) -> Iterator[Evidence]:
    """The padding is used on one side more than on the other, at this image size.

    What: strided layers whose last window ends before the padding behind does, at the network's image size. Networks
        with one input only; one finding for all layers.
    Why: the map is shifted against the image by a part of a step at each such layer, the zeros of the padding are seen
        from the front only, and filters learn the asymmetry: small objects at one edge are missed more often than at
        the other.
    Example: conv 16 3 stride=2 padding=1 > relu > globalavgpool > dense 10
    Instead: input 3x33x33 > conv 16 3 stride=2 padding=1 > relu > globalavgpool > dense 10
    Fix: none: an image size at which all padding is even, or padding in front and behind that differs on purpose.
    Source: Alsallakh et al. 2021, "Mind the pad: CNNs can develop blind spots", ICLR.
    """
    if len(net.graph.inputs) != 1:
        return
    fit = Sizing(net.graph).fit(net.graph.input_shape)
    uneven = [entry for entry in fit.misfits if entry.kind == "uneven"] if fit is not None else []
    names = list(dict.fromkeys(entry.node for entry in uneven))
    if not names:
        return
    most = max(entry.pixels for entry in uneven)
    layers = "1 layer uses its" if len(names) == 1 else f"{format_count(len(names))} layers use their"
    lines = "1 pixel" if most == 1 else f"up to {most} pixels"
    sizes = nearest_sizes(net.graph, lambda other: not other.misfits)
    yield Evidence(
        None,
        f"for the {spatial(net.graph.input_shape)} image {layers} padding unevenly, by {lines} at one end: "
        f"{listed(names)}",
        fix=f"an image of {' or '.join(sizes)}: all padding is even"
        if sizes
        else "padding_mode: reflect, as no size near has even padding",
    )
