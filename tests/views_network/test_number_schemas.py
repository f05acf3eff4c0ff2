"""What ``inspect --cost``, ``--memory`` and ``--count-like`` write as JSON is what their schemas and the page say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from striate.analysis.counting import TOOLS
from striate.cli import main
from views_network.json_schema import faults

DOCS = Path(__file__).parents[2] / "docs"
NETWORKS = ("lenet-5", "resnet18", "googlenet", "unet_same", "yolov3", "dcgan_generator", "wavenet")
VIEWS = {"cost": ["--cost"], "memory": ["--memory", "--fit", "4GiB"], "count-like": ["--count-like", "ptflops"]}


def schema(view: str) -> dict[str, Any]:
    loaded = json.loads((DOCS / f"inspect-{view}.schema.json").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def written(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    with pytest.raises(SystemExit) as caught:
        main(["inspect", *words, "--json"])
    assert caught.value.code == 0
    data = json.loads(capsys.readouterr().out)
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("network", NETWORKS)
def test_what_is_written_follows_the_schema(capsys: pytest.CaptureFixture[str], view: str, network: str) -> None:
    data = written(capsys, network, *VIEWS[view])
    rules = schema(view)
    assert faults(data, rules) == []
    # Nothing is written that the schema does not name.
    assert set(data) == set(rules["properties"])
    assert set(data.get("totals", ())) == set(rules["properties"].get("totals", {}).get("properties", ()))


def test_every_tool_is_in_the_schema() -> None:
    assert schema("count-like")["properties"]["tool"]["enum"] == list(TOOLS)


def test_faults_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    good = written(capsys, "lenet-5", "--memory")
    wrong = {"batch": 0, "dtype": "int8", "nodes": [], "fit": {"budget": 3}, "totals": {}}
    for place, value in wrong.items():
        assert faults({**good, place: value}, schema("memory"))
    assert faults({**good, "nodes": [{**good["nodes"][0], "extras": {"mean": -1}}]}, schema("memory"))


def fields(rules: dict[str, Any]) -> Iterator[str]:
    """Every name a schema gives to something."""
    for part in (rules, *rules.get("$defs", {}).values()):
        for name, inner in part.get("properties", {}).items():
            yield name
            yield from fields(inner)


@pytest.mark.parametrize("view", VIEWS)
def test_the_page_names_every_field(view: str) -> None:
    page = (DOCS / "inspect-json.md").read_text(encoding="utf-8")
    section = page.split(f"\n## `--{view}`\n")[1].split("\n## ")[0]
    for name in fields(schema(view)):
        assert re.search(rf"[`.]{name}[`.\[]", section), name


#: Each section of the page with commands that write all that stands in it.
COMMANDS = {
    "`--layer`": ["inspect resnet18 --layer conv1"],
    "`--unit`": ["inspect unet --unit output:0,0", "inspect lenet-5 --unit f6"],
    "`--advice`": ["inspect yolov3 --advice", "inspect lenet-5 --advice --input 1x33x33", "inspect googlenet --advice"],
    "`--set`": ["inspect lenet-5 --set f6.units=5", "compare --example groups", "compare lenet-5 resnet18 --layers"],
    "Budgets": ["inspect lenet-5 --max-params 1k --max-macs 1k --max-memory 1KiB"],
    "`striate zoo`": ["zoo googlenet"],
}
#: What is explained elsewhere: the attributes of layers, a network beside its budgets, names of inputs.
ELSEWHERE = {"attributes", "inputs", "nodes", "totals", "outputs", "output"}


def keys(data: object) -> Iterator[str]:
    """Every name of a field, also of those inside."""
    if isinstance(data, list):
        for entry in data:
            yield from keys(entry)
    elif isinstance(data, dict):
        for name, entry in data.items():
            yield name
            if name not in ELSEWHERE:
                yield from keys(entry)


@pytest.mark.parametrize("section", COMMANDS)
def test_every_field_that_is_written_is_explained(capsys: pytest.CaptureFixture[str], section: str) -> None:
    page = (DOCS / "inspect-json.md").read_text(encoding="utf-8")
    text = page.split(f"\n## {section}\n")[1].split("\n## ")[0]
    for line in COMMANDS[section]:
        with pytest.raises(SystemExit) as caught:
            main([*line.split(), "--json"])
        assert caught.value.code == (1 if section == "Budgets" else 0)
        data = json.loads(capsys.readouterr().out)
        if section == "Budgets":
            data = {"budgets": data["budgets"]}
        elif isinstance(data, dict):
            assert data["format"] == 1
        for name in set(keys(data)) - {"format"}:
            assert re.search(rf"[`.]{name}[`.\[]", text), f"{name} of {line}"


def test_every_option_with_a_view_of_its_own_is_on_the_page() -> None:
    from striate.cli import inspect_options

    page = (DOCS / "inspect-json.md").read_text(encoding="utf-8")
    for name in (*inspect_options.VIEWS, "layer", "set", "effective"):
        assert f"\n## `--{name.replace('_', '-')}`\n" in page
