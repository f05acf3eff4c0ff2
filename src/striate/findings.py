"""Finding: something true about a network, its data or its training that its owner should know."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

__all__ = ["Finding", "Severity"]

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True)
class Finding:
    """One fact with its evidence.

    Args:
        code: stable identifier; ``N…`` network, ``D…`` data, ``T…`` training run.
        severity: ``info`` (said, nothing wrong), ``warning`` (probably unwanted) or ``error`` (wrong).
        message: one sentence with the measured evidence in it.
        where: the node, file or split it is about.
        fix: what to do about it.
        rule: the name of the rule that found it: ``even-kernel``.
        origin: where it is written, ``net.py:12``.

    >>> Finding("D003", "info", "3 images carry an EXIF rotation; it was applied", where="train").line()
    'info D003 train: 3 images carry an EXIF rotation; it was applied'
    """

    code: str
    severity: Severity
    message: str
    where: str | None = None
    fix: str | None = None
    rule: str | None = None
    origin: str | None = None

    def line(self) -> str:
        """The finding as one line of text."""
        place = "" if self.where is None else f" {self.where}"
        advice = "" if self.fix is None else f" ({self.fix})"
        return f"{self.severity} {self.code}{place}: {self.message}{advice}"

    def as_dict(self) -> dict[str, str | None]:
        """The finding as JSON-ready data."""
        return asdict(self)
