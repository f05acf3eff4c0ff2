"""What a file states about the sizes of its values, against what follows from its operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from striate.sources.onnx.faults import fault, short
from striate.sources.onnx.maps import Sizes
from striate.sources.onnx.model import Dimension

__all__ = ["Checks"]


@dataclass(frozen=True)
class Checks:
    """What the file states about its values, for comparison.

    Args:
        stated: the sizes of values; empty where another input was asked for.
        batch: the size of the batch that it fixes; None: left open.
    """

    stated: Mapping[str, tuple[Dimension, ...]]
    batch: int | None

    def sizes(self, name: str) -> Sizes | None:
        """The sizes of a value, where all are stated; an open batch is 1."""
        stated = self.stated.get(name)
        if stated is None:
            return None
        sizes = [1 if place == 0 and not isinstance(size, int) else size for place, size in enumerate(stated)]
        whole = tuple(size for size in sizes if isinstance(size, int))
        return whole if len(whole) == len(sizes) else None

    def compare(self, name: str, sizes: Sizes) -> None:
        """Check what was computed against what the file states.

        Raises:
            SourceError: they differ.
        """
        stated = self.stated.get(name)
        if stated is None:
            return
        first = 1 if self.batch is None else 0
        pairs = list(zip(stated, sizes, strict=False))[first:]
        if len(stated) == len(sizes) and all(theirs == ours or not isinstance(theirs, int) for theirs, ours in pairs):
            return
        told = ", ".join(short(size or "?", 20) for size in stated)
        raise fault(
            "the file states other sizes than follow from its operations",
            got=f"{short(name)}: [{told}] stated, {list(sizes)} computed",
            needs="the same",
            write="onnx.shape_inference.infer_shapes(model) writes them anew",
        )
