"""The tricks of a recipe: what can be left out of it, one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from striate.training.recipe import Recipe

__all__ = ["Trick", "tricks_of"]

#: Options that are tricks, each with the options that are only about it. Left out, all of them are the default.
_TRICKS: dict[str, tuple[str, ...]] = {
    "whiten": (),
    "init": (),
    "bias_rate": (),
    "average": ("average_decay",),
    "label_smoothing": (),
    "class_weights": (),
    "optimizer": ("learning_rate", "momentum", "rest", "rest_rate", "weight_decay"),
    "schedule": ("warmup",),
    "l1": (),
    "max_norm": (),
    "clip": (),
    "flip": (),
    "shift": ("shift_fill",),
    "crop": (),
    "scale": (),
    "rotate": (),
    "color": (),
    "hue": (),
    "randaugment": ("magnitude",),
    "cutout": (),
    "mixup": (),
    "cutmix": (),
    "sizes": ("smallest_size", "full_size_at"),
    "tta": (),
}


@dataclass(frozen=True)
class Trick:
    """One thing that a recipe does beyond the default.

    Args:
        option: its name.
        value: what the recipe says.
        without: options that undo it, with their defaults.
    """

    option: str
    value: object
    without: dict[str, Any]

    @property
    def name(self) -> str:
        """As it stands in a recipe.

        >>> Trick("whiten", True, {"whiten": False}).name, Trick("shift", 2, {"shift": 0}).name
        ('whiten', 'shift: 2')
        """
        return self.option if self.value is True else f"{self.option}: {self.value}"


def tricks_of(recipe: Recipe) -> tuple[Trick, ...]:
    """What can be left out of a recipe, in the order above.

    Without the optimizer of the recipe the default one is used, with its own rates: ``schedule`` and all else stay.
    ``mix_share`` goes with the last of ``mixup`` and ``cutmix``.

    >>> from striate.training.recipe import Recipe
    >>> [trick.name for trick in tricks_of(Recipe(whiten=True, shift=2, shift_fill="reflect"))]
    ['whiten', 'shift: 2']
    """
    found = []
    fields = type(recipe).model_fields
    for option, about in _TRICKS.items():
        value = getattr(recipe, option)
        if value == fields[option].default:
            continue
        dropped = (option, *about)
        if option in ("mixup", "cutmix") and not (recipe.mixup and recipe.cutmix):
            dropped += ("mix_share",)
        found.append(Trick(option, value, {name: fields[name].default for name in dropped}))
    return tuple(found)
