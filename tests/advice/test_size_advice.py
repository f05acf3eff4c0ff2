"""Input sizes against brute force, published receptive fields and the sizes that papers name."""

from __future__ import annotations

import time

import pytest

from striate import zoo
from striate.analysis.advice import advise, smallest_size
from striate.analysis.sizing import Sizing
from striate.errors import NetworkError
from striate.graph import Graph, network
from striate.graph.layers.convolution import Conv
from striate.graph.layers.pooling import MaxPool


def strided() -> Graph:
    x = network("strided", (3, 41, 37)).conv(4, 3, stride=2, padding=1).maxpool(3, 2)
    return x.conv(4, (5, 3), stride=(1, 2), padding=[[2, 2], [0, 1]]).globalavgpool().dense(3).build()


def plain() -> Graph:
    return network("plain", (1, 30, 30)).conv(4, 5).maxpool(2).conv(4, 3, padding=1).maxpool(3, 3).flatten().build()


def residual() -> Graph:
    x = network("residual", (3, 40, 40)).conv(4, 3, padding="same")
    y = x.conv(4, 3, stride=2, padding=1).conv(4, 3, padding=1)
    return y.add(x.conv(4, 1, stride=2)).relu().maxpool(2).globalavgpool().build()


def ladder() -> Graph:
    x = network("ladder", (1, 32, 32)).conv(4, 3, padding="same")
    return x.maxpool(4).conv(4, 3, padding="same").upsample(4).concat(x).conv(1, 1).build()


def reference(graph: Graph, axis: int) -> tuple[bool, bool]:
    """Whether a network loses a pixel along an axis, and whether some padding is uneven: read off each layer."""
    read: dict[str, int] = {}
    uneven = False
    for node in graph.nodes:
        shapes = graph.input_shapes(node)
        for position, source in enumerate(node.inputs):
            if len(shapes[position]) == 1:
                continue
            size = shapes[position][1 + axis]
            outputs = graph.shapes[node.name][1 + axis] if len(graph.shapes[node.name]) > 1 else 1
            seen = node.layer.reads(shapes, position, axis, frozenset(range(outputs)))
            # A window narrower than its stride may leave out its gap at the end as everywhere.
            gap = 1 if isinstance(node.layer, Conv) and node.layer.kernel == 1 and node.layer.stride == 2 else 0
            read[source] = max(read.get(source, 0), min(max(seen) + gap, size - 1))
            if isinstance(node.layer, (Conv, MaxPool)):
                window = node.layer.windows(len(shapes[position]) - 1)[axis]
                rest = (size + window.before + window.after - window.span) % window.stride
                uneven |= bool(rest and (window.before or window.after) and max(seen) == size - 1)
    lost = any(last < graph.shapes[name][1 + axis] - 1 for name, last in read.items())
    return lost, uneven


@pytest.mark.parametrize("build", [strided, plain, residual, ladder])
def test_every_size_is_judged_as_brute_force_does(build: type) -> None:
    graph: Graph = build()
    sizing = Sizing(graph)
    for axis in range(2):
        for size in range(1, 70):
            shape = tuple(size if place == axis + 1 else old for place, old in enumerate(graph.input_shape))
            fit = sizing.fit(shape)
            try:
                changed = graph.with_input(shape)
            except NetworkError:
                assert fit is None
                continue
            assert fit is not None
            kinds = {entry.kind for entry in fit.misfits if entry.axis == axis}
            lost, uneven = reference(changed, axis)
            assert ("dropped" in kinds) == lost, (shape, fit)
            assert ("uneven" in kinds) == uneven, (shape, fit)


@pytest.mark.parametrize("build", [strided, plain, residual, ladder])
def test_the_smallest_size_is_the_first_that_runs(build: type) -> None:
    graph: Graph = build()
    for advice in advise(graph).axes:
        places = [{"height": 1, "width": 2}[name] for name in advice.axes]

        def runs(size: int, places: list[int] = places) -> bool:
            try:
                graph.with_input(tuple(size if place in places else old for place, old in enumerate(graph.input_shape)))
            except NetworkError:
                return False
            return True

        assert advice.smallest == next(size for size in range(1, 100) if runs(size))
        assert advice.scanned


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("unet", {540, 556, 572, 588, 604}),  # 572, figure 1 of the paper; every 16th
        ("inception_v3", {267, 299, 331}),  # 299 in the paper
        ("resnet50", {193, 225, 257}),  # 32k + 1
        ("alexnet_two_group", {195, 227, 259}),  # 227, not the 224 that the paper prints
        ("vgg16", {224}),
    ],
)
def test_sizes_that_papers_chose_fit(name: str, sizes: set[int]) -> None:
    (advice,) = advise(zoo.build(name)).axes
    assert sizes <= set(advice.even)


@pytest.mark.parametrize(("name", "field"), [("inception_v3", 1311), ("mobilenet_v1", 315)])
def test_the_largest_useful_size_is_the_published_receptive_field(name: str, field: int) -> None:
    """Araujo, Norris and Sim, Distill 2019, table of networks."""
    (advice,) = advise(zoo.build(name)).axes
    assert advice.useful == field


@pytest.mark.parametrize(
    ("name", "sees", "dense"),
    [
        ("alexnet_two_group", 195, "fc6"),
        ("vgg16", 212, "classifier.0"),
        ("lenet-5", 16, "c5"),
        ("yolov1", None, "fc1"),
    ],
)
def test_a_dense_layer_that_reads_the_map_leaves_no_largest_size(name: str, sees: int | None, dense: str) -> None:
    """The published fields of the last map (Distill 2019); the dense layer sees the whole image at every size."""
    (advice,) = advise(zoo.build(name)).axes
    assert advice.useful is None
    assert advice.reason.startswith(f"{dense} joins all that the units of ")
    assert sees in (None, advice.sees)


def test_a_dense_layer_on_the_pixels_themselves() -> None:
    net = network("n", (1, 8, 8)).flatten().dense(10).build()
    (advice,) = advise(net).axes
    assert (advice.useful, advice.sees) == (None, 1)
    assert "dense1 joins" in advice.reason


def test_a_map_as_the_answer_and_a_vector_as_the_input_set_no_limit() -> None:
    (unet,) = advise(zoo.build("unet")).axes
    assert (unet.useful, unet.sees) == (None, 204)
    assert unet.reason.startswith("the answer is a map, output")
    (generator,) = advise(zoo.build("dcgan_generator")).axes
    assert (generator.useful, generator.sees, generator.reason) == (None, None, "the input is a vector, not an image")


def test_gates_are_left_aside() -> None:
    """As the trunk without its gates would be: the recursion of Distill 2019 over EfficientNet's table 1.

    A stem of 3 with stride 2, then (kernel, stride) of each block.
    """
    size, jump = 3, 2
    stages = ((3, 1, 1), (3, 2, 2), (5, 2, 2), (3, 2, 3), (5, 1, 3), (5, 2, 4), (3, 1, 1))
    for kernel, stride, repeats in stages:
        for block in range(repeats):
            size += (kernel - 1) * jump
            jump *= stride if block == 0 else 1
    advice = advise(zoo.build("efficientnet_b0"))
    assert advice.gates
    assert advice.axes[0].useful == size == 851
    assert not advise(zoo.build("mobilenet_v2")).gates


@pytest.mark.parametrize(
    ("name", "multiple", "rest"), [("yolov3", 32, 0), ("conv_autoencoder", 4, 0), ("unet", 16, 12)]
)
def test_no_size_is_offered_that_the_network_refuses(name: str, multiple: int, rest: int) -> None:
    """The papers' sizes: whole multiples, and for U-Net 16·k + 12."""
    entry = zoo.architectures()[name]
    (advice,) = advise(entry.build(), entry.build).axes
    offered = {*advice.even, *advice.whole, advice.smallest}
    assert len(advice.whole) == 5
    assert all(size % multiple == rest for size in offered)
    for size in offered:
        entry.build((entry.input[0], size, size))


def test_sizes_on_which_the_layers_are_others_are_offered_too() -> None:
    """LeNet-5 pads below 32 pixels: 12 + 4 - 4 = 12, halved 6, a window of 5, and 2 for the second pooling."""
    entry = zoo.architectures()["lenet-5"]
    assert advise(entry.build(), entry.build).axes[0].smallest == 12
    assert advise(entry.build()).axes[0].smallest == 16


def test_axes_that_differ_are_told_apart() -> None:
    assert [axis.axes for axis in advise(strided()).axes] == [("height",), ("width",)]


def test_a_size_beyond_the_scan_is_found_by_bisection() -> None:
    assert smallest_size(lambda size: size >= 5000, 9000) == (5000, False)


def test_advice_is_quick() -> None:
    graph = zoo.build("resnet152")
    start = time.process_time()
    advise(graph)
    assert time.process_time() - start < 2  # 0.2 s where nothing else runs
