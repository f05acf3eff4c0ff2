"""What a run is made with, and when."""

from __future__ import annotations

import datetime
import functools
import importlib.metadata
import platform

import numpy as np
import torch

__all__ = ["now", "versions"]


@functools.cache
def _versions() -> tuple[tuple[str, str], ...]:
    return (
        ("striate", importlib.metadata.version("striate")),
        ("python", platform.python_version()),
        ("torch", torch.__version__),
        ("numpy", np.__version__),
        ("platform", platform.platform()),
    )


def versions() -> dict[str, str]:
    """The programs that a run is made with, by name."""
    return dict(_versions())


def now() -> str:
    """The time, ISO 8601 in UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
