"""Records: equal to themselves after a round trip through JSON, and plain words for whoever edited the file."""

from __future__ import annotations

import contextlib
import json
import string
from pathlib import Path
from typing import Any, Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from striate.errors import RunError
from striate.findings import Finding
from striate.runs.record_base import parse_record
from striate.runs.records import (
    ClassScore,
    DataCard,
    Evaluation,
    FindingsFile,
    Interval,
    Preprocessing,
    Record,
    RunRecord,
    SplitCard,
    Status,
    Task,
)

COUNTS = st.integers(0, 10**12)
SHARES = st.floats(0, 1)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
TASK_NAMES: tuple[Task, ...] = get_args(Task)
TASKS = st.sampled_from(TASK_NAMES)
CHANNELS: tuple[Literal[1, 3], ...] = (1, 3)
NAMES = st.lists(TEXT, unique=True, max_size=4).map(tuple)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
SETTINGS = st.dictionaries(TEXT, PLAIN, max_size=4)


@st.composite
def preprocessings(draw: st.DrawFn) -> Preprocessing:
    channels: Literal[1, 3] = draw(st.sampled_from(CHANNELS))
    return Preprocessing(
        channels=channels,
        height=draw(st.integers(1, 4096)),
        width=draw(st.integers(1, 4096)),
        fit=draw(st.sampled_from(["exact", "crop", "stretch"])),
        mean=tuple(draw(st.lists(FINITE, min_size=channels, max_size=channels))),
        std=tuple(draw(st.lists(st.floats(1e-6, 10), min_size=channels, max_size=channels))),
        background=draw(st.integers(0, 255)),
    )


@st.composite
def evaluations(draw: st.DrawFn) -> Evaluation:
    classes = draw(NAMES)
    row = st.lists(COUNTS, min_size=len(classes), max_size=len(classes)).map(tuple)
    low, high = sorted(draw(st.tuples(SHARES, SHARES)))
    return Evaluation(
        split=draw(TEXT),
        task=draw(TASKS),
        classes=classes,
        count=draw(COUNTS),
        loss=draw(st.floats(allow_nan=False)),
        accuracy=draw(st.none() | SHARES),
        interval=draw(st.sampled_from([None, Interval(low=low, high=high)])),
        confusion=draw(st.none() | st.tuples(*[row] * len(classes))),
        per_class=tuple(
            ClassScore(name=name, count=draw(COUNTS), precision=draw(st.none() | SHARES), recall=draw(SHARES), f1=None)
            for name in classes
        ),
        rmse=draw(st.none() | st.floats(allow_nan=False)),
    )


DATA_CARDS = st.builds(
    DataCard,
    source=TEXT,
    kind=TEXT,
    task=TASKS,
    classes=NAMES,
    splits=st.dictionaries(
        st.sampled_from(["train", "val", "test"]),
        st.builds(SplitCard, count=COUNTS, counts=st.dictionaries(TEXT, COUNTS, max_size=3), hash=TEXT),
    ),
    split_seed=st.none() | st.integers(),
    split_rule=TEXT,
    preprocessing=preprocessings(),
    notes=st.lists(TEXT, max_size=2).map(tuple),
)
RUN_RECORDS = st.builds(
    RunRecord,
    name=TEXT,
    command=st.none() | TEXT,
    created=TEXT,
    finished=st.none() | TEXT,
    status=st.sampled_from(get_args(Status)),
    reason=st.none() | TEXT,
    network=TEXT,
    parameters=COUNTS,
    asked=SETTINGS,
    recipe=SETTINGS,
    resolved=SETTINGS,
    versions=st.dictionaries(TEXT, TEXT, max_size=3),
    seed=st.integers(),
    results=st.dictionaries(TEXT, st.none() | st.integers() | FINITE | TEXT, max_size=4),
)
FINDINGS = st.builds(Finding, TEXT, st.sampled_from(["info", "warning", "error"]), TEXT, st.none() | TEXT, st.none())
FINDINGS_FILES = st.builds(FindingsFile, findings=st.lists(FINDINGS, max_size=3).map(tuple))


@given(st.one_of(DATA_CARDS, RUN_RECORDS, FINDINGS_FILES, evaluations()))
def test_a_record_equals_itself_after_a_round_trip(record: Record) -> None:
    text = record.json_bytes()
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert parse_record(type(record), text, "file") == record


def a_run(**changes: Any) -> RunRecord:
    values: dict[str, Any] = {
        "name": "digits-simple-cnn-1",
        "command": None,
        "created": "2025-01-31T12:00:00Z",
        "status": "running",
        "network": "simple-cnn",
        "parameters": 421_642,
        "asked": {},
        "recipe": {},
        "resolved": {},
        "versions": {},
        "seed": 0,
    }
    return RunRecord(**{**values, **changes})


def test_settings_and_results_are_stored_as_json_gives_them_back() -> None:
    record = a_run(asked={"data": Path("a/b"), "size": (3, 4)}, results={"loss": float("nan"), "epochs": 3})
    assert record.asked == {"data": "a/b", "size": [3, 4]}
    assert record.results == {"loss": None, "epochs": 3}
    assert isinstance(record.results["epochs"], int)


def test_a_setting_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(ValidationError, match="cannot be written as JSON"):
        a_run(asked={"classes": {1, 2}})


def test_a_loss_that_is_not_a_number_is_kept_as_one() -> None:
    record = Evaluation(
        split="test", task="values", classes=("x",), count=1, loss=float("nan"), accuracy=None, interval=None,
        confusion=None, rmse=float("inf"),
    )  # fmt: skip
    assert b'"loss": "NaN"' in record.json_bytes()
    read = parse_record(Evaluation, record.json_bytes(), "file")
    assert read.loss != read.loss
    assert read.rmse == float("inf")


def test_records_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        a_run().name = "other"


PREPROCESSING: dict[str, Any] = {
    "channels": 3, "height": 8, "width": 8, "fit": "crop", "mean": [0, 0, 0], "std": [1, 1, 1],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        (Preprocessing, {"channels": 2}, "file: channels: Input should be 1 or 3\n  got:   2"),
        (Preprocessing, {"mean": [0]}, "file: mean has 1 values for 3 channels"),
        (Preprocessing, {"std": [1, 0, 1]}, "file: std.1: Input should be greater than 0\n  got:   0"),
        (Preprocessing, {"height": 0}, "file: height: Input should be greater than or equal to 1\n  got:   0"),
        (Preprocessing, {"hieght": 8}, "file: hieght: unknown key\n  got:   8"),
        (Preprocessing, {"fit": None}, "file: fit: Input should be 'exact', 'crop' or 'stretch'\n  got:   None"),
        (Interval, {"low": 0.9, "high": 0.1}, "file: low 0.9 is above high 0.1"),
        (Interval, {"low": 0, "high": 2}, "file: high: Input should be less than or equal to 1\n  got:   2"),
        (FindingsFile, {}, "file: findings: this key is missing"),
        (FindingsFile, {"findings": 1, "x": 1}, "findings: Input should be a valid array (and 1 more)\n  got:   1"),
        (FindingsFile, {"findings": [{"code": "D1", "severity": "bad", "message": ""}]}, "findings.0.severity: Input"),
        (FindingsFile, {"format": 2, "findings": []}, "a newer Striate: format 2, and this one reads up to 1"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_edited_file_is_said(kind: type[Record], change: dict[str, Any], message: str) -> None:
    content = {**PREPROCESSING, **change} if kind is Preprocessing else change
    with pytest.raises(RunError) as caught:
        parse_record(kind, json.dumps(content).encode(), "file")
    assert message in str(caught.value)


def test_class_names_differ_and_the_confusion_is_square() -> None:
    with pytest.raises(ValidationError, match="names that appear twice: cat"):
        DataCard(
            source="x", kind="folder", task="classes", classes=("cat", "dog", "cat"), splits={}, split_seed=None,
            split_rule="given", preprocessing=Preprocessing(**PREPROCESSING),
        )  # fmt: skip
    with pytest.raises(ValidationError, match="confusion is not 2×2"):
        Evaluation(
            split="test", task="classes", classes=("a", "b"), count=1, loss=0.0, accuracy=1.0, interval=None,
            confusion=((1, 0),),
        )  # fmt: skip


@given(st.binary(max_size=200) | st.text(string.printable).map(str.encode) | st.just(b"[" * 100_000))
def test_any_bytes_are_read_or_refused_in_words(content: bytes) -> None:
    with contextlib.suppress(RunError):
        assert parse_record(Interval, content, "file").low <= 1
