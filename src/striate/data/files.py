"""From a list of image files to images in memory, in two passes: all headers first, then all pixels."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.data.contract import check_labelled
from striate.data.dataset import Images, Labels, Split
from striate.data.decode_files import Entry, Outcome, decode_into
from striate.data.dividing import Plan, check_enough, draw_splits, plan_splits
from striate.data.headers import read_header
from striate.data.image_source import selected
from striate.data.keeping import choose_keeping, refuse_idle_workers
from striate.data.memory import check_fits
from striate.data.naming import count_of
from striate.data.options import Options
from striate.data.parts import WHOLE, Collected, Listing
from striate.data.placing import Rows, by_part, rows_of, without_broken
from striate.data.pool import cores, map_waiting
from striate.data.shortcuts import property_finding
from striate.data.stored_files import Stored, find_stored, store, stored_name
from striate.data.target import Outline, Target, choose_target
from striate.data.traits import skipped_finding, trait_findings
from striate.errors import DataError
from striate.findings import Finding

__all__ = ["collect_files"]

Skipped = list[tuple[str, str]]
Traits = dict[str, list[str]]
Readable = Mapping[str, Mapping[int, Entry]]
"""By part and by index into its files: those whose header could be read."""


@dataclass(frozen=True, eq=False)
class _Work:
    """What every step needs to know."""

    listing: Listing
    options: Options
    plan: Plan
    where: str

    @property
    def pool(self) -> str:
        """The part that val and test may be taken from."""
        return "train" if self.plan.given else WHOLE

    @property
    def total(self) -> int:
        return sum(len(files.ids) for files in self.listing.files.values())


def collect_files(listing: Listing, options: Options, where: str) -> Collected:
    """Read all files of a listing.

    Args:
        listing: what a folder or table names.
        options: what the user asked for.
        where: the source, for messages.

    Raises:
        DataError: a broken image under ``broken="error"``; no image left of a class; room for the pixels neither in
            memory nor on the disk; images of another size under ``fit="exact"``.
        StorageError: the file of decoded pixels cannot be written.
    """
    work = _Work(listing, options, plan_splits(listing.files, options, where), where)
    _check_enough(work, listing.files[work.pool].labels)  # before the work of decoding
    earlier = find_stored(listing, options, where)
    if earlier.stored is not None:
        refuse_idle_workers(options, "in a file on the disk, that an earlier start left")
        return _collected(work, earlier.stored, "the pixels that an earlier start left in a file on the disk")
    skipped: Skipped = []
    readable = _read_headers(work, skipped)
    target, found = _target(readable, work)
    found = (*earlier.findings, *found, *_shortcuts(readable[work.pool], work, target))

    def finish(outcomes: Mapping[str, Mapping[int, Outcome]]) -> dict[str, Any]:
        traits: Traits = {}
        usable = {part: _usable(work, part, results, skipped, traits) for part, results in outcomes.items()}
        _check_left(work, usable, skipped)
        said = (*skipped_finding(skipped, work.total), *trait_findings(traits), *found)
        return {"skipped": skipped, "findings": [finding.as_dict() for finding in said]}

    count = sum(map(len, readable.values()))
    keeping = choose_keeping(options, count, target.shape)
    if keeping.place == "disk":
        order = functools.partial(_order, work)
        name = stored_name(listing, options, where)
        return _collected(work, store(name, readable, target, order, finish, where), keeping.told)
    if keeping.place == "stream":
        from striate.data.streamed_files import streamed  # with multiprocessing, which nothing else needs

        stored, workers = streamed(listing, readable, target, functools.partial(_drawn, work), finish, options.workers)
        return _collected(work, stored, f"{keeping.told}, by {count_of(workers, 'process')}")
    check_fits(count, *target.shape, where)
    return _collected(work, _in_memory(work, readable, target, finish), keeping.told)


def _in_memory(
    work: _Work,
    readable: Readable,
    target: Target,
    finish: Callable[[Mapping[str, Mapping[int, Outcome]]], dict[str, Any]],
) -> Stored:
    """Decode into one array in which every split is a stretch, so that dividing it copies nothing."""
    planned = _order(work, {part: list(entries) for part, entries in readable.items()})
    places = [(part, index) for part, rows in planned.items() for index in rows]
    images: Images = np.empty((len(places), *target.shape), np.uint8)
    decoded = decode_into(images, [readable[part][index] for part, index in places], target)
    record = finish(by_part(places, decoded))
    rows = _order(work, without_broken(places, decoded))
    wanted = [(part, index) for part, indices in rows.items() for index in indices]
    if wanted != places:
        images = images[rows_of(wanted, places)]
    findings = tuple(Finding(**fields) for fields in record["findings"])
    return Stored(images, rows, target, tuple(record["skipped"]), findings)


def _collected(work: _Work, stored: Stored, kept: str) -> Collected:
    listing, parts, start = work.listing, {}, 0
    for part, files in listing.files.items():
        rows = stored.rows[part]
        ids = tuple(files.ids[row] for row in rows)
        images = selected(stored.images, slice(start, start + len(rows)))
        parts[part] = Split(images, files.labels[np.asarray(rows, np.intp)], ids)
        start += len(rows)
    said = (*listing.findings, *stored.findings)
    return Collected(
        listing.kind, listing.task, listing.classes, parts, listing.rule, stored.target, said, stored.skipped, kept
    )


def _order(work: _Work, usable: Mapping[str, Sequence[int]]) -> Rows:
    """The images of the pool ordered by the split that each will be drawn into, so that a split is a stretch."""
    return {part: [index for rows in drawn for index in rows] for part, drawn in _drawn(work, usable).items()}


def _drawn(work: _Work, usable: Mapping[str, Sequence[int]]) -> dict[str, list[list[int]]]:
    """By part, the images of each split that it will be divided into."""
    rows = {part: [list(indices)] for part, indices in usable.items()}
    files, [indices] = work.listing.files[work.pool], rows[work.pool]
    labels, ids = files.labels[np.asarray(indices, np.intp)], [files.ids[index] for index in indices]
    _check_enough(work, labels)
    drawn = draw_splits(labels, ids, work.plan, work.options.seed, work.listing.task)
    rows[work.pool] = [[indices[place] for place in places] for places in drawn.values()]
    return rows


def _check_enough(work: _Work, labels: Labels) -> None:
    check_enough(labels, work.listing.classes, work.plan, work.listing.task, work.where)


def _read_headers(work: _Work, skipped: Skipped) -> Readable:
    readable = {}
    for part, files in work.listing.files.items():
        headers = map_waiting(read_header, files.paths, _workers(work.total))
        kept = _without_broken(files.ids, dict(enumerate(header.broken for header in headers)), work.options, skipped)
        readable[part] = {index: Entry(files.paths[index], headers[index]) for index in kept}
    _check_left(work, {part: list(entries) for part, entries in readable.items()}, skipped)
    return readable


def _usable(work: _Work, part: str, results: Mapping[int, Outcome], skipped: Skipped, traits: Traits) -> list[int]:
    """The decoded images of a part, in the order of the source, and what was odd about them."""
    ids = work.listing.files[part].ids
    ordered = dict(sorted(results.items()))
    kept = _without_broken(ids, {index: one.reason for index, one in ordered.items()}, work.options, skipped)
    for index in kept:
        for trait in ordered[index].traits:
            traits.setdefault(trait, []).append(ids[index])
    return kept


def _shortcuts(entries: Mapping[int, Entry], work: _Work, target: Target) -> tuple[Finding, ...]:
    """Whether size, format or colour give the class away; colour only where the network can see it."""
    if work.listing.task != "classes":
        return ()
    headers = [entry.header for entry in entries.values()]
    properties: dict[str, list[str]] = {
        "size": [f"{header.height}×{header.width}" for header in headers],
        "format": [header.format for header in headers],
    }
    if target.channels == 3:
        properties["colour"] = ["grey" if header.grey else "RGB" for header in headers]
    labels = work.listing.files[work.pool].labels[np.fromiter(entries, np.intp)]
    return property_finding(labels, work.listing.classes, properties)


def _workers(count: int) -> int:
    return min(cores(), max(1, count // 16))


def _without_broken(
    ids: Sequence[str], reasons: Mapping[int, str | None], options: Options, skipped: Skipped
) -> list[int]:
    """Indices of the images that have no reason against them; the others go to ``skipped``, or raise."""
    kept = []
    for index, reason in reasons.items():
        if reason is None:
            kept.append(index)
        elif options.broken == "error":
            raise DataError(
                "an image cannot be used",
                where=ids[index],
                got=reason,
                needs="a whole JPEG, PNG, BMP, GIF, TIFF, WebP or PPM image",
                write="broken='skip' leaves such images out and names them",
            )
        else:
            skipped.append((ids[index], reason))
    return kept


def _check_left(work: _Work, parts: Mapping[str, Sequence[int]], skipped: Skipped) -> None:
    after = f" after {count_of(len(skipped), 'unreadable image')} {'was' if len(skipped) == 1 else 'were'} skipped"
    for part, left in parts.items():
        if not left:
            named = [f"{name}: {reason}" for name, reason in skipped][:3]
            raise DataError(
                f"no image is left{'' if len(parts) == 1 else f' in {part}'}{after if skipped else ''}",
                where=work.where,
                got="; ".join(named) or "no image at all",
                needs="whole JPEG, PNG, BMP, GIF, TIFF, WebP or PPM images",
            )
    if work.listing.task == "classes" and skipped:
        labels = {part: work.listing.files[part].labels[np.asarray(left, np.intp)] for part, left in parts.items()}
        check_labelled(labels, work.listing.classes, work.where, after)


def _target(readable: Readable, work: _Work) -> tuple[Target, tuple[Finding, ...]]:
    outlines = {
        part: [
            Outline(work.listing.files[part].ids[index], entry.header.width, entry.header.height, entry.header.grey)
            for index, entry in entries.items()
        ]
        for part, entries in readable.items()
    }
    held_out = [outline for part in ("val", "test") for outline in outlines.pop(part, [])]
    (train,) = outlines.values()
    return choose_target(train, held_out, work.options, work.where)
