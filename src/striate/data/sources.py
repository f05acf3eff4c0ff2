"""Which kind of source a name is, and the reader for it."""

from __future__ import annotations

import os
from pathlib import Path

from striate.data.options import Options
from striate.data.parts import Collected
from striate.errors import DataError, UsageError, near_miss

__all__ = ["collect"]

_NEEDS = (
    "the word digits; a folder of class folders (with train/ and test/ above them or without) or of MNIST's IDX "
    "files; a .csv; a .npz; or an IDX file of images"
)
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".7z", ".rar")


def collect(source: str | os.PathLike[str], options: Options) -> Collected:
    """Read a source of any kind.

    Raises:
        UsageError: ``task`` says what the source cannot be.
        DataError: no such source, of no known kind, or its own reader finds fault with it.
    """
    if source == "digits":
        _check_task(options, "digits")
        from striate.data.digits import collect_digits

        return collect_digits(options)
    path = os.fspath(source)
    if not isinstance(path, str) or not path or "\0" in path:
        raise DataError("not a source of images", got=repr(source), needs=_NEEDS)
    path = os.path.expanduser(path)
    if not os.path.exists(path):
        raise _absent(path)
    if os.path.isdir(path):
        return _collect_folder(path, options)
    return _collect_file(path, options)


def _collect_folder(path: str, options: Options) -> Collected:
    from striate.data.mnist import collect_idx, holds_idx

    _check_task(options, path)
    if holds_idx(path):
        return collect_idx(path, options)
    from striate.data.files import collect_files
    from striate.data.folder import list_folder

    return collect_files(list_folder(path), options, path)


def _collect_file(path: str, options: Options) -> Collected:
    lower = os.path.basename(path).lower()
    if not os.path.isfile(path):
        raise DataError("neither a folder nor a file", where=path, needs=_NEEDS)
    if lower.endswith(".csv"):
        from striate.data.files import collect_files
        from striate.data.table import read_table

        listing = read_table(path)
        if options.task not in (None, listing.task):
            raise _other_task(options, path, f"a column for {listing.task}")
        return collect_files(listing, options, path)
    if lower.endswith(".npz"):
        from striate.data.npz import collect_npz

        return collect_npz(path, options)
    from striate.data.mnist import collect_idx, is_idx_name

    if is_idx_name(lower):
        _check_task(options, path)
        return collect_idx(path, options)
    raise DataError("not a source of images", where=path, got=f"a file {lower}", needs=_NEEDS, write=_instead(lower))


def _instead(name: str) -> str | None:
    if name.endswith(_ARCHIVES):
        return "unpack the archive and give the folder"
    if name.endswith(".npy"):
        return "numpy.savez('data.npz', images=images, labels=labels)"
    return None


def _check_task(options: Options, where: str) -> None:
    if options.task not in (None, "classes"):
        raise _other_task(options, where, "classes only")


def _other_task(options: Options, where: str, has: str) -> UsageError:
    return UsageError(
        "the source does not have labels of that kind",
        where=where,
        got=f"task={options.task!r}; it has {has}",
        needs="a CSV with a column labels (tags) or value (values), or an .npz",
    )


def _absent(path: str) -> DataError:
    place, name = os.path.split(path.rstrip("/\\") or path)
    try:
        beside = os.listdir(place or ".")
    except OSError:
        beside = []
    near = near_miss(name, [*beside, *([] if place else ["digits"])])
    got = f"no file or folder of that name in {Path(place or '.').resolve()}"
    write = None if near is None else os.path.join(place, near)
    raise DataError("there is no such source", where=path, got=got, needs=_NEEDS, write=write)
