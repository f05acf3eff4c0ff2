"""What the probe decided, kept for the next training of the same network on this machine."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field

from striate.backend.native import why_not_fused
from striate.data.cache_folder import cache_folder
from striate.errors import StriateError
from striate.runs.atomic import write_bytes
from striate.runs.bounded import read_bounded
from striate.runs.record_base import FORMAT, Record, parse_record
from striate.training.devices import machine_name
from striate.training.fusing import tell_unfused, workable
from striate.training.identity import fingerprint
from striate.training.inputs import layout_name, memory_layout
from striate.training.probe import COMPILING, SHARE, Decision, Question, measured, nothing_to_decide
from striate.training.processors import processor_name
from striate.training.settings import Setting
from striate.training.usual_setting import expected_seconds
from striate.training.versions import now, versions

if TYPE_CHECKING:
    from striate.training.events import Listener

__all__ = ["DecisionRecord", "cached_decision", "decide", "decision_file", "keep_decision"]

#: A decision is a few hundred bytes; a file larger than this is none.
MOST_BYTES = 1 << 16
_OPTIONS = ("precision", "layout", "rewrites", "compile", "threads", "memory", "deterministic")


class DecisionRecord(Record):
    """``probes/<key>.json`` in the user's cache folder.

    Attributes:
        format: version of its layout.
        written: ISO 8601, UTC.
        network: its name, for whoever looks into the folder.
        precision, layout, rewritten, threads, compiled, fused: the setting.
        reason, tried: as :class:`striate.training.probe.Decision` has them.
    """

    format: int = FORMAT
    written: str
    network: str
    precision: Literal["fp32", "bf16"]
    layout: Literal["channels-last", "contiguous"]
    rewritten: bool
    threads: int = Field(ge=1)
    compiled: bool
    fused: bool = False
    reason: str
    tried: str


def decide(question: Question, listen: Listener) -> Decision:
    """The setting of a training: as asked, as decided before, or as measured now; what is decided is told."""
    from striate.training.events import Note

    decision = nothing_to_decide(question)
    if decision is None:
        path = decision_file(question)
        try:
            decision = None if question.recipe.probe == "again" else cached_decision(path)
        except StriateError as error:
            listen(Note(f"the kept decision of the probe cannot be used ({error.problem}), and is made again"))
        if decision is None:
            decision = measured(question)
            if decision.lasting:
                try:
                    keep_decision(path, decision, question)
                except StriateError as error:
                    listen(Note(f"what the probe decided cannot be kept for the next time: {error.problem}"))
    decision = replace(decision, setting=workable(decision.setting, listen))
    if question.recipe.rewrites == "fused":
        tell_unfused(question.graph, decision.setting, question.plan.device, listen)
    for line in decision.lines(question.plan.device):
        listen(Note(line))
    return decision


def decision_file(question: Question) -> Path:
    """Where the decision lies: named by all that it depends on, so that nothing else is ever taken for it."""
    recipe, plan = question.recipe, question.plan
    expected = expected_seconds(plan, question.graph, len(question.dataset.train))
    known = {
        "network": fingerprint(question.graph),
        "batch": [plan.batch, plan.parts],
        "machine": [processor_name(), plan.threads],
        "device": _device_key(plan.device),
        "versions": {name: versions()[name] for name in ("striate", "torch")},
        "options": {name: getattr(recipe, name) for name in _OPTIONS},
        "compiling": SHARE * expected >= COMPILING,
        "fusing": not why_not_fused(),
    }
    key = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:32]
    return cache_folder().parent / "probes" / f"{key}.json"


def _device_key(device: torch.device) -> list[str]:
    """Its kind, and what it is; the number of a GPU does not matter."""
    return ["cpu"] if device.type == "cpu" else [device.type, machine_name(device)]


def cached_decision(path: Path) -> Decision | None:
    """The decision in a file; None where there is no file.

    Raises:
        RunError: it cannot be read, or is damaged.
    """
    if not path.exists():
        return None
    record = parse_record(DecisionRecord, read_bounded(path, MOST_BYTES), str(path))
    setting = Setting(
        dtype=torch.bfloat16 if record.precision == "bf16" else torch.float32,
        layout=memory_layout(record.layout),
        rewritten=record.rewritten,
        threads=record.threads,
        compiled=record.compiled,
        fused=record.fused,
    )
    tried = (
        f"measured {record.written[:10]} for this network on this machine (--probe again repeats it): {record.tried}"
    )
    return Decision(setting, record.reason, tried)


def keep_decision(path: Path, decision: Decision, question: Question) -> None:
    """Write a decision.

    Raises:
        StorageError: the folder cannot be written.
    """
    setting = decision.setting
    record = DecisionRecord(
        written=now(),
        network=question.graph.name,
        precision="bf16" if setting.dtype == torch.bfloat16 else "fp32",
        layout="contiguous" if layout_name(setting.layout) == "contiguous" else "channels-last",
        rewritten=setting.rewritten,
        threads=setting.threads or question.plan.threads,
        compiled=setting.compiled,
        fused=setting.fused,
        reason=decision.reason,
        tried=decision.tried,
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        from striate.runs.atomic import storage_error

        raise storage_error(error, path.parent) from error
    write_bytes(path, record.json_bytes())
