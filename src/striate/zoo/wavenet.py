"""WaveNet (van den Oord et al., "WaveNet: A generative model for raw audio", 2016, sections 2.1 to 2.4, figure 4).

One score for each of 256 levels (µ-law, section 2.2) of the next sample, at every sample: a causal convolution, then
layers with a dilated causal convolution of width 2, ``tanh(filter) · sigmoid(gate)`` (equation 2), a 1×1 convolution
back to the residual path and one to the sum of skips; then ReLU, 1×1, ReLU, 1×1. Dilations 1, 2, …, 512 make a stack
that reads 1024 samples (section 2.1); ``wavenet`` has two, ``wavenet_1stack`` one; with the first convolution 2048 and
1025 samples. The paper states no widths: 32 on the residual path and in the gates, 512 skips and a bias everywhere are
the defaults of the TensorFlow version in widest use (github.com/ibab/tensorflow-wavenet, which has five stacks).
The last layer has no way back to the residual path, which nothing would read. The paper states no number of
parameters; there are 851,584 with two stacks.
"""

from __future__ import annotations

from striate.graph import Chain, Graph
from striate.units import Shape
from striate.zoo.architecture import Architecture
from striate.zoo.start import start

__all__ = ["ARCHITECTURES"]

#: Stacks of layers.
STACKS = {"wavenet": 2, "wavenet_1stack": 1}
#: The dilations of one stack.
DILATIONS = tuple(2**power for power in range(10))
#: Channels of the residual path and of the gates, and of the skips.
RESIDUAL, SKIP = 32, 512


def gated(x: Chain, dilation: int, name: str) -> Chain:
    """``tanh(filter) · sigmoid(gate)``, equation 2."""
    signal = x.conv(RESIDUAL, 2, padding="causal", dilation=dilation, name=f"{name}.filter").tanh(name=f"{name}.tanh")
    gate = x.conv(RESIDUAL, 2, padding="causal", dilation=dilation, name=f"{name}.gate").sigmoid(name=f"{name}.sigmoid")
    return signal.multiply(gate, name=f"{name}.gated")


def wavenet(name: str, input: Shape, classes: int) -> Graph:
    """Adapts to any number of samples, input channels (256 one-hot levels, or 1) and levels to tell apart.

    The scores at a sample read that sample and those before it: in training, its label is the sample behind it.
    """
    x = start(name, input, classes, axes=1)
    x = x.conv(RESIDUAL, 2, padding="causal", name="causal")
    dilations = DILATIONS * STACKS[name]
    skips = []
    for number, dilation in enumerate(dilations):
        layer = f"layers.{number}"
        found = gated(x, dilation, layer)
        if number < len(dilations) - 1:
            x = x.add(found.conv(RESIDUAL, 1, name=f"{layer}.residual"), name=f"{layer}.add")
        skips.append(found.conv(SKIP, 1, name=f"{layer}.skip"))
    x = skips[0].add(*skips[1:], name="skips").relu(name="relu1")
    return x.conv(SKIP, 1, name="post1").relu(name="relu2").conv(classes, 1, name="post2").build()


def _architecture(name: str, stacks: int) -> Architecture:
    layers, samples = len(DILATIONS) * stacks, sum(DILATIONS) * stacks + 2
    return Architecture(
        name,
        (256, 16000),
        256,
        f"van den Oord et al. 2016: the next sample of sound from the last {samples}; {layers} layers",
        lambda input, classes: wavenet(name, input, classes),
        family="audio",
    )


ARCHITECTURES = tuple(_architecture(name, stacks) for name, stacks in STACKS.items())
