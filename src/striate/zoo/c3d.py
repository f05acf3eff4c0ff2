"""C3D (Tran, Bourdev, Fergus, Torresani, Paluri, "Learning spatiotemporal features with 3D convolutional networks",
2015, section 3.3, figure 3).

Eight 3×3×3 convolutions, five poolings (the first keeps every frame), two dense layers of 4096 units. As in the
authors' Caffe network poolings round up, so that the last takes 7×7 pixels to 4×4; PyTorch ports reach that size by
padding of 1 instead, which shifts the last windows by one pixel. The paper states no number of parameters: with the
487 sports of Sports-1M there are 79,991,015, and with the 101 classes of UCF101 78,409,573, the 78.4 million often
given.
"""

from __future__ import annotations

from striate.graph import Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["c3d"]

#: The convolutions before each pooling: names and filters.
STAGES = (
    {"1a": 64},
    {"2a": 128},
    {"3a": 256, "3b": 256},
    {"4a": 512, "4b": 512},
    {"5a": 512, "5b": 512},
)
#: Units of fc6 and fc7.
HIDDEN = 4096


@architecture(
    "c3d",
    input=(3, 16, 112, 112),
    classes=487,
    summary="Tran et al. 2015: 3×3×3 convolutions over 16 frames of a video",
    family="video",
)
def c3d(input: Shape, classes: int) -> Graph:
    """Adapts to any number of frames and pixels, ``(channels, frames, height, width)``.

    The weights of fc6 fit one size of the last map: up to 16 frames of 97 to 128 pixels have the same.
    """
    x = start("c3d", input, classes, axes=3)
    for stage, convolutions in enumerate(STAGES, start=1):
        for place, filters in convolutions.items():
            x = x.conv(filters, 3, padding=1, name=f"conv{place}").relu(name=f"relu{place}")
        x = x.maxpool((1, 2, 2) if stage == 1 else 2, ceil_mode=True, name=f"pool{stage}")
    x = x.flatten(name="flatten")
    for name in ("6", "7"):
        x = x.dense(HIDDEN, name=f"fc{name}").relu(name=f"relu{name}").dropout(0.5, name=f"drop{name}")
    return x.dense(classes, name="fc8").build()
