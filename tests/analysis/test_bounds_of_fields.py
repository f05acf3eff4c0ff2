"""Where a field is an upper bound it says so, and where it does not say so the units reach it, each phase by itself."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings

from properties.drawn_more_layers import folds
from properties.strategies import graphs
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
PHASED = [
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
    ("net", "sizes"), PHASED, ids=lambda value: value.nodes[-1].name if isinstance(value, Graph) else ""
)
def test_the_size_is_that_of_the_phase_that_sees_most(net: Graph, sizes: set[int]) -> None:
    last = net.nodes[-1].name
    (field,) = receptive_fields(net)[last]
    assert not field.at_most
    assert set(seen(net)) == sizes
    assert field.size == max(sizes)
    units = net.shapes[last][1]
    for unit in range(units // 3, 2 * units // 3):
        (exact,) = unit_field(net, last, (unit,)) or ((1, 0),)
        assert field.interval(unit) == exact


@given(graphs(ranks=(1, 2), kinds=("input", "conv", "convtranspose", "upsample", "resize", "maxpool", "add", "concat")))
@settings(max_examples=150)
def test_phases_are_what_each_unit_reads(graph: Graph) -> None:
    """No unit reads further than its phase says; at the ends of the map it may read less."""
    assume(not any(folds(entry.layer) for entry in graph.nodes))
    source = graph.inputs[0].name
    for node in graph.nodes:
        for axis, field in enumerate(receptive_fields(graph).get(node.name, ())):
            if not field.phases:
                continue
            units = graph.shapes[node.name][1 + axis]
            place = [count // 2 for count in graph.shapes[node.name][1:]]
            for unit in range(units):
                place[axis] = unit
                found = unit_field(graph, node.name, tuple(place), source)
                stated = field.interval(unit)
                if found is not None:
                    assert stated is not None
                    assert stated[0] <= found[axis][0] <= found[axis][1] <= stated[1]


def test_too_many_phases_are_a_bound() -> None:
    x = image().resize(5003, "linear").conv(1, 3, padding=1)
    (field,) = receptive_fields(x.build())[x.node]
    assert field.at_most
    assert field.phases == ()
    assert 2 <= max(seen(x.build())) <= field.size == 3


def test_holes_behind_which_a_window_reads_are_a_bound() -> None:
    x = image().convtranspose(1, 1, stride=3)
    (holes,) = receptive_fields(x.build())[x.node]
    assert (holes.size, holes.at_most, holes.phases[1:]) == (1, False, (None, None))
    x = x.conv(1, 3, padding=1)
    (field,) = receptive_fields(x.build())[x.node]
    assert field.at_most
    assert max(seen(x.build())) <= field.size


def test_it_ends_where_all_units_are_alike_again() -> None:
    x = image().conv(1, 3, stride=2, padding=1, name="coarse").upsample(2, name="up").conv(1, 3, padding=1, name="on")
    net = x.add(image_of(x), name="sum").maxpool(2, name="halved").globalavgpool(name="all").build()
    fields = receptive_fields(net)
    assert {name: len(fields[name][0].phases) for name in ("coarse", "up", "on", "sum", "halved", "all")} == {
        "coarse": 0,
        "up": 2,
        "on": 2,
        "sum": 2,
        "halved": 0,
        "all": 0,
    }
    assert fields["halved"][0].interval(10) == unit_field(net, "halved", (10,))[0]  # type: ignore[index]


def image_of(x: Chain) -> Chain:
    """The image of the network that a chain belongs to, through a convolution."""
    return Chain(x._draft, "input").conv(1, 1)


@pytest.mark.parametrize(("name", "size"), [("unet", 204), ("fcn8s", 468), ("fcn32s", 436)])
def test_published_networks_that_enlarge(name: str, size: int) -> None:
    """The largest phase, unit by unit in the middle of the map: the hull over all phases of U-Net would be 215."""
    entry = zoo.architectures()[name]
    net = entry.build((entry.input[0], *((572, 572) if name == "unet" else (1000, 1000))))
    last = net.outputs[0]
    (field, _) = receptive_fields(net)[last]
    middle = net.shapes[last][1] // 2
    found = [unit_field(net, last, (unit, middle)) for unit in range(middle, middle + 32)]
    assert max(one[0][1] - one[0][0] + 1 for one in found if one is not None) == field.size == size
    assert not field.at_most


def test_classifiers_never_say_it() -> None:
    for name in ("resnet152", "googlenet", "efficientnet_b0", "densenet121", "vgg16"):
        assert not any(axis.at_most for axes in receptive_fields(zoo.build(name)).values() for axis in axes), name
