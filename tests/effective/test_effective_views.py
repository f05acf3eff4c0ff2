"""The map and the numbers of an effective field as they are shown, and the field of a trained run."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

import striate as st
from striate.analysis.effective_field import EffectiveField, effective_field_of
from striate.graph import network
from striate.insight.effective_field import effective_field
from striate.training.measuring import run_split
from striate.views import json_text, make_console
from striate.views.effective_fields import effective_svg, effective_view


def printed(field: EffectiveField, width: int = 100) -> str:
    stream = io.StringIO()
    console = make_console(stream)
    console.width = width
    console.print(effective_view(field))
    return stream.getvalue()


def wide(size: int, gradient: np.ndarray) -> EffectiveField:  # type: ignore[type-arg]
    net = network("wide", (1, *gradient.shape)).conv(1, size, padding=size // 2).build()
    place = tuple(length // 2 for length in gradient.shape)
    return effective_field_of(net, "conv1", place, gradient, weights="by hand", images="none")


def test_a_sign_stands_for_a_share_of_the_largest() -> None:
    gradient = np.zeros((7, 7))
    gradient[3] = [0, 0.5, 2, 32, 16, 4, 0]
    gradient[2, 3] = 8
    lines = printed(wide(7, gradient)).splitlines()
    assert lines[4] == "        ▓▓"
    assert lines[5] == "    ··░░████▒▒"
    assert "one sign for" not in lines[10]


def test_a_large_field_is_drawn_in_blocks() -> None:
    gradient = np.ones((99, 99))
    text = printed(wide(99, gradient), 60)
    rows = [line for line in text.splitlines() if line.startswith("  █")]
    # 29 signs of two characters fit into 60 columns: blocks of 4×4.
    assert [row.strip() for row in rows[:-1]].count("█" * 50) == 25
    assert "one sign for 4×4 pixels" in text


def test_the_words_of_both_fields_are_kept_apart() -> None:
    text = printed(wide(5, np.pad(np.full((3, 3), 2.0), 3)))
    assert "effective 3 to 5, 3 of the 5 theoretical (60.0 %); centre 4.0, deviation 0.82" in text
    assert "9 of the 25 pixels of the theoretical field hold 95.45 % of the gradient (36.0 %)" in text
    assert "no gradient lies outside it, as it must be (checked)" in text


def test_a_gradient_outside_of_the_theory_is_told() -> None:
    field = wide(3, np.ones((5, 5)))
    assert (field.outside, field.theory) == (16, 9)
    assert "16 pixels outside of it have a gradient: a rule of Striate is wrong here" in printed(field)


def test_nothing_is_told_in_words() -> None:
    text = printed(wide(3, np.zeros((5, 5))))
    assert "no gradient arrives at any of the 9 pixels of its theoretical field: nothing moves this unit" in text
    assert effective_svg(wide(3, np.zeros((5, 5)))) == ""


def test_lines_and_volumes() -> None:
    net = network("line", (1, 9)).conv(1, 5, padding=2).build()
    line = effective_field_of(net, "conv1", (4,), np.array([0, 0, 1, 2, 4, 2, 1, 0, 0.0]), weights="w", images="i")
    assert printed(line).splitlines()[2] == "  ▓███▓"
    volume = effective_field_of(
        network("v", (1, 3, 3, 3)).conv(1, 3, padding=1).build(),
        "conv1",
        (1, 1, 1),
        np.ones((3, 3, 3)),
        weights="w",
        images="i",
    )
    assert printed(volume).count("██████\n") == 3
    assert all(ElementTree.fromstring(effective_svg(one)).tag.endswith("svg") for one in (line, volume))


def test_the_picture_has_a_square_for_each_pixel_and_a_frame() -> None:
    gradient = np.pad(np.outer([1.0, 2, 1], [1.0, 2, 1]), 2)
    field = wide(3, gradient)
    root = ElementTree.fromstring(effective_svg(field))
    paths = [entry for entry in root if entry.tag.endswith("path")]
    assert sum(entry.get("d", "").count("M") for entry in paths) == 9
    assert {entry.get("fill-opacity") for entry in paths} == {"1.00", "0.70", "0.50"}
    (frame,) = [entry for entry in root if entry.get("stroke-dasharray")]
    assert (frame.get("x"), frame.get("width")) == ("0.0", "360.0")
    assert "effective 2 to 4" in root.get("aria-label", "")


def test_it_is_json() -> None:
    net = network("n", (1, 5)).conv(1, 3, padding=1).build()
    field = effective_field_of(net, "conv1", (2,), np.array([0, 1, 2, 1, 0.0]), weights="by hand", images="none")
    data = json.loads(json_text(field))
    assert data["axes"] == [
        {
            "size": 5,
            "theoretical": [1, 3],
            "effective": [1, 3],
            "ratio": 1.0,
            "centre": 2.0,
            "deviation": pytest.approx(0.5**0.5),
            "sums": [0.0, 0.25, 0.5, 0.25, 0.0],
        }
    ]
    assert (data["effective_area"], data["theoretical_area"], data["ratio"], data["outside_pixels"]) == (3, 3, 1.0, 0)


def test_a_runs_own_weights_and_images(tmp_path: Path) -> None:
    run = st.train("conv 4 3 same > relu > conv 4 3 > globalavgpool > dense classes", epochs=1, runs=tmp_path)
    by_name = effective_field(run.graph, "conv2", weights="latest", runs=tmp_path, count=3)
    assert by_name == effective_field(run.graph, "conv2", weights=run, count=3)
    assert (by_name.weights, by_name.images) == (f"run {run.folder.path.name}", "3 images of the run, test")
    images = run.inputs(run_split(run, "test").images[:3]).requires_grad_(True)
    part = torch.nn.Sequential(*(run.module.get_submodule(name) for name in ("conv1", "relu1", "conv2")))
    (gradient,) = torch.autograd.grad(part(images)[:, :, *by_name.position].sum(), images)
    np.testing.assert_allclose(by_name.gradient, gradient.abs().sum(1).mean(0).numpy(), rtol=1e-4, atol=1e-7)
    every = effective_field(run.graph, "conv2", weights=run, count=1024)
    assert every.images == f"{run.card.splits['test'].count} images of the run, test"
    file = effective_field(run.graph, "conv2", weights=run.folder.best_weights, count=2)
    assert file.weights == "file best.safetensors"
    assert "random numbers" in file.images
