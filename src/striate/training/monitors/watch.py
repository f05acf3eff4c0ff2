"""Watch: the monitors of one training. Measures a step now and then, judges, tells, and keeps what was found."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from striate.training.events import EpochDone, Event, Listener, Note, StepDone
from striate.training.monitors.judging import all_monitors, judge, judge_whole
from striate.training.monitors.rows import facts_of, rows_until, sample_row, start_row, story_of
from striate.training.monitors.sampling import Sampler
from striate.training.monitors.story import EpochPoint, Story

if TYPE_CHECKING:
    from striate.findings import Finding
    from striate.runs import RunFolder
    from striate.runs.metrics import MetricsWriter
    from striate.runs.records import RunRecord
    from striate.training.bookkeeping import History
    from striate.training.job import Job
    from striate.training.monitors.story import Start

__all__ = ["SHARE", "Step", "Watch"]

#: Sampling takes at most this share of the time since training began.
SHARE = 0.015
#: The first samples may follow each other; from then on one in so much of the whole training, so that files stay small.
FIRST_SAMPLES, BETWEEN = 10, 0.005


@dataclass(frozen=True)
class Step:
    """What the step that is computed works on, for whoever has to find out why it failed.

    Args:
        epoch: counted from 1.
        picked: places of the images in the training split.
        x_bchw: what the network sees.
        target: the labels.
        random: torch's random state before the step.
    """

    epoch: int
    picked: torch.Tensor
    x_bchw: torch.Tensor
    target: torch.Tensor
    random: torch.Tensor


class Watch:
    """The monitors of one training; used as a context around it.

    Args:
        job: what is trained.
        history: how far it is.
        folder: of the run.
        record: its ``run.json``.
        listen: told of each finding once.
    """

    def __init__(self, job: Job, history: History, folder: RunFolder, record: RunRecord, listen: Listener) -> None:
        self._job, self._history, self._folder, self._listen = job, history, folder, listen
        facts = facts_of(job.graph, job.dataset.card, record.recipe, record.resolved)
        self._story = Story(facts)
        self._sampler = Sampler(job.graph, job.module, compiled=job.setting.compiled)
        self._rows: MetricsWriter | None = None
        self._told: dict[tuple[str, str | None], Finding] = {}
        self._others = [one for one in job.dataset.findings if one.code not in all_monitors()]
        self._sampled, self._snapshot_step = False, 0
        self._spent = self._last_cost = 0.0
        self._samples = 0
        self._last_progress = -1.0
        self._began: float | None = None
        self._opened = 0.0
        self._steps = 0
        self._rate = 0.0
        self.step: Step | None = None

    @property
    def story(self) -> Story:
        """What was measured so far."""
        return self._story

    @property
    def snapshot(self) -> dict[str, torch.Tensor]:
        """The parameters before the newest step that was looked at."""
        return self._sampler.before

    @property
    def snapshot_step(self) -> int:
        """That step, counted from 1."""
        return self._snapshot_step

    def preflight(self, start: Start) -> None:
        """Take in the checks before the first step, and tell what they found."""
        self._writer(0).append(start_row(start))
        self._story = Story(self._story.facts, start=start)
        self._tell(judge(self._story, "start"))

    def before_step(
        self, epoch: int, picked: torch.Tensor, x_bchw: torch.Tensor, target: torch.Tensor, rate: float
    ) -> None:
        """Before the forward pass of a step: remember what it works on, and decide whether to look closely."""
        self.step, self._rate = Step(epoch, picked, x_bchw, target, torch.get_rng_state()), rate
        now = time.perf_counter()
        if self._began is None:
            self._begin(now)
        if self._due(now):
            self._sampler.open(x_bchw)
            self._sampled, self._snapshot_step = True, self._history.clock.steps + 1
            self._opened = time.perf_counter() - now
        self._history.spent.mark("monitors")

    def heard(self, event: Event) -> None:
        """Take in what training tells: a step is done, an epoch is done."""
        if isinstance(event, StepDone):
            self._steps += 1
            if self._sampled:
                self._history.spent.mark("other")
                self._take_sample(event)
                self._history.spent.mark("monitors")
        elif isinstance(event, EpochDone):
            point = EpochPoint(event.epoch, event.train_loss, event.train_accuracy, event.val_loss, event.val_accuracy)
            self._story = self._story.with_epoch(point)
            self._history.spent.mark("other")
            self._tell(judge(self._story, "epochs"))
            self._history.spent.mark("monitors")

    def listening(self) -> Listener:
        """The listener of the training: whoever listened before is told first."""

        def listen(event: Event) -> None:
            self._listen(event)
            self.heard(event)

        return listen

    def end(self) -> None:
        """Training is over, however it ended: let go of the layers, and write down what was found and what it cost.

        Raises:
            StorageError: when the disk is full; the file is closed all the same.
        """
        self._sampler.discard()
        self.step = None
        rows, self._rows = self._rows, None
        if rows is None:
            return
        with rows:
            if self._began is None:
                return
            total = max(time.perf_counter() - self._began, 1e-9)
            rows.append(
                {
                    "kind": "overhead",
                    "step": self._history.clock.steps,
                    "samples": self._samples,
                    "steps": self._steps,
                    "seconds": round(self._spent, 6),
                    "share": round(self._spent / total, 6),
                }
            )
        share = f"{100 * self._spent / total:.1f} %"
        self._listen(Note(f"monitors: {self._samples} of {self._steps} steps looked at, {share} of the time"))
        if self._story.epochs:
            self._folder.write_findings([*self._others, *judge_whole(self._story)])

    def _begin(self, now: float) -> None:
        """Only now is it known which step a resumed training goes on from."""
        self._began = now
        behind = self._history.clock.steps
        self._writer(behind)
        if behind:
            self._story = story_of(self._folder, self._story.facts, until=behind)
            stored = self._folder.findings() if self._folder.findings_json.exists() else ()
            self._others = [one for one in stored if one.code not in all_monitors()]
            self._told = {(one.code, one.where): one for one in judge_whole(self._story)}

    def _due(self, now: float) -> bool:
        if self._began is None or self._samples == 0:
            return True
        if self._spent + self._last_cost > SHARE * (now - self._began):
            return False
        return self._samples < FIRST_SAMPLES or self._history.clock.progress() - self._last_progress >= BETWEEN

    def _take_sample(self, event: StepDone) -> None:
        now = time.perf_counter()
        self._sampled = False
        sample = self._sampler.close(event.epoch, self._history.clock.steps, self._rate, event.loss)
        self._story = self._story.with_sample(sample)
        self._tell(judge(self._story, "samples"))
        self._samples += 1
        self._last_progress = self._history.clock.progress()
        before = self._opened + self._sampler.seconds
        self._writer(0).append(sample_row(sample, time.perf_counter() - now + before))
        cost = time.perf_counter() - now + before
        self._spent += cost
        # The first sample pays for what is made once.
        self._last_cost = cost if self._samples == 1 else max(0.5 * self._last_cost, cost)

    def _writer(self, behind: int) -> MetricsWriter:
        if self._rows is None:
            self._rows = rows_until(self._folder, behind)
        return self._rows

    def _tell(self, findings: Iterable[Finding]) -> None:
        new = [one for one in findings if (one.code, one.where) not in self._told]
        for finding in new:
            self._told[finding.code, finding.where] = finding
            self._listen(Note(finding.line()))
        if new:
            self._folder.write_findings([*self._others, *self._told.values()])
