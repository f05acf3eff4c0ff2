"""The values a recipe may hold: numbers that are no booleans, durations, image sizes, weights of classes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

__all__ = [
    "Angle",
    "ClassWeights",
    "Concentration",
    "Count",
    "Device",
    "Epochs",
    "Magnitude",
    "NotNegative",
    "Operations",
    "Part",
    "Pixels",
    "Positive",
    "Seconds",
    "Seed",
    "Share",
    "Size",
    "Turn",
    "Zoom",
    "parse_duration",
    "parse_size",
]

_DURATION = re.compile(
    r"(?:(?P<h>\d+(?:\.\d+)?)\s*h)?\s*(?:(?P<m>\d+(?:\.\d+)?)\s*m(?:in)?)?\s*(?:(?P<s>\d+(?:\.\d+)?)\s*s)?"
)
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d{1,3})?")
_SIZE = re.compile(r"([1-9]\d{0,4})(?:\s*[x×]\s*([1-9]\d{0,4}))?")


def parse_duration(value: object) -> float:
    """Seconds from a number of seconds or from hours, minutes and seconds.

    Raises:
        ValueError: it is neither.

    >>> parse_duration("10m"), parse_duration("1.5h"), parse_duration("1h 30m"), parse_duration(90)
    (600.0, 5400.0, 5400.0, 90.0)
    """
    seconds = math.nan
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match and any(match.groups()):
            seconds = math.fsum(float(match[unit] or 0) * length for unit, length in _SECONDS.items())
        elif re.fullmatch(r"\d+(\.\d+)?", value.strip()):
            seconds = float(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    if not 0 < seconds < math.inf:
        raise ValueError("a duration above 0, such as 90s, 10m or 1.5h")
    return seconds


def parse_size(text: str) -> tuple[int, int]:
    """(height, width) in pixels from ``32`` or ``24x48``.

    Raises:
        ValueError: it is neither.

    >>> parse_size("32"), parse_size("24x48")
    ((32, 32), (24, 48))
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError("pixels: a side, or height x width, such as 24x48")
    return int(match[1]), int(match[2] or match[1])


def _size(value: object) -> object:
    """A size as text; ``32`` in YAML is a number, and ``[24, 48]`` a list."""
    if isinstance(value, list | tuple) and len(value) == 2:
        value = f"{value[0]}x{value[1]}"
    if value is None:
        return None
    parse_size("" if isinstance(value, bool) else str(value))
    return str(value).strip()


def _number(value: object) -> object:
    """Python counts True as 1, and ``epochs: true`` is a mistake."""
    if isinstance(value, bool):
        raise ValueError("a number, not true or false")
    return value


def _concentration(value: float) -> float:
    if value and not 0.001 <= value <= 1000:
        raise ValueError("0, or 0.001 to 1000; 1 draws every share alike")
    return value


def _epochs(value: object) -> object:
    """Whole epochs stay whole numbers, from text too; a training may end within one."""
    number = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = value
    elif isinstance(value, str) and re.fullmatch(r"\d{1,9}(\.\d{1,9})?|\.\d{1,9}", value.strip()):
        number = float(value)
    if not 0 < number < math.inf:
        raise ValueError("a number above 0, such as 10 or 0.5")
    return int(number) if number == int(number) else number


def _device(value: object) -> object:
    """``cuda:N`` for any N; whether there is one is found out when it is used."""
    if isinstance(value, str) and _DEVICE.fullmatch(value.strip().lower()):
        return value.strip().lower()
    raise ValueError("auto, cpu, cuda, cuda:N or mps")


def _class_weights(value: object) -> object:
    if value is None or value == "balanced":
        return value
    if isinstance(value, Mapping) and value:
        # ``0: 2.5`` in YAML: the names of digits are numbers there.
        weights = {str(name): weight for name, weight in value.items()}
        if all(_is_weight(weight) for weight in weights.values()):
            return {name: float(weight) for name, weight in weights.items()}
    raise ValueError("'balanced', or a weight above 0 for each class, such as {cat: 2, dog: 1}")


def _is_weight(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


Share = Annotated[float, BeforeValidator(_number), Field(ge=0.0, lt=1.0)]
Positive = Annotated[float, BeforeValidator(_number), Field(gt=0.0, allow_inf_nan=False)]
NotNegative = Annotated[float, BeforeValidator(_number), Field(ge=0.0, allow_inf_nan=False)]
Count = Annotated[int, BeforeValidator(_number), Field(ge=1)]
Epochs = Annotated[int | float, BeforeValidator(_epochs)]
Pixels = Annotated[int, BeforeValidator(_number), Field(ge=0)]
Seed = Annotated[int, BeforeValidator(_number), Field(ge=0, lt=2**31)]
Zoom = Annotated[float, BeforeValidator(_number), Field(gt=0.0, le=1.0)]
Part = Annotated[float, BeforeValidator(_number), Field(gt=0.0, le=1.0)]
Turn = Annotated[float, BeforeValidator(_number), Field(ge=0.0, le=0.5)]
Operations = Annotated[int, BeforeValidator(_number), Field(ge=0, le=14)]
Magnitude = Annotated[float, BeforeValidator(_number), Field(ge=0.0, le=10.0)]
Concentration = Annotated[float, BeforeValidator(_number), AfterValidator(_concentration)]
Angle = Annotated[float, BeforeValidator(_number), Field(ge=0.0, le=180.0)]
Device = Annotated[str, BeforeValidator(_device)]
Seconds = Annotated[float, BeforeValidator(parse_duration)]
Size = Annotated[str, BeforeValidator(_size)]
ClassWeights = Annotated[Literal["balanced"] | dict[str, float], BeforeValidator(_class_weights)]
