"""Rules about a run that is over, or stands still: what its curves say. Those of the monitors are judged as well."""

from __future__ import annotations

__all__: list[str] = []
