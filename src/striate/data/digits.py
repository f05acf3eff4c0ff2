"""The embedded default: 1,797 handwritten digits of 8×8 pixels that come with scikit-learn.

They are the test set of the UCI "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998).
"""

from __future__ import annotations

import numpy as np

from striate.data.arrays import ArrayPart, collect_arrays
from striate.data.options import Options
from striate.data.parts import WHOLE, Collected

__all__ = ["collect_digits"]


def collect_digits(options: Options) -> Collected:
    """All digits as one part; their values 0..16 become 0..255."""
    from sklearn.datasets import load_digits  # most of a second to import, and only this source needs it

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
    classes = tuple(str(digit) for digit in range(10))
    part = ArrayPart(images, bunch.target.astype(np.int64), "digits")
    return collect_arrays("digits", "classes", classes, {WHOLE: part}, "", options, "digits")
