"""What a source is: a zoo name, a YAML file or text, a run folder, inline text, or a name in Python."""

from __future__ import annotations

import itertools
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from striate.errors import LayerError, SourceError, near_miss
from striate.graph.vocabulary import word_class
from striate.sources.wording import quoted
from striate.units import format_bytes

__all__ = ["FILE_LIMIT", "NET_FILE", "Recognised", "recognise"]

SUFFIXES = (".yaml", ".yml")
ONNX_SUFFIX = ".onnx"
NET_FILE = "net.yaml"
"""The network inside a run folder."""
FILE_LIMIT = 1024**2
"""The largest file that is read, in bytes."""

_INLINE = '"conv 16 3 same > relu > maxpool 2 > flatten > dense 10"'
_LISTED = 1000


@dataclass(frozen=True, slots=True)
class Recognised:
    """A source and what it is.

    Args:
        kind: how it is read.
        text: the YAML, the inline text, the name in the zoo, ``file.py:NAME``, or the path of an ONNX file.
        where: what errors call it.
        name: of the network, where the source gives none.
    """

    kind: Literal["yaml", "inline", "zoo", "python", "onnx"]
    text: str
    where: str
    name: str = "network"


def recognise(source: str | Path) -> Recognised:
    """Find out what a source is, and read it when it is a file.

    In this order: a path object; text with a line break is YAML, text with ``>`` is inline; a name that ends in
    ``.yaml``, ``.yml`` or ``.onnx`` is a file; then a zoo name, ``file.py:NAME`` or ``package.module:NAME``, an
    existing folder or file, and a layer with its values.

    Raises:
        SourceError: it is none of these, or the file cannot be read.
    """
    if isinstance(source, Path):
        return _from_path(source)
    if not isinstance(source, str):
        raise SourceError(
            "a network cannot be loaded from this",
            got=type(source).__name__,
            needs="a Graph, a path, or text: a zoo name, a file name, YAML or inline text",
        )
    text = source.strip()
    if "\n" in text or "\r" in text:
        return Recognised("yaml", source, "text")
    if ">" in text:
        return Recognised("inline", text, "inline text", "inline")
    if text.lower().endswith((*SUFFIXES, ONNX_SUFFIX)):
        return _from_path(Path(text))
    if not text:
        raise SourceError("the network has no name", got="an empty text", needs="a zoo name, a file or inline text")
    from striate import zoo

    if zoo.find(text) is not None:
        return Recognised("zoo", text, text)
    if ":" in text:
        from striate.sources.python_reference import is_reference

        if is_reference(text):
            return Recognised("python", text, text)
    if _status(Path(text)) is not None:
        return _from_path(Path(text))
    if _starts_with_layer(text):
        return Recognised("inline", text, "inline text", "inline")
    if " " in text and near_miss(text, zoo.names()) is None:
        # Several words that start with no layer: the reader of inline text marks the wrong one.
        return Recognised("inline", text, "inline text", "inline")
    raise _unknown(text, zoo.names())


def _starts_with_layer(text: str) -> bool:
    try:
        word_class(text.split(maxsplit=1)[0])
    except LayerError:
        return False
    return True


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (OSError, ValueError):
        # ValueError: a NUL inside the name.
        return None


def _from_path(path: Path) -> Recognised:
    """The YAML in a file, or in the net.yaml of a folder."""
    status = _status(path)
    where = str(path)
    if status is None:
        raise _missing(path)
    if stat.S_ISDIR(status.st_mode):
        inner = path / NET_FILE
        if _status(inner) is None:
            files = _yaml_files(path)
            raise SourceError(
                f"this folder is not a run: there is no {NET_FILE} in it",
                where=where,
                got="a folder" + (f" with {', '.join(files[:5])}" if files else ""),
                needs="a YAML file or a run folder",
                write=str(path / files[0]) if files else None,
            )
        return Recognised("yaml", _read(inner), str(inner), path.name or "network")
    if not stat.S_ISREG(status.st_mode):
        raise SourceError("this is not a file", where=where, got="a device or a pipe", needs="a YAML file")
    if path.suffix.lower() == ONNX_SUFFIX:
        return Recognised("onnx", where, where, path.stem)
    if path.suffix.lower() == ".py":
        raise SourceError(
            "a Python file holds many things",
            where=where,
            got=quoted(path.name),
            needs="the name of the class or function in it, behind a colon",
            write=f"{path}:Net",
        )
    if path.suffix.lower() not in SUFFIXES:
        raise SourceError(
            "this is not a YAML file by its name",
            where=where,
            got=quoted(path.name),
            needs="a name that ends in .yaml or .yml",
            write=f"{path.stem}.yaml",
        )
    return Recognised("yaml", _read(path), where, path.stem)


def _read(path: Path) -> str:
    where = str(path)
    try:
        with open(path, "rb") as stream:
            content = stream.read(FILE_LIMIT + 1)
    except OSError as error:
        raise SourceError("this file cannot be read", where=where, got=error.strerror or str(error)) from None
    if len(content) > FILE_LIMIT:
        needs = f"at most {format_bytes(FILE_LIMIT)}"
        raise SourceError(
            "this file is too large for a network", where=where, got=f"more than {needs[8:]}", needs=needs
        )
    if b"\0" in content:
        raise SourceError("this is a binary file, not YAML", where=where, got="NUL bytes", needs="text in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError(
            "this file is not text in UTF-8",
            where=f"{where}:{line}",
            got=f"the byte 0x{content[error.start]:02X}",
            needs="a text file saved as UTF-8",
        ) from None


def _yaml_files(folder: Path) -> list[str]:
    """The first YAML files in a folder, in alphabetical order."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in itertools.islice(entries, _LISTED)]
    except (OSError, ValueError):
        return []
    return sorted(name for name in names if name.lower().endswith(SUFFIXES))


def _missing(path: Path) -> SourceError:
    files = _yaml_files(path.parent)
    hint = near_miss(path.name, files)
    folder = "this folder" if path.parent == Path() else str(path.parent)
    if not files:
        needs = f"a YAML file; {folder} holds none" if _status(path.parent) else f"an existing folder; {folder} is none"
    else:
        needs = f"an existing file; {folder} holds {', '.join(files[:8])}" + (", …" if len(files) > 8 else "")
    return SourceError(
        "there is no such file",
        where=quoted(str(path), 200)[1:-1],
        needs=needs,
        write=str(path.parent / hint) if hint else None,
    )


def _unknown(text: str, zoo_names: tuple[str, ...]) -> SourceError:
    """What it could have been, when it is nothing that is known."""
    files = _yaml_files(Path())
    alike = _containing(text, zoo_names)
    named = ", ".join(alike[:8]) + (", …" if len(alike) > 8 else "") if alike else f"{', '.join(zoo_names[:6])}, …"
    needs = f"a zoo name ({named}; 'striate zoo' lists all), a .yaml file"
    if files:
        needs += f" ({', '.join(files[:4])}{', …' if len(files) > 4 else ''})"
    needs += f", a run folder, or inline text: {_INLINE}"
    # A file may be meant by its name with or without the ending; what is most alike is meant.
    meant = {**{Path(file).stem: file for file in files}, **{file: file for file in files}}
    hint = near_miss(text, [*zoo_names, *meant]) or next(iter(alike), None)
    hint = meant.get(hint, hint) if hint is not None and hint not in zoo_names else hint
    return SourceError("no network is called this", got=quoted(text), needs=needs, write=hint)


def _containing(text: str, names: tuple[str, ...]) -> list[str]:
    """The names that what was typed is a part of; a few characters are a part of many."""
    wanted = text.lower().replace("-", "").replace("_", "")
    return [name for name in names if len(wanted) > 2 and wanted in name.lower().replace("-", "").replace("_", "")]
