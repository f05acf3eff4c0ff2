"""T404: the validation loss rises while the training loss falls."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["overfitting"]

#: Epochs since the best validation loss; what it has risen and training has fallen by, as shares; and the share of the
#: first loss that the rise has to be.
_EPOCHS, _RISE, _FALL, _LOST = 3, 1.1, 0.9, 0.05


@run_rule("T404", "overfitting", "warning", "epochs")
def overfitting(story: Story) -> Iterator[Remark]:
    """The validation loss rises while the training loss falls.

    What: since the best validation loss, three epochs ago or more, it has risen by a tenth and more and stayed above,
        while the training loss has fallen by a tenth. The rise has to be 5 % of the loss that a network has that knows
        nothing: near 0 it is noise.
    Why: the network learns its images by heart; on new ones it becomes more sure where it is wrong. The weights of the
        best epoch by accuracy are kept, so this costs time first of all.
    Fix: augmentation (--flip, --shift, --crop), dropout, --weight-decay, --early-stopping, fewer --epochs, more images.
    Source: Prechelt 1998, "Early stopping - but when?"; Schoop et al. 2021 (UMLAUT); Amazon SageMaker Debugger, rule
        Overfit (a gap of a tenth).
    """
    points = [point for point in story.epochs if point.val_loss is not None]
    if len(points) <= _EPOCHS:
        return
    place = min(range(len(points)), key=lambda index: points[index].val_loss or 0.0)
    best, later, newest = points[place], points[place + 1 :], points[-1]
    if len(later) < _EPOCHS or best.val_loss is None or newest.val_loss is None:
        return
    lowest = min(point.val_loss or 0.0 for point in later[-_EPOCHS:])
    first = story.start_loss if story.start_loss is not None else points[0].train_loss
    risen = lowest > _RISE * best.val_loss and lowest - best.val_loss > _LOST * first
    if risen and newest.train_loss < _FALL * best.train_loss:
        stop = "" if story.facts.early_stopping else "--early-stopping 5; "
        yield Remark(
            "val",
            f"the validation loss rose from {best.val_loss:.3g} (epoch {best.epoch}) to {newest.val_loss:.3g} (epoch"
            f" {newest.epoch}) while the training loss fell from {best.train_loss:.3g} to {newest.train_loss:.3g}",
            f"{stop}augmentation (--shift, --flip, --rotate), dropout, or more images",
        )
