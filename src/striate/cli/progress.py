"""Progress of a training: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from striate.training.events import EpochDone, Event, Note, Started, StepDone

__all__ = ["PlainProgress", "TerminalProgress", "format_seconds", "progress_listener"]

#: Lines between two plain progress reports inside an epoch, in seconds.
PLAIN_SECONDS = 10.0
#: Redraws of the live line, in seconds.
LIVE_SECONDS = 0.1


def format_seconds(seconds: float) -> str:
    """A duration as people say it.

    >>> format_seconds(7.42), format_seconds(75), format_seconds(3700)
    ('7.4 s', '1 min 15 s', '1 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def progress_listener(stream: TextIO | None = None) -> PlainProgress:
    """The listener that fits standard error: live on a terminal, plain elsewhere."""
    stream = stream or sys.stderr
    return TerminalProgress(stream) if stream.isatty() else PlainProgress(stream)


def _share(accuracy: float | None) -> str:
    return "" if accuracy is None else f"  accuracy {100 * accuracy:.2f} %"


class PlainProgress:
    """One line an epoch, and one every few seconds inside a long epoch."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told = time.perf_counter()

    def __call__(self, event: Event) -> None:
        """Tell one event."""
        match event:
            case Note():
                self._line(event.text)
            case Started():
                epochs = "until the time is up" if event.epochs is None else f"{event.epochs} epochs"
                self._line(f"training on {event.images:,} images, {epochs}, {event.steps:,} steps each → {event.run}")
            case StepDone():
                self._step(event)
            case EpochDone():
                self._line(self._epoch_text(event))

    def _step(self, event: StepDone) -> None:
        if time.perf_counter() - self._told >= PLAIN_SECONDS:
            self._line(self._step_text(event))

    def _step_text(self, event: StepDone) -> str:
        return (
            f"epoch {event.epoch}  step {event.step}/{event.steps}  loss {event.loss:.4f}{_share(event.accuracy)}"
            f"  {event.images_per_second:,.0f} images/s  {format_seconds(event.seconds_left)} left"
        )

    def _epoch_text(self, event: EpochDone) -> str:
        total = "" if event.epochs is None else f"/{event.epochs}"
        val = "" if event.val_loss is None else f"  val loss {event.val_loss:.4f}{_share(event.val_accuracy)}"
        best = "  best" if event.best else ""
        return (
            f"epoch {event.epoch:>2}{total}  loss {event.train_loss:.4f}{_share(event.train_accuracy)}{val}"
            f"  {event.images_per_second:,.0f} images/s  {format_seconds(event.seconds)}{best}"
        )

    def _line(self, text: str) -> None:
        self._told = time.perf_counter()
        print(text, file=self._stream, flush=True)


class TerminalProgress(PlainProgress):
    """The same lines, with the running step redrawn in place below them."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._drawn = 0.0
        self._live = False

    def _step(self, event: StepDone) -> None:
        now = time.perf_counter()
        if now - self._drawn < LIVE_SECONDS and event.step != event.steps:
            return
        self._drawn, self._live = now, True
        done = round(20 * event.step / event.steps)
        bar = "━" * done + "─" * (20 - done)
        # Carriage return, then erase to the end of the line (ECMA-48 EL).
        print(f"\r\x1b[K{bar} {self._step_text(event)}", end="", file=self._stream, flush=True)

    def _line(self, text: str) -> None:
        if self._live:
            print("\r\x1b[K", end="", file=self._stream)
            self._live = False
        super()._line(text)
