"""What Ctrl-C does, in three phases.

While Striate is starting, which is mostly the import of torch, it ends the process at once: nothing is written yet, and
code that is interrupted in the middle of an import complains at length. From :func:`begin_work` on it is the usual
KeyboardInterrupt, so that whoever writes can clean up; training puts a gentler handler on top. When everything is done
it is ignored, so that what was finished is not called interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

__all__ = ["INTERRUPTED", "begin_start", "begin_work", "end_work", "was_interrupted"]

#: The exit code of a process that was interrupted: 128 + SIGINT.
INTERRUPTED = 130


class _Interrupt:
    """A handler that raises KeyboardInterrupt and remembers that it did: foreign code may make another error of it."""

    def __init__(self) -> None:
        self.seen = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.seen = True
        raise KeyboardInterrupt


def begin_start() -> None:
    """From now on Ctrl-C ends the process at once. For a program that does nothing else."""
    signal.signal(signal.SIGINT, _leave)
    sys.unraisablehook = _unraisable


def begin_work() -> None:
    """From now on Ctrl-C is a KeyboardInterrupt; call it when imports are done, before something is written.

    Without effect where Ctrl-C belongs to somebody else, as it does when ``main`` is called from Python.
    """
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, _Interrupt())


def end_work() -> None:
    """From now on Ctrl-C is ignored: all that is left is to go."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def was_interrupted() -> bool:
    """Whether Ctrl-C was pressed since :func:`begin_work`, whatever error came of it."""
    handler = signal.getsignal(signal.SIGINT)
    return isinstance(handler, _Interrupt) and handler.seen


def _leave(number: int, frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)


def _unraisable(problem: sys.UnraisableHookArgs) -> None:
    """Python prints and forgets what a destructor raises; a KeyboardInterrupt that fell into one is sent again."""
    if problem.exc_type is KeyboardInterrupt:
        signal.raise_signal(signal.SIGINT)
    else:
        sys.__unraisablehook__(problem)
