"""Other images in the form and under the classes that a trained network knows."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from striate.data.dataset import Labels, Split
from striate.data.options import Fit, Options
from striate.data.parts import WHOLE, Collected
from striate.data.sources import collect
from striate.errors import DataError, UsageError, near_miss
from striate.findings import Finding
from striate.runs.records import DataCard

__all__ = ["Matching", "load_matching"]


@dataclass(frozen=True, eq=False)
class Matching:
    """Other images as a run needs them.

    Args:
        parts: the source's splits by name; ``all`` where it gives none. Labels count the run's classes.
        findings: what was left out or changed on reading.
    """

    parts: dict[str, Split]
    findings: tuple[Finding, ...]


def load_matching(source: str | os.PathLike[str], card: DataCard) -> Matching:
    """Read a source with the preprocessing and the classes of a run.

    Args:
        source: anything :func:`striate.data.load_data` takes.
        card: of the run. Its order of the classes holds. The source may lack classes or tags, but may not have others;
            columns of values must all be there.

    Raises:
        DataError: when the source cannot be used, has another task, or has classes the network was not trained on.
        UsageError: when the source is of a kind that never has labels of the run's task.
    """
    form = card.preprocessing
    # Like prediction: an image of another size is brought to the network's, not refused.
    fit = cast("Fit", "crop" if form.fit == "exact" else form.fit)
    options = Options(size=(form.height, form.width), channels=form.channels, fit=fit, task=card.task)
    collected = _collect_whole(source, options)
    where = os.fspath(source)
    if collected.task != card.task:
        raise DataError("these are labels of another kind", where=where, got=collected.task, needs=card.task)
    _check_names(collected.classes, card, where)
    parts = {
        "all" if name == WHOLE else name: Split(part.images, _mapped(part.labels, collected.classes, card), part.ids)
        for name, part in collected.parts.items()
    }
    return Matching(parts, collected.findings)


def _collect_whole(source: str | os.PathLike[str], options: Options) -> Collected:
    """Read a source that will not be divided: then one image of a class is enough.

    A share of 0 says so, but is refused for a split that the source gives; which it gives is known only by asking.
    """
    for val, test in ((0.0, 0.0), (None, 0.0), (0.0, None)):
        with contextlib.suppress(UsageError):
            return collect(source, replace(options, val=val, test=test))
    return collect(source, options)


def _check_names(found: tuple[str, ...], card: DataCard, where: str) -> None:
    unknown = [name for name in found if name not in card.classes]
    if unknown:
        raise DataError(
            f"the network was not trained on {unknown[0]!r}",
            where=where,
            got=", ".join(found),
            needs=", ".join(card.classes),
            write=near_miss(unknown[0], card.classes),
        )
    missing = [name for name in card.classes if name not in found]
    if card.task == "values" and missing:
        raise DataError(
            f"there are no values of {missing[0]!r} to compare with",
            where=where,
            got=", ".join(found),
            needs=", ".join(card.classes),
        )


def _mapped(labels: Labels, found: tuple[str, ...], card: DataCard) -> Labels:
    """Labels by the run's classes: indices are exchanged, columns are put in their places; a tag not there is 0."""
    if found == card.classes:
        return labels
    places = np.array([card.classes.index(name) for name in found], dtype=np.int64)
    if card.task == "classes":
        return cast("Labels", places[labels])
    columns = np.zeros((len(labels), len(card.classes)), labels.dtype)
    columns[:, places] = labels
    return columns
