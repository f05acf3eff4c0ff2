"""An ONNX file, opened with bounds: what it may be is checked before memory is taken."""

from __future__ import annotations

import mmap
import os
import stat
from pathlib import Path
from typing import Any

from striate.errors import SourceError, UsageError
from striate.sources.onnx.faults import damaged
from striate.sources.onnx.wire import Stripper
from striate.units import format_bytes

__all__ = ["FILE_LIMIT", "parse_file"]

FILE_LIMIT = 2 * 1024**3
"""The largest file that protobuf can hold; larger networks keep their weights in files beside it."""


def parse_file(path: Path) -> Any:
    """The ModelProto in a file, without the numbers of large tensors.

    Raises:
        UsageError: the package onnx is not installed.
        SourceError: there is no such file, it is too large, or it is not ONNX.
    """
    proto = _model_class()
    where = str(path)
    try:
        with open(path, "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise SourceError("this is not a file", where=where, got="a device or a pipe", needs="an .onnx file")
            if not status.st_size:
                raise damaged(where, "an empty file")
            if status.st_size > FILE_LIMIT:
                raise SourceError(
                    "this file is larger than an ONNX file can be",
                    where=where,
                    got=format_bytes(status.st_size),
                    needs=f"at most {format_bytes(FILE_LIMIT)}, with the weights in a file beside it",
                    write="onnx.save_model(model, 'net.onnx', save_as_external_data=True)",
                )
            # Not closed by hand: an error that is on its way still holds parts of it.
            mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            content = Stripper(memoryview(mapped), where).strip()
    except OSError as error:
        raise SourceError("this file cannot be read", where=where, got=error.strerror or str(error)) from None
    return _parsed(proto, content, where)


def _parsed(proto: Any, content: bytes, where: str) -> Any:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    model = proto()
    try:
        model.ParseFromString(content)
    except (DecodeError, RuntimeError, ValueError) as error:
        raise damaged(where, str(error)) from None
    if not model.HasField("graph") or not model.graph.node:
        raise damaged(where, "no graph in it" if not model.HasField("graph") else "a graph without operations")
    return model


def _model_class() -> Any:
    try:
        from onnx import ModelProto
    except ImportError:
        raise UsageError(
            "reading ONNX files needs the package onnx, which is not installed", write="pip install 'striate[onnx]'"
        ) from None
    return ModelProto
