"""An image that is too small: the error says the smallest that works, and that is the smallest that works."""

from __future__ import annotations

import re

import pytest

import striate as st
from striate import zoo
from striate.errors import NetworkError, ShapeError
from striate.units import Shape

TEXT = "conv 8 5 > maxpool 2 > conv 4 5 > flatten > dense 3"


def refused(net: str, shape: Shape, verb: str = "load") -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        getattr(st, verb)(net, input=shape)
    return caught.value


@pytest.mark.parametrize(
    ("net", "shape", "smallest"),
    [
        # By hand: 5 behind the pooling needs 10 before it, and 14 before the first convolution.
        (TEXT, (1, 9, 20), (1, 14, 20)),
        (TEXT, (1, 3, 3), (1, 14, 14)),
        ("simple-cnn", (3, 3, 9), (3, 4, 9)),
        # Five poolings.
        ("conv 4 9 > relu", (2, 5), (2, 9)),
    ],
)
def test_the_smallest_is_told_and_works(net: str, shape: Shape, smallest: Shape) -> None:
    error = refused(net, shape)
    assert isinstance(error, ShapeError)
    assert (error.needs or "").endswith(f"the smallest image that works is {'×'.join(map(str, smallest))}")
    assert error.write == f"input={smallest}"
    st.load(net, input=smallest)
    for axis in range(1, len(smallest)):
        less = tuple(size - (place == axis) for place, size in enumerate(smallest))
        if less[axis] < shape[axis]:
            continue
        refused(net, less)


@pytest.mark.parametrize(
    ("net", "shape", "written"),
    [
        # The sizes that were refused, and the nearest one that the paper's design takes.
        ("yolov3", (3, 433, 433), (3, 448, 448)),
        ("yolov3", (3, 1, 1), (3, 32, 32)),
        ("unet", (1, 577, 577), (1, 572, 572)),
        ("unet", (1, 100, 100), (1, 188, 188)),
        ("conv_autoencoder", (1, 45, 45), (1, 44, 44)),
        ("conv_autoencoder", (1, 1, 1), (1, 4, 4)),
        # Five poolings; a pad of 2, a window of 5, a pooling, and again a window of 5 that needs 5.
        ("vgg16", (3, 8, 40), (3, 32, 40)),
        ("lenet-5", (1, 8, 8), (1, 12, 12)),
        ("inception_v3", (3, 299, 299, 8), (3, 299, 299)),
        ("inception_v3", (3, 20, 20), (3, 75, 75)),
        ("yolov1", (3, 20), (3, 31, 31)),
    ],
)
def test_what_a_network_of_the_zoo_recommends_works(net: str, shape: Shape, written: Shape) -> None:
    error = refused(net, shape)
    assert error.write == f"input={written}"
    st.load(net, input=written)
    assert "smallest image" not in str(error)


@pytest.mark.parametrize("name", zoo.names())
def test_no_network_of_the_zoo_recommends_a_size_that_it_refuses(name: str) -> None:
    """Whatever size is refused: what the error says to write is taken, and a layer or the whole network is named."""
    channels, *sizes = zoo.architectures()[name].input
    for size in (1, 2, 3, 5, 7, 11, 15, 30, 45, 62, 97, 131, 187):
        error = refusal(name, (channels, *(size,) * len(sizes)))
        if error is None:
            continue
        found = re.fullmatch(r"input=\((\d+(?:, \d+)+)\)", error.write or "")
        assert found is not None, error
        assert refusal(name, tuple(int(number) for number in found[1].split(", "))) is None
        assert f"{name}, node " in str(error) or f"{name} cannot" in str(error)


def refusal(name: str, shape: Shape) -> NetworkError | None:
    try:
        st.load(name, input=shape)
    except NetworkError as error:
        return error
    return None


@pytest.mark.parametrize("name", [name for name, entry in zoo.architectures().items() if entry.smallest > 1])
def test_the_smallest_size_of_a_network_is_the_first_that_runs(name: str) -> None:
    entry = zoo.architectures()[name]
    for size in range(1, entry.smallest):
        with pytest.raises(NetworkError):
            entry.build((entry.input[0], *(size,) * len(entry.input[1:])))
    entry.build((entry.input[0], *(entry.smallest,) * len(entry.input[1:])))


@pytest.mark.parametrize("name", [name for name, entry in zoo.architectures().items() if not entry.per_size])
def test_only_networks_that_say_so_have_other_layers_at_other_sizes(name: str) -> None:
    entry = zoo.architectures()[name]
    graph = entry.build()
    for size in (17, 31, 32, 45, 64, 75, 100, 188, 250):
        shape = (entry.input[0], *(size,) * len(entry.input[1:]))
        try:
            other = entry.build(shape)
        except NetworkError:
            with pytest.raises(NetworkError):
                graph.with_input(shape)
            continue
        assert other.nodes == graph.with_input(shape).nodes


@pytest.mark.parametrize("verb", ["inspect", "cost", "memory", "build"])
def test_every_verb_tells_it(verb: str) -> None:
    assert refused(TEXT, (1, 9, 20), verb).write == "input=(1, 14, 20)"


def test_a_graph_tells_it_too() -> None:
    with pytest.raises(ShapeError) as caught:
        st.load(st.load(TEXT, input=(1, 32, 32)), input=(1, 9, 20))
    assert caught.value.write == "input=(1, 14, 20)"


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        ("conv 8 3 > dense 10", (3, 8, 8)),  # flatten is missing, at every size
        ("conv 8 3 groups=3", (4, 8, 8)),  # the channels do not divide
        ("convv 8 3", (3, 8, 8)),
        ("resnet8", (3, 8, 8)),
    ],
)
def test_where_no_size_helps_none_is_told(net: str, shape: Shape) -> None:
    assert "smallest image" not in str(refused(net, shape))
