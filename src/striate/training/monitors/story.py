"""Story: all that a rule sees of a training: what was planned, and what was measured so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

__all__ = ["EpochPoint", "Facts", "Sample", "Start", "Story"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known before the first step.

    Args:
        task: ``classes``, ``tags`` or ``values``.
        classes: outputs of the network.
        train, val: images of the splits; val is 0 without one.
        batch: images of an update.
        peak_rate: the highest learning rate of the schedule.
        random: whether images or activations are changed at random while training (augmentation, dropout), which
            lowers the training accuracy.
        mixed: whether images and their labels are mixed (MixUp, CutMix), so that loss and accuracy while training say
            little.
        epochs: planned; None when only the time ends it.
        early_stopping: whether it stops without improvement.
    """

    task: str
    classes: int
    train: int
    val: int
    batch: int
    peak_rate: float
    random: bool = False
    mixed: bool = False
    epochs: int | None = None
    early_stopping: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """What was measured before the first step, on a few training images and a copy of the network.

    Args:
        images: how many.
        loss: with the first weights, in training mode.
        expected: the loss of outputs that are all 0: ln C for cross-entropy, whatever the class weights.
        finite: whether every output was finite.
        gradients: norm of the gradient of each weight, in the order of the layers.
        silent: parameters whose gradient was None or all 0, and still was after the steps that followed.
        dead: share of the units of each ReLU-like layer that were 0 on every image.
        overfit: the loss on ``overfit_images`` images after each step of overfitting them; empty where not tried.
        overfit_images: how many images that were.
        overfit_finished: whether the steps were all taken, or the loss fell far enough before.
    """

    images: int
    loss: float
    expected: float
    finite: bool
    gradients: Mapping[str, float] = field(default_factory=dict)
    silent: tuple[str, ...] = ()
    dead: Mapping[str, float] = field(default_factory=dict)
    overfit: tuple[float, ...] = ()
    overfit_images: int = 0
    overfit_finished: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """One step, looked at closely.

    Args:
        epoch: counted from 1.
        step: since training began, counted from 1.
        rate: learning rate of the step.
        loss: mean over the epoch up to this step; None where it is not known.
        gradients: L2 norm of the gradient of each weight, in the order of the layers.
        weights: L2 norm of each parameter before the step.
        updates: L2 norm of what the step changed it by.
        outputs: mean and standard deviation of what left each layer with weights.
        dead: share of the units of each ReLU-like layer that were 0 on every image of the newest samples.
        saturation: mean of the absolute output of each tanh and sigmoid layer, scaled to -1..1.
    """

    epoch: int
    step: int
    rate: float
    loss: float | None = None
    gradients: Mapping[str, float] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    updates: Mapping[str, float] = field(default_factory=dict)
    outputs: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    dead: Mapping[str, float] = field(default_factory=dict)
    saturation: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EpochPoint:
    """One epoch.

    Args:
        epoch: counted from 1.
        train_loss, train_accuracy: means over the epoch, measured while training; None without classes.
        val_loss, val_accuracy: afterwards; None without a validation split.
    """

    epoch: int
    train_loss: float
    train_accuracy: float | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None


@dataclass(frozen=True)
class Story:
    """A training so far.

    Args:
        facts: what was known before.
        start: the checks before the first step; None where there were none.
        first: the first sample of the whole training, which drift is measured from; None without samples.
        samples: the samples to be judged, oldest first.
        epochs: the finished epochs.
        status: how the run ended; None while it runs.
        reason: one sentence on how it ended.
    """

    facts: Facts
    start: Start | None = None
    first: Sample | None = None
    samples: tuple[Sample, ...] = ()
    epochs: tuple[EpochPoint, ...] = ()
    status: str | None = None
    reason: str | None = None

    def with_sample(self, sample: Sample) -> Story:
        """The story with one more sample."""
        return replace(self, first=self.first or sample, samples=(*self.samples, sample))

    def with_epoch(self, point: EpochPoint) -> Story:
        """The story with one more epoch."""
        return replace(self, epochs=(*self.epochs, point))

    @property
    def start_loss(self) -> float | None:
        """The loss of a network that knows nothing: measured before, or of the first sample; None where unknown."""
        if self.start is not None:
            return self.start.expected
        return None if self.first is None else self.first.loss
