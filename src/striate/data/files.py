"""From a list of image files to images in memory, in two passes: all headers first, then all pixels."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from striate.data.broken import BrokenImageError, reason_of
from striate.data.contract import check_labelled
from striate.data.dataset import Images, Split
from striate.data.decoding import decode
from striate.data.dividing import check_enough, plan_splits
from striate.data.headers import Header, read_header
from striate.data.memory import available_memory, check_fits
from striate.data.naming import count_of
from striate.data.options import Options
from striate.data.parts import WHOLE, Collected, Files, Listing
from striate.data.pool import cores, map_in_order
from striate.data.target import Outline, Target, choose_target
from striate.data.traits import skipped_finding, trait_findings
from striate.errors import DataError
from striate.findings import Finding

__all__ = ["collect_files"]

BYTES_PER_PIXEL = 16
"""What decoding takes at its worst: Pillow's 4 bytes, times the copies that transparency needs."""
THREADS_PAY = 128 * 128
"""Pixels from which decoding outside the interpreter lock outweighs handing images to threads."""

Skipped = list[tuple[str, str]]
Traits = dict[str, list[str]]


def collect_files(listing: Listing, options: Options, where: str) -> Collected:
    """Read all files of a listing.

    Args:
        listing: what a folder or table names.
        options: what the user asked for.
        where: the source, for messages.

    Raises:
        DataError: a broken image under ``broken="error"``; no image left of a class; not enough memory; images of
            another size under ``fit="exact"``.
    """
    plan = plan_splits(listing.files, options, where)
    pool = listing.files["train" if plan.given else WHOLE]
    check_enough(pool.labels, listing.classes, plan, listing.task, where)  # before the work of decoding
    total = sum(len(files.ids) for files in listing.files.values())
    skipped: Skipped = []
    readable: dict[str, tuple[Files, list[Header]]] = {}
    for part, files in listing.files.items():
        headers = list(map_in_order(read_header, files.paths, _workers(total)))
        kept = _without_broken(files.ids, [header.broken for header in headers], options, skipped)
        readable[part] = (_pick(files, kept), [headers[index] for index in kept])
    _check_left(listing, {part: files for part, (files, _) in readable.items()}, skipped, where)
    target, found = _target(readable, options, where)
    count = sum(len(files.ids) for files, _ in readable.values())
    check_fits(count, target.channels, target.height, target.width, where)
    traits: Traits = {}
    parts = {
        part: _decode_part(files, headers, target, options, skipped, traits)
        for part, (files, headers) in readable.items()
    }
    _check_left(listing, parts, skipped, where)
    said = (*listing.findings, *skipped_finding(skipped, total), *trait_findings(traits), *found)
    return Collected(listing.kind, listing.task, listing.classes, parts, listing.rule, target, said, tuple(skipped))


def _workers(count: int) -> int:
    return min(cores(), max(1, count // 16))


def _pick(files: Files, kept: Sequence[int]) -> Files:
    paths, ids = tuple(files.paths[i] for i in kept), tuple(files.ids[i] for i in kept)
    return Files(paths, ids, files.labels[np.asarray(kept, np.intp)])


def _without_broken(ids: Sequence[str], reasons: Sequence[str | None], options: Options, skipped: Skipped) -> list[int]:
    """Indices of the images that have no reason against them; the others go to ``skipped``, or raise."""
    kept = []
    for index, reason in enumerate(reasons):
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


def _check_left(listing: Listing, parts: Mapping[str, Files | Split], skipped: Skipped, where: str) -> None:
    after = f" after {count_of(len(skipped), 'unreadable image')} {'was' if len(skipped) == 1 else 'were'} skipped"
    for part, left in parts.items():
        if not left.ids:
            named = [f"{name}: {reason}" for name, reason in skipped][:3]
            raise DataError(
                f"no image is left{'' if len(parts) == 1 else f' in {part}'}{after if skipped else ''}",
                where=where,
                got="; ".join(named) or "no image at all",
                needs="whole JPEG, PNG, BMP, GIF, TIFF, WebP or PPM images",
            )
    if listing.task == "classes" and skipped:
        check_labelled({part: left.labels for part, left in parts.items()}, listing.classes, where, after)


def _target(
    readable: Mapping[str, tuple[Files, list[Header]]], options: Options, where: str
) -> tuple[Target, tuple[Finding, ...]]:
    outlines = {
        part: [
            Outline(name, header.width, header.height, header.grey)
            for name, header in zip(files.ids, headers, strict=True)
        ]
        for part, (files, headers) in readable.items()
    }
    held_out = [outline for part in ("val", "test") for outline in outlines.pop(part, [])]
    (train,) = outlines.values()
    return choose_target(train, held_out, options, where)


def _decode_part(
    files: Files, headers: Sequence[Header], target: Target, options: Options, skipped: Skipped, traits: Traits
) -> Split:
    """Decode one part straight into its array, then close the gaps that broken images left."""
    images: Images = np.empty((len(files.ids), target.channels, target.height, target.width), np.uint8)

    def read(index: int) -> tuple[str | None, tuple[str, ...]]:
        header = headers[index]
        try:
            with open(files.paths[index], "rb") as file:
                decoded = decode(file, target)
            if decoded.size != (header.width, header.height) and target.fit == "exact":
                raise BrokenImageError(f"its size is {decoded.size[0]}×{decoded.size[1]} only once it is decoded")
            images[index] = decoded.pixels
        except Exception as error:  # decoders of foreign bytes raise nearly anything
            return reason_of(error), ()
        return None, tuple(dict.fromkeys((*header.traits, *decoded.traits)))

    results = list(map_in_order(read, range(len(files.ids)), _decoding_workers(headers)))
    kept = _without_broken(files.ids, [reason for reason, _ in results], options, skipped)
    for new, old in enumerate(kept):
        if new != old:
            images[new] = images[old]
        for trait in results[old][1]:
            traits.setdefault(trait, []).append(files.ids[old])
    left = _pick(files, kept)
    return Split(images[: len(kept)], left.labels, left.ids)


def _decoding_workers(headers: Sequence[Header]) -> int:
    """Threads that pay for these images, and that memory allows: each holds one decoded image."""
    pixels = [header.width * header.height for header in headers]
    if statistics.median(pixels) < THREADS_PAY:
        return 1
    room = available_memory() // 4 // (BYTES_PER_PIXEL * max(pixels))
    return max(1, min(_workers(len(headers)), room))
