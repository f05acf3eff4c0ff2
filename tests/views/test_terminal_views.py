"""The other views on a terminal, against the results they show."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from rich.text import Text

from striate import zoo
from striate.analysis import derive, inspect
from striate.errors import DataError, SourceError, StriateError
from striate.graph import Graph
from striate.runs import Evaluation
from striate.views.console import make_console
from striate.views.derivations import derivation_view
from striate.views.error_text import error_view
from striate.views.evaluations import evaluation_view
from striate.views.predictions import predictions_view
from striate.views.zoo_listing import zoo_table

Show = Callable[..., str]
Evaluate = Callable[..., Evaluation]


@dataclass(frozen=True)
class Prediction:
    path: str
    label: str | None = None
    confidence: float | None = None
    top: tuple[tuple[str, float], ...] = ()
    error: str | None = None


# ---- derivations


@pytest.mark.parametrize("width", [60, 80, 10_000])
def test_a_derivation_holds_every_step(show: Show, residual: Graph, width: int) -> None:
    for graph, name in ((zoo.build("simple-cnn"), "conv2"), (residual, "layer2.3.depthwise"), (residual, "add4")):
        one = derive(graph, name)
        text = show(derivation_view(one), width)
        assert max(map(len, text.splitlines())) <= width
        squeezed = re.sub(r"\s", "", text)
        for step in (*one.shape, *one.parameters, *one.macs, *one.field):
            chain = f"{step.quantity}={step.formula}="
            assert re.sub(r"\s", "", chain) in squeezed
            assert re.sub(r"\s", "", f"={step.result.strip('()')}") in squeezed
        for source, shape in one.inputs:
            assert f"{'×'.join(map(str, shape))} from {source}" in text


def test_a_wide_derivation_puts_each_step_in_one_line(show: Show) -> None:
    text = show(derivation_view(derive(zoo.build("simple-cnn"), "conv2")), 200)
    lines = [line.strip() for line in text.splitlines()]
    assert "output height = floor((n + before + after - K) / s) + 1 = floor((16 + 1 + 1 - 3) / 1) + 1 = 16" in lines
    assert "weight = product of its shape = 32 · 16 · 3 · 3 = 4,608" in lines
    assert "start width = start + (first tap)·J = (-1) + (-1)·2 = -3" in lines


def test_only_the_symbols_in_use_are_explained(show: Show) -> None:
    def explained(name: str) -> set[str]:
        text = show(derivation_view(derive(zoo.build("simple-cnn"), name)), 200)
        return {line.split()[0] for line in text.splitlines() if re.match(r"\w+  +\S", line)}

    assert explained("conv1") == {"n", "before", "after", "K", "s", "RF", "J", "start"}
    assert explained("dense1") == set()


# ---- zoo


def test_the_zoo_table(show: Show) -> None:
    text = show(zoo_table(zoo.architectures().values()), 200)
    for entry in zoo.architectures().values():
        (line,) = [line for line in text.splitlines() if line.startswith(f"  {entry.name} ")]
        report = inspect(entry.build())
        assert f" {report.parameters:,} " in line
        assert line.endswith(f"; also {', '.join(entry.aliases)}" if entry.aliases else entry.summary)
        above = [other for other in text.split(line)[0].splitlines() if other and not other.startswith(" ")]
        assert above[-1] == entry.family
        size, unit = re.findall(r"([\d.]+) ([kMGT])", line)[0]
        factor = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[unit]
        assert float(size) * factor == pytest.approx(report.macs, rel=6e-4)
    narrow = show(zoo_table(zoo.architectures().values()), 80).splitlines()
    assert max(map(len, narrow)) <= 80
    assert len(narrow) < 3 * len(zoo.names())
    # What a description does not fit into one line goes on under itself.
    families = {entry.family for entry in zoo.architectures().values()}
    assert all(line.startswith("  ") or line in families for line in narrow[2:] if line)
    words = " ".join(" ".join(narrow).split())
    assert all(" ".join(entry.summary.split()) in words for entry in zoo.architectures().values())


# ---- evaluations


def test_accuracy_with_its_interval(show: Show, evaluation_of: Evaluate, digits_matrix: list[list[int]]) -> None:
    text = show(evaluation_view(evaluation_of(digits_matrix, [str(digit) for digit in range(10)])))
    assert "98.33 % (96.4 to 99.2)" in text
    assert "354 of 360 right" in " ".join(text.split())
    assert "10.0 % by always answering the most frequent class" in " ".join(text.split())
    assert "0.0532" in text
    assert re.search(r"^8 +36 +97\.1 % +94\.4 % +95\.8 %$", text, re.MULTILINE)  # 34 of 35, 34 of 36
    assert re.search(r"^8 +1 +2 +36$", text, re.MULTILINE)


def test_class_names_are_never_markup(show: Show, evaluation_of: Evaluate) -> None:
    names = ["[bold]", "[/]", ":smile:"]
    text = show(evaluation_view(evaluation_of([[3, 1, 0], [0, 4, 0], [2, 0, 2]], names)))
    assert all(text.count(name) >= 2 for name in names)


def test_of_many_classes_the_hardest_are_listed(show: Show, evaluation_of: Evaluate) -> None:
    size = 200
    matrix = [[row if row == column else 1 for column in range(size)] for row in range(size)]
    text = show(evaluation_view(evaluation_of(matrix, [f"class-{place}" for place in range(size)]), most_classes=12))
    listed = re.findall(r"^(class-\d+) .* %$", text, re.MULTILINE)
    assert listed == [f"class-{place}" for place in range(12)]
    assert "the 12 with the lowest F1; 188 more are not shown" in text
    assert "39,795 more pairs of classes were mixed up" in text  # 200 · 199 - 5


def test_a_class_without_images_has_no_scores(show: Show, evaluation_of: Evaluate) -> None:
    text = show(evaluation_view(evaluation_of([[5, 0], [0, 0]], ["here", "never"])))
    assert re.search(r"^never +0 +– +– +–$", text, re.MULTILINE)
    assert "no image was taken for another class" in text


def test_values_and_tags(show: Show) -> None:
    values = Evaluation(
        split="val", task="values", classes=("age",), count=5, loss=2.5, accuracy=None, interval=None, confusion=None,
        rmse=1.5811, mae=1.25,
    )  # fmt: skip
    text = show(evaluation_view(values))
    assert "RMSE  1.581" in text
    assert "MAE   1.25" in text
    assert "accuracy" not in text
    tags = Evaluation(
        split="test", task="tags", classes=("sky",), count=8, loss=0.5, accuracy=0.75, interval=None, confusion=None
    )
    assert "6 of 8 images with every tag right" in show(evaluation_view(tags))


# ---- predictions


def test_predictions(show: Show) -> None:
    rows = [
        Prediction("a.png", "[red]", 0.9312, (("[red]", 0.9312), ("dog", 0.05))),
        Prediction("b.png", error="b.png: not an image"),
    ]
    text = show(predictions_view(rows))
    assert re.search(r"^a\.png +\[red\] +93\.1 % +dog 5\.0 %$", text, re.MULTILINE)
    assert "error: b.png: not an image" in text
    assert "1 of 2 images could not be answered" in text
    assert "could not" not in show(predictions_view(rows[:1]))
    assert show(predictions_view([])) == "no images\n"


def test_predicted_values(show: Show) -> None:
    text = show(predictions_view([Prediction("a.png", top=(("age", 31.254), ("mass", -2.0)))]))
    assert re.search(r"^a\.png +age = 31\.25, mass = -2$", text, re.MULTILINE)
    assert "confidence" not in text


def test_a_long_path_is_whole_when_piped() -> None:
    path = "/".join(["a-folder-with-a-long-name"] * 30) + "/image.png"
    out = io.StringIO()
    make_console(out).print(predictions_view([Prediction(path, "cat", 0.5, (("cat", 0.5),))]))
    assert path in out.getvalue()


# ---- errors


ERRORS = [
    SourceError("unknown layer", where="net.yaml:4", got="[bold]convv", needs="a layer", write="conv"),
    DataError("no images"),
    StriateError("wrong", got="one\ntwo", write="three"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.problem)
def test_errors_say_what_the_exception_says(error: StriateError, show: Show) -> None:
    text = error_view(error)
    assert isinstance(text, Text)
    assert text.plain.split() == f"error: {error}".split()
    assert text.plain == show(text, 200).rstrip("\n")
    assert "\x1b" not in show(text)
    assert "\x1b" in show(text, colour=True)


def test_the_parts_of_an_error_are_aligned() -> None:
    lines = error_view(ERRORS[0]).plain.splitlines()
    assert lines[0] == "error: net.yaml:4: unknown layer"
    assert [line[:9] for line in lines[1:]] == ["  got:   ", "  needs: ", "  write: "]
    assert error_view(ERRORS[2]).plain.splitlines()[1:3] == ["  got:   one", "         two"]


# ---- the console


def test_columns_are_heeded_when_piped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert make_console(io.StringIO()).width == 10_000
    monkeypatch.setenv("COLUMNS", "90")
    assert make_console(io.StringIO()).width == 90


def test_no_color_leaves_text_without_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def printed(**variables: str) -> str:
        for name, value in {"TERM": "xterm-256color", **variables}.items():
            monkeypatch.setenv(name, value)
        out: Any = Terminal()
        make_console(out).print(error_view(ERRORS[0]))
        return str(out.getvalue())

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31m" in printed()
    assert not re.search(r"\x1b\[[\d;]*3[0-7]m", printed(NO_COLOR="1"))
    assert "\x1b" not in printed(TERM="dumb")


def test_names_cannot_steer_the_terminal(show: Show, evaluation_of: Evaluate) -> None:
    evil = "cat\x1b[2J\x07\x9b1m\r\n"
    views = (
        evaluation_view(evaluation_of([[1, 2], [0, 3]], [evil, "dog"])),
        predictions_view([Prediction(evil, evil, 0.5, ((evil, 0.5), (f"{evil}2", 0.1))), Prediction("b", error=evil)]),
        error_view(StriateError(evil, where=evil, got=evil, needs=evil, write=evil)),
    )
    for view in views:
        text = show(view)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
        assert "cat␛[2J␇" in re.sub(r"\s", "", text)
