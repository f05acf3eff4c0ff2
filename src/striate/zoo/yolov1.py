"""YOLO, first version (Redmon, Divvala, Girshick, Farhadi, "You only look once: Unified, real-time object detection",
2016, section 2, figure 3).

24 convolutions and two dense layers turn 448×448 pixels into 7×7 cells with B = 2 boxes of 5 numbers and one
probability for each of 20 classes. LeakyReLU 0.1 behind every layer but the last, dropout 0.5 between the dense layers
(section 2.2). As in the paper there is no batch norm, which the authors' later files for Darknet have. The output is a
vector of 7·7·30 = 1,470 numbers; how they are shared out among cells is the loss's affair (Darknet: all class
probabilities, then all confidences, then all boxes). The paper states no number of parameters; there are 271,703,550.
"""

from __future__ import annotations

import math

from striate.graph import Graph
from striate.units import Shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["yolov1"]

#: (kernel, filters, stride) of the convolutions of figure 3, with a pooling between the groups.
STAGES = (
    ((7, 64, 2),),
    ((3, 192, 1),),
    ((1, 128, 1), (3, 256, 1), (1, 256, 1), (3, 512, 1)),
    (*((1, 256, 1), (3, 512, 1)) * 4, (1, 512, 1), (3, 1024, 1)),
    (*((1, 512, 1), (3, 1024, 1)) * 2, (3, 1024, 1), (3, 1024, 2), (3, 1024, 1), (3, 1024, 1)),
)
#: Pixels along each axis.
SMALLEST = 31
#: Units of the first dense layer.
HIDDEN = 4096
#: B, the boxes of a cell; each has x, y, width, height and a confidence.
BOXES = 2


@architecture(
    "yolov1",
    input=(3, 448, 448),
    classes=20,
    summary="Redmon et al. 2016: boxes and classes of a whole image, from dense layers",
    aliases=("yolo",),
    family="detection",
    smallest=SMALLEST,
    per_size=True,
)
def yolov1(input: Shape, classes: int) -> Graph:
    """Adapts to images of at least 31 pixels along each axis; about every 64 pixels are a cell.

    Classes are those of one cell: the output has ``cells · (5·2 + classes)`` numbers.
    """
    x = start("yolov1", input, classes, axes=2, smallest=SMALLEST)
    number = 0
    for stage, convolutions in enumerate(STAGES, start=1):
        for kernel, filters, stride in convolutions:
            number += 1
            x = x.conv(filters, kernel, stride=stride, padding=kernel // 2, name=f"conv{number}")
            x = x.leakyrelu(0.1, name=f"leaky{number}")
        if stage < len(STAGES):
            x = x.maxpool(2, name=f"pool{stage}")
    cells = math.prod(x.shape[1:])
    x = x.flatten(name="flatten").dense(HIDDEN, name="fc1").leakyrelu(0.1, name="leaky25").dropout(0.5, name="drop1")
    return x.dense(cells * (5 * BOXES + classes), name="fc2").build()
