"""T103: parameters that the loss does not depend on."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["parameters_without_gradient"]


@run_rule("T103", "parameters-without-gradient", "warning", "start")
def parameters_without_gradient(story: Story) -> Iterator[Remark]:
    """A parameter gets no gradient.

    What: the gradient of a parameter is missing or 0 everywhere, before training and after the steps on a copy that
        follow. A layer that begins as 0 may hide those before it for one step, and is not meant.
    Why: it will never be trained: it is frozen, unused, or behind units that are all dead.
    Fix: connect the layer, or leave it out; where units died, --init auto or a smaller learning rate.
    Source: PyTorch, "Autograd mechanics"; Amazon SageMaker Debugger, rules UnchangedTensor and AllZero.
    """
    if story.start is None:
        return
    silent = story.start.silent
    for name in silent[:10]:
        yield Remark(name, "it gets no gradient: frozen, or unused by the output", "connect the layer, or leave it out")
    if len(silent) > 10:
        yield Remark(None, f"{len(silent) - 10} further parameters get no gradient", "look at the ones that are named")
