"""Every file under a folder, without following links out of it and without getting lost in a loop."""

from __future__ import annotations

import os
from dataclasses import dataclass

from striate.data.broken import reason_of
from striate.data.naming import printable
from striate.errors import DataError

__all__ = ["Walk", "walk"]

_IGNORED = frozenset({"__macosx", "thumbs.db", "desktop.ini", "@eadir"})


@dataclass(frozen=True, slots=True)
class Walk:
    """What lies under a folder; every name is relative to it and has its parts apart.

    Args:
        folders: visited folders, the top one left out.
        files: ordinary files, and links to files inside the folder.
        links: links that were not followed: to folders, out of the folder, or to nothing.
        unreadable: "name (reason)" of folders that could not be listed, and of pipes, sockets and devices.
    """

    folders: list[tuple[str, ...]]
    files: list[tuple[str, ...]]
    links: list[str]
    unreadable: list[str]


def walk(root: str) -> Walk:
    """List a folder and all below it. Hidden names and the droppings of file managers are left out.

    A link to a folder is not followed: it may lead out of the tree or round in a circle. A link to a file counts when
    the file lies in the same tree.

    Raises:
        DataError: the top folder itself cannot be listed.
    """
    found = Walk([], [], [], [])
    inside = os.path.realpath(root) + os.sep
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        place = waiting.pop()
        try:
            with os.scandir(os.path.join(root, *place)) as entries:
                names = [entry for entry in entries if not _ignored(entry.name)]
        except OSError as error:
            if not place:
                raise DataError("the folder cannot be listed", where=root, got=reason_of(error)) from None
            found.unreadable.append(f"{_joined(place)} ({reason_of(error)})")
            continue
        for entry in names:
            name = (*place, entry.name)
            if entry.is_symlink():
                target = os.path.realpath(entry.path)
                if os.path.isfile(target) and target.startswith(inside):
                    found.files.append(name)
                else:
                    found.links.append(_joined(name))
            elif entry.is_dir(follow_symlinks=False):
                found.folders.append(name)
                waiting.append(name)
            elif entry.is_file(follow_symlinks=False):
                found.files.append(name)
            else:
                found.unreadable.append(f"{_joined(name)} (not a file)")
    return found


def _ignored(name: str) -> bool:
    return name.startswith(".") or name.casefold() in _IGNORED


def _joined(parts: tuple[str, ...]) -> str:
    return printable("/".join(parts))
