"""N312: a layer that gives on what it gets."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph import Node
from striate.graph.layers.crop import Crop
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.padding import Pad
from striate.graph.layers.pooling import AvgPool, MaxPool
from striate.graph.layers.resample import Upsample
from striate.graph.layers.reshape import Flatten
from striate.graph.layers.shuffle import ChannelShuffle, PixelShuffle
from striate.graph.layers.slicing import Slice
from striate.graph.layers.stochastic_depth import StochasticDepth
from striate.lint.rule import Edit, Evidence, rule
from striate.lint.subject import Subject

__all__ = ["layer_without_effect"]


@rule("N312", "layer-without-effect", "warning", fix="safe")
def layer_without_effect(net: Subject) -> Iterator[Evidence]:
    """A layer changes nothing, whatever the image.

    What: pooling over 1×1 windows with stride 1, upsampling by 1, crop or pad by 0, flatten of a vector, a slice of
        everything, a shuffle of one group or of single channels; as an info also dropout and stochastic depth with
        probability 0, which may be a switched-off option. Silent where the effect depends on the size of the image, as
        that of resize or adaptive pooling, and for identity, which says what it does.
    Why: it costs a pass over the map and says to the reader that something happens here.
    Example: conv 16 3 > relu > maxpool 1 > globalavgpool > dense 10
    Instead: conv 16 3 > relu > maxpool 2 > globalavgpool > dense 10
    Fix: safe: the layer is left out, which gives the same numbers in training and at inference.
    Source: the layers' own formulas, with these attributes put in.
    """
    for node in net.graph.nodes:
        reason = _reason(net, node)
        if reason is not None:
            yield Evidence(
                node.name,
                f"{reason}: it gives on what it gets",
                fix=f"leave {node.name} out",
                edits=(Edit(node.name),),
                severity="info" if isinstance(node.layer, Dropout | StochasticDepth) else None,
            )


def _reason(net: Subject, node: Node) -> str | None:
    layer = node.layer
    if isinstance(layer, Dropout | StochasticDepth):
        return "it drops nothing" if layer.probability == 0 else None
    if isinstance(layer, Flatten):
        return "a vector arrives" if len(net.graph.shapes[node.inputs[0]]) == 1 else None
    rank = len(net.graph.shapes[node.name]) - 1
    if isinstance(layer, MaxPool | AvgPool):
        plain = all(
            (window.kernel, window.stride, window.before, window.after) == (1, 1, 0, 0)
            for window in layer.windows(rank)
        )
        return "its windows are single pixels, side by side" if plain else None
    if isinstance(layer, Upsample):
        return "the scale is 1" if net.graph.shapes[node.name] == net.graph.shapes[node.inputs[0]] else None
    if isinstance(layer, Crop | Pad):
        return "the amount is 0" if not any(map(sum, layer.amounts(rank))) else None
    if isinstance(layer, Slice):
        return "it takes all" if (layer.start, layer.stop, layer.step) == (0, None, 1) else None
    if isinstance(layer, PixelShuffle):
        return "the scale is 1" if layer.scale == 1 else None
    if isinstance(layer, ChannelShuffle):
        channels = net.graph.shapes[node.name][0]
        return f"{channels} channels in {layer.groups} groups stay in place" if layer.groups in (1, channels) else None
    return None
