"""What a checkpoint belongs to: one network, one recipe, one set of images. Anything else is another training."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.errors import DataError, RunError
from striate.runs.plain import plain
from striate.sources import to_yaml

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.graph import Graph
    from striate.runs import RunFolder
    from striate.runs.checkpoint_record import CheckpointRecord
    from striate.runs.records import DataCard

__all__ = ["Identity", "check_data", "check_identity", "differences", "fingerprint"]


@dataclass(frozen=True)
class Identity:
    """What must be equal for a training to go on.

    Args:
        network: sha256 of the network as it is written to ``net.yaml``.
        data: sha256 of each split, and of the classes with the preprocessing.
        recipe: every option, JSON-ready.
        plan: every open question as it was answered, JSON-ready.
    """

    network: str
    data: Mapping[str, str]
    recipe: Mapping[str, object]
    plan: Mapping[str, object]

    @staticmethod
    def of(graph: Graph, card: DataCard, recipe: Mapping[str, object], resolved: Mapping[str, object]) -> Identity:
        """The identity of a run, from what its folder says."""
        form = hashlib.sha256(repr(card.classes).encode() + card.preprocessing.json_bytes()).hexdigest()
        data: dict[str, str] = {name: split.hash for name, split in card.splits.items()}
        data["form"] = form
        return Identity(fingerprint(graph), data, _plain(recipe), _plain(resolved))


def fingerprint(graph: Graph) -> str:
    """sha256 of a network, in hexadecimal: of its layers, not of the comments and spaces around them."""
    return hashlib.sha256(to_yaml(graph).encode()).hexdigest()


def check_identity(identity: Identity, record: CheckpointRecord, folder: RunFolder) -> None:
    """Whether a checkpoint belongs to what the run folder says now.

    Raises:
        RunError: the network or the recipe was changed.
        DataError: the data were exchanged.
    """
    if identity.network != record.network:
        raise RunError(
            "the network is not the one that was trained",
            where=str(folder.net_yaml),
            got=f"sha256 {identity.network[:12]}",
            needs=f"sha256 {record.network[:12]}",
            write=f"net.yaml as it was; a changed network begins a new run: striate train {folder.net_yaml}",
        )
    for kind, now, then in (("recipe", identity.recipe, record.recipe), ("resolved", identity.plan, record.plan)):
        if changed := differences(now, then):
            name, new, old = changed[0]
            raise RunError(
                f"the {'recipe' if kind == 'recipe' else 'plan'} is not the one that was trained with"
                + (f" ({len(changed)} options differ)" if len(changed) > 1 else ""),
                where=f"{folder.run_json}: {kind}.{name}",
                got=f"{name}: {new}",
                needs=f"{name}: {old}",
                write="run.json as it was; another recipe begins a new run: striate train",
            )
    if dict(identity.data) != record.data:
        raise DataError(
            "data.json was changed: the checkpoint belongs to other images, classes or preprocessing",
            where=str(folder.data_json),
            got=_hashes(identity.data),
            needs=_hashes(record.data),
            write="data.json as it was",
        )


def check_data(dataset: Dataset, card: DataCard) -> None:
    """Whether these are the images that the run was trained on.

    Raises:
        DataError: says which split, or that the classes are others.
    """
    write = "the images as they were; changed images begin a new run: striate train"
    if dataset.classes != card.classes:
        raise DataError(
            f"the {card.task} are not those of the run any more",
            where=dataset.card.source,
            got=", ".join(dataset.classes[:8]),
            needs=", ".join(card.classes[:8]),
            write=write,
        )
    for name in ("train", "val", "test"):
        then, now = card.splits.get(name), dataset.card.splits.get(name)
        if (then and then.hash) != (now and now.hash):
            raise DataError(
                f"the {name} images are not those of the run any more",
                where=dataset.card.source,
                got="no such split" if now is None else f"{now.count} images, hash {now.hash[:12]}",
                needs="no such split" if then is None else f"{then.count} images, hash {then.hash[:12]}",
                write=write,
            )


def differences(now: Mapping[str, object], then: Mapping[str, object]) -> list[tuple[str, object, object]]:
    """(name, now, then) of every option that differs.

    >>> differences({"a": 1, "b": 2}, {"a": 1, "b": 3})
    [('b', 2, 3)]
    """
    return [(name, now.get(name), then.get(name)) for name in {**then, **now} if now.get(name) != then.get(name)]


def _plain(values: Mapping[str, object]) -> dict[str, object]:
    return {name: plain(value) for name, value in values.items()}


def _hashes(data: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value[:12]}" for name, value in data.items())
