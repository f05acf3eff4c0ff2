"""An ONNX file → Graph. The onnx package is imported when a file is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.sources.onnx.reading import ImportedOnnx, read_onnx

__all__ = ["ImportedOnnx", "read_onnx"]


def __getattr__(name: str) -> object:
    """The public names, imported when they are first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from striate.sources.onnx import reading

    return getattr(reading, name)
