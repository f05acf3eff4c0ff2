"""What ``inspect --json`` writes is what its schema says, for every network of the zoo."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from striate import zoo
from striate.analysis import inspect
from striate.views import json_text
from views_network.json_schema import faults

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "inspect.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", zoo.names())
def test_the_zoo_follows_the_schema(name: str) -> None:
    data = json.loads(json_text(inspect(zoo.build(name))))
    assert faults(data, SCHEMA) == []
    assert data["totals"]["macs"] == sum(node["macs"] for node in data["nodes"])


def test_faults_are_found() -> None:
    good = json.loads(json_text(inspect(zoo.build("lenet-5"))))
    for place, wrong in (("format", 2), ("input", []), ("nodes", [{}]), ("name", 3)):
        assert faults({**good, place: wrong}, SCHEMA)
    assert faults({key: value for key, value in good.items() if key != "totals"}, SCHEMA)


def test_the_page_names_every_field() -> None:
    text = (DOCS / "inspect-json.md").read_text(encoding="utf-8")
    for part in (SCHEMA, SCHEMA["$defs"]["node"], SCHEMA["$defs"]["axis"], SCHEMA["properties"]["totals"]):
        for name in part["properties"]:
            assert re.search(rf"[`.]{name}[`.\[]", text), name


def test_the_example_on_the_page_is_a_report() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", (DOCS / "inspect-json.md").read_text(encoding="utf-8"), re.DOTALL)
    assert faults(json.loads(example), SCHEMA) == []
