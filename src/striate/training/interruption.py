"""Ctrl-C and SIGTERM: noticed between two steps, so that nothing is ever half done."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

__all__ = ["Interruption"]


class Interruption:
    """While entered, Ctrl-C and SIGTERM only set :attr:`requested`; inside :meth:`armed` a second Ctrl-C stops at once.

    That raises KeyboardInterrupt, one time at most, so that whoever cleans up after it is left in peace, and never
    while the handlers are exchanged, so that the caller's always come back. Outside the main thread Python delivers no
    signals; then nothing is changed.
    """

    def __init__(self) -> None:
        self.requested = False
        self._number: int | None = None
        self._armed = False
        self._cutting = False
        self._previous: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            # Ctrl-C first and, in the end, last: in between nothing can be raised.
            for number in (signal.SIGINT, signal.SIGTERM):
                previous = signal.getsignal(number)
                # Who ignores a signal (nohup) goes on ignoring it; a handler not of Python could not be put back.
                if previous is not None and previous != signal.SIG_IGN:
                    self._previous[number] = previous
                    signal.signal(number, self._notice)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in reversed(list(self._previous)):
            signal.signal(number, self._previous.pop(number))

    @contextlib.contextmanager
    def armed(self) -> Iterator[None]:
        """Inside, a second Ctrl-C raises KeyboardInterrupt."""
        try:
            self._armed = True
            yield
        finally:
            self._armed = False

    @contextlib.contextmanager
    def cutting_short(self) -> Iterator[None]:
        """Inside, the first signal stops at once too: for work that may take long and can be thrown away.

        Raises:
            KeyboardInterrupt: at once when it was requested before.
        """
        try:
            self._cutting = True
            if self.requested:
                raise KeyboardInterrupt
            yield
        finally:
            self._cutting = False

    @property
    def signalled(self) -> bool:
        """Whether a signal asked for it, and not the program."""
        return self._number is not None

    @property
    def number(self) -> int:
        """The signal that was noticed; SIGINT where training was asked to stop in another way."""
        return self._number or signal.SIGINT

    def pass_on(self) -> None:
        """After the end: a signal that came too late to stop anything goes to the handler that was there before."""
        if self._number is not None:
            signal.raise_signal(self._number)

    def _notice(self, number: int, frame: FrameType | None) -> None:
        second = self.requested and number == signal.SIGINT
        self.requested, self._number = True, number
        if self._armed and (second or self._cutting):
            self._armed = False
            raise KeyboardInterrupt
