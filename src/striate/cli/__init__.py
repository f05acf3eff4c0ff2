"""The command line: one file for each verb in ``verbs/``, found by themselves.

Only the verb that was asked for is set up, so that ``--help`` and the verbs that need no torch start at once.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; always ends with :class:`SystemExit`.

    Exit codes: 0 done, 1 a budget is exceeded, lint found an error, or the disk or the memory refused, 2 usage, network
    or run, 3 data, 4 diverged, 70 a fault in Striate, 130 interrupted.

    Args:
        arguments: what follows ``striate``. Default: the process's own; then Ctrl-C and the standard streams are
            taken care of as well, which is for a program that does nothing else.
    """
    try:
        if arguments is not None:
            from striate.cli.program import run

            code = run(arguments)
        else:
            from striate.cli.process import run_process

            code = run_process()
    except KeyboardInterrupt:
        # In the first milliseconds, before there is anybody to tell it better.
        code = 130
    raise SystemExit(code)
