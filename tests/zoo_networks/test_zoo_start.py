"""How a network of the zoo begins: what it says about images that do not fit."""

from __future__ import annotations

import pytest

from striate.errors import LayerError, ShapeError
from striate.zoo.start import start


def test_it_begins_with_the_input() -> None:
    x = start("net", (3, 32, 48), 7, smallest=32, axes=2)
    graph = x.globalavgpool().dense(7).build()
    assert (graph.name, graph.input_shape, graph.classes) == ("net", (3, 32, 48), 7)


@pytest.mark.parametrize(("input", "write"), [((3, 99), "input=(3, 99, 99)"), ((1, 8, 8, 8), "input=(1, 75, 75)")])
def test_another_number_of_axes(input: tuple[int, ...], write: str) -> None:
    with pytest.raises(ShapeError, match="net is made for images with two spatial axes") as caught:
        start("net", input, 10, smallest=75, axes=2)
    assert caught.value.needs == "channels and two sizes of at least 75"
    assert caught.value.write == write


def test_what_is_no_image_at_all() -> None:
    with pytest.raises(LayerError, match="this is not the shape of an image"):
        start("net", (3,), 10, smallest=32)
