"""The rules about geometry, receptive fields and cost, against gradients and operations of torch."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from properties.positive import gradient_support, positive_module
from properties.running import node_values, random_inputs
from properties.strategies import graphs
from striate import zoo
from striate.backend import build_module
from striate.graph import Graph, Node, layer_class, network
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.input import Input
from striate.graph.layers.merge import Add
from striate.graph.layers.opaque import Opaque
from striate.graph.layers.pooling import Pool
from striate.lint import Subject, all_rules
from striate.lint.geometry import demanded, nearest_sizes, read_ends
from striate.lint.narrowest import narrowest_fields
from striate.lint.rule import Evidence
from striate.sources import load

RULES = [rule for code, rule in all_rules().items() if code.startswith(("N1", "N2", "N5"))]
SLIDING = ("input", "conv", "avgpool", "batchnorm", "relu", "add", "concat", "globalavgpool", "flatten", "dense")


def told(code: str, graph: Graph) -> list[Evidence]:
    return list(all_rules()[code].check(Subject(graph)))


def one(code: str, graph: Graph) -> str:
    (evidence,) = told(code, graph)
    return evidence.message


def touched(graph: Graph, name: str, readers: tuple[str, ...]) -> Tensor:
    """Which positions of a node's map have an effect on any of the given nodes."""
    inputs = random_inputs(graph, batch=1, dtype=torch.float64)
    values = node_values(positive_module(graph), *[entry.requires_grad_() for entry in inputs])
    total = torch.stack([values[reader].sum() for reader in readers]).sum()
    (gradient,) = torch.autograd.grad(total, [values[name]], allow_unused=True)
    places = torch.zeros(graph.shapes[name]) if gradient is None else gradient[0]
    return (places != 0).any(0)


def ends(places: Tensor) -> tuple[tuple[int, int], ...]:
    """First and last line along each axis in which something is touched."""
    lines = [places.movedim(axis, 0).flatten(1).any(1) if places.dim() > 1 else places for axis in range(places.dim())]
    return tuple((int(line.nonzero()[0]), int(line.nonzero()[-1])) for line in lines)


@given(st.one_of(graphs(), graphs(max_nodes=20)))
@settings(max_examples=120, deadline=None)
def test_no_rule_fails_and_every_finding_names_a_node(graph: Graph) -> None:
    subject = Subject(graph)
    names = {node.name for node in graph.nodes}
    for rule in RULES:
        for evidence in rule.check(subject):
            assert evidence.node is None or evidence.node in names
            assert evidence.fix
            assert not evidence.message.endswith(".")
            assert (evidence.severity or rule.severity) != "error"


def unusual() -> list[Graph]:
    vector = (Node("x", Input((3, 4))), Node("flat", layer_class("flatten")(), ("x",)), Node("y", Dense(10), ("flat",)))
    reshaped = (
        Node("x", Input((3, 16, 16))),
        Node("conv", Conv(4, 3, stride=2), ("x",)),
        Node("reshape", Opaque("reshape", (4, 49), nature="view"), ("conv",)),
        Node("next", Conv(4, 4, stride=5, padding=1), ("reshape",)),
        Node("pooled", layer_class("globalavgpool")(), ("next",)),
    )
    mixed = (
        Node("image", Input((4, 8, 8))),
        Node("line", Input((4, 64))),
        Node("flat", Opaque("reshape", (4, 64), nature="view"), ("image",)),
        Node("both", Add(), ("flat", "line")),
        Node("conv", Conv(4, 3, dilation=2), ("both",)),
        Node("again", Conv(4, 3, dilation=2), ("conv",)),
    )
    constant = (
        Node("x", Input((3, 8, 8))),
        Node("made", Opaque("arange", (3, 8, 8)), ()),
        Node("y", Add(), ("x", "made")),
    )
    return [Graph("unusual", nodes) for nodes in (vector, reshaped, mixed, constant)]


@pytest.mark.parametrize("graph", unusual())
def test_vectors_reshaped_maps_and_several_inputs_break_nothing(graph: Graph) -> None:
    for rule in RULES:
        list(rule.check(Subject(graph)))


def test_what_an_unknown_operation_reads_is_not_judged() -> None:
    nodes = (
        Node("x", Input((3, 33, 33))),
        Node("unknown", Opaque("roll", (3, 33, 33)), ("x",)),
        Node("conv1", Conv(8, 3, padding=1), ("unknown",)),
        Node("conv2", Conv(8, 3, padding=1), ("conv1",)),
        Node("pooled", layer_class("globalavgpool")(), ("conv2",)),
    )
    for code in ("N102", "N107", "N109", "N201", "N202"):
        assert told(code, Graph("net", nodes)) == []


def test_an_imported_sum_that_repeats_a_map_is_judged_as_a_product() -> None:
    nodes = (
        Node("x", Input((4, 32, 32))),
        Node("small", Conv(4, 8, stride=32), ("x",)),
        Node("whole", layer_class("globalavgpool")(keep=True), ("x",)),
        Node("wrong", Opaque("torch.add", (4, 32, 32), nature="pointwise"), ("x", "small")),
        Node("right", Opaque("torch.add", (4, 32, 32), nature="pointwise"), ("wrong", "whole")),
    )
    assert [evidence.node for evidence in told("N110", Graph("net", nodes))] == ["wrong"]


@pytest.mark.parametrize(
    ("code", "severity", "text"),
    [
        ("N102", "info", "conv 8 1 > maxpool 2 > globalavgpool"),  # 1 of 33 lines: 6.0 % of the map
        ("N102", "warning", "input 3x11x11 > conv 8 1 > maxpool 2 > globalavgpool"),  # 17.4 %
        ("N104", "warning", "conv 8 1 stride=2 > globalavgpool"),
        ("N108", "info", "maxpool 4 > conv 8 3 padding=6 dilation=6"),
        ("N108", "warning", "maxpool 4 > conv 8 3 padding=8 dilation=8"),
        ("N111", "info", "adaptiveavgpool 5"),
        ("N111", "warning", "maxpool 16 > adaptiveavgpool 5"),
        ("N201", "info", "conv 8 19 > globalavgpool"),  # 19² of 33² pixels
        ("N201", "warning", "conv 8 15 > globalavgpool"),
    ],
)
def test_how_much_is_a_warning(code: str, severity: str, text: str) -> None:
    net = load(text if text.startswith("input") else f"input 3x33x33 > {text}")
    rule = all_rules()[code]
    assert severity in [evidence.severity or rule.severity for evidence in told(code, net)]


# --- pixels that are read ---------------------------------------------------------------------------------------------


@given(graphs(kinds=SLIDING))
@settings(max_examples=70, deadline=None)
def test_what_is_told_to_be_never_read_has_no_gradient(graph: Graph) -> None:
    needed = demanded(graph)
    for node in graph.inputs:
        places = touched(graph, node.name, graph.outputs)
        if places.any():
            for (first, last), (really_first, really_last) in zip(needed[node.name], ends(places), strict=True):
                assert first <= really_first
                assert really_last <= last


@given(graphs(max_nodes=6, ranks=(1, 2)))
@settings(max_examples=70, deadline=None)
def test_nor_does_any_other_network_read_it(graph: Graph) -> None:
    needed = demanded(graph)
    for node in graph.inputs:
        for output in graph.outputs:
            shape = graph.shapes[output]
            corners = itertools.product(*[{0, size - 1} for size in shape[1:]])
            for position in corners:
                support = gradient_support(graph, output, position)[graph.inputs.index(node)]
                if all(support):
                    for indices, (first, last) in zip(support, needed[node.name], strict=True):
                        assert first <= min(indices)
                        assert max(indices) <= last
        break


@given(
    st.integers(1, 24), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2), st.integers(0, 2), st.integers(1, 3)
)
def test_the_ends_of_one_window_are_those_of_its_gradient(
    size: int, kernel: int, stride: int, before: int, after: int, more: int
) -> None:
    """And so the number of lines told in N102, for windows that touch."""
    if size + before + after < kernel or kernel < stride or before >= kernel:
        return
    nodes = (
        Node("x", Input((1, size, size + more))),
        Node("conv", Conv(1, kernel, stride=stride, padding=((before, after), (before, after))), ("x",)),
        Node("pooled", layer_class("globalavgpool")(), ("conv",)),
    )
    graph = Graph("one", nodes)
    places = touched(graph, "x", ("conv",))
    shapes, output = graph.input_shapes(graph["conv"]), graph.shapes["conv"]
    found = tuple(read_ends(graph["conv"].layer, shapes, 0, axis, (0, output[1 + axis] - 1)) for axis in (0, 1))
    assert found == ends(places)
    lost = int(places.numel() - places.sum())
    messages = [evidence.message for evidence in told("N102", graph)]
    assert len(messages) == (lost > 0)
    if lost:
        assert float(re.search(r"([\d.]+) % of it", messages[0])[1]) == pytest.approx(
            100 * lost / places.numel(), rel=0.06
        )


def test_pixels_of_the_image_that_reach_no_output_through_two_layers() -> None:
    net = network("n", (3, 31, 40)).conv(4, 2, stride=2).conv(4, 2, stride=2).conv(4, 1).globalavgpool().build()
    assert ends(touched(net, "input", net.outputs)) == ((0, 27), (0, 39))
    assert told("N102", net)[-1].message == "the last 3 rows of the 31×40 image reach no output: 9.7 % of its pixels"


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation", "padding", "size"),
    [
        (1, 2, 1, 0, 32),
        (1, 3, 1, 0, 31),
        (2, 5, 1, 0, 33),
        (2, 5, 1, 1, 33),
        (3, 2, 2, 2, 32),
        (3, 4, 2, 0, 30),
        (2, 6, 2, 1, 40),
    ],
)
def test_the_share_that_a_stride_skips(kernel: int, stride: int, dilation: int, padding: int, size: int) -> None:
    x = network("n", (1, size, size))
    net = x.conv(1, kernel, stride=stride, dilation=dilation, padding=padding).globalavgpool().build()
    places = touched(net, "input", ("conv1",))
    share = float(re.search(r"skips ([\d.]+) %", one("N104", net))[1])
    assert share == pytest.approx(100 * (1 - places.double().mean().item()), abs=0.05)


def test_a_size_that_is_advised_fits() -> None:
    for name in ("resnet18", "mobilenet_v2", "nin_cifar"):
        net = zoo.build(name)
        assert told("N103", net)
        for size in nearest_sizes(net, lambda fit: not fit.misfits):
            shape = (3, *(int(part) for part in size.split("×")))
            assert told("N103", net.with_input(shape)) == []
            assert told("N102", net.with_input(shape)) == []


# --- weights that meet padding only -----------------------------------------------------------------------------------


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 7), st.integers(1, 7), st.integers(1, 2), st.integers(1, 4))
@settings(deadline=None)
def test_taps_that_only_see_padding_get_no_gradient(
    height: int, width: int, tall: int, wide: int, stride: int, dilation: int
) -> None:
    padding = (dilation * (tall - 1) // 2, dilation * (wide - 1) // 2)
    span = (dilation * (tall - 1) + 1, dilation * (wide - 1) + 1)
    if any(size + 2 * pad < each for size, pad, each in zip((height, width), padding, span, strict=True)):
        return
    layer = Conv(2, (tall, wide), stride=stride, padding=padding, dilation=dilation)
    nodes = (Node("x", Input((3, height, width))), Node("conv", layer, ("x",)))
    weight = torch.ones(2, 3, tall, wide, requires_grad=True)
    image = torch.ones(1, 3, height, width)
    functional.conv2d(image, weight, stride=stride, padding=padding, dilation=dilation).sum().backward()
    dead = int((weight.grad[0, 0] == 0).sum())
    codes = ("N101", "N108", "N112")
    found = [e.message for code in codes for e in told(code, Graph("one", nodes)) if "without effect" in e.message]
    assert len(found) == (dead > 0)
    if found:
        assert f"{dead} of {tall * wide} taps" in found[0]
        assert f"{6 * dead:,} parameters" in found[0]


@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 3), st.integers(0, 4), st.integers(1, 2))
def test_taps_that_only_write_what_is_cut_off_get_no_gradient(
    size: int, kernel: int, stride: int, padding: int, dilation: int
) -> None:
    if (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1 < 1:
        return
    layer = layer_class("convtranspose")(2, kernel, stride=stride, padding=padding, dilation=dilation)
    graph = Graph("one", (Node("x", Input((3, size))), Node("up", layer, ("x",))))
    weight = torch.ones(3, 2, kernel, requires_grad=True)
    image = torch.ones(1, 3, size)
    functional.conv_transpose1d(image, weight, stride=stride, padding=padding, dilation=dilation).sum().backward()
    dead = int((weight.grad[0, 0] == 0).sum())
    found = told("N101", graph)
    assert len(found) == (dead > 0)
    if found:
        assert f"{dead} of {kernel} taps" in found[0].message


@pytest.mark.parametrize(("rate", "size"), [(6, 8), (18, 33), (3, 5), (36, 65)])
def test_the_share_of_a_dilated_kernel_on_padding(rate: int, size: int) -> None:
    net = network("n", (1, size, size)).conv(1, 3, padding=rate, dilation=rate).build()
    ones = torch.ones(1, 1, size, size)
    met = functional.conv2d(ones, torch.ones(1, 1, 3, 3), padding=rate, dilation=rate).sum().item()
    share = float(re.search(r"([\d.]+) % of what", one("N108", net))[1])
    assert share == pytest.approx(100 * (1 - met / (9 * size * size)), abs=0.06)


# --- checkerboards, gridding, alignment, bins -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"),
    [(3, 2, 1), (5, 2, 1), (2, 3, 1), (4, 3, 1), (5, 4, 1), (3, 2, 2), (4, 2, 1), (6, 3, 1)],
)
def test_how_often_each_pixel_is_written(kernel: int, stride: int, dilation: int) -> None:
    net = network("n", (1, 12, 12)).convtranspose(1, kernel, stride=stride, dilation=dilation).build()
    ones = torch.ones(1, 1, kernel, kernel)
    written = functional.conv_transpose2d(torch.ones(1, 1, 12, 12), ones, stride=stride, dilation=dilation)[0, 0]
    middle = 3 * stride * dilation
    block = written[middle : middle + stride, middle : middle + stride].flatten().int().tolist()
    found = told("N106", net)
    assert len(found) == (len(set(block)) > 1)
    if found and len(block) <= 9:
        numbers = [
            int(number) for number in re.findall(r"\d+", found[0].message.split("output", 1)[1].split(" times")[0])
        ]
        assert Counter(numbers) == Counter(block)


@given(st.lists(st.tuples(st.integers(2, 4), st.integers(1, 6)), min_size=1, max_size=4), st.integers(1, 2))
@settings(max_examples=60, deadline=None)
def test_holes_are_those_of_a_gradient(layers: list[tuple[int, int]], stem: int) -> None:
    """On the map at which the resolution begins, in the middle of a map that is large enough."""
    x = network("n", (1, 200)).conv(1, 3, stride=stem)
    start = x.node if stem > 1 else "input"
    for kernel, dilation in layers:
        x = x.conv(1, kernel, dilation=dilation)
    net = x.build()
    unit = net.output_shape[1] // 2
    values = node_values(
        positive_module(net), *[e.requires_grad_() for e in random_inputs(net, 1, dtype=torch.float64)]
    )
    (gradient,) = torch.autograd.grad(values[net.outputs[0]][0, 0, unit], [values[start]])
    read = gradient[0, 0].nonzero().flatten().tolist()
    span, count = read[-1] - read[0] + 1, len(read)
    found = told("N107", net)
    assert len(found) == (count < span and sum(dilation > 1 for _, dilation in layers) > 1)
    if found:
        assert f"spans {span} positions and reads {count}" in found[0].message


def test_branches_that_are_apart_by_as_much_as_their_gradients() -> None:
    x = network("n", (1, 64)).maxpool(4)
    net = x.conv(1, 3, padding=1).concat(x.conv(1, 3, padding=((0, 2),))).build()
    image = random_inputs(net, 1, dtype=torch.float64)[0].requires_grad_()
    values = node_values(positive_module(net), image)
    middles = []
    for branch in net["concat1"].inputs:
        (gradient,) = torch.autograd.grad(values[branch][0, 0, 8], [image], retain_graph=True)
        seen = gradient[0, 0].nonzero().flatten()
        middles.append((seen[0] + seen[-1]).item() / 2)
    assert abs(middles[0] - middles[1]) == 4
    assert "are 4 pixels, 1 unit, apart along the length" in one("N109", net)


@pytest.mark.parametrize(("size", "bins"), [(2, 7), (1, 4), (3, 5), (4, 6), (8, 3), (7, 2)])
def test_how_many_numbers_of_adaptive_pooling_differ(size: int, bins: int) -> None:
    net = network("n", (2, size, size)).adaptiveavgpool(bins).build()
    pooled = functional.adaptive_avg_pool2d(torch.rand(1, 2, size, size, dtype=torch.float64), bins)
    differ = len({round(value, 9) for value in pooled.flatten().tolist()})
    message = one("N111", net)
    if bins > size:
        assert f"{2 * bins**2} numbers, of which at most {differ} differ" in message
    else:
        (gradient,) = torch.autograd.grad(
            functional.adaptive_max_pool1d(line := torch.ones(1, 1, size, requires_grad=True), bins).sum(), [line]
        )
        assert gradient.sum() == bins
        twice = sum(-(-(i + 1) * size // bins) - i * size // bins for i in range(bins)) - size
        assert f"{2 * twice} lines are read by two bins" in message


# --- receptive fields and cost ----------------------------------------------------------------------------------------


def test_the_narrowest_way_through_resnet50_takes_every_shortcut() -> None:
    """A window of 7 and, two pixels apart, one of 3: 7 + 2·2 = 11 pixels; the 1×1 shortcuts add nothing."""
    assert narrowest_fields(zoo.build("resnet50"))["layer4.2.relu3"] == ((10, 32), (10, 32))


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3)), min_size=1, max_size=4))
def test_the_narrowest_way_is_that_of_the_narrowest_branches(blocks: list[tuple[int, int, int]]) -> None:
    """Against all ways, one after the other: r = 1 + Σ (k - 1)·Π s (Araujo, Norris and Sim 2019)."""
    x = network("n", (1, 400))
    for left, right, stride in blocks:
        size = (x.shape[1] - max(left, right)) // stride + 1
        first, second = (x.conv(1, kernel, stride=stride).slice(1, 0, size) for kernel in (left, right))
        x = first.add(second)
    widths = []
    for way in itertools.product((0, 1), repeat=len(blocks)):
        width, jump = 1, 1
        for block, side in zip(blocks, way, strict=True):
            width, jump = width + (block[side] - 1) * jump, jump * block[2]
        widths.append(width)
    assert narrowest_fields(x.build())[x.node] == ((min(widths) - 1, math.prod(block[2] for block in blocks)),)


@given(graphs(kinds=("input", "conv", "avgpool", "maxpool", "relu", "batchnorm"), max_nodes=8))
@settings(max_examples=60, deadline=None)
def test_where_there_is_one_way_the_narrowest_field_is_the_field(graph: Graph) -> None:
    subject = Subject(graph)
    for name, ways in narrowest_fields(graph).items():
        if all(len(node.inputs) < 2 for node in graph.nodes):
            assert [math.floor(width) + 1 for width, _ in ways] == [axis.size for axis in subject.numbers[name].field]


def test_unproductive_layers_of_resnet18_on_a_small_image() -> None:
    """Told only for layers whose input sees everything on every way: the first behind the narrowest 32 pixels."""
    net = zoo.build("resnet18", (3, 32, 32))
    subject = Subject(net)
    ways = narrowest_fields(net)
    (evidence,) = told("N202", net)
    border = evidence.node
    assert border is not None
    assert ways[net[border].inputs[0]][0][0] + 1 >= 32
    earlier = [node for node in net.nodes[: net.nodes.index(net[border])] if isinstance(node.layer, Conv)]
    assert all(ways[node.inputs[0]][0][0] + 1 < 32 for node in earlier if node.layer.kernel == 3)
    assert subject.report.macs > 0


@pytest.mark.parametrize("kind", ["relu", "relu6", "leakyrelu", "sigmoid", "tanh", "hardsigmoid", "softplus"])
def test_activation_and_max_pooling_may_change_places(kind: str) -> None:
    def build(first: str, second: str) -> Graph:
        x = network("n", (3, 9, 9))
        for word in (first, second):
            x = x.then(layer_class("maxpool")(3, stride=2, padding=1) if word == "maxpool" else layer_class(kind)())
        return x.build()

    before, after = build(kind, "maxpool"), build("maxpool", kind)
    image = torch.randn(2, 3, 9, 9, generator=torch.Generator().manual_seed(0)) * 4
    # Not bit for bit: torch computes what fills a vector register by another formula than the rest.
    torch.testing.assert_close(build_module(before, seed=0).eval()(image), build_module(after, seed=0).eval()(image))
    assert len(told("N503", before)) == 1
    assert told("N503", after) == []


def test_moved_numbers_of_a_grouped_convolution() -> None:
    """h·w·(c₁ + c₂) + weights, against one group with as many multiply-adds (Ma et al. 2018, equation 2)."""
    grouped = network("n", (64, 28, 28)).conv(64, 3, padding=1, groups=16, bias=False).build()
    single = network("n", (16, 28, 28)).conv(16, 3, padding=1, bias=False).build()
    macs = [Subject(net).report.macs for net in (grouped, single)]
    assert macs[0] == macs[1]
    moved = [
        sum(math.prod(net.shapes[name]) for name in ("input", "conv1")) + net.parameter_count
        for net in (grouped, single)
    ]
    assert f"move {moved[0] / moved[1]:.1f} times" in one("N502", grouped).replace("moves", "move")


def test_every_sliding_layer_of_the_zoo_is_looked_at() -> None:
    """A kernel that is larger than its map is found wherever it stands: each network at its smallest sizes."""
    for name in ("resnet18", "vgg11", "mobilenet_v2"):
        net = zoo.build(name, (3, 32, 32))
        single = {
            node.name
            for node in net.nodes
            if isinstance(node.layer, Conv) and node.layer.kernel != 1 and max(net.shapes[node.inputs[0]][1:]) == 1
        }
        assert {evidence.node for evidence in told("N112", net)} == single
        assert not any(isinstance(net[name].layer, Pool) for name in single)
