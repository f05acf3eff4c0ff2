"""The class contract: every split has the same classes, in the same order, or nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from striate.data.dataset import Labels
from striate.data.naming import examples, folded
from striate.data.parts import WHOLE
from striate.errors import DataError, near_miss

__all__ = ["check_labelled", "class_contract", "names_present"]


def class_contract(classes: Mapping[str, Sequence[str]], *, where: str | None = None) -> None:
    """Check that all splits have the same classes in the same order.

    Args:
        classes: by split, the names in the order in which its labels count them. The first split is the reference.
        where: the source, for the message.

    Raises:
        DataError: fewer than two classes, a name twice, or a split whose classes are missing, extra, renamed or in
            another order. The message names them and says which looks like a renaming.

    >>> class_contract({"train": ["cat", "dog"], "test": ["cat", "dog"]})
    >>> class_contract({"train": ["cat", "dog"], "test": ["Cat", "dog"]})
    Traceback (most recent call last):
    striate.errors.DataError: the classes of test are not those of train
      got:   test lacks 'cat'; test has 'Cat', which train has not ('Cat' looks like 'cat' renamed)
      needs: the same classes in every split: 'cat', 'dog'
      write: rename 'Cat' in test to 'cat'
    """
    (reference, names), *others = classes.items()
    _check_reference(reference, names, where)
    for split, found in others:
        if set(found) != set(names):
            raise _difference(reference, names, split, found, where)
        if list(found) != list(names):
            first = next(i for i, (a, b) in enumerate(zip(names, found, strict=False)) if a != b)
            raise DataError(
                f"the classes of {split} are those of {reference} in another order",
                where=where,
                got=f"class {first} is {names[first]!r} in {reference} and {found[first]!r} in {split}",
                needs=f"one order in every split: {_quoted(names)}",
                write=f"sort the classes of {split} as in {reference} and renumber its labels",
            )


def names_present(labels: Labels, classes: Sequence[str]) -> list[str]:
    """The names that occur among int64 labels, in the order of ``classes``."""
    counts = np.bincount(labels, minlength=len(classes))
    return [name for name, count in zip(classes, counts, strict=True) if count]


def check_labelled(labels: Mapping[str, Labels], classes: Sequence[str], where: str, after: str = "") -> None:
    """Check that every class has an image in every part, by its int64 labels.

    Args:
        labels: by part.
        classes: in the order of the contract.
        where: the source, for the message.
        after: what happened before, such as " after 3 unreadable images were skipped".

    Raises:
        DataError: a class has no image in a part.
    """
    for part, values in labels.items():
        present = set(names_present(values, classes))
        missing = [name for name in classes if name not in present]
        if missing:
            place = "" if part == WHOLE else f" in {part}"
            raise DataError(
                f"{'class' if len(missing) == 1 else 'classes'} without an image{place}{after}",
                where=where,
                got=f"no image of {_quoted(missing)}{place}",
                needs="at least one readable image of every class in every split",
                write="add images of it, or remove the class everywhere",
            )


def _quoted(names: Sequence[str]) -> str:
    return examples([repr(name) for name in names], shown=10)


def _check_reference(reference: str, names: Sequence[str], where: str | None) -> None:
    place = "" if reference == WHOLE else f" in {reference}"
    if len(set(names)) != len(names):
        twice = [name for name in dict.fromkeys(names) if list(names).count(name) > 1]
        raise DataError(f"a class is named twice{place}", where=where, got=_quoted(twice), needs="one name per class")
    if "" in names:
        raise DataError(f"a class has no name{place}", where=where, got=_quoted(names), needs="a name for every class")
    if len(names) < 2:
        raise DataError(
            f"there is only one class{place}" if names else f"there is no class{place}",
            where=where,
            got=_quoted(names) if names else "no labelled image",
            needs="two classes or more: with one there is nothing to tell apart",
            write="add images of what is not in that class, as a class of its own",
        )


def _difference(reference: str, names: Sequence[str], split: str, found: Sequence[str], where: str | None) -> DataError:
    missing = [name for name in names if name not in set(found)]
    extra = [name for name in found if name not in set(names)]
    renamed: dict[str, str] = {}
    for name in extra:
        left = [known for known in missing if known not in renamed.values()]
        same = next((known for known in left if folded(known) == folded(name)), None) or near_miss(name, left)
        if same is not None:
            renamed[name] = same
    facts = [f"{split} lacks {_quoted(missing)}"] if missing else []
    if extra:
        guesses = examples([f"{new!r} looks like {old!r} renamed" for new, old in renamed.items()])
        fact = f"{split} has {_quoted(extra)}, which {reference} has not"
        facts.append(f"{fact} ({guesses})" if guesses else fact)
    if renamed:
        write = examples([f"rename {new!r} in {split} to {old!r}" for new, old in renamed.items()])
    elif missing:
        write = f"add images of {_quoted(missing)} to {split}, or take the class out of {reference}"
    else:
        write = f"add images of {_quoted(extra)} to {reference}, or remove them from {split}"
    return DataError(
        f"the classes of {split} are not those of {reference}",
        where=where,
        got="; ".join(facts),
        needs=f"the same classes in every split: {_quoted(names)}",
        write=write,
    )
