"""Every example of docs/network-format.md is read, and what it says about errors is what is said."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from striate.errors import NetworkError
from striate.graph.blocks import block_classes
from striate.graph.layers import layer_classes
from striate.sources import read_inline, read_yaml, to_yaml
from striate.sources.assembly import NODE_LIMIT
from striate.sources.parsing import DEPTH_LIMIT, TEXT_LIMIT, VALUE_LIMIT
from striate.sources.scalars import flow
from striate.sources.tree import NUMBER_LIMIT

PAGE = Path(__file__).resolve().parents[2] / "docs" / "network-format.md"
BLOCKS = re.findall(r"^```(\w+(?: error)?)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCKS if found == kind]


@pytest.mark.parametrize("text", blocks("yaml"))
def test_yaml_examples(text: str) -> None:
    net = read_yaml(text)
    assert read_yaml(to_yaml(net)) == net


@pytest.mark.parametrize("text", blocks("inline"))
def test_inline_examples(text: str) -> None:
    assert len(read_inline(text.strip(), classes=None)) > 2


@pytest.mark.parametrize(("text", "message"), list(zip(blocks("yaml error"), blocks("text"), strict=True)))
def test_error_examples(text: str, message: str) -> None:
    with pytest.raises(NetworkError) as caught:
        read_yaml(text)
    assert str(caught.value) == message.rstrip("\n")


def test_every_block_is_tested() -> None:
    assert {kind for kind, _ in BLOCKS} == {"yaml", "inline", "yaml error", "text"}
    assert len(blocks("yaml")) >= 6


def test_the_limits_are_the_true_ones() -> None:
    limits = PAGE.read_text(encoding="utf-8").split("## Limits")[1]
    assert TEXT_LIMIT == 1024**2
    assert "1 MiB" in limits
    for number in (DEPTH_LIMIT, VALUE_LIMIT, NODE_LIMIT, NUMBER_LIMIT):
        assert f"{number:,}" in limits


def listed_attributes(cls: type) -> str:
    """A layer's attributes as the page lists them: ``kernel``, ``stride: 1``."""
    names = [
        f"`{field.name}`" if field.default in (MISSING, None) else f"`{field.name}: {flow(field.default)}`"
        for field in fields(cls)
    ]
    return ", ".join(names) or "–"


def test_every_layer_and_block_is_listed_with_its_attributes() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## All layers")[1].split("## Limits")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE)
    words = {**layer_classes(), **block_classes()}
    del words["input"]
    assert len(rows) == len(dict(rows))
    assert dict(rows) == {kind: listed_attributes(cls) for kind, cls in words.items()}
