"""Codes that do not come from a rule: what the readers of files and images and the report of a run say."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from striate.data.codes import data_codes

__all__ = ["INVALID", "Code", "other_codes"]

INVALID = "N000"
"""A file is no network at all."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code with one line about it.

    Args:
        code: as findings have it.
        name: in the style of a rule's; it cannot be allowed.
        title: one line.
        advice: what to do.
        why: what harm it does; empty where the line says it.
    """

    code: str
    name: str
    title: str
    advice: str
    why: str = ""


_CODES = (
    Code(
        INVALID,
        "invalid-network",
        "A file cannot be read as a network",
        "Follow the message; it says where and what to write.",
    ),
    Code(
        "N930",
        "constant-output",
        "An output of an ONNX file does not depend on the input and is left out",
        "Nothing, unless it was meant to.",
    ),
    Code(
        "N931",
        "tensor-used-twice",
        "Layers of an ONNX file use one tensor in different ways; it is counted for both",
        "Nothing; the parameters of the file itself are fewer.",
    ),
    Code(
        "N932",
        "unused-tensors",
        "Tensors are stored in an ONNX file and used by nothing",
        "Export again, or leave them out: they take room only.",
    ),
    Code("N933", "unused-operations", "Operations of an ONNX file lead to no output and are left out", "Nothing."),
    Code(
        "N934",
        "merged-tensors",
        "Tensors of equal numbers are stored once in an ONNX file, so that sharing cannot be told",
        "Nothing, or export with another exporter.",
    ),
    Code(
        "N935",
        "channels-last-flatten",
        "A map of an ONNX file is flattened with its channels last",
        "Nothing; the weights of the dense layer behind it stand in that order.",
    ),
    Code(
        "N940",
        "unmatched-weights",
        "For some trained tensors of a network no weights were found among those given",
        "Give them under the names of the network, NODE.weight and so on, or of the module it was imported from.",
    ),
    Code(
        "D001",
        "unusable-images",
        "Images could not be read and were skipped",
        "Repair or remove them; an error where it is more than half.",
    ),
    Code(
        "D002",
        "files-left-out",
        "Files beside the images, or outside class folders, were left out",
        "Move or convert what should count.",
    ),
    Code(
        "D003",
        "exif-rotation",
        "Images carry an EXIF rotation, which was applied",
        "Nothing, unless the rotation is wrong.",
    ),
    Code(
        "D004",
        "transparent-pixels",
        "Images have transparent pixels, which were laid over white",
        "Lay them over another colour before, where white misleads.",
    ),
    Code(
        "D005",
        "deep-pixels",
        "Images have 16 bits per pixel and were reduced to 8",
        "Stretch the values to the whole range first, where they are few.",
    ),
    Code(
        "D006",
        "cmyk-colours",
        "Images in CMYK were converted to RGB without a colour profile",
        "Convert them with their profile, where colours matter.",
    ),
    Code("D007", "colour-palette", "Images with a palette were expanded to full colours", "Nothing."),
    Code(
        "D008",
        "several-frames",
        "Of images with several frames or pages the first was taken",
        "Save each frame as a file, where all should count.",
    ),
    Code("D009", "image-sizes", "Images were resized to one size, or all are large", "Choose with size and fit."),
    Code(
        "D010",
        "much-cropped",
        "Images lost more than half of their area to the centre crop",
        "fit=stretch keeps everything, but changes the aspect.",
    ),
    Code("D011", "mixed-colours", "Grey images became RGB, or colour images grey", "Choose with channels."),
    Code(
        "D012",
        "unread-entries",
        "Links or entries of a folder were not followed or cannot be read",
        "Copy what they point to, or name the files in a CSV.",
    ),
    Code(
        "D013",
        "constant-channel",
        "A channel has the same value everywhere in the training images",
        "Look at the images; such a channel tells nothing.",
    ),
    Code(
        "D014",
        "unused-columns",
        "Columns of a table or arrays of a file are not used",
        "Nothing, unless one of them was meant.",
    ),
    Code(
        "D015",
        "pixel-range",
        "Pixels were not stored as uint8; they were taken or scaled as they evidently mean",
        "Store them as uint8.",
    ),
    Code(
        "D016",
        "absent-tag",
        "No image of a split has a tag that training has",
        "Nothing is measured about it; add images.",
    ),
    Code(
        "D017",
        "similar-classes",
        "Names of classes differ only in case, spaces or hyphens",
        "Give them one name, if they are one class.",
    ),
    Code("D018", "one-bit-pixels", "Images have 1 bit per pixel; black became 0 and white 255", "Nothing."),
    Code(
        "D019",
        "wrong-suffix",
        "Images have another format than their file names say; they were read by content",
        "Rename them.",
    ),
    Code("D020", "no-test-split", "No images are held back for a test", "test=0.2 takes one from train."),
    Code(
        "D090",
        "no-pictures",
        "The report of a run shows no pictures, because its images are gone or changed",
        "Put the images back where they were.",
    ),
    Code(
        "T090",
        "no-curves",
        "The report of a run shows no curves, because metrics.jsonl cannot be read",
        "Nothing; the run itself is as it was.",
    ),
    Code("T091", "metrics-cut", "The last row of metrics.jsonl was cut off and is left out", "Nothing."),
)


def other_codes() -> MappingProxyType[str, Code]:
    """Every code that is not a rule's, with its line.

    >>> other_codes()["D003"].name
    'exif-rotation'
    """
    told = (Code(code.code, code.name, code.title, code.fix, code.why) for code in data_codes().values())
    return MappingProxyType({code.code: code for code in sorted((*_CODES, *told), key=_order)})


def _order(code: Code) -> tuple[int, str]:
    return "NDT".index(code.code[0]), code.code
