"""Which splits a dataset gets: those it came with, and val and test taken from the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from striate.data.dataset import Labels, Split
from striate.data.naming import and_list, count_of, examples
from striate.data.options import Options
from striate.data.parts import SPLIT_NAMES, WHOLE, Collected
from striate.data.splitting import draw_share
from striate.errors import DataError, UsageError
from striate.findings import Finding
from striate.runs.records import Task

__all__ = ["Divided", "Plan", "check_enough", "divide", "draw_splits", "plan_splits"]

DEFAULT_TEST = 0.2
DEFAULT_VAL = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """What is taken from the images that training may see.

    Args:
        given: the splits that the source gives, in the order train, val, test.
        test: share of them, 0 for none.
        val: share of what then remains, 0 for none.
    """

    given: tuple[str, ...]
    test: float
    val: float

    @property
    def made(self) -> tuple[str, ...]:
        """The splits that share those images."""
        return ("train", *(["val"] if self.val else []), *(["test"] if self.test else []))


@dataclass(frozen=True, eq=False)
class Divided:
    """The splits, and how they came about.

    Args:
        splits: by name, ``train`` first.
        rule: in words, for the data card.
        drawn: whether the seed had a part in it.
        findings: splits that are missing.
    """

    splits: dict[str, Split]
    rule: str
    drawn: bool
    findings: tuple[Finding, ...]


def plan_splits(parts: Iterable[str], options: Options, where: str) -> Plan:
    """What to take: 20 % as test if nothing is given, 10 % of the training images as val if no val is given.

    Raises:
        UsageError: a share is asked for a split that the source gives.
    """
    given = tuple(name for name in SPLIT_NAMES if name in set(parts))
    for name, share in (("val", options.val), ("test", options.test)):
        if share is not None and name in given:
            raise UsageError(
                f"the source gives its own {name} split",
                where=where,
                got=f"{name}={share:g}",
                needs=f"given splits are used as they are; leave {name} out",
            )
    test = options.test if options.test is not None else (0.0 if given else DEFAULT_TEST)
    val = options.val if options.val is not None else (0.0 if "val" in given else DEFAULT_VAL)
    return Plan(given, test, val)


def check_enough(labels: Labels, classes: Sequence[str], plan: Plan, task: Task, where: str) -> None:
    """Check that every split to be made can have an image of every class.

    Args:
        labels: of the images to divide, as in Split.
        classes: names, in the order of the contract.
        plan: the splits to be made.
        task: of the labels.
        where: the source, for the message.

    Raises:
        DataError: a class has too few images; names it, its count and what is needed.
    """
    needed = len(plan.made)
    counts = np.bincount(labels, minlength=len(classes)) if task == "classes" else np.array([len(labels)])
    few = [(index, int(count)) for index, count in enumerate(counts) if count < needed]
    if not few:
        return
    if task == "classes":
        got = examples([f"class {classes[index]!r} has {count_of(count, 'image')}" for index, count in few], shown=5)
        problem = f"too few images of {'a class' if len(few) == 1 else count_of(len(few), 'class')} to divide"
    else:
        got, problem = count_of(len(labels), "image"), "too few images to divide"
    off = " and ".join(f"{split}=0" for split in plan.made[1:])
    raise DataError(
        problem,
        where=where,
        got=got,
        needs=f"at least {needed}{' of each class' if task == 'classes' else ''}: one each for {and_list(plan.made)}",
        write=f"add images, or {off} to do without" if off else "add images",
    )


def divide(collected: Collected, options: Options, where: str) -> Divided:
    """Take val and test as planned. Each split keeps the order of the source.

    Raises:
        UsageError: a share is asked for a split that the source gives.
        DataError: a class has too few images for every split to have one.
    """
    plan = plan_splits(collected.parts, options, where)
    pool_name = "train" if plan.given else WHOLE
    pool = collected.parts[pool_name]
    check_enough(pool.labels, collected.classes, plan, collected.task, where)
    splits = {name: collected.parts[name] for name in plan.given}
    for name, indices in draw_splits(pool.labels, pool.ids, plan, options.seed, collected.task).items():
        splits[name] = pool if len(indices) == len(pool) else pool.take(indices)
    ordered: dict[str, Split] = {name: splits[name] for name in SPLIT_NAMES if name in splits}
    drawn = len(plan.made) > 1
    return Divided(ordered, _rule(collected, plan, options), drawn, _missing(ordered, options))


def draw_splits(
    labels: Labels, ids: Sequence[str], plan: Plan, seed: int, task: Task
) -> dict[str, npt.NDArray[np.intp]]:
    """The images of each split that is made, as indices in increasing order; ``train`` first.

    The same images are drawn whatever order they come in.

    Args:
        labels: of the images to divide, as in Split.
        ids: one per image.
        plan: the shares.
        seed: of the draw.
        task: of the labels.
    """
    drawn = {}
    remaining = np.arange(len(ids))
    for name, share in (("test", plan.test), ("val", plan.val)):
        if share:
            keep = plan.made.index(name)  # train, and for test also val, still need theirs
            named = [ids[index] for index in remaining.tolist()]
            mask = draw_share(labels[remaining], named, share, name=name, keep=keep, seed=seed, task=task)
            drawn[name] = remaining[mask]
            remaining = remaining[~mask]
    return {"train": remaining, **dict(reversed(drawn.items()))}


def _rule(collected: Collected, plan: Plan, options: Options) -> str:
    taken = []
    if plan.test:
        taken.append(f"test {plan.test * 100:g} % of {'train' if plan.given else 'all'}")
    if plan.val:
        taken.append(f"val {plan.val * 100:g} % of {'the rest' if plan.test else 'train' if plan.given else 'all'}")
    if not taken:
        return collected.rule or "all images in train"
    how = "at random" if collected.task == "values" else "stratified"
    drawn = f"{', '.join(taken)}, {how}, seed {options.seed}"
    return f"{and_list(plan.given)} {collected.rule}; {drawn}" if plan.given else drawn


def _missing(splits: dict[str, Split], options: Options) -> tuple[Finding, ...]:
    """Said unless it was asked for. Val is taken by default, so only test can be missing without anybody's wish."""
    if "test" in splits or options.test is not None:
        return ()
    text = "there is no test split: no number will come from images that had no part in training or choosing"
    return (Finding("D020", "info", text, fix="test=0.2 takes one from train"),)
