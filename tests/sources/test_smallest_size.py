"""An image that is too small: the error says the smallest that works, and that is the smallest that works."""

from __future__ import annotations

import pytest

import striate as st
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
        ("vgg16", (3, 8, 8), (3, 32, 32)),
        ("unet", (1, 100, 100), (1, 188, 188)),
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
