"""The form all images get: chosen from the sizes and colours of the training images before any pixel is decoded."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from striate.data.naming import count_of, examples
from striate.data.options import Fit, Options
from striate.errors import DataError
from striate.findings import Finding

if TYPE_CHECKING:
    from striate.runs.records import Preprocessing

__all__ = ["Outline", "Target", "choose_target"]

LARGEST_DEFAULT = 128
"""Side in pixels up to which mixed sizes are kept by default; more is asked for with ``size``."""
LARGE = 512
"""Side in pixels above which keeping the common size deserves a word."""


@dataclass(frozen=True, slots=True)
class Target:
    """The form of an image on its way into the network, without the statistics.

    Args:
        channels: 1 (grey) or 3 (RGB).
        height: pixels.
        width: pixels.
        fit: as in Preprocessing.
        background: grey level 0..255 behind transparent pixels.
    """

    channels: Literal[1, 3]
    height: int
    width: int
    fit: Fit
    background: int = 255

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return (self.channels, self.height, self.width)

    @classmethod
    def of(cls, preprocessing: Preprocessing) -> Target:
        """The same form as a stored Preprocessing asks for."""
        return cls(
            preprocessing.channels,
            preprocessing.height,
            preprocessing.width,
            preprocessing.fit,
            preprocessing.background,
        )


@dataclass(frozen=True, slots=True)
class Outline:
    """What a file's header says about an image.

    Args:
        id: how the image is called.
        width: pixels, after the EXIF rotation.
        height: pixels, after the EXIF rotation.
        grey: no colour, going by the pixel format.
    """

    id: str
    width: int
    height: int
    grey: bool


def choose_target(
    train: Sequence[Outline], others: Sequence[Outline], options: Options, where: str
) -> tuple[Target, tuple[Finding, ...]]:
    """Choose channels, size and fit.

    Channels: as asked, else 1 when every training image is grey, else 3. Size: as asked, else the common size of the
    training images, else a square with their median short side, rounded to a multiple of 8, at most 128. Fit: as
    asked, else ``exact`` when every image has that size, else ``crop``.

    Args:
        train: outlines of the images that training may see.
        others: outlines of the given val and test images.
        options: what the user asked for.
        where: the source, for messages.

    Returns:
        The target, and findings about what it does to the images.

    Raises:
        DataError: ``fit="exact"`` and an image of another size.
    """
    every = [*train, *others]
    channels: Literal[1, 3] = options.channels or (1 if all(outline.grey for outline in train) else 3)
    sizes = {(outline.height, outline.width) for outline in train}
    if options.size is not None:
        height, width = options.size
    elif len(sizes) == 1:
        height, width = next(iter(sizes))
    elif options.fit == "exact":
        raise _not_exact(every, None, where)
    else:
        height = width = _median_side(train)
    different = [outline for outline in every if (outline.height, outline.width) != (height, width)]
    if options.fit == "exact" and different:
        raise _not_exact(different, (height, width), where)
    fit: Fit = options.fit or ("crop" if different else "exact")
    target = Target(channels, height, width, fit)
    found = [*_size_findings(every, different, target), *_colour_findings(train, others, target, options)]
    return target, tuple(found)


def _median_side(train: Sequence[Outline]) -> int:
    median = statistics.median(min(outline.height, outline.width) for outline in train)
    return min(LARGEST_DEFAULT, max(8, int(median / 8 + 0.5) * 8))


def _not_exact(outlines: Sequence[Outline], size: tuple[int, int] | None, where: str) -> DataError:
    first = outlines[0]
    other = next((o for o in outlines if (o.height, o.width) != (first.height, first.width)), first)
    shown = [first] if size is not None or other is first else [first, other]
    return DataError(
        "fit='exact' does not resize, and the images have different sizes",
        where=where,
        got="; ".join(f"{o.id} is {o.height}×{o.width} (height×width)" for o in shown),
        needs="images of one size" if size is None else f"{size[0]}×{size[1]}",
        write="fit='crop' or fit='stretch'",
    )


def _size_findings(every: Sequence[Outline], different: Sequence[Outline], target: Target) -> list[Finding]:
    if not different:
        if max(target.height, target.width) <= LARGE:
            return []
        text = f"all images are {target.height}×{target.width} (height×width) and were kept so: much memory and time"
        return [Finding("D009", "info", text, fix=f"size={LARGEST_DEFAULT} makes them smaller")]
    goal = f"{target.height}×{target.width}"
    stretched = target.fit == "stretch"
    how = f"stretched to {goal}" if stretched else f"resized to cover {goal} and cropped at the centre"
    sizes = sorted({(outline.height, outline.width) for outline in every}, key=lambda size: (size[0] * size[1], size))
    (low_h, low_w), (high_h, high_w) = sizes[0], sizes[-1]
    if len(sizes) == 1:
        come = f"all images are {low_h}×{low_w} (height×width)"
    else:
        come = f"the images come in {len(sizes):,} sizes, {low_h}×{low_w} to {high_h}×{high_w} (height×width)"
    small = sum(outline.height < target.height or outline.width < target.width for outline in different)
    enlarged = f"; {count_of(small, 'image')} smaller than that {'was' if small == 1 else 'were'} enlarged"
    text = f"{come}; {count_of(len(different), 'image')} {how}{enlarged if small else ''}"
    found = [Finding("D009", "info", text, fix="size= and fit= choose otherwise")]
    cut = [] if stretched else [outline.id for outline in different if _kept(outline, target) < 0.5]
    if cut:
        text = f"{count_of(len(cut), 'image')} lost more than half of the area to the centre crop: {examples(cut)}"
        found.append(Finding("D010", "warning", text, fix="fit='stretch' keeps everything, but changes the aspect"))
    return found


def _kept(outline: Outline, target: Target) -> float:
    """Share of the image's area that the centre crop keeps."""
    scale = max(target.height / outline.height, target.width / outline.width)
    return target.height * target.width / (scale * scale * outline.height * outline.width)


def _colour_findings(
    train: Sequence[Outline], others: Sequence[Outline], target: Target, options: Options
) -> list[Finding]:
    every = [*train, *others]
    grey = [outline.id for outline in every if outline.grey]
    colour = [outline.id for outline in every if not outline.grey]
    if target.channels == 3 and grey:
        text = f"{count_of(len(grey), 'grey image')} of {len(every):,} became RGB (three equal channels)"
        return [Finding("D011", "info", f"{text}: {examples(grey)}", fix="channels=1 makes all images grey")]
    if target.channels == 1 and colour:
        text = f"{count_of(len(colour), 'colour image')} of {len(every):,} became grey: {examples(colour)}"
        asked = options.channels is not None
        why = "" if asked else "; the training images are all grey, val or test are not"
        return [Finding("D011", "info" if asked else "warning", text + why, fix="channels=3 keeps the colour")]
    return []
