"""No text takes much memory or time, or runs code."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from striate.errors import NetworkError, ShapeError, SourceError
from striate.sources import read_yaml
from striate.sources.parsing import DEPTH_LIMIT, TEXT_LIMIT

HEAD = "input: [3, 8, 8]\nlayers:\n"


def refusal(text: str) -> str:
    with pytest.raises(SourceError) as caught:
        read_yaml(text)
    return caught.value.problem


def test_a_billion_laughs() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for previous, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{', '.join([f'*{previous}'] * 9)}]")
    assert refusal("\n".join(lines)) == "this expands to too many values"


def test_aliases_of_layers_count_as_often_as_they_are_used() -> None:
    text = HEAD + "  - &block {repeat: {times: 1000, layers: [relu]}}\n" + "  - *block\n" * 19
    assert len(read_yaml(text)) == 1 + 20 * 1000
    assert refusal(text + "  - *block\n" * 80) == "this network is too large"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting(opening: str) -> None:
    assert refusal(opening * 10_000) == "this is nested too deeply"


def test_depth_counts_through_aliases() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 2000))]
    assert refusal("\n".join(lines)) == "this is nested too deeply"


def test_residual_blocks_may_be_nested_as_deep_as_the_limit_allows() -> None:
    depth = (DEPTH_LIMIT - 2) // 2
    text = "{input: [1, 4], layers: [" + "{residual: [" * depth + "relu" + "]}" * depth + "]}"
    assert len(read_yaml(text)) == depth + 2
    assert refusal(text.replace("relu", "{residual: [relu]}")) == "this is nested too deeply"


@pytest.mark.parametrize(
    "layers",
    [
        "  - repeat: {times: 100001, layers: [relu]}\n",
        "  - repeat: {times: 99999999999999999999999, layers: [relu]}\n",
        "  - repeat: {times: 100000, layers: [relu, relu]}\n",
        "  - repeat: {times: 400, layers: [{repeat: {times: 400, layers: [{residual: [relu]}]}}]}\n",
        "  - repeat: {times: 100000, layers: [{branches: [[], []]}, {multiply: [input, input]}]}\n",
    ],
)
def test_repetition_is_bounded(layers: str) -> None:
    started = time.monotonic()
    with pytest.raises(NetworkError):
        read_yaml(HEAD + layers)
    assert time.monotonic() - started < 20


def test_connections_are_bounded() -> None:
    names = ", ".join(["input"] * 5000)
    text = HEAD + f"  - repeat: {{times: 1000, layers: [{{add: , from: [{names}]}}]}}\n"
    assert refusal(text) == "this network is too large"


def test_sizes_are_bounded() -> None:
    assert refusal(HEAD + "  - conv: {filters: 2147483648, kernel: 1}\n") == "this number is too large"
    assert refusal(HEAD + f"  - conv: {{filters: {'9' * 900}, kernel: 1}}\n") == "this number is too large"
    assert refusal(HEAD + "  - upsample: 2147483647\n" * 3) == (
        "the map that leaves upsample is too large for any machine"
    )
    doubling = HEAD + "  - repeat: {times: 90, layers: [{branches: [[], []]}]}\n"
    assert refusal(doubling) == "the map that leaves concat is too large for any machine"


def test_a_large_but_possible_size_is_read() -> None:
    assert read_yaml(HEAD + "  - conv: {filters: 2147483647, kernel: 1}\n").output_shape == (2147483647, 8, 8)


def test_billions_of_channels_do_not_stop_the_explanation() -> None:
    with pytest.raises(ShapeError) as caught:
        read_yaml("input: [2147483647, 4]\nlayers: [groupnorm: 2]\n")
    assert caught.value.write == "groups: 1"


def test_text_and_words_are_bounded() -> None:
    assert refusal("#" * (TEXT_LIMIT + 1)) == "this is too large for the text of a network"
    assert refusal(f"name: {'a' * 2000}") == "this word is too long"


@pytest.mark.parametrize(
    "piece",
    ["[a,", "- a\n", "a", "'", '"', "#", "\n", ":", "&a ", "!", "a:\n", "? a\n", " ", "|\n a\n", "%a\n", "*a ", ">-\n"],
)
def test_a_tenth_of_a_megabyte_of_anything_is_refused_soon(piece: str) -> None:
    started = time.monotonic()
    with pytest.raises(NetworkError):
        read_yaml(piece * (100_000 // len(piece)))
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system [touch {file}]",
        "!!python/object/new:os.system [touch {file}]",
        "!!python/name:os.system",
        "!!python/module:os",
        "!!binary aGk=",
        "!custom x",
        "!!str 3",
    ],
)
def test_tags_are_refused_and_run_nothing(value: str, tmp_path: Path) -> None:
    target = tmp_path / "touched"
    problem = refusal("input: " + value.replace("{file}", str(target)) + "\nlayers: []\n")
    assert problem == "YAML tags are not read: a network is words, numbers, lists and mappings"
    assert not target.exists()
