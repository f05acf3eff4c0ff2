"""diagnose: what a run's own files say is wrong with it, finished or not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.findings import Finding
from striate.lint.run_rules import all_run_rules
from striate.runs import RunFolder, open_run

if TYPE_CHECKING:
    from striate.graph import Graph
    from striate.runs.records import RunRecord
    from striate.runs.spent_record import SpentRecord
    from striate.training import TrainedRun

__all__ = ["Diagnosis", "diagnose"]

_SEVERITIES = ("error", "warning", "info")
#: The rules about values of weights.
_WEIGHTS = "N7"


@dataclass(frozen=True)
class Diagnosis:
    """What is known to be wrong with a run.

    Args:
        run: the run folder.
        network: the name of its network.
        status: how it stands or ended.
        findings: errors first, then warnings, then what is only said; by code.
        overhead: what the monitors cost: ``samples``, ``steps``, ``seconds`` and ``share`` of the time; empty where
            nothing is recorded.
        spent: where the time of the training went, with advice; None where that was not measured.
    """

    run: str
    network: str
    status: str
    findings: tuple[Finding, ...]
    overhead: dict[str, float]
    spent: SpentRecord | None = None

    def as_dict(self) -> dict[str, Any]:
        """The diagnosis as JSON-ready data."""
        return {
            "run": self.run,
            "network": self.network,
            "status": self.status,
            "findings": [finding.as_dict() for finding in self.findings],
            "monitors": dict(self.overhead),
            "spent": None if self.spent is None else self.spent.model_dump(mode="json"),
        }


def diagnose(run: str | Path | TrainedRun = "latest", *, runs: str | Path = "runs") -> Diagnosis:
    """Judge a run from its files alone: its curves, what the monitors measured, its weights, and what was found before.

    Neither images nor torch are needed.

    Args:
        run: a run, its folder, its name under ``runs``, or ``latest``.
        runs: the folder of all runs.

    Raises:
        RunError: there is no such run, or a file of it is damaged.
        WeightsError: its weights are damaged or those of another network.

    >>> import striate as st
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = st.train("flatten > dense classes", "digits", epochs=1, runs=folder)
    ...     diagnose(runs=folder).status
    'done'
    """
    from striate.sources import read_yaml

    folder = open_run(run, runs) if isinstance(run, (str, Path)) else run.folder
    record = folder.record()
    graph = read_yaml(folder.net_text(), where=str(folder.net_yaml))
    found = [*_stored(folder), *_curves(folder, record, graph), *_weights(folder)]
    return Diagnosis(str(folder.path), record.network, record.status, _sorted(found), _overhead(folder), record.spent)


def _stored(folder: RunFolder) -> list[Finding]:
    """What was found before training; what the monitors found is judged again from what they measured."""
    if not folder.findings_json.exists():
        return []
    return [finding for finding in folder.findings() if finding.code not in all_run_rules()]


def _curves(folder: RunFolder, record: RunRecord, graph: Graph) -> list[Finding]:
    from striate.training.monitors.judging import judge_whole
    from striate.training.monitors.rows import facts_of, story_of

    facts = facts_of(graph, folder.data_card(), record.recipe, record.resolved)
    story = replace(story_of(folder, facts), status=record.status, reason=record.reason)
    return judge_whole(story, all_run_rules().values())


def _weights(folder: RunFolder) -> tuple[Finding, ...]:
    """What the rules about weights say; nothing where none were written yet."""
    from striate.lint.result import lint_target
    from striate.lint.selection import choose_rules
    from striate.lint.target import read_target

    if not (folder.best_weights.is_file() or folder.last_weights.is_file()):
        return ()
    return lint_target(read_target(str(folder.path)), choose_rules([_WEIGHTS])).findings


def _overhead(folder: RunFolder) -> dict[str, float]:
    """Summed over the processes that trained the run."""
    from striate.training.monitors.rows import monitor_rows

    total: Counter[str] = Counter()
    time = 0.0
    for row in monitor_rows(folder):
        if row.get("kind") == "overhead":
            numbers = {name: row.get(name) for name in ("samples", "steps", "seconds", "share")}
            known = {name: float(value) for name, value in numbers.items() if isinstance(value, int | float)}
            total.update({name: value for name, value in known.items() if name != "share"})
            time += known["seconds"] / known["share"] if known.get("share") and "seconds" in known else 0.0
    if not total:
        return {}
    return {**{name: float(value) for name, value in total.items()}, "share": total["seconds"] / time if time else 0.0}


def _sorted(findings: list[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: (_SEVERITIES.index(one.severity), one.code, one.where or "")))
