"""The drawings hold the data, take the page's colours, and leave matplotlib as it was."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import matplotlib
import numpy as np
import pytest

from striate.views.curves import Curve, draw_curves
from striate.views.metric_series import metric_series

Rows = Callable[[int], tuple[dict[str, Any], ...]]


@pytest.fixture(scope="module")
def curves(metric_rows: Rows) -> tuple[Curve, ...]:
    return draw_curves(metric_series(metric_rows(10)), best_epoch=9)


def points(svg: str, name: str) -> np.ndarray:
    """The corners of the thick line in the colour ``name``, in pixels."""
    for tag in re.findall(r"<path [^>]*>", svg):
        if f"stroke: var(--{name})" in tag and "stroke-width: 1.8" in tag:
            numbers = re.findall(r"[ML] ([-\d.]+) ([-\d.]+)", tag)
            return np.array(numbers, dtype=float)
    raise AssertionError(f"no line in {name}")


def test_lines_lie_where_the_numbers_are(curves: tuple[Curve, ...]) -> None:
    accuracy = next(curve for curve in curves if curve.title == "Accuracy")
    epochs = np.arange(1, 11)
    drawn = {"train": points(accuracy.svg, "train"), "val": points(accuracy.svg, "val")}
    true = {"train": 1 - 0.5 / epochs, "val": 1 - 0.6 / epochs}
    # One scale for both lines: pixels follow from the numbers by a straight line, downwards.
    x, y = np.concatenate([drawn["train"], drawn["val"]]).T
    slope, start = np.polyfit(np.concatenate([true["train"], true["val"]]), y, 1)
    assert slope < 0
    assert np.abs(slope * np.concatenate([true["train"], true["val"]]) + start - y).max() < 0.01
    assert np.corrcoef(x, np.concatenate([epochs, epochs]))[0, 1] == pytest.approx(1)


def test_a_wide_range_of_losses_is_drawn_on_a_logarithmic_axis() -> None:
    rows = [
        {"kind": "epoch", "epoch": epoch, "step": epoch, "train_loss": 10.0**-epoch, "val_loss": 2 * 10.0**-epoch}
        for epoch in range(1, 5)
    ]
    (loss,) = draw_curves(metric_series(rows))
    assert "logarithmic" in loss.title
    y = points(loss.svg, "train")[:, 1]
    assert np.diff(y) == pytest.approx([np.diff(y)[0]] * 3, abs=0.01)


def test_colours_come_from_the_page(curves: tuple[Curve, ...]) -> None:
    for curve in curves:
        assert "#0" not in re.sub(r'(href="|url\()#', "", curve.svg)
        colours = set(re.findall(r"(?:stroke|fill): ?([^;\"]+)", curve.svg))
        assert colours <= {"none", "currentColor", "var(--train)", "var(--val)", "var(--rate)"}


def test_ids_are_unique_and_links_lead_to_them(curves: tuple[Curve, ...]) -> None:
    whole = "".join(curve.svg for curve in curves)
    ids = re.findall(r' id="([^"]+)"', whole)
    assert len(ids) == len(set(ids)) > 0
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', whole)) == set(ids)


def test_the_svg_brings_nothing_of_its_own(curves: tuple[Curve, ...]) -> None:
    for curve in curves:
        assert not re.search(r"<style|font-family|http|<metadata|<!--|<\?xml| width=\"340", curve.svg)
        assert 'viewBox="0 0 340 205"' in curve.svg
        assert len(curve.svg) < 40_000


def test_letters_are_letters(curves: tuple[Curve, ...]) -> None:
    class Words(HTMLParser):
        found = ""

        def handle_data(self, data: str) -> None:
            self.found += data

    words = Words()
    words.feed(curves[1].svg)
    assert "epoch" in words.found
    assert "80 %" in words.found


def test_what_is_spoken_and_the_legend(curves: tuple[Curve, ...]) -> None:
    loss, accuracy, rate = curves
    assert "training: from 2 to 0.2, between 0.2 and 2." in loss.spoken
    assert accuracy.legend == (("train", "training", "95.0 %"), ("val", "validation", "94.0 %"))
    assert loss.legend[0] == ("train faint", "single batches", "")
    assert rate.title == "Learning rate"


@pytest.mark.parametrize("epochs", [1, 2, 400])
def test_any_number_of_epochs_can_be_drawn(metric_rows: Rows, epochs: int) -> None:
    drawn = draw_curves(metric_series(metric_rows(epochs)))
    assert len(drawn) == 3
    assert sum(len(curve.svg) for curve in drawn) < 150_000


def test_odd_numbers_can_be_drawn() -> None:
    rows = [
        {"kind": "epoch", "epoch": 1, "step": 3, "train_loss": 0.0, "val_loss": -1.5, "train_accuracy": 0.0},
        {"kind": "epoch", "epoch": 2, "step": 6, "train_loss": 1e30, "val_loss": None, "train_accuracy": 0.0},
    ]
    assert [curve.title for curve in draw_curves(metric_series(rows))] == ["Loss", "Accuracy"]
    assert draw_curves(metric_series([])) == ()


def test_matplotlib_is_left_as_it_was(metric_rows: Rows) -> None:
    with matplotlib.rc_context({"font.size": 31, "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        drawn = draw_curves(metric_series(metric_rows(3)))
        assert dict(matplotlib.rcParams) == before
    assert [curve.svg for curve in drawn] == [curve.svg for curve in draw_curves(metric_series(metric_rows(3)))]
    assert not math.isnan(float(matplotlib.rcParams["font.size"]))
