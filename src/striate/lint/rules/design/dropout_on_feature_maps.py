"""N308: dropout of single pixels, whose neighbours say the same."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.graph.layers.activation import Activation
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.normalization import Normalization
from striate.graph.layers.reshape import Identity
from striate.graph.layers.transposed_convolution import ConvTranspose
from striate.lint.rule import Edit, Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import before, is_map
from striate.units import format_count, format_shape

__all__ = ["dropout_on_feature_maps"]


@rule("N308", "dropout-on-feature-maps", "info", fix="unsafe")
def dropout_on_feature_maps(net: Subject) -> Iterator[Evidence]:
    """Dropout of single numbers stands behind a convolution.

    What: dropout of single numbers on a map behind a convolution with a window, its normalisation and activation.
    Why: windows of neighbouring outputs overlap, so that their numbers are alike: what is dropped at one place is read
        off the next one, and dropout then mostly scales the learning rate. Dropping whole channels does regularise.
    Example: conv 16 3 > relu > dropout 0.2 > conv 16 3 > relu > globalavgpool > dense 10
    Instead: conv 16 3 > relu > dropout 0.2 channels=true > conv 16 3 > relu > globalavgpool > dense 10
    Fix: unsafe: channels: true; training changes, inference does not.
    Source: Tompson et al. 2015, "Efficient object localization using convolutional networks", section 3.2
        (SpatialDropout).
    """
    for node in net.graph.nodes:
        if not isinstance(node.layer, Dropout) or node.layer.channels or not node.layer.probability:
            continue
        first = before(net, node, (Identity, Activation, Normalization))
        if first is None or not isinstance(first.layer, Conv | ConvTranspose) or not is_map(net.graph, node.name):
            continue
        kernel = first.layer.kernel
        if (kernel if isinstance(kernel, int) else max(kernel)) == 1:
            continue
        shape = net.graph.shapes[node.name]
        yield Evidence(
            node.name,
            f"it drops single numbers of {format_shape(shape)} behind {first.name}: each of the {shape[0]} maps keeps "
            f"{format_count(round(math.prod(shape[1:]) * (1 - node.layer.probability)))} pixels that show what the "
            "dropped ones did",
            fix="channels: true",
            edits=(Edit(node.name, "channels", True),),
        )
