"""Progress of a training: plain lines, a live line, and a stream that cannot be written."""

from __future__ import annotations

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.cli import progress
from striate.cli.progress import PlainProgress, TerminalProgress, format_seconds, progress_listener
from striate.training.events import EpochDone, Event, Note, Started, StepDone

STARTED = Started("runs/a-1", 2, 21, 1294)
EPOCH = EpochDone(1, 2, 0.5, 0.75, 0.4, 0.8, True, 1234.5, 3.21)


def step(number: int) -> StepDone:
    return StepDone(1, number, 21, 0.5, 0.75, 1234.5, 75.0)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def told(kind: type[PlainProgress], *events: Event) -> str:
    stream = io.StringIO()
    with kind(stream) as listener:
        for event in events:
            listener(event)
    return stream.getvalue()


def test_plain_lines(clock: Clock) -> None:
    assert told(PlainProgress, Note("arithmetic: fp32"), STARTED, step(1), EPOCH) == (
        "arithmetic: fp32\n"
        "training on 1,294 images, 2 epochs, 21 steps each → runs/a-1\n"
        "epoch  1/2  loss 0.5000  accuracy 75.00 %  val loss 0.4000  accuracy 80.00 %  1,234 images/s  3.2 s  best\n"
    )


def test_one_of_a_kind_is_not_many(clock: Clock) -> None:
    assert told(PlainProgress, Started("r", 1, 1, 1)) == "training on 1 image, 1 epoch, 1 step each → r\n"


def test_without_epochs_classes_or_validation(clock: Clock) -> None:
    shown = told(PlainProgress, Started("r", None, 3, 9), EpochDone(7, None, 0.5, None, None, None, False, 10, 90))
    assert shown == (
        "training on 9 images, until the time is up, 3 steps each → r\nepoch  7  loss 0.5000  10 images/s  1 min 30 s\n"
    )


def test_a_long_epoch_says_that_it_is_alive(clock: Clock) -> None:
    stream = io.StringIO()
    listener = PlainProgress(stream)
    for number in range(1, 22):
        clock.now += 1
        listener(step(number))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert lines[0] == "epoch 1  step 10/21  loss 0.5000  accuracy 75.00 %  1,234 images/s  1 min 15 s left"


def test_names_cannot_steer_the_terminal(clock: Clock) -> None:
    assert "\x1b" not in told(PlainProgress, Note("a\x1b[2Jb"), Started("r\x1b", 1, 1, 1))


def test_the_live_line_is_redrawn_and_wiped(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    stream = io.StringIO()
    with TerminalProgress(stream) as listener:
        for number in (1, 2, 10, 21):
            listener(step(number))
            clock.now += 0.06
        listener(EPOCH)
    parts = stream.getvalue().split("\r\x1b[K")
    # The first is too early after the start, the second within a tenth of a second of it; the last is always drawn.
    assert [part.partition("step ")[2][:5] for part in parts] == ["10/21", "21/21", ""]
    assert parts[1].startswith("━" * 20 + " ")
    assert parts[-1].startswith("epoch  1/2")


@given(st.integers(1, 300))
def test_the_live_line_never_wraps(columns: int) -> None:
    stream = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        TerminalProgress(stream)(step(21))
    assert len(stream.getvalue()) < max(columns, 2)


@pytest.mark.parametrize("kind", [PlainProgress, TerminalProgress])
def test_a_stream_that_breaks_does_not_end_a_training(kind: type[PlainProgress]) -> None:
    read, write = os.pipe()
    os.close(read)
    stream = os.fdopen(write, "w")
    with kind(stream) as listener:
        for event in (STARTED, step(21), EPOCH):
            listener(event)
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    stream.close()


def test_the_listener_fits_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    assert type(progress_listener(Terminal())) is TerminalProgress
    assert type(progress_listener(io.StringIO())) is PlainProgress
    monkeypatch.setenv("TERM", "dumb")
    assert type(progress_listener(Terminal())) is PlainProgress


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (3599.4, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (90061, "25 h 1 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
