"""RunFolder: where each file of a run is, and reading and writing it as what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from striate.errors import RunError
from striate.runs.atomic import storage_error, write_bytes, write_text
from striate.runs.bounded import read_bounded
from striate.runs.metrics import Metrics, MetricsWriter, read_metrics

if TYPE_CHECKING:
    from striate.findings import Finding
    from striate.runs.checkpoints import Checkpoints
    from striate.runs.records import DataCard, Evaluation, RunRecord

__all__ = ["RunFolder"]


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run on the disk.

    Every reading method raises ``RunError`` when its file is missing or damaged, and every writing method
    ``StorageError`` when the disk is full or the folder cannot be written; a write is atomic.

    Args:
        path: the folder.

    >>> RunFolder(Path("runs/digits-simple-cnn-1")).best_weights.as_posix()
    'runs/digits-simple-cnn-1/weights/best.safetensors'
    """

    path: Path

    @property
    def name(self) -> str:
        """The folder's name, such as ``digits-simple-cnn-1``."""
        return self.path.name

    @property
    def run_json(self) -> Path:
        """What was asked, what was resolved, and how it ended."""
        return self.path / "run.json"

    @property
    def net_yaml(self) -> Path:
        """The graph."""
        return self.path / "net.yaml"

    @property
    def data_json(self) -> Path:
        """Classes, splits and preprocessing."""
        return self.path / "data.json"

    @property
    def metrics_jsonl(self) -> Path:
        """One line per step or epoch."""
        return self.path / "metrics.jsonl"

    @property
    def findings_json(self) -> Path:
        """What was found about the network, its data and its training."""
        return self.path / "findings.json"

    @property
    def weights(self) -> Path:
        """The folder of the weights."""
        return self.path / "weights"

    @property
    def best_weights(self) -> Path:
        """The weights of the best epoch on the validation split."""
        return self.weights / "best.safetensors"

    @property
    def last_weights(self) -> Path:
        """The weights after the last epoch."""
        return self.weights / "last.safetensors"

    @property
    def checkpoint(self) -> Path:
        """The folder of everything exact resume needs; there once a checkpoint is written."""
        return self.path / "checkpoint"

    @property
    def report_html(self) -> Path:
        """One self-contained page."""
        return self.path / "report.html"

    @property
    def checkpoints(self) -> Checkpoints:
        """The checkpoints in :attr:`checkpoint`."""
        from striate.runs.checkpoints import Checkpoints

        return Checkpoints(self.checkpoint)

    def evaluation_json(self, split: str) -> Path:
        """The network measured on a split."""
        if not split.isidentifier():
            raise RunError("not the name of a split", where=str(self.path), got=repr(split), needs="train, val or test")
        return self.path / f"evaluation-{split}.json"

    def record(self) -> RunRecord:
        """Read ``run.json``."""
        from striate.runs.records import RunRecord, parse_record

        return parse_record(RunRecord, read_bounded(self.run_json), str(self.run_json))

    def write_record(self, record: RunRecord) -> None:
        """Write ``run.json``."""
        write_bytes(self.run_json, record.json_bytes())

    def data_card(self) -> DataCard:
        """Read ``data.json``."""
        from striate.runs.records import DataCard, parse_record

        return parse_record(DataCard, read_bounded(self.data_json), str(self.data_json))

    def write_data_card(self, card: DataCard) -> None:
        """Write ``data.json``."""
        write_bytes(self.data_json, card.json_bytes())

    def findings(self) -> tuple[Finding, ...]:
        """Read ``findings.json``."""
        from striate.runs.records import FindingsFile, parse_record

        return parse_record(FindingsFile, read_bounded(self.findings_json), str(self.findings_json)).findings

    def write_findings(self, findings: Sequence[Finding]) -> None:
        """Write ``findings.json``."""
        from striate.runs.records import FindingsFile

        write_bytes(self.findings_json, FindingsFile(findings=tuple(findings)).json_bytes())

    def evaluation(self, split: str) -> Evaluation:
        """Read ``evaluation-<split>.json``."""
        from striate.runs.records import Evaluation, parse_record

        path = self.evaluation_json(split)
        return parse_record(Evaluation, read_bounded(path), str(path))

    def write_evaluation(self, evaluation: Evaluation) -> None:
        """Write ``evaluation-<split>.json``."""
        write_bytes(self.evaluation_json(evaluation.split), evaluation.json_bytes())

    def evaluated_splits(self) -> tuple[str, ...]:
        """The splits an evaluation is stored of, in alphabetical order."""
        names = sorted(path.stem.removeprefix("evaluation-") for path in self.path.glob("evaluation-*.json"))
        return tuple(name for name in names if name.isidentifier())

    def net_text(self) -> str:
        """Read ``net.yaml``, as text."""
        try:
            return read_bounded(self.net_yaml).decode()
        except UnicodeDecodeError as error:
            raise RunError("not UTF-8 text", where=str(self.net_yaml), got=str(error)) from None

    def write_net_text(self, text: str) -> None:
        """Write ``net.yaml``."""
        write_text(self.net_yaml, text)

    def metrics(self) -> Metrics:
        """Read ``metrics.jsonl``."""
        return read_metrics(self.metrics_jsonl)

    def metrics_writer(self, keep_rows: int | None = None) -> MetricsWriter:
        """Open ``metrics.jsonl`` for appending; see `MetricsWriter`."""
        return MetricsWriter(self.metrics_jsonl, keep_rows)

    def write_report(self, page: str) -> None:
        """Write ``report.html``."""
        write_text(self.report_html, page)

    def make_folders(self) -> None:
        """Make the folder of the weights."""
        try:
            self.weights.mkdir(exist_ok=True)
        except OSError as error:
            raise storage_error(error, self.weights) from error
