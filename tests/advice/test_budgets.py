"""Budgets: how they are written, and what they are held against."""

from __future__ import annotations

import pytest

from striate import zoo
from striate.analysis.budget import Budget, check_budget, parse_bytes, parse_count
from striate.analysis.memory_report import memory
from striate.errors import UsageError


@pytest.mark.parametrize(
    ("text", "count"), [("1M", 10**6), ("1.5k", 1500), ("2G", 2 * 10**9), ("7", 7), ("0.25M", 250_000), ("1 M", 10**6)]
)
def test_counts(text: str, count: int) -> None:
    assert parse_count(text, "--max-params") == count


@pytest.mark.parametrize(("text", "count"), [("8MiB", 8 * 2**20), ("1.5KiB", 1536), ("2GiB", 2**31), ("100B", 100)])
def test_sizes(text: str, count: int) -> None:
    assert parse_bytes(text, "--max-memory") == count


@pytest.mark.parametrize(
    ("text", "write"),
    [
        ("1m", "1M"),
        ("3K", "3k"),
        ("5MiB", "5M"),
        ("", "1M"),
        ("-1", "1M"),
        ("1e6", "1M"),
        ("1,000", "1M"),
        ("1_000", "1M"),
        ("0", "1M"),
        ("1.2345k", "1234"),
        ("many", "1M"),
        ("٣M", "1M"),
    ],
)
def test_malformed_counts(text: str, write: str) -> None:
    with pytest.raises(UsageError, match="--max-params: this is not a budget") as caught:
        parse_count(text, "--max-params")
    assert caught.value.write == f"--max-params {write}"


@pytest.mark.parametrize(
    ("text", "write"),
    [("8MB", "8MiB"), ("8", "8MiB"), ("8m", "8MiB"), ("2gb", "2GiB"), ("8mib", "8MiB"), ("x", "8MiB")],
)
def test_malformed_sizes(text: str, write: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_bytes(text, "--max-memory")
    assert caught.value.write == f"--max-memory {write}"
    assert parse_bytes(write, "")


def test_a_limit_is_kept_up_to_itself() -> None:
    graph = zoo.build("mnist-cnn")
    for limit, kept in ((421_642, True), (421_641, False)):
        assert [check.kept for check in check_budget(graph, Budget(parameters=limit))] == [kept]
    for limit, kept in ((4_241_152, True), (4_241_151, False)):
        assert [check.kept for check in check_budget(graph, Budget(macs=limit))] == [kept]
    peak = memory(graph).inference_peak.bytes
    for limit, kept in ((peak, True), (peak - 1, False)):
        assert [check.kept for check in check_budget(graph, Budget(memory=limit))] == [kept]


def test_the_largest_contributors_come_first() -> None:
    (check,) = check_budget(zoo.build("vgg16"), Budget(parameters=1))
    assert check.largest[0] == ("classifier.0", 102_764_544)
    assert [amount for _, amount in check.largest] == sorted((amount for _, amount in check.largest), reverse=True)
