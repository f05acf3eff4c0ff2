"""What was odd about the images, as findings: each oddity said once, with a count and a few examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from striate.data.broken import PIXEL_LIMIT
from striate.data.naming import count_of, examples
from striate.findings import Finding, Severity

__all__ = ["skipped_finding", "trait_findings"]


@dataclass(frozen=True, slots=True)
class _Sentence:
    code: str
    severity: Severity
    text: str
    fix: str | None = None


_SENTENCES = {
    "exif": _Sentence("D003", "info", "{images} carried an EXIF rotation; it was applied"),
    "exif unreadable": _Sentence("D003", "warning", "{images} carried damaged EXIF data; taken as upright"),
    "alpha": _Sentence("D004", "info", "{images} had transparent pixels; laid over white"),
    "16 bit": _Sentence("D005", "info", "{images} had 16 bits per pixel; divided by 257, so that 65535 became 255"),
    "16 bit colour": _Sentence("D005", "info", "{images} had 16 bits per channel; the upper 8 were kept"),
    "cmyk": _Sentence("D006", "info", "{images} had CMYK colours; converted to RGB without a colour profile"),
    "palette": _Sentence("D007", "info", "{images} had a colour palette; expanded to full colours"),
    "frames": _Sentence("D008", "info", "{images} had several frames or pages; the first was taken"),
    "one bit": _Sentence("D018", "info", "{images} had 1 bit per pixel; black became 0 and white 255"),
    "suffix": _Sentence("D019", "info", "{images} had another format than the file name says; read by content"),
}
_LOW = _Sentence(
    "D005",
    "warning",
    "{images} had 16 bits per pixel, but no value above 4095; divided by 257, at most 16 of 256 levels remain",
    "stretch the values to 0..65535, or save 8-bit images",
)


def trait_findings(ids_by_trait: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    """One finding per trait.

    Args:
        ids_by_trait: the images that have it.

    >>> trait_findings({"exif": ["train/cat/1.jpg"]})[0].message
    '1 image carried an EXIF rotation; it was applied: train/cat/1.jpg'
    """
    found = [_said(sentence, ids_by_trait.get(trait, ())) for trait, sentence in _SENTENCES.items()]
    deep, low = ids_by_trait.get("16 bit", ()), ids_by_trait.get("low 16 bit", ())
    # a dark picture among bright ones is no fault; a whole set of them is a sensor with 12 bits or fewer
    if low and len(low) == len(deep):
        found.append(_said(_LOW, low))
    return tuple(finding for finding in found if finding is not None)


def skipped_finding(skipped: Sequence[tuple[str, str]], total: int) -> tuple[Finding, ...]:
    """The finding on images that could not be read, if there are any.

    Args:
        skipped: (id, reason) of each.
        total: images there were.
    """
    if not skipped:
        return ()
    named = examples([f"{name} ({reason})" for name, reason in skipped])
    text = f"{len(skipped):,} of {count_of(total, 'image')} could not be used and {_were(skipped)} skipped: {named}"
    severity: Severity = "error" if 2 * len(skipped) > total else "warning"
    advice = f"Dataset.skipped lists all; repair or remove them (limit per image: {PIXEL_LIMIT:,} pixels)"
    return (Finding("D001", severity, text, fix=advice),)


def _were(items: Sequence[object]) -> str:
    return "was" if len(items) == 1 else "were"


def _said(sentence: _Sentence, ids: Sequence[str]) -> Finding | None:
    if not ids:
        return None
    text = sentence.text.format(images=count_of(len(ids), "image"))
    return Finding(sentence.code, sentence.severity, f"{text}: {examples(ids)}", fix=sentence.fix)
