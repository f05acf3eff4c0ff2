"""Every verb: what it prints for people, and that its JSON is what the function of the same name returns."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import striate as st
from cli.commands import NET, QUICK, Run
from striate import zoo


def test_version(striate: Run) -> None:
    result = striate("--version")
    assert (result.code, result.out, result.err) == (0, f"striate {st.__version__}\n", "")


@pytest.mark.parametrize("words", [["--help"], ["-h"], []], ids=["--help", "-h", "nothing"])
def test_help_lists_every_verb(striate: Run, words: list[str]) -> None:
    result = striate(*words)
    # No verb is a mistake in a script, and a question from a person: both get the help.
    assert result.code == (0 if words else 2)
    assert result.err == ""
    for verb in ("zoo", "inspect", "train", "evaluate", "predict", "report"):
        assert f"\n  {verb} " in result.out


@pytest.mark.parametrize("verb", ["zoo", "inspect", "train", "evaluate", "predict", "report"])
def test_help_of_a_verb(striate: Run, verb: str) -> None:
    result = striate(verb, "--help")
    assert result.code == 0
    assert result.out.startswith(f"Usage: striate {verb}")
    assert striate(verb, "-h") == result


def test_zoo(striate: Run) -> None:
    result = striate("zoo")
    assert result.code == 0
    assert "268,650" in result.out
    assert all(f"{name} " in result.out for name in zoo.names())


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["resnext"], {"resnext50_32x4d", "resnext101_32x8d"}),
        (["Mobile-Net", "gates"], {"mobilenet_v3_large", "mobilenet_v3_small"}),
        (["inception_v1"], {"googlenet"}),
        (["detection"], {"yolov1", "yolov3"}),
        (["lenet"], {"lenet-5"}),
        (["net121"], {"densenet121"}),
    ],
)
def test_a_part_of_the_zoo(striate: Run, words: list[str], found: set[str]) -> None:
    """By name, alias, purpose and description."""
    assert {entry["name"] for entry in striate("zoo", *words, "--json").json} == found
    shown = striate("zoo", *words).out
    assert {name for name in zoo.names() if f"  {name} " in shown} == found


def test_zoo_as_json(striate: Run) -> None:
    listed = striate("zoo", "--json").json
    assert [entry["name"] for entry in listed] == list(zoo.names())
    for entry in listed:
        if entry["name"] in ("simple-cnn", "lenet-5"):
            report = st.inspect(entry["name"])
            assert (entry["parameters"], entry["macs"]) == (report.parameters, report.macs)
            assert entry["input"] == list(report.input)


def test_inspect(striate: Run) -> None:
    result = striate("inspect", "simple-cnn")
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith("simple-cnn: 3×32×32 → 10\n")
    assert "268,650" in result.out
    assert "1,885,440 per image" in result.out


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (["simple-cnn"], {}),
        (["simple-cnn", "--input", "1x28x28", "--classes", "3"], {"input": (1, 28, 28), "classes": 3}),
        (["--input=3×48×64", "Simple_CNN"], {"input": (3, 48, 64)}),
        (["conv 4 3 > relu > flatten > dense 2", "--input", "1,8,8"], {"input": (1, 8, 8)}),
    ],
)
def test_inspect_as_json(striate: Run, words: list[str], options: dict[str, object]) -> None:
    net = next(word for word in words if not word.startswith("-") and word[0].isalpha())
    assert striate("inspect", *words, "--json").json == _plain(st.inspect(net, **options).as_dict())  # type: ignore[arg-type]


def test_inspect_a_file_and_a_run(striate: Run, runs: Path, tmp_path: Path) -> None:
    file = tmp_path / "net.yaml"
    file.write_text(st.to_yaml(st.load("simple-cnn")), encoding="utf-8")
    assert striate("inspect", file).out == striate("inspect", "simple-cnn").out
    assert striate("inspect", runs / "latest", "--json").json["input"] == [1, 8, 8]


def test_inspect_a_layer(striate: Run) -> None:
    result = striate("inspect", "simple-cnn", "--layer", "conv2")
    assert result.code == 0
    assert "floor((16 + 1 + 1 - 3) / 1) + 1 = 16" in result.out
    listed = striate("inspect", "simple-cnn", "--layer", "conv2", "--json").json
    assert listed == _plain(st.derive("simple-cnn", "conv2").as_dict())


def test_train_writes_a_run(striate: Run, photos: Path, tmp_path: Path) -> None:
    result = striate("train", NET, "--data", photos, "--runs", tmp_path / "runs", *QUICK)
    assert result.code == 0
    run = st.open_run("latest", runs=tmp_path / "runs")
    assert result.out.splitlines()[-2:] == [f"run     {run.folder.path}", f"report  {run.folder.report_html}"]
    assert run.folder.report_html.is_file()
    assert "epoch  1/1" in result.err
    assert run.record.command is not None
    assert run.record.command.startswith(f"striate train '{NET}' --data {photos}")
    assert run.record.asked == {"epochs": 1, "threads": 1}


def test_train_as_json(striate: Run, photos: Path, tmp_path: Path) -> None:
    result = striate("train", NET, "--data", photos, "--runs", tmp_path, "--json", *QUICK)
    assert result.json == st.open_run("latest", runs=tmp_path).record.model_dump(mode="json")
    assert result.json["status"] == "done"


def test_options_and_arguments_stand_in_any_order(striate: Run, photos: Path, tmp_path: Path) -> None:
    result = striate("train", "--data", photos, *QUICK, NET, "--seed=3", "--runs", tmp_path, "--json")
    assert (result.json["seed"], result.json["network"]) == (3, "inline")


def test_the_same_command_gives_the_same_run(striate: Run, photos: Path, tmp_path: Path) -> None:
    first, second = (
        striate("train", NET, "--data", photos, "--runs", tmp_path / name, "--json", *QUICK).json["results"]
        for name in ("a", "b")
    )
    timed = {"seconds", "images_per_second", "checkpoint_seconds"}
    assert {key: first[key] for key in first if key not in timed} == {
        key: second[key] for key in second if key not in timed
    }


@pytest.mark.parametrize("split", ["test", "val", "train"])
def test_evaluate(striate: Run, runs: Path, split: str) -> None:
    words = ("evaluate", "latest", "--runs", runs, "--split", split)
    result = striate(*words)
    assert result.code == 0
    assert result.out.startswith(f"{split}: ")
    expected = st.evaluate(st.open_run("latest", runs=runs), split=split)
    assert striate(*words, "--json").json == expected.model_dump(mode="json")


def test_evaluate_other_data(striate: Run, runs: Path, photos: Path) -> None:
    result = striate("evaluate", runs / "photos-inline-1", "--data", photos, "--json")
    assert (result.json["split"], result.json["count"]) == ("all", 60)


def test_predict(striate: Run, runs: Path, photos: Path) -> None:
    files = [photos / "cat" / "0.png", photos / "owl" / "1.png"]
    result = striate("predict", "photos-inline-1", *files, "--runs", runs)
    assert result.code == 0
    assert all(str(file) in result.out for file in files)
    listed = striate("predict", "latest", *files, "--runs", runs, "--json").json
    expected = st.predict(st.open_run("latest", runs=runs), files)
    assert listed == _plain([prediction.as_dict() for prediction in expected])


def test_report(striate: Run, runs: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copied"
    shutil.copytree(runs / "photos-inline-1", copy)
    (copy / "report.html").unlink()
    result = striate("report", copy)
    assert (result.code, result.out) == (0, f"{copy / 'report.html'}\n")
    assert (copy / "report.html").stat().st_size > 10_000


def test_yaml_that_is_printed_can_be_read(striate: Run, runs: Path) -> None:
    """A run's net.yaml is the network that was trained."""
    text = (runs / "photos-inline-1" / "net.yaml").read_text(encoding="utf-8")
    assert YAML(typ="safe", pure=True).load(text)["input"] == [1, 8, 8]
    assert st.load(text) == st.open_run("latest", runs=runs).graph


def _plain(data: object) -> object:
    """Data as it comes back from JSON."""
    import json

    return json.loads(json.dumps(data))
