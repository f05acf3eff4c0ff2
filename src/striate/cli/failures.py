"""From exceptions to one clear message and the right exit code."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable

from striate.errors import StriateError

__all__ = ["guarded"]

#: sysexits.h EX_SOFTWARE: a fault of ours, not of the user.
INTERNAL = 70


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """The command, with every exception turned into a message on standard error and an exit code."""

    @functools.wraps(command)
    def run(*args: object, **options: object) -> None:
        try:
            command(*args, **options)
        except StriateError as error:
            _tell(error)
            raise SystemExit(error.exit_code) from None
        except KeyboardInterrupt:
            _tell(StriateError("interrupted"))
            raise SystemExit(130) from None
        except BrokenPipeError:
            # The reader (head, less) has seen enough; the interpreter must not try to flush the pipe again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(0) from None
        except MemoryError:
            _tell(StriateError("the memory is used up", write="--batch 16, a smaller --size, or fewer images"))
            raise SystemExit(1) from None
        except Exception as error:
            if os.environ.get("STRIATE_DEBUG"):
                raise
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{os.path.basename(last.filename)}:{last.lineno}"
            _tell(
                StriateError(
                    f"this is a fault in Striate: {type(error).__name__}: {error}",
                    where=place,
                    write="STRIATE_DEBUG=1 before the command shows where; please report it",
                )
            )
            raise SystemExit(INTERNAL) from None

    return run


def _tell(error: StriateError) -> None:
    from striate.cli.output import error_console
    from striate.views import error_view

    error_console().print(error_view(error))
