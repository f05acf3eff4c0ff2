"""YOLOv3 (Redmon, Farhadi, "YOLOv3: An incremental improvement", 2018, sections 2.3 and 2.4).

Darknet-53 and three heads, for large, middle and small things: at 1/32, 1/16 and 1/8 of the image. Each yields, for
each of 3 boxes at each place, 4 coordinates, an objectness and one score for each class: 255 channels for the 80
classes of COCO. A finer head reads the coarser one's features, enlarged twice, beside the trunk's. Layers stand in the
order of the authors' file for Darknet (yolov3.cfg). 61,949,149 parameters, as the PyTorch version by Ultralytics
counts. What turns the numbers into boxes (anchors, sigmoids) and drops doubles comes after the network.
"""

from __future__ import annotations

from striate.errors import ShapeError
from striate.graph import Chain, Graph
from striate.units import Shape, format_shape
from striate.zoo.architecture import architecture
from striate.zoo.darknet53 import trunk, unit
from striate.zoo.start import start

__all__ = ["yolov3"]

#: Boxes at each place of each head.
BOXES = 3
#: Pixels along each axis; sizes are multiples of it.
SMALLEST = 32


def _check_size(x: Chain) -> None:
    """Five halvings must leave no rest, else enlarged maps do not fit the trunk's."""
    sizes = x.shape[1:]
    if all(size % SMALLEST == 0 for size in sizes):
        return
    nearest = (max(SMALLEST, (size + 16) // SMALLEST * SMALLEST) for size in sizes)
    raise ShapeError(
        "yolov3 cannot halve this image five times without a rest",
        where="yolov3",
        got=f"input {format_shape(x.shape)}",
        needs="a multiple of 32 pixels along each axis",
        write=f"input={(x.channels, *nearest)}",
    )


def neck(x: Chain, width: int, name: str) -> Chain:
    """Five convolutions, 1×1 and 3×3 in turn."""
    for number in range(1, 6):
        filters, kernel = (width, 1) if number % 2 else (2 * width, 3)
        x = unit(x, filters, kernel, f"{name}.unit{number}")
    return x


@architecture(
    "yolov3",
    input=(3, 416, 416),
    classes=80,
    summary="Redmon, Farhadi 2018: boxes and classes at three scales, from Darknet-53",
    published=61_949_149,
    family="detection",
    smallest=SMALLEST,
    per_size=True,
)
def yolov3(input: Shape, classes: int) -> Graph:
    """Adapts to images of a multiple of 32 pixels along each axis.

    Three outputs, coarse to fine: ``3·(5 + classes)`` channels each, at 1/32, 1/16 and 1/8 of the image.
    """
    x = start("yolov3", input, classes, axes=2, smallest=SMALLEST)
    _check_size(x)
    *_, fine, middle, x = trunk(x, "trunk.")
    heads: list[Chain] = []
    for number, skip in enumerate((None, middle, fine), start=1):
        if skip is not None:
            x = unit(x, skip.channels // 2, 1, f"up{number}").upsample(2, name=f"up{number}.enlarge")
            x = x.concat(skip, name=f"up{number}.concat")
        width = (x.channels if skip is None else skip.channels) // 2
        x = neck(x, width, f"head{number}")
        wide = unit(x, 2 * width, 3, f"head{number}.unit6")
        heads.append(wide.conv(BOXES * (5 + classes), 1, name=f"head{number}.output"))
    return heads[0].build(*heads[1:])
