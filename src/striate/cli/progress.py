"""Progress of a training: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType
from typing import TextIO

from striate.training.events import EpochDone, Event, Note, Started, StepDone
from striate.views.safe_text import visible

__all__ = ["PlainProgress", "TerminalProgress", "format_seconds", "progress_listener"]

#: Seconds between two plain lines inside an epoch.
PLAIN_SECONDS = 10.0
#: Seconds between two redraws of the live line.
LIVE_SECONDS = 0.1
#: Characters of the bar, where there is room for it.
BAR = 20


def format_seconds(seconds: float) -> str:
    """A duration as people say it.

    >>> format_seconds(7.42), format_seconds(59.97), format_seconds(75), format_seconds(3700)
    ('7.4 s', '1 min 0 s', '1 min 15 s', '1 h 1 min')
    """
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def progress_listener(stream: TextIO | None = None) -> PlainProgress:
    """The listener that fits a stream: live on a terminal, plain elsewhere.

    Args:
        stream: default: standard error.
    """
    stream = stream or sys.stderr
    live = stream.isatty() and os.environ.get("TERM") != "dumb"
    return TerminalProgress(stream) if live else PlainProgress(stream)


class PlainProgress:
    """One line an epoch, and one every few seconds inside a long epoch. Leave it (``with``) when training ends.

    A stream that cannot be written, because its reader is gone or its disk full, is no reason to end a training: from
    then on nothing more is told.

    Args:
        stream: where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream: TextIO | None = stream
        self._told = time.perf_counter()

    def __enter__(self) -> PlainProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Plain lines need no end."""

    def __call__(self, event: Event) -> None:
        """Tell one event."""
        match event:
            case Note():
                self._line(visible(event.text))
            case Started():
                self._line(_started_text(event))
            case StepDone():
                self._step(event)
            case EpochDone():
                self._line(_epoch_text(event))

    def _step(self, event: StepDone) -> None:
        if time.perf_counter() - self._told >= PLAIN_SECONDS:
            self._line(_step_text(event))

    def _line(self, text: str) -> None:
        self._told = time.perf_counter()
        self._write(text + "\n")

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError:
            self._stream = None


class TerminalProgress(PlainProgress):
    """The same lines, with the running step redrawn in place below them."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._drawn = 0.0
        self._live = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the live line away, so that whatever is printed next starts on a line of its own."""
        self._wipe()

    def _step(self, event: StepDone) -> None:
        now = time.perf_counter()
        if now - self._drawn < LIVE_SECONDS and event.step != event.steps:
            return
        self._wipe()
        self._drawn, self._live = now, True
        self._write(self._fitting(event))

    def _fitting(self, event: StepDone) -> str:
        """The step in one line: what would be wrapped could not be wiped again."""
        room = self._columns() - 1
        text = _step_text(event)
        if len(text) + BAR + 1 <= room:
            done = round(BAR * event.step / event.steps)
            return "━" * done + "─" * (BAR - done) + " " + text
        return text[:room]

    def _columns(self) -> int:
        asked = os.environ.get("COLUMNS", "")
        if asked.isdecimal() and int(asked):
            return int(asked)
        try:
            return os.get_terminal_size(self._stream.fileno() if self._stream else 2).columns or 80
        except OSError:
            return 80

    def _line(self, text: str) -> None:
        self._wipe()
        super()._line(text)

    def _wipe(self) -> None:
        if self._live:
            # Carriage return, then erase to the end of the line (ECMA-48 EL).
            self._write("\r\x1b[K")
            self._live = False


def _started_text(event: Started) -> str:
    epochs = "until the time is up" if event.epochs is None else _count(event.epochs, "epoch")
    images, steps = _count(event.images, "image"), _count(event.steps, "step")
    return f"training on {images}, {epochs}, {steps} each → {visible(event.run)}"


def _step_text(event: StepDone) -> str:
    return (
        f"epoch {event.epoch}  step {event.step}/{event.steps}  loss {event.loss:.4f}{_share(event.accuracy)}"
        f"  {event.images_per_second:,.0f} images/s  {format_seconds(event.seconds_left)} left"
    )


def _epoch_text(event: EpochDone) -> str:
    total = "" if event.epochs is None else f"/{event.epochs}"
    val = "" if event.val_loss is None else f"  val loss {event.val_loss:.4f}{_share(event.val_accuracy)}"
    best = "  best" if event.best else ""
    return (
        f"epoch {event.epoch:>2}{total}  loss {event.train_loss:.4f}{_share(event.train_accuracy)}{val}"
        f"  {event.images_per_second:,.0f} images/s  {format_seconds(event.seconds)}{best}"
    )


def _share(accuracy: float | None) -> str:
    return "" if accuracy is None else f"  accuracy {100 * accuracy:.2f} %"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
