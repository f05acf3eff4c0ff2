"""Ready-made comparisons: the arithmetic of textbooks, computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from striate.errors import UsageError, near_miss
from striate.graph import Graph, network

__all__ = ["Example", "example", "examples"]


@dataclass(frozen=True)
class Example:
    """A comparison to learn from.

    Args:
        name: as ``striate compare --example`` takes it.
        title: what is compared.
        lesson: what it shows.
        build: makes the networks.
        pairs: whether they are compared two by two: the first with the second, the third with the fourth.
    """

    name: str
    title: str
    lesson: str
    build: Callable[[], tuple[Graph, ...]]
    pairs: bool = False


def examples() -> dict[str, Example]:
    """Every example by its name.

    >>> list(examples())[:2]
    ['dense-vs-conv', 'one-5x5-vs-two-3x3']
    """
    return {entry.name: entry for entry in _EXAMPLES}


def example(name: str) -> Example:
    """The example of that name; case, ``-`` and ``_`` do not matter.

    Raises:
        UsageError: there is none; a near miss is suggested.

    >>> [net.parameter_count for net in example("dense-vs-conv").build()]
    [150529000, 1792, 75648]
    """
    folded = {entry.name.replace("-", ""): entry for entry in _EXAMPLES}
    found = folded.get(name.lower().replace("-", "").replace("_", ""))
    if found is None:
        known = list(examples())
        raise UsageError(
            f"there is no example {name!r}", got=name, needs=f"one of {', '.join(known)}", write=near_miss(name, known)
        )
    return found


def _dense_or_conv() -> tuple[Graph, ...]:
    image = (3, 224, 224)
    three = network("three conv", image).conv(64, 3, padding="same").conv(64, 3, padding="same")
    return (
        network("dense", image).flatten().dense(1000).build(),
        network("conv", image).conv(64, 3, padding="same").build(),
        three.conv(64, 3, padding="same").build(),
    )


def _five_or_three() -> tuple[Graph, ...]:
    image = (64, 56, 56)
    two = network("two 3×3", image).conv(64, 3, padding="same", bias=False)
    return (
        network("one 5×5", image).conv(64, 5, padding="same", bias=False).build(),
        two.conv(64, 3, padding="same", bias=False).build(),
    )


def _seven_or_three() -> tuple[Graph, ...]:
    image = (64, 56, 56)
    three = network("three 3×3", image)
    for _ in range(3):
        three = three.conv(64, 3, padding="same", bias=False)
    return network("one 7×7", image).conv(64, 7, padding="same", bias=False).build(), three.build()


def _plain_or_separable() -> tuple[Graph, ...]:
    image = (3, 32, 32)

    def plain(filters: int) -> Graph:
        return network(f"plain {filters}", image).conv(filters, 3, padding="same", bias=False).build()

    def separable(filters: int) -> Graph:
        depthwise = network(f"separable {filters}", image).conv(3, 3, padding="same", groups=3, bias=False)
        return depthwise.conv(filters, 1, bias=False).build()

    return plain(64), separable(64), plain(1), separable(1)


def _spatially_separable() -> tuple[Graph, ...]:
    image = (1, 32, 32)
    column = network("3×1, then 1×3", image).conv(1, (3, 1), padding="same", bias=False)
    return (
        network("3×3", image).conv(1, 3, padding="same", bias=False).build(),
        column.conv(1, (1, 3), padding="same", bias=False).build(),
    )


def _bottleneck() -> tuple[Graph, ...]:
    image = (256, 14, 14)
    narrow = network("bottleneck", image).conv(64, 1, bias=False)
    return (
        network("plain", image).conv(512, 3, padding="same", bias=False).build(),
        narrow.conv(512, 3, padding="same", bias=False).build(),
    )


def _groups() -> tuple[Graph, ...]:
    image = (64, 56, 56)
    return tuple(
        network(name, image).conv(128, 3, padding="same", groups=groups, bias=False).build()
        for name, groups in (("one group", 1), ("two groups", 2))
    )


_EXAMPLES = (
    Example(
        "dense-vs-conv",
        "a dense layer, a convolution and three convolutions on a 224×224 colour image",
        "A convolution uses the same few weights at every place, so that its size does not depend on the image's.",
        _dense_or_conv,
    ),
    Example(
        "one-5x5-vs-two-3x3",
        "one 5×5 convolution and two of 3×3, 64 channels throughout",
        "The receptive field is the same, 5×5; two small kernels need 18C² weights instead of 25C²: 72 %.",
        _five_or_three,
    ),
    Example(
        "one-7x7-vs-three-3x3",
        "one 7×7 convolution and three of 3×3, 64 channels throughout",
        "The receptive field is the same, 7×7; three small kernels need 27C² weights instead of 49C²: 55 %.",
        _seven_or_three,
    ),
    Example(
        "plain-vs-separable",
        "a plain 3×3 convolution and a depthwise-separable one on 3 channels, for 64 filters and for one",
        "Depthwise-separable convolution saves only where there are many filters: for a single one it costs more.",
        _plain_or_separable,
        pairs=True,
    ),
    Example(
        "spatially-separable",
        "a 3×3 filter, and a 3×1 followed by a 1×3",
        "6 weights instead of 9 for filters that are a column times a row, such as Sobel's.",
        _spatially_separable,
    ),
    Example(
        "bottleneck",
        "3×3 from 256 to 512 channels, and the same behind a 1×1 that narrows to 64",
        "The 1×1 in front leaves a quarter of the weights and the same receptive field.",
        _bottleneck,
    ),
    Example(
        "groups",
        "3×3 from 64 to 128 channels, with one group and with two",
        "g groups need 1/g of the weights, because each filter sees 1/g of the channels.",
        _groups,
    ),
)
