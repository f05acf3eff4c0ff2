"""N501: numbers of channels that tensor cores do not divide evenly."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph import Node
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.input import Input
from striate.graph.layers.normalization import Normalization
from striate.graph.layers.transposed_convolution import ConvTranspose
from striate.lint.geometry import listed
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import PASSES, before
from striate.units import format_share

__all__ = ["channels_for_tensor_cores"]

#: Half precision numbers that a tensor core takes at once.
_TOGETHER = 8
#: Layers with less than this share of the multiply-adds are not worth a word.
_PERCENT = 1

_Weighted = (Conv, ConvTranspose, Dense)


@rule("N501", "channels-for-tensor-cores", "info")
def channels_for_tensor_cores(net: Subject) -> Iterator[Evidence]:
    """Numbers of channels are no multiples of 8.

    What: convolutions and dense layers without groups whose channels that arrive or leave are no multiple of 8, where
        these layers have at least 1 % of the multiply-adds. The channels of the image and of the output are what they
        are and not counted. One finding for all layers.
    Why: in half precision, tensor cores of NVIDIA GPUs work on 8 channels at once; other numbers are padded with zeros
        or computed by slower kernels.
    Example: conv 32 3 > relu > conv 30 3 > relu > conv 64 3 > relu > globalavgpool > dense 10
    Instead: conv 32 3 > relu > conv 32 3 > relu > conv 64 3 > relu > globalavgpool > dense 10
    Fix: none: the next multiple of 8.
    Source: NVIDIA, "Convolutional layers user's guide", quick start checklist: channels divisible by 8 for FP16, by 4
        for TF32.
    """
    last = _last(net)
    found = []
    for node in net.graph.nodes:
        layer = node.layer
        if not isinstance(layer, _Weighted) or getattr(layer, "groups", 1) > 1:
            continue
        arrive, leave = net.graph.shapes[node.inputs[0]][0], net.graph.shapes[node.name][0]
        image = _reads_image(net, node)
        if (arrive % _TOGETHER and not image) or (leave % _TOGETHER and node.name not in last):
            found.append(node)
    macs = sum(net.numbers[node.name].macs for node in found)
    if not found or 100 * macs < _PERCENT * net.report.macs:
        return
    heaviest = sorted(found, key=lambda node: -net.numbers[node.name].macs)
    named = [f"{n.name} ({net.graph.shapes[n.inputs[0]][0]} → {net.graph.shapes[n.name][0]})" for n in heaviest]
    layers = "1 layer has" if len(found) == 1 else f"{len(found)} layers have"
    yield Evidence(
        None,
        f"{layers} channels that are no multiple of {_TOGETHER}, with {format_share(macs, net.report.macs)} of the "
        f"MACs: {listed(named)}",
        fix="the next multiple of 8",
    )


def _reads_image(net: Subject, node: Node) -> bool:
    """Whether what arrives is the image, passed on or normalised."""
    source = net.source(node)
    if isinstance(source.layer, Input):
        return True
    first = before(net, node, (*PASSES, Normalization))
    return first is not None and isinstance(first.layer, Input)


def _last(net: Subject) -> set[str]:
    """The layers with weights behind which no other follows: their number of channels is the task's."""
    open_ends = list(net.graph.outputs)
    found: set[str] = set()
    seen: set[str] = set()
    while open_ends:
        name = open_ends.pop()
        if name in seen:
            continue
        seen.add(name)
        node = net.graph[name]
        if isinstance(node.layer, _Weighted):
            found.add(name)
        else:
            open_ends.extend(node.inputs)
    return found
