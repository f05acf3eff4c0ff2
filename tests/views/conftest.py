"""What the tests of the views share: networks, evaluations and a page of a run that never took place."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from striate import zoo
from striate.analysis import inspect
from striate.findings import Finding
from striate.graph import Graph, network
from striate.runs import (
    ClassScore,
    DataCard,
    Evaluation,
    Preprocessing,
    RunRecord,
    SplitCard,
    wilson_interval,
)
from striate.views.report_parts import FeatureMaps, Mistake, Picture, ReportPage

Show = Callable[..., str]


@pytest.fixture(scope="session")
def show() -> Show:
    """Print something on a console of that many columns and return the text."""

    def printed(renderable: Any, width: int = 80, colour: bool = False) -> str:
        file = io.StringIO()
        system = "truecolor" if colour else None
        console = Console(
            file=file,
            width=width,
            color_system=system,
            force_terminal=colour,
            markup=False,
            emoji=False,
            highlight=False,
        )
        console.print(renderable)
        return file.getvalue()

    return printed


@pytest.fixture(scope="session")
def residual() -> Graph:
    """A residual network of 200 nodes with branches, long names and every kind of number."""
    x = network("residual", (3, 64, 48), 100).conv(64, 7, stride=2, padding=3, bias=False, name="stem.conv")
    for block in range(28):
        shortcut, name = x, f"layer{block // 7 + 1}.{block % 7}"
        x = x.conv(64, 3, padding=1, bias=False, name=f"{name}.conv1").batchnorm(name=f"{name}.bn1").relu()
        x = x.conv(64, (3, 5), padding=(1, 2), groups=64, name=f"{name}.depthwise").batchnorm(name=f"{name}.bn2")
        x = x.add(shortcut).relu()
    return x.globalavgpool().dropout().dense(100, name="classifier").build()


def evaluate(matrix: Sequence[Sequence[int]], names: Sequence[str], split: str = "test") -> Evaluation:
    """An evaluation from its confusion matrix, by the definitions."""
    m = np.array(matrix)
    scores = []
    for place, name in enumerate(names):
        right, true, said = int(m[place, place]), int(m[place].sum()), int(m[:, place].sum())
        scores.append(
            ClassScore(
                name=name,
                count=true,
                precision=right / said if said else None,
                recall=right / true if true else None,
                f1=2 * right / (true + said) if true + said else None,
            )
        )
    count, hits = int(m.sum()), int(np.trace(m))
    return Evaluation(
        split=split,
        task="classes",
        classes=tuple(names),
        count=count,
        loss=0.0532,
        accuracy=hits / count,
        interval=wilson_interval(hits, count),
        confusion=tuple(tuple(int(entry) for entry in row) for row in m),
        per_class=tuple(scores),
    )


@pytest.fixture(scope="session")
def evaluation_of() -> Callable[..., Evaluation]:
    return evaluate


@pytest.fixture(scope="session")
def digits_matrix() -> list[list[int]]:
    """354 of 360 right: 98.33 %, whose Wilson interval is 96.4 to 99.2."""
    matrix = [[36 if row == column else 0 for column in range(10)] for row in range(10)]
    for true, said, count in ((8, 1, 2), (3, 8, 1), (9, 4, 1), (2, 3, 1), (5, 9, 1)):
        matrix[true][true] -= count
        matrix[true][said] += count
    return matrix


def metrics(epochs: int, steps: int = 36) -> tuple[dict[str, Any], ...]:
    rows: list[dict[str, Any]] = []
    for epoch in range(1, epochs + 1):
        for step in range(1, steps + 1, 5):
            done = (epoch - 1) * steps + step
            rows.append(
                {"kind": "step", "epoch": epoch, "step": done, "loss": 2.3 / done, "learning_rate": 1e-3 / epoch}
            )
        rows.append(
            {
                "kind": "epoch",
                "epoch": epoch,
                "step": epoch * steps,
                "seconds": 1.9 * epoch,
                "train_loss": 2.0 / epoch,
                "train_accuracy": 1 - 0.5 / epoch,
                "val_loss": 2.2 / epoch,
                "val_accuracy": 1 - 0.6 / epoch,
                "learning_rate": 1e-3 / epoch,
                "images_per_second": 5210.3,
            }
        )
    return tuple(rows)


@pytest.fixture(scope="session")
def metric_rows() -> Callable[[int], tuple[dict[str, Any], ...]]:
    return metrics


RECORD = RunRecord(
    name="digits-simple-cnn-1",
    command="striate train --data digits",
    created="2026-03-01T14:05:12+00:00",
    finished="2026-03-01T14:06:12+00:00",
    status="done",
    reason="All 10 epochs were run.",
    network="simple-cnn",
    parameters=22602,
    asked={"epochs": 10},
    recipe={
        **{"epochs": 10, "batch_size": 32, "augment": {"shift": 1, "flip": False}, "ema": None},
        **{"learning_rate": None, "precision": "auto"},
    },
    resolved={"precision": "float32", "precision_reason": "measured", "learning_rate": 0.002, "threads": 2},
    versions={"striate": "0.1.0", "python": "3.12.1", "torch": "2.12.0"},
    seed=7,
    results={"best_epoch": 9, "epochs_done": 10, "seconds": 83.2, "images_per_second": 5210.3},
)


def data_card(names: Sequence[str], **changes: Any) -> DataCard:
    def split(count: int, mark: str) -> SplitCard:
        return SplitCard(count=count * len(names), counts=dict.fromkeys(names, count), hash=mark * 64)

    card = DataCard(
        source="digits",
        kind="digits",
        task="classes",
        classes=tuple(names),
        splits={"train": split(115, "a"), "val": split(28, "b"), "test": split(36, "c")},
        split_seed=0,
        split_rule="stratified 64/16/20, seed 0",
        preprocessing=Preprocessing(channels=1, height=8, width=8, fit="exact", mean=(0.3053,), std=(0.3764,)),
        notes=("values 0 to 16 were scaled to 0 to 255",),
    )
    return card.model_copy(update=changes)


@pytest.fixture(scope="session")
def card_of() -> Callable[..., DataCard]:
    return data_card


def pictures(count: int, shape: tuple[int, ...], captions: str = "channel") -> tuple[Picture, ...]:
    random = np.random.default_rng(0)
    return tuple(
        Picture(random.integers(0, 256, shape, dtype=np.uint8), f"{captions} {number}") for number in range(count)
    )


@pytest.fixture(scope="session")
def pictures_of() -> Callable[..., tuple[Picture, ...]]:
    return pictures


@pytest.fixture
def make_page(digits_matrix: list[list[int]]) -> Callable[..., ReportPage]:
    """A complete page, with changes; changes to the record are written ``record={"status": …}``."""
    names = [str(digit) for digit in range(10)]

    def page(record: dict[str, Any] | None = None, **changes: Any) -> ReportPage:
        parts: dict[str, Any] = {
            "record": RECORD.model_copy(update=record or {}),
            "card": data_card(names),
            "network": inspect(zoo.build("simple-cnn", (1, 8, 8), 10)),
            "metrics": metrics(10),
            "evaluations": (evaluate(digits_matrix, names),),
            "mistakes": tuple(
                Mistake(picture, "8", "1", 0.97 - number / 100, f"digits/{number}")
                for number, picture in enumerate(pictures(6, (8, 8)))
            ),
            "filters": pictures(16, (3, 3), "filter"),
            "filters_node": "conv1",
            "image": pictures(1, (8, 8), "image")[0],
            "feature_maps": (
                FeatureMaps("conv1", (16, 8, 8), pictures(16, (8, 8))),
                FeatureMaps("conv2", (32, 4, 4), pictures(20, (4, 4))),
            ),
            "findings": (
                Finding("D003", "info", "the classes are balanced", where="train"),
                Finding("N004", "warning", "16 parameters have no effect", where="conv1", fix="bias: false"),
            ),
        }
        return ReportPage(**{**parts, **changes})

    return page


@pytest.fixture(autouse=True)
def no_width_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have set the width of his terminal; a test that wants one sets it."""
    for name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
