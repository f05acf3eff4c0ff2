"""Where the time of a training went, as it is stored: seconds of each part, which add up to the whole."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from striate.runs.record_base import Record

__all__ = ["PARTS", "Part", "SpentRecord"]

Part = Literal[
    "decode",
    "probe",
    "wait",
    "prepare",
    "augment",
    "forward",
    "backward",
    "optimizer",
    "validation",
    "checkpoints",
    "monitors",
    "other",
]
PARTS: tuple[Part, ...] = get_args(Part)

Seconds = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


class SpentRecord(Record):
    """Seconds of a training, or of an epoch, by what they were spent on; over all processes that trained it.

    Attributes:
        seconds: of each part, each moment in one of them. ``decode``: reading and decoding the images before training;
            ``probe``: choosing arithmetic, memory order and threads, and building the network; ``wait``: blocked until
            the bytes of a batch are there; ``prepare``: from bytes to what the network sees; ``augment``: random
            changes; ``forward``, with the loss; ``backward``; ``optimizer``: updates, with constraints and averages;
            ``validation``: after each epoch, and of the best weights at the end; ``checkpoints``, with the weights
            written after an epoch; ``monitors``, with the checks before the first step; ``other``: what is left.
        changes: of ``augment``, by the change: ``flips``, ``shift``, ``warp`` …
        advice: what follows from it, one sentence; None where it was not given.

    >>> SpentRecord(seconds={"forward": 1.0, "backward": 3.0}).share("backward")
    0.75
    """

    seconds: dict[Part, Seconds] = Field(default_factory=dict)
    changes: dict[str, Seconds] = Field(default_factory=dict)
    advice: str | None = None

    @property
    def whole(self) -> float:
        """All parts together."""
        return sum(self.seconds.values())

    def share(self, *parts: Part) -> float:
        """What some parts are of the whole, 0..1."""
        return sum(self.seconds.get(part, 0.0) for part in parts) / self.whole if self.whole else 0.0
