"""What each code of the data lint means, why it matters and what to do, one line each."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["DataCode", "data_codes"]


@dataclass(frozen=True, slots=True)
class DataCode:
    """A code with one line about it.

    Args:
        code: as findings have it.
        name: in the style of a rule's.
        title: what is so, one line.
        why: what harm it does, one line.
        fix: what to do, one line.
    """

    code: str
    name: str
    title: str
    why: str
    fix: str


_CODES = (
    DataCode(
        "D021",
        "copies",
        "Images are exact copies of others in the same split",
        "A copy counts twice: in training as a weight nobody chose, in a test as a second vote.",
        "Remove the copies, unless they are meant to count more.",
    ),
    DataCode(
        "D022",
        "copies-across-splits",
        "Images of val or test are exact copies of images in an earlier split",
        "What is measured on them is memory; accuracy looks better than it is.",
        "Remove them there, or keep all copies in one split: a CSV with a column split says which.",
    ),
    DataCode(
        "D023",
        "contradictory-labels",
        "The same image is there more than once, with different labels",
        "One of the labels is wrong, and no network can be right for both.",
        "Keep the copy with the right label; where both are right, use tags.",
    ),
    DataCode(
        "D024",
        "near-copies-across-splits",
        "Images of val or test are nearly the same as images in an earlier split",
        "Frames of one film or versions of one picture make a test easier than new images are.",
        "Keep them in one split: a CSV with a column split says which.",
    ),
    DataCode(
        "D025",
        "one-colour",
        "Images have one colour all over",
        "There is nothing to see; often a failed export or a closed shutter.",
        "Remove them.",
    ),
    DataCode(
        "D026",
        "class-imbalance",
        "The largest class has more than ten times the images of the smallest",
        "A network that always answers the largest class looks good, and small classes are hardly learnt.",
        "Judge by the accuracy of each class; add images of the small ones.",
    ),
    DataCode(
        "D027",
        "small-split",
        "Val or test is so small that an accuracy of 90 % is known to no better than ±5 points",
        "Differences between epochs or networks are then largely chance.",
        "Hold out more images, or add some.",
    ),
    DataCode(
        "D028",
        "shortcut",
        "One class can be told by image size, file format, colour mode or brightness alone",
        "A network learns what is easiest, and fails where the shortcut is missing.",
        "Bring all images to one form the same way, and take them under the same conditions.",
    ),
    DataCode(
        "D029",
        "pixels-on-disk",
        "Decoded pixels are kept in a file, because they do not fit in memory or it was asked for",
        "Reading them takes longer than from memory, and the file takes room on the disk.",
        "Nothing; a smaller size would fit in memory.",
    ),
    DataCode(
        "D030",
        "damaged-cache",
        "A file of decoded pixels was damaged; the images were decoded again",
        "A failing disk, or another program, changed it.",
        "Nothing, unless it happens again: then check the disk.",
    ),
)


def data_codes() -> MappingProxyType[str, DataCode]:
    """The codes of the data lint and of the data path, in order.

    >>> data_codes()["D022"].name
    'copies-across-splits'
    """
    return MappingProxyType({code.code: code for code in _CODES})
