"""What to do about where the time of a training went: one sentence, which follows from the shares by rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from striate.runs.spent_record import Part, SpentRecord
from striate.views.time_spent import shares_in_percent

__all__ = ["CHANGES", "LIMITS", "Training", "advise"]

#: The share from which a part is worth a sentence. Twice as much is more urgent than a little more: the part that
#: exceeds its limit by the largest factor is spoken of.
LIMITS: dict[Part, float] = {
    "decode": 0.25,
    "probe": 0.25,
    "wait": 0.10,
    "augment": 0.20,
    "optimizer": 0.20,
    "validation": 0.25,
    "checkpoints": 0.10,
    "monitors": 0.10,
}
#: From this share on, computing is called the bound.
BOUND = 0.5
#: The options behind each random change, by the name of its class.
CHANGES: dict[str, tuple[str, ...]] = {
    "flips": ("flip",),
    "shift": ("shift",),
    "randaugment": ("randaugment",),
    "warp": ("crop", "scale", "rotate"),
    "color": ("color",),
    "hue": ("hue",),
    "cutout": ("cutout",),
    "mixing": ("mixup", "cutmix"),
}
_IDLE = (None, 0, 0.0, "none")


@dataclass(frozen=True)
class Training:
    """What the rules need to know of a training beside its times.

    Args:
        recipe: every option, as ``run.json`` has them.
        images_per_second: while training.
        divided: the data have a validation split of their own, so that ``--val`` has no say.
        on_disk: the pixels are kept in a file, not in memory.
        streamed: they are kept nowhere, and decoded whenever they are needed.
        epochs: that were trained, each with its validation.
        checkpoint_every: as asked; None: as measured.
        run: the run folder, for the command that is named.
    """

    recipe: Mapping[str, object] = field(default_factory=dict)
    images_per_second: float = 0.0
    divided: bool = False
    on_disk: bool = False
    streamed: bool = False
    epochs: int = 1
    checkpoint_every: float | None = None
    run: str = "latest"


def advise(spent: SpentRecord, training: Training) -> str:
    """One sentence: the part of the time that could be spared, and how; or that computing is the bound.

    >>> advise(SpentRecord(seconds={"forward": 30.0, "backward": 60.0, "other": 10.0}), Training())
    'computing is the bound (90 % forward and backward, 0 images/s); striate bench latest measures what would be faster'
    """
    excess = {part: spent.share(part) / limit for part, limit in LIMITS.items() if spent.share(part) > limit}
    if not excess:
        return _nothing_to_spare(spent, training)
    part = max(excess, key=lambda one: excess[one])
    share = f"{shares_in_percent(spent.seconds)[part]} % of the time"
    return {
        "decode": _decoding,
        "probe": _probing,
        "wait": _waiting,
        "augment": _augmenting,
        "optimizer": _updating,
        "validation": _validating,
        "checkpoints": _saving,
        "monitors": _checking,
    }[part](share, spent, training)


def _nothing_to_spare(spent: SpentRecord, training: Training) -> str:
    shares = shares_in_percent(spent.seconds)
    share = shares.get("forward", 0) + shares.get("backward", 0)
    bench = f"striate bench {training.run} measures what would be faster"
    if spent.share("forward", "backward") < BOUND:
        return f"no part stands out; {bench}"
    speed = f"{training.images_per_second:,.0f} images/s"
    return f"computing is the bound ({share} % forward and backward, {speed}); {bench}"


def _decoding(share: str, spent: SpentRecord, training: Training) -> str:
    return f"reading the images took {share}; it is done once, so a longer training has a smaller share of it"


def _probing(share: str, spent: SpentRecord, training: Training) -> str:
    if training.recipe.get("probe") == "again":
        return f"measuring how to compute took {share}; --probe auto takes what was decided before"
    return f"choosing how to compute took {share}; it is done once and kept, and --probe off takes the usual"


def _waiting(share: str, spent: SpentRecord, training: Training) -> str:
    told = f"the network waits for images {share}"
    if training.streamed and training.recipe.get("cache") == "stream":
        return f"{told}: --cache auto decodes them once where memory or the disk has room for them"
    if training.streamed:
        return f"{told}: they are decoded anew in each epoch; a smaller --size lets their pixels be kept"
    if training.on_disk and training.recipe.get("cache") == "disk":
        return f"{told}: --cache memory keeps their pixels at hand"
    smaller = "a smaller --size" if training.recipe.get("channels") == 1 else "a smaller --size or --channels 1"
    if training.on_disk:
        return f"{told}: their pixels are in a file on the disk, and {smaller} lets them fit into memory"
    return f"{told}: {smaller} leaves fewer bytes to fetch"


def _augmenting(share: str, spent: SpentRecord, training: Training) -> str:
    told = f"augmentation takes {share}"
    if not spent.changes or not sum(spent.changes.values()):
        return f"{told}: fewer random changes cost less"
    change = max(spent.changes, key=lambda one: spent.changes[one])
    names = [name for name in CHANGES.get(change, ()) if training.recipe.get(name) not in _IDLE]
    # Of crop, 1 is the whole image.
    names = [name for name in names if not (name == "crop" and training.recipe.get(name) in (1, 1.0))]
    flags = " and ".join(f"--{name}" for name in names) or change
    part = spent.changes[change] / sum(spent.changes.values())
    return f"{told}: of that, {100 * part:.0f} % is {flags}; without, each epoch is shorter, and learns less"


def _updating(share: str, spent: SpentRecord, training: Training) -> str:
    told = f"updates of the weights take {share}"
    if training.recipe.get("optimizer") == "muon":
        return f"{told}: that is muon; --optimizer adamw costs less a step, and a larger --batch needs fewer steps"
    if training.recipe.get("average") not in (None, "none"):
        return f"{told}: a larger --batch needs fewer of them, and --average none spares the average"
    return f"{told}: a larger --batch needs fewer of them"


def _validating(share: str, spent: SpentRecord, training: Training) -> str:
    told = f"validation takes {share}"
    if training.recipe.get("tta") not in (None, "none") and training.epochs == 1:
        return f"{told}: --tta none looks at each image once"
    if training.divided:
        return f"{told}: fewer images in the data's validation split would cost less, and say less"
    return f"{told}: a smaller --val keeps fewer images for it, and more to train on"


def _saving(share: str, spent: SpentRecord, training: Training) -> str:
    told = f"writing checkpoints and weights takes {share}"
    if training.checkpoint_every is not None:
        return f"{told}: a longer --checkpoint-every than {training.checkpoint_every:g}s writes fewer"
    return f"{told}: they follow each epoch, however short; --runs on a faster disk helps"


def _checking(share: str, spent: SpentRecord, training: Training) -> str:
    return (
        f"checks and monitors took {share}; most are made before the first step, so a longer training hardly has them"
    )
