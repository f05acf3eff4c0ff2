"""Numbers keep their value when they are written, and JSON text is the data."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate import zoo
from striate.analysis import derive, inspect
from striate.runs import Interval
from striate.views.as_json import json_text
from striate.views.confusions import largest_confusions
from striate.views.metric_series import Series, metric_series, thinned
from striate.views.number_wording import (
    format_accuracy,
    format_compact,
    format_duration,
    format_measure,
    format_percent,
)

FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@given(st.floats(0, 1), st.integers(1, 4))
def test_a_share_is_rounded_but_never_to_nothing_or_everything(share: float, digits: int) -> None:
    text = format_percent(share, digits)
    assert float(text) == pytest.approx(100 * share, abs=0.5 * 10**-digits * 1.000001)
    if 1e-12 < share < 1 - 1e-12:
        assert 0 < float(text) < 100


@given(st.integers(0, 10**15))
def test_compact_counts_keep_four_digits(count: int) -> None:
    number, _, unit = format_compact(count).partition(" ")
    assert float(number.replace(",", "")) * FACTORS[unit] == pytest.approx(count, rel=5.1e-4)
    if count < 10_000:
        assert int(number.replace(",", "")) == count


UNITS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


@given(st.floats(1e-3, 1e6))
def test_durations_keep_two_digits(seconds: float) -> None:
    words = format_duration(seconds).split()
    told = sum(float(value) * UNITS[unit] for value, unit in zip(words[::2], words[1::2], strict=True))
    assert told == pytest.approx(seconds, rel=0.051)
    assert not any(value in ("60", "60.0") and unit != "h" for value, unit in zip(words[::2], words[1::2], strict=True))


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_measures_keep_four_digits(value: float) -> None:
    assert float(format_measure(value).replace(",", "")) == pytest.approx(value, rel=5.1e-4, abs=1e-320)


def test_what_is_not_finite_is_said() -> None:
    assert format_measure(math.nan) == "not a number"
    assert format_measure(math.inf) == "infinite"
    assert format_duration(math.nan) == "–"


def test_accuracy_with_and_without_an_interval() -> None:
    assert format_accuracy(0.98333, Interval(low=0.9641, high=0.9924)) == "98.33 % (96.4 to 99.2)"
    assert format_accuracy(1.0, Interval(low=0.9894, high=1.0)) == "100 % (98.9 to 100)"
    assert format_accuracy(0.5, None) == "50.00 %"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_json_text_is_the_data(data: Any) -> None:
    text = json_text(data)
    assert json.loads(text) == data
    assert text == json_text(json.loads(text))


def test_json_of_results_and_of_what_json_cannot_hold() -> None:
    report = inspect(zoo.build("simple-cnn"))
    assert json.loads(json_text(report))["totals"] == {"parameters": 268650, "macs": report.macs, "uncounted": []}
    assert '"shape": [16, 32, 32]' in json_text(report)
    assert json.loads(json_text(derive(zoo.build("simple-cnn"), "conv1")))["node"] == "conv1"
    assert json.loads(json_text(Interval(low=0.25, high=0.5))) == {"low": 0.25, "high": 0.5}
    assert json.loads(json_text({"loss": math.inf, "shape": (1, 2)})) == {"loss": None, "shape": [1, 2]}
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        json_text({"a": {1, 2}})


def test_confusions_are_sorted_by_count_then_share() -> None:
    found = largest_confusions([[90, 2, 0], [2, 8, 0], [0, 5, 5]], "abc")
    assert [(one.true, one.predicted, one.count, one.of) for one in found] == [
        ("c", "b", 5, 10),
        ("b", "a", 2, 10),
        ("a", "b", 2, 92),
    ]
    assert largest_confusions([[90, 2, 0], [2, 8, 0], [0, 5, 5]], "abc", most=1) == found[:1]


def test_series_leave_out_what_is_not_a_number() -> None:
    rows = [
        {"kind": "step", "epoch": 1, "step": 4, "loss": 3.0, "learning_rate": 0.1},
        {"kind": "epoch", "epoch": 1, "step": 8, "train_loss": 2.0, "val_loss": None, "val_accuracy": 0.5},
        {"kind": "step", "epoch": 2, "step": 12, "loss": None, "learning_rate": 0.05},
        {"kind": "epoch", "epoch": 2, "step": 16, "train_loss": None, "val_loss": 1.0, "val_accuracy": True},
    ]
    series = metric_series(rows)
    assert series.step_loss == Series((0.5,), (3.0,))
    assert series.train_loss == Series((1.0,), (2.0,))
    assert series.val_loss == Series((2.0,), (1.0,))
    assert series.val_accuracy == Series((1.0,), (0.5,))
    assert series.learning_rate == Series((0.5, 1.5), (0.1, 0.05))
    assert (series.unit, series.epochs, series.not_finite) == ("epoch", 2, 2)


def test_without_a_finished_epoch_x_counts_steps() -> None:
    series = metric_series([{"kind": "step", "epoch": 1, "step": 7, "loss": 1.0, "learning_rate": 0.1}])
    assert (series.unit, series.step_loss.x, series.not_finite) == ("step", (7.0,), None)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), st.integers(1, 50))
def test_thinning_keeps_the_mean_of_equal_groups(values: list[float], most: int) -> None:
    series = Series(tuple(float(place) for place in range(len(values))), tuple(values))
    thin = thinned(series, most)
    assert len(thin.x) == min(most, len(values))
    assert list(thin.x) == sorted(thin.x)
    assert min(values) - 1e-6 <= min(thin.y)
    assert max(thin.y) <= max(values) + 1e-6
    if len(values) % most == 0:
        assert math.fsum(thin.y) / len(thin.y) == pytest.approx(math.fsum(values) / len(values), abs=1e-3)
