"""``[tool.striate.lint]`` in ``pyproject.toml``: what a team has agreed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.errors import StriateError, UsageError, near_miss
from striate.runs.bounded import read_bounded

__all__ = ["LOSSES", "Settings", "find_settings", "read_loss"]

#: What a network is trained with, by the names the rules use; the recipe of a training has longer ones.
LOSSES = ("cross-entropy", "bce", "mse")
_OTHER_NAMES = {"binary-cross-entropy": "bce"}

_FILE = "pyproject.toml"
_TABLE = "[tool.striate.lint]"
_LIMIT = 1024**2
_KEYS = ("select", "ignore", "strict", "batch", "loss")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a network is linted.

    Args:
        select: the rules to run, as ``--select`` takes them; None: all.
        ignore: what is left out of these.
        strict: whether warnings count as errors.
        batch: how many images a training step has; None: not known.
        loss: one of ``LOSSES``; None: not known.
        path: the file that says so; None where nobody does.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    strict: bool = False
    batch: int | None = None
    loss: str | None = None
    path: Path | None = None


def find_settings(start: Path) -> Settings:
    """The settings of the nearest ``pyproject.toml`` that has any, from a folder upwards.

    Raises:
        UsageError: that file cannot be read, is not TOML, or has a key or a value that means nothing.
    """
    for folder in (start, *start.parents):
        path = folder / _FILE
        if path.is_file():
            table = _table(path)
            if table is not None:
                return _settings(table, path)
    return Settings()


def read_loss(text: str, where: str) -> str:
    """A loss by the name that the rules use.

    Raises:
        UsageError: it is none.
    """
    name = _OTHER_NAMES.get(text, text)
    if name not in LOSSES:
        raise UsageError(
            "this is not a loss",
            where=where,
            got=text,
            needs=f"one of {', '.join(LOSSES)}",
            write=near_miss(text, [*LOSSES, *_OTHER_NAMES]),
        )
    return name


def _table(path: Path) -> Mapping[str, Any] | None:
    """What stands in the file for the linter; None where nothing does."""
    import tomllib

    try:
        whole: Any = tomllib.loads(read_bounded(path, _LIMIT).decode("utf-8"))
    except StriateError as error:
        raise UsageError(error.problem, where=str(path), got=error.got, needs=error.needs) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError("this is not TOML", where=str(path), got=str(error)) from None
    table: dict[str, Any] = whole
    for name in ("tool", "striate", "lint"):
        inner = table.get(name)
        if inner is None:
            return None
        if not isinstance(inner, dict):
            raise UsageError(f"{name} is not a table", where=str(path), got=str(inner)[:80], write=_TABLE)
        table = inner
    return table


def _settings(table: Mapping[str, Any], path: Path) -> Settings:
    for key in table:
        if key not in _KEYS:
            raise UsageError(
                f"there is no setting {key!r}",
                where=f"{path}, {_TABLE}",
                got=key,
                needs=f"one of {', '.join(_KEYS)}",
                write=near_miss(key, _KEYS),
            )
    where = f"{path}, {_TABLE} {{}}"
    batch, strict = table.get("batch"), table.get("strict", False)
    if batch is not None and (not isinstance(batch, int) or isinstance(batch, bool) or batch < 1):
        raise _wrong(where.format("batch"), batch, "a whole number of at least 1", "batch = 32")
    if not isinstance(strict, bool):
        raise _wrong(where.format("strict"), strict, "true or false", "strict = true")
    loss = table.get("loss")
    if loss is not None:
        loss = read_loss(str(loss), where.format("loss"))
    select = _names(table["select"], where.format("select")) if "select" in table else None
    ignore = _names(table["ignore"], where.format("ignore")) if "ignore" in table else ()
    return Settings(select, ignore, strict, batch, loss, path)


def _names(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise _wrong(where, value, "a list of names and codes", '["N3", "even-kernel"]')
    return tuple(value)


def _wrong(where: str, value: object, needs: str, write: str) -> UsageError:
    return UsageError("this value has no meaning", where=where, got=repr(value)[:80], needs=needs, write=write)
