"""N202: convolutions that have nothing new to see."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from striate.graph.layers.convolution import Conv
from striate.lint.geometry import behind_unknown, gives_vectors, listed, spatial
from striate.lint.narrowest import narrowest_fields
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_count, format_share

__all__ = ["unproductive_layers"]

#: Shares of all multiply-adds: below the first nothing is said, from the second on it is a warning.
_LITTLE, _MUCH = Fraction(1, 100), Fraction(1, 4)


@rule("N202", "unproductive-layers", "info")
def unproductive_layers(net: Subject) -> Iterator[Evidence]:
    """Convolutions read maps of which every unit sees more than the whole image already.

    What: convolutions with a window whose input has a receptive field at least as large as the image along every axis,
        on the narrowest way through all branches; one finding for all of them, at the first (the border layer), where
        they have at least 1 % of the network's multiply-adds, and a warning where they have a quarter (limits of
        judgement). Networks that answer with a map are left out.
    Why: such a layer cannot add anything to what its input sees; Richter et al. find with probe classifiers that layers
        behind the border do not improve the answer, but cost their parameters and multiply-adds.
    Example: maxpool 16 > conv 16 3 padding=1 > relu > conv 16 3 padding=1 > relu > flatten > dense 10
    Instead: maxpool 4 > conv 16 3 padding=1 > relu > conv 16 3 padding=1 > relu > globalavgpool > dense 10
    Fix: none: leave them out, shrink the map later (a stem with stride 1), or use a larger image.
    Source: Richter et al. 2021, "Should you go deeper? Optimizing convolutional neural network architectures without
        training by receptive field analysis"; Richter and Pal 2022, "Receptive field refinement for convolutional
        neural networks reliably improves predictive performance".
    """
    if not gives_vectors(net.graph) or len(net.graph.inputs) != 1:
        return
    unknown = behind_unknown(net.graph)
    image = net.graph.input_shape
    widths = narrowest_fields(net.graph)
    names = []
    for node in net.graph.nodes:
        if not isinstance(node.layer, Conv) or node.name in unknown or max(net.graph.shapes[node.inputs[0]][1:]) == 1:
            continue
        windows = node.layer.windows(len(image) - 1)
        ways = widths.get(node.inputs[0], ())
        full = [width + 1 >= size for (width, _), size in zip(ways, image[1:], strict=False)]
        if full and all(full) and any(window.kernel > 1 for window in windows):
            names.append(node.name)
    macs = sum(net.numbers[name].macs for name in names)
    if not names or macs < _LITTLE * net.report.macs:
        return
    parameters = sum(net.numbers[name].parameters for name in names)
    layers = "1 convolution reads" if len(names) == 1 else f"{len(names)} convolutions read"
    yield Evidence(
        names[0],
        f"{layers} maps whose units see all of the {spatial(image)} image already, with "
        f"{format_share(macs, net.report.macs)} of the MACs and {format_count(parameters)} parameters: {listed(names)}",
        fix="fewer layers, fewer strides before them, or a larger image",
        severity="warning" if macs >= _MUCH * net.report.macs else "info",
    )
