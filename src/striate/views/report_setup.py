"""What a run was made of, in the form the page shows it: status, options, data, versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median
from typing import TYPE_CHECKING

from striate.units import format_count
from striate.views.number_wording import format_duration

if TYPE_CHECKING:
    from striate.runs.records import DataCard, RunRecord, SplitCard

__all__ = [
    "STATUS_WORDS",
    "Option",
    "counts_table",
    "counts_words",
    "data_facts",
    "options",
    "plain_value",
    "run_facts",
    "when",
]

STATUS_WORDS = {
    "running": ("Still running", "notice"),
    "done": ("Finished", "good"),
    "stopped early": ("Stopped early", "good"),
    "out of time": ("Out of time", "notice"),
    "interrupted": ("Interrupted", "notice"),
    "diverged": ("Diverged", "bad"),
    "failed": ("Failed", "bad"),
}
"""How each status is said, and in which tone."""

# Not from the calendar module, whose names follow the reader's locale while the page is in English.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

_MOST_COUNTED_CLASSES = 40


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the recipe.

    Args:
        name: as it is written.
        value: as resolved.
        asked: whether the user gave it.
    """

    name: str
    value: str
    asked: bool


def when(text: str) -> str:
    """A stored time as people read it; text that is no time stays as it is.

    >>> when("2026-03-01T14:05:12.5+00:00")
    '1 March 2026, 14:05 UTC'
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}, {moment:%H:%M} UTC"


def plain_value(value: object) -> str:
    """A stored value as text.

    >>> plain_value([0.9, True, None]), plain_value({"flip": True}), plain_value("")
    ('0.9, true, not set', 'flip: true', '""')
    """
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {plain_value(entry)}" for key, entry in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(plain_value(entry) for entry in value) or "none"
    return str(value) or '""'


def options(record: RunRecord) -> tuple[tuple[Option, ...], tuple[Option, ...]]:
    """Every option as it was used, and what else was settled when the run began; nested ones as ``group.name``.

    An option that was left to Striate has its value, and maybe a reason ``<name>_reason``, in ``record.resolved``.
    """
    recipe, resolved = dict(_flattened(record.recipe, "")), dict(_flattened(record.resolved, ""))
    reasons = {name: resolved.pop(f"{name}_reason") for name in list(resolved) if f"{name}_reason" in resolved}

    def option(name: str, value: object) -> Option:
        reason = f": {reasons[name]}" if reasons.get(name) else ""
        asked = name in record.asked or name.partition(".")[0] in record.asked
        return Option(name, plain_value(value) + reason, asked)

    used = tuple(option(name, resolved.get(name, value)) for name, value in recipe.items())
    return used, tuple(option(name, value) for name, value in resolved.items() if name not in recipe)


def _flattened(values: Mapping[str, object], prefix: str) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found += _flattened(value, f"{prefix}{key}.")
        else:
            found.append((prefix + key, value))
    return found


def run_facts(record: RunRecord) -> tuple[tuple[str, str, str], ...]:
    """Training time, epochs and speed: (label, value, note) of what is known."""
    results = record.results
    facts: list[tuple[str, str, str]] = []
    seconds, done, best = results.get("seconds"), results.get("epochs_done"), results.get("best_epoch")
    speed = results.get("images_per_second")
    if isinstance(seconds, int | float):
        note = f"{speed:,.0f} images per second" if isinstance(speed, int | float) else ""
        facts.append(("Training time", format_duration(float(seconds)), note))
    if isinstance(done, int):
        asked = record.recipe.get("epochs")
        of = f" of {asked}" if isinstance(asked, int) and asked != done else ""
        facts.append(("Epochs", f"{done}{of}", f"best: epoch {best}" if isinstance(best, int) else ""))
    return tuple(facts)


def data_facts(card: DataCard) -> tuple[tuple[str, str], ...]:
    """The data card as names and values."""
    shown = card.preprocessing
    kinds = {"classes": "one class per image", "tags": "several tags per image", "values": "numbers"}
    nouns = {"classes": "classes", "tags": "tags", "values": "values"}
    colour = "grey" if shown.channels == 1 else "RGB"
    fits = {
        "exact": "every image has this size",
        "crop": "resized to cover it, then cropped at the centre",
        "stretch": "both axes resized to it",
    }
    means = ", ".join(f"{value:.4f}" for value in shown.mean)
    deviations = ", ".join(f"{value:.4f}" for value in shown.std)
    seed = "" if card.split_seed is None else f" (seed {card.split_seed})"
    seed = "" if "seed" in card.split_rule else seed
    return (
        ("Source", f"{card.source}" if card.source == card.kind else f"{card.source} ({card.kind})"),
        ("Answer", f"{kinds[card.task]}, {format_count(len(card.classes))} {nouns[card.task]}"),
        ("Split", card.split_rule + seed),
        ("Input", f"{colour}, {shown.height}×{shown.width} pixels: {fits[shown.fit]}"),
        ("Normalised", f"(pixel / 255 - mean) / std with mean {means} and std {deviations}, of the training split"),
        ("Transparency", f"put on grey level {shown.background} of 255"),
    )


def counts_table(card: DataCard) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Titles and rows of the images per class and split; empty with more classes than can be read."""
    splits = [(name, split) for name, split in card.splits.items() if split.counts]
    if not splits or len(card.classes) > _MOST_COUNTED_CLASSES:
        return (), ()
    rows = tuple((name, *(format_count(split.counts.get(name, 0)) for _, split in splits)) for name in card.classes)
    return tuple(name for name, _ in splits), rows


def counts_words(split: SplitCard) -> str:
    """The images per class of a split in a few words."""
    counts = sorted(split.counts.values())
    if not counts:
        return "–"
    if counts[0] == counts[-1]:
        return f"{format_count(counts[0])} each"
    return f"{format_count(counts[0])} to {format_count(counts[-1])}, median {median(counts):,g}"
