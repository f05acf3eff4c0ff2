"""What an error says to write is something that works."""

from __future__ import annotations

import re

import pytest

from cli.commands import Run

CASES = [
    # What is typed, with the place of the hint marked; what the hint has to be.
    (["inspect", "resnet18", "--layer", "{layer1}"], "layer1.0.conv1"),
    (["inspect", "{mobilenet_v3}"], "mobilenet_v3_large"),
    (["inspect", "{dcgan}"], "dcgan_discriminator"),
    (["inspect", "{v3_small}"], "mobilenet_v3_small"),
    (["inspect", "resnet18", "--set", "conv1.{groups=5}"], "groups: 1"),
    (["inspect", "vgg11", "--set", "features.3.{groups=48}"], "groups: 64"),
    (["inspect", "simple-cnn", "--set", "conv1.{filters=1e3}"], "filters: 1000"),
    (["inspect", "simple-cnn", "--memory", "{--fit 0}"], "--fit 8MiB"),
    (["inspect", "simple-cnn", "{--max-memory -1MiB}"], "--max-memory 8MiB"),
    (["zoo", "{rsnet18}"], "striate zoo resnet18"),
]


@pytest.mark.parametrize(("words", "hint"), CASES, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_the_hint_works(striate: Run, words: list[str], hint: str) -> None:
    def typed(replacement: str | None) -> list[str]:
        found = []
        for word in words:
            inside = re.search(r"\{(.*)\}", word)
            if inside is None:
                found.append(word)
                continue
            text = inside[1] if replacement is None else replacement.replace(": ", "=").removeprefix("striate zoo ")
            found += word.replace(inside[0], text).split()
        return found

    result = striate(*typed(None))
    assert (result.code, result.out) == (2, "")
    assert result.error.rstrip().endswith(f"write: {hint}"), result.error
    assert striate(*typed(hint)).code == 0


def test_names_that_contain_what_was_typed_come_first(striate: Run) -> None:
    assert "needs: a zoo name (dcgan_discriminator, dcgan_generator; 'striate zoo'" in striate("inspect", "dcgan").error
    needs = striate("inspect", "resnet18", "--layer", "bn2").error.split("needs: one of ")[1].split(",")
    assert all(name.strip().endswith("bn2") for name in needs[:8])
