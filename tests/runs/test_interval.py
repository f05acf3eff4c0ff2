"""The Wilson interval against SciPy's, which is an independent program."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from striate.runs.interval import wilson_interval


@given(st.integers(1, 1_000_000).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_equals_scipy(case: tuple[int, int]) -> None:
    hits, count = case
    ours = wilson_interval(hits, count)
    truth = binomtest(hits, count).proportion_ci(confidence_level=0.95, method="wilson")
    assert ours.low == pytest.approx(truth.low, rel=1e-9, abs=1e-12)
    assert ours.high == pytest.approx(truth.high, rel=1e-9, abs=1e-12)
    assert 0 <= ours.low <= hits / count <= ours.high <= 1


def test_the_ends_are_exact() -> None:
    assert wilson_interval(0, 50).low == 0.0
    assert wilson_interval(50, 50).high == 1.0


def test_of_no_trial_nothing_is_known() -> None:
    assert (wilson_interval(0, 0).low, wilson_interval(0, 0).high) == (0.0, 1.0)


@pytest.mark.parametrize(("hits", "count"), [(-1, 5), (6, 5), (1, 0)])
def test_more_hits_than_trials_are_refused(hits: int, count: int) -> None:
    with pytest.raises(ValueError, match="hits must lie in"):
        wilson_interval(hits, count)
