"""T411: the run did not end as it was meant to."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["ended_early"]


@run_rule("T411", "ended-early", "warning", "end")
def ended_early(story: Story) -> Iterator[Remark]:
    """The run did not end as it was meant to.

    What: it diverged or failed, was interrupted, or says that it is running, which is also what a killed one says.
    Why: its weights are those of the last good epoch, and it is not measured.
    Fix: striate resume RUN where it was stopped; where it diverged, the folder autopsy/ of the run says why.
    Source: Striate, how a run ends.
    """
    status, reason = story.status, story.reason or "no reason is recorded"
    after = f"after {len(story.epochs)} epoch{'' if len(story.epochs) == 1 else 's'}"
    if status == "diverged":
        fix = "autopsy/autopsy.json in the run says where it began; a smaller --learning-rate, or --clip 1"
        yield Remark(None, f"it diverged {after}: {reason}", fix, severity="error")
    elif status == "failed":
        yield Remark(
            None, f"it failed {after}: {reason}", "striate resume RUN, once the cause is gone", severity="error"
        )
    elif status == "interrupted":
        yield Remark(None, f"it was interrupted {after}", "striate resume RUN")
    elif status == "running":
        told = f"it is running, or was killed, {after}"
        yield Remark(None, told, "striate resume RUN, where nothing trains it", severity="info")
