"""Stratified division of images that carry several tags."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from striate.data.dataset import Labels

__all__ = ["deal_tags"]


def deal_tags(tags: Labels, order: npt.NDArray[np.intp], share: float) -> npt.NDArray[np.bool_]:
    """Choose images so that each tag is divided near the share, the rarest tags first.

    Iterative stratification (Sechidis, Tsoumakas and Vlahavas, On the Stratification of Multi-label Data, 2011,
    algorithm 1) with two subsets. A tag with a single image stays where most images stay.

    Args:
        tags: uint8 (images, tags), 0 or 1.
        order: in which images of equal claim are dealt.
        share: of the images to take.

    Returns:
        bool (images,), True where an image is taken.
    """
    taken = np.zeros(len(tags), bool)
    open_images = np.ones(len(tags), bool)
    counts = tags.sum(axis=0, dtype=np.int64)
    wanted = np.stack([(1 - share) * counts, share * counts])
    room = np.array([(1 - share) * len(tags), share * len(tags)])

    def deal(image: int, side: int) -> None:
        taken[image] = side == 1
        open_images[image] = False
        wanted[side] -= tags[image]
        room[side] -= 1

    while counts.any():
        rarest = int(np.where(counts > 0, counts, np.iinfo(np.int64).max).argmin())
        for image in order[(tags[order, rarest] == 1) & open_images[order]]:
            claim = wanted[1, rarest] - wanted[0, rarest]
            deal(int(image), int(claim > 0 or (claim == 0 and room[1] > room[0])))
            counts -= tags[image]
    for image in order[open_images[order]]:
        deal(int(image), int(room[1] > room[0]))
    return taken
