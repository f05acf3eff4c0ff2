"""Other images in the form and under the classes that a trained network knows."""

from __future__ import annotations

import os
from typing import cast

import numpy as np

from striate.data.dataset import Split
from striate.data.options import Fit, Options
from striate.data.parts import WHOLE
from striate.data.sources import collect
from striate.errors import DataError, near_miss
from striate.runs.records import DataCard

__all__ = ["load_matching"]


def load_matching(source: str | os.PathLike[str], card: DataCard) -> dict[str, Split]:
    """Read a source with the preprocessing and the classes of a run.

    Args:
        source: anything :func:`striate.data.load_data` takes.
        card: of the run. Its order of the classes holds; the source may lack some, but may not have others.

    Returns:
        The source's splits by name; ``all`` where it gives none.

    Raises:
        DataError: when the source cannot be used, has another task, or has classes the network was not trained on.
    """
    form = card.preprocessing
    # Like prediction: an image of another size is brought to the network's, not refused.
    fit = cast("Fit", "crop" if form.fit == "exact" else form.fit)
    options = Options(size=(form.height, form.width), channels=form.channels, fit=fit, task=None)
    collected = collect(source, options)
    where = os.fspath(source)
    if collected.task != card.task:
        raise DataError("these are labels of another kind", where=where, got=collected.task, needs=card.task)
    if collected.classes == card.classes:
        return {"all" if name == WHOLE else name: part for name, part in collected.parts.items()}
    unknown = [name for name in collected.classes if name not in card.classes]
    if unknown or card.task != "classes":
        names = unknown or list(collected.classes)
        raise DataError(
            f"the network was not trained on {names[0]!r}",
            where=where,
            got=", ".join(collected.classes),
            needs=", ".join(card.classes),
            write=near_miss(names[0], card.classes),
        )
    index = np.array([card.classes.index(name) for name in collected.classes], dtype=np.int64)
    return {
        name if name != WHOLE else "all": Split(part.images, index[part.labels], part.ids)
        for name, part in collected.parts.items()
    }
