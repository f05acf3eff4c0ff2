"""What belongs to the whole process: Ctrl-C, and standard streams that break.

Ctrl-C means three things, one after the other. While Striate is starting, which is mostly the import of torch, it ends
the process at once: nothing is written yet, and code that is interrupted in the middle of an import complains at
length. From :func:`begin_work` on it is the usual KeyboardInterrupt, so that whoever writes can clean up; training puts
a gentler handler on top. When everything is done it is ignored, so that what was finished is not called interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

__all__ = ["INTERRUPTED", "begin_work", "run_process", "was_interrupted"]

#: The exit code of a process that was interrupted: 128 + SIGINT.
INTERRUPTED = 130


class _Interrupt:
    """A handler that raises KeyboardInterrupt and remembers that it did: foreign code may make another error of it."""

    def __init__(self) -> None:
        self.seen = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.seen = True
        raise KeyboardInterrupt


def run_process() -> int:
    """Run the command line on the process's own arguments.

    Returns:
        the exit code.
    """
    signal.signal(signal.SIGINT, _leave)
    sys.unraisablehook = _unraisable
    _open_streams()
    from striate.cli.program import run

    code = run(sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _close_streams()
    return code


def begin_work() -> None:
    """From now on Ctrl-C is a KeyboardInterrupt; call it when imports are done, before something is written.

    Without effect where Ctrl-C belongs to somebody else, as it does when ``main`` is called from Python.
    """
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, _Interrupt())


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


def _open_streams() -> None:
    """A closed stream swallows what is written; a character that the terminal does not know is spelled out."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115  (open to the end)
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _close_streams() -> None:
    """Flush for the last time; where the reader is gone, keep the interpreter from trying again and complaining."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
