"""Where the closed form is an upper bound it says so, and where it does not say so single units reach it."""

from __future__ import annotations

import pytest

from striate import zoo
from striate.analysis import receptive_fields, unit_field
from striate.graph import Chain, Graph, network


def image() -> Chain:
    return network("n", (1, 96))


EXACT = [
    image().conv(1, 5, stride=2, padding=2).maxpool(3, stride=2, padding=1).conv(1, 3, dilation=4, padding=4).build(),
    image().conv(1, 3, padding=1).adaptiveavgpool(24).conv(1, 3, padding=1).build(),
    image().conv(1, 4, stride=3).slice(axis=1, start=2, step=2).build(),
]
BOUNDS = [
    (image().conv(1, 3, stride=2, padding=1).upsample(2).build(), {3}),
    (image().conv(1, 3, stride=2, padding=1).upsample(2).conv(1, 3, padding=1).build(), {5}),
    (image().convtranspose(1, 3, stride=2, padding=1).conv(1, 3, padding=1).build(), {2, 3}),
    (image().adaptiveavgpool(36).build(), {3, 4}),
    (image().resize(144, "linear").build(), {2}),
]


def seen(net: Graph) -> list[int]:
    """How many pixels lie between the ends of what each unit in the middle third of the last map sees."""
    last = net.nodes[-1].name
    units = net.shapes[last][1]
    found = [unit_field(net, last, (unit,)) for unit in range(units // 3, 2 * units // 3)]
    return [axis[1] - axis[0] + 1 for one in found if one is not None for axis in one]


@pytest.mark.parametrize("net", EXACT, ids=lambda net: net.nodes[-1].name)
def test_without_the_word_every_unit_reaches_it(net: Graph) -> None:
    (field,) = receptive_fields(net)[net.nodes[-1].name]
    assert not field.at_most
    assert set(seen(net)) == {field.size}


@pytest.mark.parametrize(
    ("net", "sizes"), BOUNDS, ids=lambda value: value.nodes[-1].name if isinstance(value, Graph) else ""
)
def test_with_it_none_exceeds_it(net: Graph, sizes: set[int]) -> None:
    (field,) = receptive_fields(net)[net.nodes[-1].name]
    assert field.at_most
    assert set(seen(net)) == sizes
    assert max(sizes) <= field.size


def test_it_stays_through_layers_and_branches() -> None:
    x = (
        image()
        .conv(1, 3, stride=2, padding=1, name="coarse")
        .upsample(2, name="up")
        .conv(1, 3, padding=1, name="after")
    )
    net = x.add(image_of(x), name="sum").globalavgpool(name="all").build()
    fields = receptive_fields(net)
    assert {name: fields[name][0].at_most for name in ("coarse", "up", "after", "sum", "all")} == {
        "coarse": False,
        "up": True,
        "after": True,
        "sum": True,
        "all": True,
    }


def image_of(x: Chain) -> Chain:
    """The image of the network that a chain belongs to, through a convolution."""
    return Chain(x._draft, "input").conv(1, 1)


def test_unet_says_at_most() -> None:
    net = zoo.build("unet")
    fields = receptive_fields(net)
    (field, _) = fields[net.outputs[0]]
    assert (field.size, field.at_most) == (215, True)
    first = next(node.name for node in net.nodes if node.layer.kind == "convtranspose")
    before = net.nodes[[node.name for node in net.nodes].index(first) - 1].name
    assert not any(axis.at_most for axis in fields[before])


def test_classifiers_never_say_it() -> None:
    for name in ("resnet152", "googlenet", "efficientnet_b0", "densenet121", "vgg16"):
        assert not any(axis.at_most for axes in receptive_fields(zoo.build(name)).values() for axis in axes), name
