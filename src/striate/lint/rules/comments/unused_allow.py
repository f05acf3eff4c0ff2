"""N001: a comment allows what no rule finds."""

from __future__ import annotations

from collections.abc import Iterator

from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject

__all__ = ["unused_allow"]


@rule("N001", "unused-allow", "warning")
def unused_allow(net: Subject) -> Iterator[Evidence]:
    """A comment allows what no rule finds.

    What: a comment ``# striate: allow NAME`` beside a layer on which the rule of that name finds nothing, or with a
        name that no rule has; ``allow-file`` likewise for a whole file.
    Why: it says that something is wrong here on purpose, and nothing is: it was mended, or the name is mistyped and
        allows nothing. Left in place it hides the next finding.
    Example: A layer ``- relu  # striate: allow even-kernel``, which has no kernel.
    Instead: No comment there.
    Fix: none: a comment is its author's; take it away.
    Source: the linters ESLint (``--report-unused-disable-directives``) and Ruff (RUF100 ``unused-noqa``).
    """
    for idle in net.idle_allows:
        if idle.word:
            message, fix = f"`{idle.name}` is no word that comments for the linter begin with", f"{idle.hint} NAME"
        elif idle.known:
            message, fix = f"`allow {idle.name}` allows nothing: the rule finds nothing here", "take the comment away"
        elif idle.name:
            message = f"`allow {idle.name}` allows nothing: there is no rule of this name"
            fix = f"allow {idle.hint}" if idle.hint else "see `striate explain --list`"
        else:
            message, fix = "`allow` names no rule", "allow even-kernel, say"
        yield Evidence(None, message, fix=fix, origin=idle.origin)
