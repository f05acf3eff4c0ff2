"""The largest batch that fits, against trying batch after batch; and what a user may get wrong."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from properties.strategies import graphs
from striate import zoo
from striate.analysis.memory_report import Purpose, memory
from striate.errors import UsageError
from striate.graph import Graph


def peak(graph: Graph, batch: int, purpose: Purpose) -> int:
    report = memory(graph, batch)
    return (report.training_peak if purpose == "training" else report.inference_peak).bytes


@given(graphs(), st.integers(0, 40), st.integers(-1, 1), st.sampled_from(("training", "inference")))
@settings(max_examples=25)
def test_the_largest_batch_is_the_last_that_fits(graph: Graph, batch: int, more: int, purpose: Purpose) -> None:
    budget = peak(graph, max(batch, 1), purpose) + more
    found = memory(graph).largest_batch(budget, purpose)
    assert found == 0 or peak(graph, found, purpose) <= budget
    assert peak(graph, found + 1, purpose) > budget


@given(graphs(), st.integers(2, 50))
@settings(max_examples=20)
def test_bytes_grow_linearly_with_the_batch(graph: Graph, batch: int) -> None:
    one, two, many = (memory(graph, count).activations for count in (1, 2, batch))
    assume(one)
    assert many == one + (batch - 1) * (two - one)


def test_a_known_case() -> None:
    # 128 MiB for AlexNet's 233 MiB of weights are too little for any image.
    report = memory(zoo.build("alexnet"))
    assert report.largest_batch(128 * 2**20, "inference") == 0
    assert report.largest_batch(report.inference_peak.bytes, "inference") == 1
    assert report.largest_batch(report.inference_peak.bytes - 1, "inference") == 0


def test_the_report_as_json() -> None:
    data = memory(zoo.build("simple-cnn"), 8).as_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["totals"]["activations"] == sum(node["kept"] for node in data["nodes"])
    assert data["totals"]["training_peak"]["phase"] in ("forward", "backward", "update")
    assert data["totals"]["training_sum"] == sum(
        data["totals"][name] for name in ("weights", "buffers", "gradients", "optimizer_state", "activations")
    )


def test_every_wrong_argument_is_told() -> None:
    graph = zoo.build("simple-cnn")
    with pytest.raises(UsageError) as caught:
        memory(graph, optimizer="adamw2")
    assert str(caught.value) == (
        "the memory of the optimizer 'adamw2' is not known\n"
        "  got:   adamw2\n"
        "  needs: one of sgd, sgd-momentum, adam, adamw\n"
        "  write: adamw"
    )
    with pytest.raises(UsageError, match="a batch has at least one image"):
        memory(graph, 0)
    with pytest.raises(UsageError, match="memory in 'float8' is not known"):
        memory(graph, dtype="float8")
    with pytest.raises(UsageError, match="memory on 'tpu' is not known"):
        memory(graph, device="tpu")
    with pytest.raises(UsageError, match="cannot be negative"):
        memory(graph).largest_batch(-1)
