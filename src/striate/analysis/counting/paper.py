"""Papers, and the counter that comes with PyTorch: what Striate counts, in MACs or in FLOPs."""

from __future__ import annotations

from striate.analysis.counting.reading import Amounts, Reading, Rules, nothing
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.transposed_convolution import ConvTranspose

__all__ = ["FLOP_RULES", "RULES"]

#: ResNet, MobileNet, ResNeXt and EfficientNet quote MACs of convolutions and dense layers, as multiply-adds or "FLOPs".
RULES: Rules = dict.fromkeys((Conv, ConvTranspose, Dense), nothing)


def _twice(reading: Reading) -> Amounts:
    return [("a multiply-add is counted as two operations", reading.macs)]


FLOP_RULES: Rules = dict.fromkeys((Conv, ConvTranspose, Dense), _twice)
