"""The first filters as pictures, and the worst mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from striate.data import Split
from striate.insight import first_filters, worst_mistakes
from striate.insight.filters import MOST as MOST_FILTERS
from striate.insight.filters import signed_picture
from striate.insight.mistakes import MOST as MOST_MISTAKES
from striate.insight.mistakes import as_picture
from training.samples import NAMES, draw_images, make_dataset, quick_run


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=20))
def test_0_is_mid_grey_and_the_largest_weight_black_or_white(numbers: list[float]) -> None:
    values = np.array(numbers)
    levels = signed_picture(values, 3.0).astype(int)
    assert ((levels - 127.5) / 127.5 * 3 - values).__abs__().max() <= 3 / 255 + 1e-9
    assert signed_picture(np.array([-3.0, 0.0, 3.0]), 3.0).tolist() == [0, 128, 255]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_filters_are_the_weights(tmp_path: Path, channels: int) -> None:
    run = quick_run(tmp_path, make_dataset(shape=(channels, 6, 6)), epochs=1)
    node, pictures = first_filters(run)
    weight = load_file(run.folder.best_weights)["conv1.weight"].numpy()
    largest = np.abs(weight).max()
    assert node == "conv1"
    assert [picture.caption for picture in pictures] == [f"filter {n} of conv1" for n in range(1, 5)]
    for picture, kernel in zip(pictures, weight, strict=True):
        shown = np.moveaxis(kernel, 0, 2) if channels == 3 else kernel[0]
        np.testing.assert_allclose(picture.pixels, 127.5 + 127.5 * shown / largest, atol=0.51)
    extremes = {int(picture.pixels.min()) for picture in pictures} | {int(picture.pixels.max()) for picture in pictures}
    assert extremes & {0, 255}


def test_a_network_without_a_convolution_has_no_filters(tmp_path: Path) -> None:
    assert first_filters(quick_run(tmp_path, net="flatten > dense classes", epochs=1)) == (None, ())


def test_filters_of_any_number_are_shown_in_a_bounded_number(tmp_path: Path) -> None:
    net = "conv 70 3 > relu > globalavgpool > dense classes"
    _, pictures = first_filters(quick_run(tmp_path, net=net, epochs=1))
    assert len(pictures) == MOST_FILTERS


def test_weights_of_0_are_mid_grey(tmp_path: Path) -> None:
    run = quick_run(tmp_path, epochs=1, init="zero", learning_rate=1e-30)
    assert all((picture.pixels == 128).all() for picture in first_filters(run)[1])


@given(st.integers(1, 80), st.integers(0, 1000))
def test_mistakes_are_wrong_and_the_surest_come_first(count: int, seed: int) -> None:
    images, _ = draw_images("classes", count, seed=seed)
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    split = Split(images, labels, tuple(f"image {index}" for index in range(count)))
    outputs = torch.from_numpy(random.normal(size=(count, 3)).astype(np.float32) * 4)
    found = worst_mistakes(outputs, split, NAMES["classes"])
    x = outputs.double().numpy()
    probabilities = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    wrong = [i for i in range(count) if x[i].argmax() != labels[i]]
    assert len(found) == min(len(wrong), MOST_MISTAKES)
    confidences = [mistake.confidence for mistake in found]
    assert confidences == sorted(confidences, reverse=True)
    left = set(wrong)
    for mistake in found:
        index = int(mistake.id.removeprefix("image "))
        left.remove(index)
        assert mistake.true == NAMES["classes"][labels[index]] != mistake.predicted
        assert mistake.predicted == NAMES["classes"][x[index].argmax()]
        assert mistake.confidence == pytest.approx(probabilities[index].max(), rel=1e-5)
        assert np.array_equal(mistake.picture.pixels, images[index, 0])
        assert mistake.picture.caption == mistake.id
    if left and found:
        assert max(probabilities[index].max() for index in left) <= confidences[-1] + 1e-6


def test_a_picture_keeps_every_pixel() -> None:
    colour, _ = draw_images("classes", 1, (3, 5, 7))
    assert np.array_equal(as_picture(colour[0], "").pixels, np.moveaxis(colour[0], 0, 2))
    grey, _ = draw_images("classes", 1, (1, 5, 7))
    assert np.array_equal(as_picture(grey[0], "").pixels, grey[0, 0])
