"""T407: the first epochs made the network worse."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["learning_rate_too_large"]

_WORSE = 1.2


@run_rule("T407", "learning-rate-too-large", "warning", "end")
def learning_rate_too_large(story: Story) -> Iterator[Remark]:
    """The training made the network worse than one that knows nothing.

    What: the mean training loss of an epoch but the first is 1.2 times that of a network that knows nothing and more;
        or the run diverged.
    Why: the steps overshoot: each throws the weights further than the last.
    Fix: --learning-rate, three to ten times smaller; --clip 1.
    Source: Smith 2017, "Cyclical learning rates for training neural networks", section 3.3 (where the loss rises the
        rate is too large); Goodfellow et al. 2016, "Deep learning", section 11.4.1.
    """
    first, rate = story.start_loss, story.facts.peak_rate
    fix = f"--learning-rate {rate / 10:.2g} --clip 1"
    worse = [point for point in story.epochs[1:] if first is not None and point.train_loss > _WORSE * first > 0]
    if worse:
        worst = max(worse, key=lambda point: point.train_loss)
        yield Remark(
            None,
            f"the training loss was {worst.train_loss:.3g} in epoch {worst.epoch}, and {first:.3g} is that of a network"
            f" that knows nothing; the peak learning rate is {rate:.3g}",
            fix,
        )
    elif story.status == "diverged":
        yield Remark(None, f"the run diverged at a peak learning rate of {rate:.3g}", fix)
