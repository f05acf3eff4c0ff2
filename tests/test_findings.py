"""Finding: one line of text, and data for JSON."""

from __future__ import annotations

import json

import pytest

from striate.findings import Finding


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (Finding("N001", "error", "it is wrong"), "error N001: it is wrong"),
        (Finding("D003", "info", "3 images were turned", where="train"), "info D003 train: 3 images were turned"),
        (Finding("T002", "warning", "too fast", fix="go slower"), "warning T002: too fast (go slower)"),
        (Finding("T002", "warning", "too fast", "epoch 3", "go slower"), "warning T002 epoch 3: too fast (go slower)"),
    ],
)
def test_one_line(finding: Finding, line: str) -> None:
    assert finding.line() == line


def test_data_for_json() -> None:
    finding = Finding("N001", "error", "it is wrong", where="conv1")
    data = json.loads(json.dumps(finding.as_dict()))
    told = {"code": "N001", "severity": "error", "message": "it is wrong", "where": "conv1"}
    assert data == {**told, "fix": None, "rule": None, "origin": None}
    assert Finding(**data) == finding


def test_equal_findings_are_one() -> None:
    assert len({Finding("N001", "error", "it is wrong"), Finding("N001", "error", "it is wrong")}) == 1
