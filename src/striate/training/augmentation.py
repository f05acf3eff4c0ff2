"""Augmentation: all random changes that a recipe asks for, in their order.

What happens to an image depends on (seed, epoch, its index in the training split) and on nothing else: not on the
batch it falls into, the order, or how often the process was started. Each change is described in its own file of
:mod:`striate.training.augmentations`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.training.augmentations.color import Color
from striate.training.augmentations.cutmix import CutMix
from striate.training.augmentations.cutout import Cutout
from striate.training.augmentations.flips import Flips
from striate.training.augmentations.hue import Hue
from striate.training.augmentations.key import Key
from striate.training.augmentations.mixing import Mixing
from striate.training.augmentations.mixup import MixUp
from striate.training.augmentations.randaugment import RandAugment
from striate.training.augmentations.shift import Shift, ShiftFill
from striate.training.augmentations.warp import Warp

if TYPE_CHECKING:
    from striate.training.augmentations.change import Change, Rows
    from striate.training.recipe import Recipe

__all__ = ["DEFAULT_FILL", "DEFAULT_MAGNITUDE", "DEFAULT_MIX_SHARE", "Augmentation", "Draws"]

#: What the recipe's open questions mean.
DEFAULT_FILL: ShiftFill = "edge"
DEFAULT_MAGNITUDE, DEFAULT_MIX_SHARE = 5.0, 1.0


@dataclass(frozen=True)
class Augmentation:
    """The changes, by the form that images have when they are made.

    Args:
        on_bytes: on uint8, where they are exact.
        on_shares: on float32, 0..1.
        on_inputs: on what the network sees, after normalisation.
        mixing: of two images, last of all; None for none.
    """

    on_bytes: tuple[Change, ...] = ()
    on_shares: tuple[Change, ...] = ()
    on_inputs: tuple[Change, ...] = ()
    mixing: Mixing | None = None

    @staticmethod
    def of(recipe: Recipe) -> Augmentation:
        """The augmentation a recipe asks for."""
        on_bytes: list[Change] = []
        if recipe.flip != "none":
            on_bytes.append(Flips(recipe.flip))
        if recipe.shift:
            on_bytes.append(Shift(recipe.shift, recipe.shift_fill or DEFAULT_FILL))
        if recipe.randaugment:
            magnitude = DEFAULT_MAGNITUDE if recipe.magnitude is None else recipe.magnitude
            on_bytes.append(RandAugment(recipe.randaugment, magnitude))
        on_shares: list[Change] = []
        if recipe.crop < 1 or recipe.scale or recipe.rotate:
            on_shares.append(Warp(recipe.crop, recipe.scale, recipe.rotate))
        if recipe.color:
            on_shares.append(Color(recipe.color))
        if recipe.hue:
            on_shares.append(Hue(recipe.hue))
        on_inputs = (Cutout(recipe.cutout),) if recipe.cutout else ()
        return Augmentation(tuple(on_bytes), tuple(on_shares), on_inputs, _mixing(recipe))

    @property
    def active(self) -> bool:
        """Whether anything is changed at all."""
        return self != Augmentation()

    def draw(self, seed: int, epoch: int, count: int) -> Draws:
        """Everything random for an epoch over ``count`` training images."""
        key = Key(seed, epoch)
        on_bytes, on_shares, on_inputs = (
            tuple(change.draw(key, count) for change in changes)
            for changes in (self.on_bytes, self.on_shares, self.on_inputs)
        )
        return Draws(on_bytes, on_shares, on_inputs, () if self.mixing is None else self.mixing.draw(key, count))


@dataclass(frozen=True, eq=False)
class Draws:
    """What the changes of an :class:`Augmentation` have drawn for an epoch, in the same places."""

    on_bytes: tuple[Rows, ...]
    on_shares: tuple[Rows, ...]
    on_inputs: tuple[Rows, ...]
    mixing: Rows


def _mixing(recipe: Recipe) -> Mixing | None:
    kinds: tuple[MixUp | CutMix, ...] = ()
    if recipe.mixup:
        kinds += (MixUp(recipe.mixup),)
    if recipe.cutmix:
        kinds += (CutMix(recipe.cutmix),)
    share = DEFAULT_MIX_SHARE if recipe.mix_share is None else recipe.mix_share
    return Mixing(kinds, share) if kinds else None
