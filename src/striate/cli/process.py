"""The command line as a process of its own: its arguments, Ctrl-C, and standard streams that break."""

from __future__ import annotations

import gc
import os
import sys

from striate.cli.interrupts import begin_start, end_work

__all__ = ["run_process"]

#: New objects between two looks for cycles. A network is some ten thousand objects that stay; Python's own 700 would
#: have them looked through dozens of times before anything is printed.
NEW_OBJECTS = 50_000


def run_process() -> int:
    """Run the command line on the process's own arguments.

    Returns:
        the exit code.
    """
    begin_start()
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
    _open_streams()
    from striate.cli.program import run

    code = run(sys.argv[1:])
    end_work()
    _close_streams()
    return code


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
