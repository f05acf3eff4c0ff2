"""``striate inspect NET --unit LAYER:Y,X --effective``: what it shows, and its messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import striate as st
from striate.backend import build_module, save_weights
from striate.cli import main


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(("inspect", *words))
    out, err = capsys.readouterr()
    assert isinstance(caught.value.code, int)
    assert "Traceback" not in err
    return caught.value.code, out, err


def test_a_unit_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "lenet-5", "--unit", "c3:0,0", "--effective", "--images", "2", "--seed", "4")
    assert (code, err) == (0, "")
    assert "c3:0,0 of lenet-5: effective field" in out
    assert "(fresh weights, seed 4; 2 images of random numbers, normal, seed 4)" in out
    assert "no gradient lies outside it, as it must be (checked)" in out


def test_a_layer_alone_is_its_middle(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    graph = st.load("lenet-5")
    path = tmp_path / "w.safetensors"
    save_weights(build_module(graph, seed=3), path, graph)
    words = ("lenet-5", "--unit", "c3", "--effective", "--images", "1", "--json")
    code, out, _ = run(capsys, *words, "--weights", str(path))
    data = json.loads(out)
    assert (code, data["position"], data["weights"]) == (0, [5, 5], "file w.safetensors")


def test_a_run_brings_its_weights_and_images(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    trained = st.train("conv 4 3 > globalavgpool > dense classes", epochs=1, runs=tmp_path)
    folder = str(trained.folder.path)
    told = f"(run {trained.folder.path.name}; 3 images of the run, test)"
    code, out, err = run(capsys, folder, "--unit", "conv1", "--effective", "--images", "3")
    assert (code, err) == (0, "")
    assert told in out
    code, out, _ = run(
        capsys, str(trained.folder.net_yaml), "--unit", "conv1", "--effective", "--images", "3", "--weights", folder
    )
    assert (code, told in out) == (0, True)


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--effective"], ["--effective has no effect without --unit", "--unit conv1 --effective"]),
        (["--unit", "c1:0,0", "--weights", "latest"], ["--weights has no effect without --effective"]),
        (["--unit", "c1:0,0", "--seed", "1"], ["--seed has no effect without --effective"]),
        (["--unit", "c1:40,0", "--effective"], ["no unit at this position", "0 to 27, 27"]),
        (["--unit", "c9", "--effective"], ["has no node 'c9'"]),
        (["--unit", "c1:a", "--effective"], ["does not name a unit"]),
        (["--unit", "c1", "--effective", "--images", "2000"], ["--images", "at most 1024"]),
        (["--unit", "c1", "--effective", "--images", "x"], ["--images: this is not a count"]),
        (["--unit", "c1", "--effective", "--seed", "1.5"], ["--seed: this is not a seed"]),
        (["--unit", "c1", "--effective", "--weights", "none.safetensors"], ["no such file of weights"]),
        (["--unit", "c1", "--effective", "--weights", "no-such-run"], ["no such run"]),
    ],
)
def test_what_is_refused(capsys: pytest.CaptureFixture[str], words: list[str], parts: list[str]) -> None:
    code, out, err = run(capsys, "lenet-5", *words)
    assert (code, out) == (2, "")
    assert all(part in err for part in parts), err
