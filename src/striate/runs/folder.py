"""Making a run folder, and finding one again by path, by name or as ``latest``."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from striate.errors import RunError, StorageError, near_miss
from striate.runs.atomic import is_temporary, storage_error, temporary_beside, write_text
from striate.runs.bounded import read_bounded
from striate.runs.layout import RunFolder

__all__ = ["LATEST", "create_run", "create_run_at", "open_run", "run_names", "run_path"]

_BEFORE_ANYTHING = {"run.json", "net.yaml", "data.json", "findings.json"}

LATEST = "latest"
"""The link beside the runs that leads to the newest one; a text file holding its name where links cannot be made."""


def create_run(root: Path | str, stem: str) -> RunFolder:
    """Make the folder of a new run and let ``latest`` lead to it.

    Args:
        root: the folder of all runs, made when missing.
        stem: what the name starts with; what is not a letter, a digit or one of ``. _ -`` becomes ``-``.

    Returns:
        ``<stem>-<n>``, n being one more than the highest there is; its own even when other processes ask at once.

    Raises:
        StorageError: the folder cannot be made.
    """
    root = Path(root)
    stem = _clean(stem)
    try:
        root.mkdir(parents=True, exist_ok=True)
        number = _highest_number(root, stem) + 1
        path = root / f"{stem}-{number}"
        while not _made(path):
            number += 1
            path = root / f"{stem}-{number}"
    except FileExistsError:
        raise StorageError(
            "a file stands where the folder of the runs goes", where=str(root), write="--runs DIR"
        ) from None
    except OSError as error:
        raise storage_error(error, root) from error
    run = RunFolder(path)
    run.make_folders()
    _point_latest(root, path.name)
    return run


def create_run_at(folder: Path | str, root: Path | str = "runs") -> RunFolder:
    """Make the folder of a new run under a name that was asked for; below ``root``, ``latest`` leads to it.

    A folder is as good as new where a process was killed in it before it saved the first weights.

    Args:
        folder: a name under ``root``, or a path.
        root: the folder of all runs.

    Raises:
        StorageError: the folder cannot be made.
        RunError: there is something in it already.
    """
    path = run_path(folder, root)
    try:
        path.mkdir(parents=True, exist_ok=True)
        if inside := sorted(entry.name for entry in path.iterdir() if not _is_blank(entry)):
            raise RunError(
                "this folder is not empty, and what is in it is no run",
                where=str(path),
                got=", ".join(inside[:5]),
                needs="a new folder, or that of an unfinished run",
            )
    except FileExistsError:
        raise StorageError("a file stands where the folder of the run goes", where=str(path)) from None
    except OSError as error:
        raise storage_error(error, path) from error
    run = RunFolder(path)
    run.make_folders()
    if path.parent == Path(root):
        _point_latest(path.parent, path.name)
    return run


def _is_blank(entry: Path) -> bool:
    """Whether it is what a process leaves that was killed before it wrote anything."""
    if entry.name in ("weights", "checkpoint") and entry.is_dir():
        return all(inside.name == "lock" or is_temporary(inside) for inside in entry.iterdir())
    return entry.name in _BEFORE_ANYTHING or is_temporary(entry)


def run_path(folder: Path | str, root: Path | str = "runs") -> Path:
    """Where a run is that was asked for by name or path.

    >>> run_path("mine").as_posix(), run_path("./mine/").as_posix(), run_path("a/b").as_posix()
    ('runs/mine', 'mine', 'a/b')
    """
    text = os.fspath(folder)
    if not text or Path(text).name in ("", "..", LATEST):
        raise RunError("not the name of a run", where="--run-folder", got=repr(text), write="--run-folder runs/mine")
    return Path(root) / text if os.path.basename(text) == text else Path(text)


def open_run(run: Path | str, root: Path | str = "runs") -> RunFolder:
    """Find a run.

    Args:
        run: a name under ``root``, ``latest``, or the path of a run folder.
        root: the folder of all runs.

    Raises:
        RunError: there is no such folder, it is not a run, or its ``run.json`` is damaged.
    """
    root = Path(root)
    try:
        path = _locate(Path(run), root)
        if not path.is_dir():
            raise _not_found(str(run), path, root)
        folder = RunFolder(path)
        is_run = folder.run_json.exists()
    except OSError as error:
        raise RunError("cannot be read", where=str(run), got=error.strerror or str(error)) from error
    if not is_run:
        inside = run_names(path)
        raise RunError(
            "not a run: it holds no run.json",
            where=str(path),
            needs="the folder of one run",
            write=str(path / inside[-1]) if inside else None,
        )
    folder.record()
    return folder


def run_names(root: Path | str) -> list[str]:
    """The names of the runs in ``root``, the one written to last at the end; empty when the folder is missing.

    Raises:
        RunError: the folder cannot be read.
    """
    root = Path(root)
    try:
        runs = [entry for entry in root.iterdir() if entry.name != LATEST and (entry / "run.json").is_file()]
        return [entry.name for entry in sorted(runs, key=lambda entry: (entry.stat().st_mtime_ns, entry.name))]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RunError("cannot be read", where=str(root), got=error.strerror or str(error)) from error


def _clean(stem: str) -> str:
    # Short enough that the number and the name of a temporary file fit a file system's 255 bytes; never hidden.
    kept = re.sub(r"[^A-Za-z0-9._-]+", "-", stem)[:100].strip("-.")
    return kept or "run"


def _highest_number(root: Path, stem: str) -> int:
    pattern = re.compile(re.escape(stem) + r"-([0-9]{1,9})")
    found = (pattern.fullmatch(entry.name) for entry in root.iterdir())
    return max((int(match[1]) for match in found if match), default=0)


def _made(path: Path) -> bool:
    """Make the folder, or say that somebody else just did: mkdir is the one step that cannot be raced."""
    try:
        path.mkdir()
    except FileExistsError:
        return False
    return True


def _point_latest(root: Path, name: str) -> None:
    link = root / LATEST
    if _is_folder_itself(link):
        raise StorageError(
            f"a folder stands where the link '{LATEST}' goes", where=str(link), write=f"mv {link} another-name"
        )
    # Windows needs a privilege for links and cannot replace one in a single step.
    if os.name == "nt" or not _linked(link, name):
        write_text(link, name + "\n")


def _is_folder_itself(path: Path) -> bool:
    """Whether there is a folder, and not a link to one, in one look: another process may replace it meanwhile."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _linked(link: Path, name: str) -> bool:
    """Replace the link in one step; False where the file system has no links."""
    temporary = temporary_beside(link)
    try:
        os.symlink(name, temporary, target_is_directory=True)
    except (OSError, NotImplementedError):
        return False
    try:
        os.replace(temporary, link)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise storage_error(error, link) from error
    return True


def _locate(run: Path, root: Path) -> Path:
    """The folder meant by a name or path, with ``latest`` followed to the run itself."""
    named = root / run
    path = named if len(run.parts) == 1 and (named.exists() or named.is_symlink()) else run
    if path.name != LATEST:
        return path
    if path.is_symlink():
        return path.parent / os.readlink(path)
    if path.is_file():
        name = read_bounded(path, 4096).decode(errors="replace").strip()
        if not name or Path(name).name != name:
            raise RunError("does not hold the name of a run", where=str(path), got=repr(name))
        return path.parent / name
    return path


def _not_found(asked: str, path: Path, root: Path) -> RunError:
    if path.exists():
        return RunError("a run is a folder, and this is a file", where=str(path), write=_folder_above(path))
    parent = path.parent if len(Path(asked).parts) > 1 else root
    names = run_names(parent)
    if not names:
        return RunError("no such run", where=asked, needs=f"a run in {parent}, which holds none", write="striate train")
    shown = ", ".join(names[-5:])
    if path.name != Path(asked).name:
        problem = f"leads to {path.name}, which is gone"
        return RunError(
            problem, where=str(path.parent / LATEST), needs=f"one of: {shown}", write=str(parent / names[-1])
        )
    close = near_miss(path.name, names)
    return RunError(
        "no such run", where=asked, needs=f"one of: {shown}", write=None if close is None else str(parent / close)
    )


def _folder_above(path: Path) -> str | None:
    return next((str(above) for above in path.parents if (above / "run.json").is_file()), None)
