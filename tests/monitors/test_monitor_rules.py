"""Every rule about a training, on stories written by hand: where it fires, what it says, and where it is silent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

import pytest

from striate.lint.run_rules import all_run_rules, find_run_rule
from striate.training.monitors.judging import WINDOW, judge, judge_whole
from striate.training.monitors.rule import RunRule, run_rule
from striate.training.monitors.story import EpochPoint, Facts, Sample, Start, Story

FACTS = Facts(task="classes", classes=10, train=1000, val=200, batch=50, peak_rate=0.01, epochs=8)
LN10 = math.log(10)
GOOD = Start(images=32, loss=2.5, expected=LN10, finite=True, gradients={"conv1.weight": 1.0, "dense1.weight": 2.0})


def curve(train: Iterable[float], val: Iterable[float] | None = None, **accuracies: list[float]) -> Story:
    """A story of epochs by their losses; accuracies by name."""
    points = []
    vals = None if val is None else list(val)
    for place, loss in enumerate(train):
        shares = {name: values[place] for name, values in accuracies.items()}
        points.append(EpochPoint(place + 1, loss, val_loss=None if vals is None else vals[place], **shares))
    return Story(FACTS, start=GOOD, epochs=tuple(points), status="done")


def samples(count: int = WINDOW, rate: float = 0.01, loss: float = 2.0, **parts: object) -> Story:
    """A story of equal samples behind a healthy first one."""
    healthy = Sample(
        1,
        1,
        rate,
        2.3,
        gradients={"conv1.weight": 1.0, "dense1.weight": 2.0},
        weights={"conv1.weight": 1.0, "dense1.weight": 1.0},
        updates={"conv1.weight": 1e-3, "dense1.weight": 1e-3},
        outputs={"conv1": (0.0, 1.0)},
    )
    story = Story(FACTS, start=GOOD, first=healthy)
    for number in range(count):
        story = story.with_sample(replace(healthy, step=10 * number + 2, loss=loss, **parts))  # type: ignore[arg-type]
    return story


FIRES: dict[str, tuple[Story, str]] = {
    "T101": (
        Story(FACTS, start=replace(GOOD, loss=3.6)),
        "the first loss is 3.6, and that of a network that knows nothing 2.3",
    ),
    "T102": (
        Story(FACTS, start=replace(GOOD, finite=False, loss=math.nan)),
        "with the first weights the outputs or the loss are not finite",
    ),
    "T103": (
        Story(FACTS, start=replace(GOOD, silent=("conv2.weight",))),
        "it gets no gradient: frozen, or unused by the output",
    ),
    "T104": (
        Story(FACTS, start=replace(GOOD, overfit=(2.3, 2.2, 2.25), overfit_images=8, overfit_finished=True)),
        "8 images could not be learnt by heart: after 2 steps their loss is 2.2, from 2.3",
    ),
    "T105": (
        Story(FACTS, start=replace(GOOD, gradients={"conv1.weight": 1e-7, "dense1.weight": 0.1})),
        "before the first step the gradient norm is 1e-07 here and 0.1 in dense1",
    ),
    "T106": (
        Story(FACTS, start=replace(GOOD, dead={"relu1": 0.75, "relu2": 0.25})),
        "75 % of its units are 0 for all of 32 images before training",
    ),
    "T201": (
        samples(gradients={"conv1.weight": 1e-6, "dense1.weight": 0.5}),
        "step 22: the gradient norm is 1e-06 here and 0.5 in dense1",
    ),
    "T202": (
        samples(gradients={"conv1.weight": 200.0, "dense1.weight": 2.0}),
        "step 22: the gradient norm is 2e+02 here and 2 in dense1",
    ),
    "T301": (samples(dead={"relu1": 0.6}), "step 12: 60 % of its units were 0 for every image looked at"),
    "T302": (
        samples(saturation={"tanh1": 0.97}),
        "step 22: its outputs are 0.97 from the middle in the mean, and 1 is the end",
    ),
    "T303": (
        samples(outputs={"conv1": (3.0, 400.0)}),
        "step 22: its outputs have mean 3 and deviation 400; the deviation at the start was 1",
    ),
    "T401": (curve([2.31, 2.3, 2.29, 2.3]), "after 4 epochs the training loss is 2.29 at best; it began at 2.3"),
    "T402": (curve([1.0, 0.5, 1.8]), "the training loss is 1.8 in epoch 3; it was 0.5 in epoch 2"),
    "T403": (
        curve([1.0] * 7, train_accuracy=[0.5, 0.6, 0.5, 0.6, 0.5, 0.6, 0.62]),
        "the training accuracy fell by 5 points and more in 2 of 6 epochs",
    ),
    "T404": (
        curve([1.5, 1.0, 0.6, 0.3, 0.2, 0.1], [1.5, 1.1, 1.0, 1.3, 1.5, 1.8]),
        "the validation loss rose from 1 (epoch 3) to 1.8 (epoch 6) while the training loss fell from 0.6 to 0.1",
    ),
    "T405": (
        curve([1.0] * 4, train_accuracy=[0.3, 0.5, 0.6, 0.65], val_accuracy=[0.5, 0.9, 0.9, 0.9]),
        "validation was 90.0 % right (at least 85.1 %) after epoch 2, and training 60.0 % in epoch 3",
    ),
    "T406": (
        curve([2.0, 1.5, 1.2, 1.1, 1.1, 1.12, 1.1, 1.1]),
        "the training loss was 1.1 at best in epochs 1 to 4, and 1.1 in those after",
    ),
    "T407": (
        curve([2.3, 5.0, 2.2]),
        "the training loss was 5 in epoch 2, and 2.3 is that of a network that knows nothing; the peak learning rate is"
        " 0.01",
    ),
    "T408": (
        curve([2.30, 2.26, 2.23, 2.20, 2.17]),
        "the training loss fell in each of 5 epochs, by 2 % at most, to 2.17; the peak learning rate is 0.01",
    ),
    "T409": (
        curve([2.0, 1.5, 1.1, 0.8], [2.0, 1.5, 1.1, 0.8]),
        "the validation loss fell from 1.5 to 0.8 in the last 2 epochs",
    ),
    "T410": (
        curve([1.0], val_accuracy=[0.9]),
        "200 images: an accuracy of 90.0 % is known to ±4.2 points",
    ),
    "T411": (replace(curve([1.0]), status="interrupted"), "it was interrupted after 1 epoch"),
    "T501": (
        samples(updates={"conv1.weight": 0.0, "dense1.weight": 1e-3}),
        "steps 2 to 22 did not change it: frozen, or without a gradient",
    ),
    "T502": (
        samples(updates={"conv1.weight": 0.5, "dense1.weight": 1e-3}),
        "step 42: a step changes its weights by 0.5 of their norm; 0.001 is usual",
    ),
}

#: Stories near the line, on the healthy side.
SILENT: dict[str, Story] = {
    "a first loss of 1.5 times ln 10 at most": Story(FACTS, start=replace(GOOD, loss=1.49 * LN10)),
    "values of a deviation of two": Story(replace(FACTS, task="values"), start=replace(GOOD, loss=3.9, expected=1.0)),
    "values far from 0 are no network's fault": Story(
        replace(FACTS, task="values"), start=replace(GOOD, loss=0.3, expected=1.0)
    ),
    "eight images learnt": Story(
        FACTS, start=replace(GOOD, overfit=(2.3, 1.5, 1.1), overfit_images=8, overfit_finished=True)
    ),
    "no time to learn eight images": Story(FACTS, start=replace(GOOD, overfit=(2.3, 2.3), overfit_images=8)),
    "healthy samples": samples(),
    "two samples are too few": samples(2, gradients={"conv1.weight": 1e-6, "dense1.weight": 0.5}),
    "half of the units": samples(dead={"relu1": 0.5}),
    "small steps once the loss is low": samples(loss=0.1, updates={"conv1.weight": 1e-6, "dense1.weight": 1e-6}),
    "small steps at a small rate": samples(rate=1e-5, updates={"conv1.weight": 0.0, "dense1.weight": 1e-6}),
    "a usual course": curve(
        [1.5, 0.8, 0.5, 0.3, 0.25, 0.22, 0.21, 0.2],
        [1.2, 0.7, 0.5, 0.4, 0.38, 0.37, 0.38, 0.39],
        train_accuracy=[0.5, 0.8, 0.85, 0.9, 0.92, 0.94, 0.94, 0.94],
        val_accuracy=[0.6, 0.8, 0.85, 0.88, 0.9, 0.9, 0.9, 0.9],
    ),
    "a schedule that warms up": replace(curve([2.31, 2.3, 2.3, 2.29]), facts=replace(FACTS, epochs=40), status=None),
    "noise near 0": curve([0.02, 0.01, 0.05, 0.002, 0.001], [0.02, 0.01, 0.02, 0.03, 0.03]),
    "validation above training with dropout": replace(
        curve([1.0] * 4, train_accuracy=[0.3, 0.5, 0.72, 0.75], val_accuracy=[0.5, 0.9, 0.9, 0.9]),
        facts=replace(FACTS, random=True),
    ),
}
#: T410 is said of any small validation set, and is no fault of the training.
SAID = {"T410", "T409"}


def found(story: Story) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = {}
    for finding in judge_whole(story, all_run_rules().values()):
        lines.setdefault(finding.code, []).append(finding.message)
    return lines


@pytest.mark.parametrize("code", sorted(all_run_rules()))
def test_a_rule_fires_and_says_why(code: str) -> None:
    story, message = FIRES[code]
    rule = all_run_rules()[code]
    findings = [one for one in judge_whole(story, [rule]) if one.code == code]
    assert [one.message for one in findings] == [message]
    assert findings[0].rule == rule.name
    assert findings[0].fix
    assert not findings[0].message.endswith(".")


@pytest.mark.parametrize("name", sorted(SILENT))
def test_near_the_line_nothing_is_said(name: str) -> None:
    assert set(found(SILENT[name])) <= SAID


def test_a_gradient_that_is_not_finite_names_the_layer_next_to_the_output() -> None:
    story = samples(gradients={"conv1.weight": math.nan, "dense1.weight": math.nan})
    finding = next(one for one in judge(story, "samples") if one.code == "T202")
    assert (finding.where, finding.severity) == ("dense1", "error")


def test_a_gradient_that_grows() -> None:
    story = samples(gradients={"conv1.weight": 3000.0, "dense1.weight": 2900.0})
    finding = next(one for one in judge(story, "samples") if one.code == "T202")
    assert finding.message.startswith("step 42: the whole gradient has a norm of 4.17e+03, 2.24 at the start; most")


def test_all_units_dead_is_an_error() -> None:
    assert [one.severity for one in judge_whole(samples(dead={"relu1": 1.0}))] == ["error"]


def test_a_perfect_first_epoch_is_told() -> None:
    story = curve([1.0], val_accuracy=[1.0])
    assert [(one.code, one.severity) for one in judge(story, "epochs")] == [("T405", "info")]


@pytest.mark.parametrize(
    ("status", "severity"),
    [("diverged", "error"), ("failed", "error"), ("running", "info"), ("interrupted", "warning")],
)
def test_how_a_run_ended(status: str, severity: str) -> None:
    rule = all_run_rules()["T411"]
    story = replace(curve([1.0]), status=status, reason="the loss is nan (epoch 2, step 1)")
    assert [one.severity for one in rule.findings(story)] == [severity]
    assert not list(rule.findings(replace(story, status="done")))


def test_what_samples_showed_once_stays_and_each_place_is_told_once() -> None:
    story = samples(4, dead={"relu1": 0.9})
    for number in range(8):
        story = story.with_sample(replace(story.samples[0], step=100 + number, dead={"relu1": 0.0}))
    assert [one.code for one in judge_whole(story)] == ["T301"]


def test_what_epochs_showed_counts_as_it_stands_at_the_end() -> None:
    rising = curve([1.5, 1.0, 0.6, 0.3, 0.2, 0.1], [1.5, 1.1, 1.0, 1.3, 1.5, 1.8])
    better = rising.with_epoch(EpochPoint(7, 0.05, val_loss=0.9))
    assert "T404" in found(rising)
    assert "T404" not in found(better)


def test_rules_are_found_by_name_and_code() -> None:
    rule = find_run_rule("Overfitting")
    assert rule is not None
    assert rule is find_run_rule("t404")
    assert find_run_rule("nothing") is None


def test_a_rule_without_its_documentation_is_refused() -> None:
    def judge(story: Story) -> Iterable[object]:
        """A title alone."""
        return iter(())

    with pytest.raises(ValueError, match="needs a title and What, Why, Fix, Source"):
        run_rule("T999", "a-name", "info", "end")(judge)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is called like T404 overfitting"):
        run_rule("N999", "a-name", "info", "end")


@pytest.mark.parametrize("rule", all_run_rules().values(), ids=lambda rule: rule.code)
def test_a_rule_stands_in_the_file_of_its_name(rule: RunRule) -> None:
    assert rule.judge.__module__.rpartition(".")[2] == rule.name.replace("-", "_")
    assert len(rule.title) <= 100
