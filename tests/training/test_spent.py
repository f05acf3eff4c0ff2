"""Where the time of a training went: all parts add up to the whole, over epochs, parts of a batch and processes."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.errors import InterruptedRun
from striate.insight.page import write_report
from striate.lint.diagnosis import diagnose
from striate.runs import RunFolder
from striate.runs.spent_record import PARTS, SpentRecord
from striate.training import bookkeeping, make_recipe
from striate.training.augmentation import Augmentation
from striate.training.events import Event, Note, StepDone
from striate.training.resuming import resume
from striate.training.spent import Spent
from striate.training.spent_advice import CHANGES
from striate.views.console import make_console
from striate.views.diagnosis import diagnosis_view
from striate.views.time_spent import shares_in_percent, time_spent_line
from training.samples import make_dataset, quick_run

#: Every random change, so that each has to be told from the others.
EVERYTHING = {
    "flip": "both",
    "shift": 1,
    "randaugment": 1,
    "rotate": 10.0,
    "color": 0.2,
    "hue": 0.1,
    "cutout": 2,
    "mixup": 0.2,
    "cutmix": 1.0,
}


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A clock that goes on by one second at each look; how often each clock was looked at."""
    looks: list[int] = []

    def fake() -> Spent:
        number = len(looks)
        looks.append(-1)

        def now() -> float:
            looks[number] += 1
            return float(looks[number])

        return Spent(now)

    monkeypatch.setattr(bookkeeping, "Spent", fake)
    return looks


def epoch_rows(folder: RunFolder) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in folder.metrics_jsonl.read_text().splitlines()]
    return [row["spent"] for row in rows if row["kind"] == "epoch"]


def test_marks_add_up() -> None:
    times = iter([10.0, 11.0, 13.0, 16.0, 20.0])
    spent = Spent(lambda: next(times))
    spent.mark("forward")
    spent.mark("augment", "flips")
    spent.add("decode", 7.0)
    first = spent.epoch_over()
    assert {part: value for part, value in first.seconds.items() if value} == {"decode": 7, "forward": 1, "augment": 2}
    assert first.changes == {"flips": 2}
    spent.mark("augment", "flips")
    spent.mark("forward")
    second = spent.epoch_over()
    assert {part: value for part, value in second.seconds.items() if value} == {"augment": 3, "forward": 4}
    assert second.changes == {"flips": 3}
    assert spent.as_record().whole == 7 + 10


def test_a_training_is_accounted_for_to_the_last_look(tmp_path: Path, ticks: list[int]) -> None:
    lines: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            lines.append(event.text)

    # Not mixed: 48 images in batches of 16 are 3 steps of an epoch.
    options = {name: value for name, value in EVERYTHING.items() if name not in ("mixup", "cutmix")}
    net = "conv 4 3 same > relu > maxpool 2 > flatten > dense classes"
    colour = make_dataset(shape=(3, 6, 6))
    run = quick_run(tmp_path, colour, net=net, batch=16, epochs=3, listen=listen, **options)
    spent = run.record.spent
    assert spent is not None
    (looks,) = ticks
    reading = spent.seconds["decode"]
    assert spent.whole == pytest.approx(looks + reading)
    assert list(spent.seconds) == list(PARTS)
    steps = 9
    assert spent.seconds["forward"] == spent.seconds["backward"] == steps
    # Each batch, and once an epoch to ask for them ahead.
    assert spent.seconds["wait"] == steps + 3
    assert spent.seconds["optimizer"] == steps
    assert spent.seconds["validation"] == 3 + 1
    # One draw for all images of an epoch; six changes and what is shown otherwise.
    assert spent.seconds["augment"] == 3 + 7 * steps
    assert spent.changes == dict.fromkeys(["flips", "shift", "randaugment", "warp", "color", "hue", "cutout"], steps)
    epochs = epoch_rows(run.folder)
    assert len(epochs) == 3
    for part, looks in (("wait", 4), ("forward", 3), ("backward", 3), ("optimizer", 3)):
        assert [row[part] for row in epochs] == [looks] * 3
    behind = {"validation": 1}
    for part in set(PARTS) - {"decode", "checkpoints", "monitors", "other"}:
        assert sum(row[part] for row in epochs) + behind.get(part, 0) == spent.seconds[part], part
    told = dict(zip(("monitors", "time", "advice"), lines[-3:], strict=True))
    assert told["time"] == time_spent_line(spent)
    assert told["advice"] == f"advice: {spent.advice}"


def test_a_batch_in_parts_has_its_time_in_both_passes(tmp_path: Path, ticks: list[int]) -> None:
    from striate.training.accumulation import Gradients

    whole = Gradients._whole

    def divided(self: Gradients, x_bchw: Any, target: Any) -> Any:
        self._history.parts = 3
        return self._divided(x_bchw, target)

    try:
        Gradients._whole = divided  # type: ignore[method-assign]
        run = quick_run(tmp_path, net="flatten > dense classes", batch=16, epochs=1)
    finally:
        Gradients._whole = whole  # type: ignore[method-assign]
    assert run.record.spent is not None
    assert run.record.spent.seconds["forward"] == run.record.spent.seconds["backward"] == 3 * 3


def test_mixed_images_have_their_own_share(tmp_path: Path, ticks: list[int]) -> None:
    run = quick_run(tmp_path, batch=16, epochs=1, mixup=0.2, flip="both")
    assert run.record.spent is not None
    changes = run.record.spent.changes
    assert changes["mixing"] == 3
    # The image and its partner.
    assert 3 < changes["flips"] <= 6
    assert run.record.spent.seconds["wait"] == changes["flips"] + 1


def test_every_random_change_has_its_options() -> None:
    found = Augmentation.of(make_recipe(EVERYTHING))
    changes = [*found.on_bytes, *found.on_shares, *found.on_inputs, found.mixing]
    assert {type(change).__name__.lower() for change in changes} == set(CHANGES)
    fields = set(type(make_recipe({})).model_fields)
    assert {option for options in CHANGES.values() for option in options} <= fields


@pytest.mark.parametrize("place", [(1, 2), (2, 1), (2, 3)])
def test_it_survives_a_stop(tmp_path: Path, ticks: list[int], place: tuple[int, int]) -> None:
    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and (event.epoch, event.step) == place:
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(InterruptedRun):
            quick_run(tmp_path, batch=16, epochs=3, listen=listen)
    finally:
        signal.signal(signal.SIGINT, before)
    folder = RunFolder(tmp_path / "latest")
    stopped = folder.record().spent
    assert stopped is not None
    assert stopped.advice is None
    assert stopped.seconds["forward"] == 3 * (place[0] - 1) + place[1]
    run = resume(folder.path.resolve(), make_dataset(), runs=tmp_path)
    spent = run.record.spent
    assert spent is not None
    assert spent.seconds["forward"] == spent.seconds["backward"] == 9
    assert [row["forward"] for row in epoch_rows(run.folder)] == [3, 3, 3]
    for part in set(PARTS) - {"checkpoints", "other"}:
        assert spent.seconds[part] >= stopped.seconds[part], part
    assert spent.advice


def test_a_real_clock_agrees_with_the_trainings_own(tmp_path: Path) -> None:
    run = quick_run(tmp_path, epochs=3)
    spent, seconds = run.record.spent, run.record.results["seconds"]
    assert spent is not None
    assert isinstance(seconds, float)
    assert min(spent.seconds.values()) >= 0
    # The final evaluation is in it, which the training's own time has not.
    assert spent.whole - spent.seconds["decode"] >= seconds - 0.05
    assert all(0 <= value < 60 for row in epoch_rows(run.folder) for value in row.values())


def test_pixels_on_the_disk_are_known_by_their_word() -> None:
    from striate.data.keeping import choose_keeping
    from striate.data.options import Options

    assert "in a file on the disk" in choose_keeping(Options(cache="disk"), 10, (3, 8, 8)).told
    assert "in a file on the disk" not in choose_keeping(Options(cache="memory"), 10, (3, 8, 8)).told


def test_diagnose_and_the_report_tell_it(tmp_path: Path) -> None:
    run = quick_run(tmp_path)
    found = diagnose(run)
    assert found.spent == run.record.spent
    assert found.spent is not None
    assert found.as_dict()["spent"]["seconds"]["forward"] == found.spent.seconds["forward"]
    console = make_console()
    with console.capture() as captured:
        console.print(diagnosis_view(found))
    assert " ".join(time_spent_line(found.spent).split()) in " ".join(captured.get().split())
    write_report(run)
    assert time_spent_line(found.spent) in run.folder.report_html.read_text()


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=12))
def test_shares_add_up_to_100(values: list[float]) -> None:
    seconds = {str(number): value for number, value in enumerate(values)}
    shares = shares_in_percent(seconds)
    whole = sum(values)
    assert sum(shares.values()) == (100 if whole > 0 else 0)
    if whole > 0:
        assert all(abs(shares[name] - 100 * value / whole) < 1 for name, value in seconds.items())


def test_nothing_spent_is_said_plainly() -> None:
    assert time_spent_line(SpentRecord()) == "time: 0 ms"
