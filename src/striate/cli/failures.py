"""From exceptions to one clear message and the right exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback

from striate.cli.interrupts import INTERRUPTED, was_interrupted
from striate.errors import StorageError, StriateError

__all__ = ["FAULT", "explain", "report_failure"]

#: The exit code of a fault of ours (EX_SOFTWARE of sysexits.h).
FAULT = 70

#: What torch says, as a RuntimeError, when memory runs out.
_TORCH_MEMORY = ("can't allocate memory", "not enough memory")


def report_failure(error: BaseException) -> int:
    """Tell an exception on standard error.

    Args:
        error: whatever a verb raised.

    Returns:
        the exit code.
    """
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 0
    if isinstance(error, BrokenPipeError):
        # The reader (head, less) has seen enough.
        return 0
    if not isinstance(error, StriateError) and (isinstance(error, KeyboardInterrupt) or was_interrupted()):
        _tell(StriateError("interrupted"))
        return INTERRUPTED
    told = explain(error)
    if told is None:
        if os.environ.get("STRIATE_DEBUG"):
            traceback.print_exception(error)
        told = _fault(error)
        _tell(told)
        return FAULT
    _tell(told)
    return told.exit_code


def explain(error: BaseException) -> StriateError | None:
    """An exception in the user's terms; None for a fault in Striate.

    >>> explain(OSError(28, "No space left on device", "runs/a-1")).problem
    'No space left on device'
    >>> explain(ZeroDivisionError()) is None
    True
    """
    if isinstance(error, StriateError):
        return error
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and any(text in str(error) for text in _TORCH_MEMORY)
    ):
        told: StriateError = StorageError(
            "the memory is used up",
            got=str(error).split("\n")[0] or None,
            write="--batch 16, a smaller --size or --input, or fewer images",
        )
        return told
    if isinstance(error, OSError) and error.errno is not None:
        places = [os.fsdecode(place) for place in (error.filename, error.filename2) if isinstance(place, (str, bytes))]
        return StorageError(error.strerror or str(error), where=" and ".join(places) or None)
    return None


def _fault(error: BaseException) -> StriateError:
    """Where in Striate it happened, and how to see more."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}striate{os.sep}" in frame.filename] or list(frames)
    place = f"{os.path.basename(ours[-1].filename)}:{ours[-1].lineno}" if ours else None
    return StriateError(
        f"this is a fault in Striate: {type(error).__name__}: {error}",
        where=place,
        write="STRIATE_DEBUG=1 before the command to see where; please report it",
    )


def _tell(error: StriateError) -> None:
    """On standard error, coloured where that is a terminal; in plain text where even that takes too much memory."""
    try:
        from striate.cli.output import rendered
        from striate.views import error_view

        text = rendered(error_view(error), stderr=True)
    except MemoryError:
        text = f"error: {error}\n"
    # Where nobody is there to read it the exit code says the rest.
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
