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
