"""U-Net (Ronneberger, Fischer, Brox, "U-Net: Convolutional networks for biomedical image segmentation", 2015).

``unet`` is the paper's (figure 1): convolutions without padding, so that 572×572 pixels become 388×388 labels, and what
the skips bring is cropped. With 1 channel and 2 classes it has 31,030,658 parameters; the paper states none. The
dropout at the end of the contracting path, which the paper mentions, stands where the authors' Caffe network has it.

``unet_same`` keeps the size of the image: padding 1 and batch norm, in the form and with the names of the PyTorch
version in widest use (github.com/milesial/Pytorch-UNet, transposed convolutions), whose weights fit.
"""

from __future__ import annotations

from striate.errors import ShapeError
from striate.graph import Chain, Graph
from striate.units import Shape, format_shape
from striate.zoo.architecture import architecture
from striate.zoo.start import start

__all__ = ["unet", "unet_same"]

#: Channels of each level from the top; the last is the bottom of the U.
WIDTHS = (64, 128, 256, 512, 1024)


def _check_tiles(x: Chain) -> None:
    """Every pooling of ``unet`` must see an even size (section 2), and the bottom must leave something to label."""
    sizes = x.shape[1:]
    if all(size >= 188 and size % 16 == 12 for size in sizes):
        return
    nearest = (max(188, (size - 12 + 8) // 16 * 16 + 12) for size in sizes)
    raise ShapeError(
        "unet cannot halve this image four times without a rest",
        where="unet",
        got=f"input {format_shape(x.shape)}",
        needs="16·k + 12 pixels along each axis, at least 188 (188, 204, …, 572); unet_same takes every size from 16",
        write=f"input={(x.channels, *nearest)}",
    )


def valid_pair(x: Chain, filters: int, name: str) -> Chain:
    """Two 3×3 convolutions without padding, each with a ReLU."""
    x = x.conv(filters, 3, name=f"{name}.conv1").relu(name=f"{name}.relu1")
    return x.conv(filters, 3, name=f"{name}.conv2").relu(name=f"{name}.relu2")


@architecture(
    "unet",
    input=(1, 572, 572),
    classes=2,
    summary="Ronneberger et al. 2015: contract, expand, skips; without padding",
    family="segmentation",
    smallest=188,
    per_size=True,
)
def unet(input: Shape, classes: int) -> Graph:
    """Adapts to images of 16·k + 12 pixels along each axis, at least 188, in one, two or three dimensions.

    The labels are 184 pixels fewer along each axis, 92 on each side.
    """
    x = start("unet", input, classes)
    _check_tiles(x)
    skips = []
    for level, width in enumerate(WIDTHS, start=1):
        if level > 1:
            skips.append(x)
            x = x.maxpool(2, name=f"pool{level - 1}")
        x = valid_pair(x, width, f"down{level}")
        if level >= len(WIDTHS) - 1:
            x = x.dropout(0.5, name=f"down{level}.dropout")
    for level, skip in reversed(list(enumerate(skips, start=1))):
        x = x.convtranspose(skip.channels, 2, stride=2, name=f"up{level}.upconv")
        x = skip.croplike(x, name=f"up{level}.crop").concat(x, name=f"up{level}.concat")
        x = valid_pair(x, skip.channels, f"up{level}")
    return x.conv(classes, 1, name="output").build()


def same_pair(x: Chain, filters: int, name: str) -> Chain:
    """Two 3×3 convolutions that keep the size, each with batch norm and ReLU."""
    for first in (0, 3):
        x = x.conv(filters, 3, padding=1, bias=False, name=f"{name}.double_conv.{first}")
        x = x.batchnorm(name=f"{name}.double_conv.{first + 1}").relu(name=f"{name}.double_conv.{first + 2}")
    return x


def enlarge(x: Chain, skip: Chain, name: str) -> Chain:
    """A 2×2 transposed convolution with stride 2; where halving the skip dropped a pixel, zeros take its place."""
    x = x.convtranspose(skip.channels, 2, stride=2, name=f"{name}.up")
    missing = [wanted - size for wanted, size in zip(skip.shape[1:], x.shape[1:], strict=True)]
    if not any(missing):
        return x
    return x.pad([(lack // 2, lack - lack // 2) for lack in missing], name=f"{name}.pad")


@architecture(
    "unet_same",
    input=(3, 256, 256),
    classes=2,
    summary="U-Net that keeps the size: padded convolutions, batch norm",
    published=31_037_698,
    family="segmentation",
    smallest=16,
    per_size=True,
)
def unet_same(input: Shape, classes: int) -> Graph:
    """Adapts to images of at least 16 pixels along each axis, in one, two or three dimensions."""
    x = same_pair(start("unet_same", input, classes), WIDTHS[0], "inc")
    skips = []
    for level, width in enumerate(WIDTHS[1:], start=1):
        skips.append(x)
        x = x.maxpool(2, name=f"down{level}.maxpool_conv.0")
        x = same_pair(x, width, f"down{level}.maxpool_conv.1")
    for number, skip in enumerate(reversed(skips), start=1):
        x = skip.concat(enlarge(x, skip, f"up{number}"), name=f"up{number}.concat")
        x = same_pair(x, skip.channels, f"up{number}.conv")
    return x.conv(classes, 1, name="outc.conv").build()
