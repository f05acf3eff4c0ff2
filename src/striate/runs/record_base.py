"""What every stored record shares: the model's settings, values that survive JSON, and reading with a plain error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from striate.errors import RunError
from striate.runs.plain import plain

__all__ = ["FORMAT", "Record", "Results", "Settings", "parse_record"]

FORMAT = 1
"""The version of the layout of the files in a run folder that this Striate writes, and the newest that it reads."""


class Record(BaseModel):
    """What every record has in common: frozen, no unknown keys, JSON in and out."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    @model_validator(mode="before")
    @classmethod
    def _not_from_the_future(cls, data: object) -> object:
        version = data.get("format") if isinstance(data, Mapping) else None
        if isinstance(version, int) and version > FORMAT:
            raise ValueError(f"written by a newer Striate: format {version}, and this one reads up to {FORMAT}")
        return data

    def json_bytes(self) -> bytes:
        """The record as indented UTF-8 JSON with a line feed at the end."""
        return self.model_dump_json(indent=2).encode() + b"\n"


def _plain_mapping(values: dict[str, object]) -> dict[str, object]:
    return {key: plain(value) for key, value in values.items()}


def _plain_results(values: dict[str, float | int | str | None]) -> dict[str, float | int | str | None]:
    return {key: None if isinstance(value, float) and plain(value) is None else value for key, value in values.items()}


Settings = Annotated[dict[str, object], AfterValidator(_plain_mapping)]
Results = Annotated[dict[str, float | int | str | None], AfterValidator(_plain_results)]

AnyRecord = TypeVar("AnyRecord", bound=Record)


def parse_record(kind: type[AnyRecord], text: bytes, where: str) -> AnyRecord:
    """Read one record from JSON.

    Args:
        kind: the record expected.
        text: the file's content.
        where: the file, named in the error.

    Raises:
        RunError: the text is not JSON, or not this record; says which key and what is wrong with it.

    >>> from striate.runs.records import Interval
    >>> parse_record(Interval, b'{"low": 0.5, "high": 0.75}', "evaluation-test.json").high
    0.75
    """
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        first, *others = error.errors(include_url=False, include_context=False)
    if first["type"] == "json_invalid":
        raise RunError("not JSON, or cut off in the middle", where=where, got=first["msg"])
    problem = _PROBLEMS.get(first["type"], first["msg"].removeprefix("Value error, "))
    if first["loc"]:
        problem = f"{'.'.join(str(part) for part in first['loc'])}: {problem}"
    if others:
        problem += f" (and {len(others)} more)"
    shown = first["type"] not in ("missing", "value_error")
    raise RunError(problem, where=where, got=_short(first["input"]) if shown else None)


_PROBLEMS = {
    "missing": "this key is missing",
    "extra_forbidden": "unknown key",
    "unexpected_keyword_argument": "unknown key",
}


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
