"""docs/recipes.md shows every card and every recipe that comes with Striate, as they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from striate import zoo
from striate.training import Recipe, make_recipe, read_recipe, recipe_names, train
from striate.training.cards import CARDS
from striate.training.recipe_file import FOLDER, recipe_summary
from training.samples import make_dataset

PAGE = Path(__file__).resolve().parents[2] / "docs" / "recipes.md"
HOW = "write it with STRIATE_WRITE_PAGES=1 pytest tests/recipes/test_recipes_page.py"

HEAD = """# Recipes

A recipe is every option of `striate train`: as flags, as a YAML file (`--recipe FILE`; `striate train --print-recipe`
prints one with every option), or by the name of one that comes with Striate. Flags win over it. An option that could do
nothing on this network or these images is refused, with what to write.

`striate train NET --data DATA --find-lr` looks for a learning rate. It trains a fresh copy in memory while the rate
grows from 1e-5 to 10, each step by the same factor; the loss is smoothed (0.9, bias-corrected), the test ends when it
is four times its lowest, and the suggestion is a tenth of the rate at which it was lowest (Smith, "Cyclical learning
rates for training neural networks", 2017, section 3.3). `striate ablate NET --data DATA --recipe RECIPE` leaves out
each trick of a recipe in turn, with several seeds, and says which of them pay on these images.

"""


def page() -> str:
    parts = [HEAD, "## Recipes that come with Striate\n"]
    for name in recipe_names():
        text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
        parts.append(f"\n### {name}\n\n{recipe_summary(name)}\n\n```yaml\n{text.partition(chr(10))[2]}```\n")
    parts.append("\n## Options that save epochs\n")
    for card in CARDS:
        parts.append(f"\n### {card.name}\n\n`{card.write}`\n\n{card.what}\n\n")
        parts.append(f"- From: {card.source}.\n- When it does nothing: {card.idle}\n")
        if card.measured:
            parts.append(f"- Measured: {card.measured}\n")
    return "".join(parts)


def test_the_page_is_what_the_cards_say() -> None:
    if os.environ.get("STRIATE_WRITE_PAGES"):
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(), HOW


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_what_a_card_writes_is_a_recipe(card: object) -> None:
    written = dict(part.split(": ") for part in card.write.split(", "))  # type: ignore[attr-defined]
    values = {name: True if value == "true" else value for name, value in written.items()}
    recipe = make_recipe(values)
    assert recipe.model_fields_set == set(values)


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_is_one_and_names_its_network(name: str) -> None:
    recipe = read_recipe(name)
    assert recipe.model_fields_set
    assert recipe_summary(name).endswith(".")
    (network,) = [entry for entry in zoo.names() if f"the network {entry}" in recipe_summary(name)]
    assert zoo.find(network) is not None
    assert read_recipe(name.upper().replace("-", "_")) == recipe


def test_flags_win_over_a_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_recipe("fast-cifar", {"epochs": 3}).epochs == 3
    monkeypatch.chdir(tmp_path)
    Path("fast-cifar").write_text("epochs: 1", encoding="utf-8")
    assert read_recipe("fast-cifar").epochs == 9.9
    assert read_recipe("./fast-cifar").epochs == 1


def test_an_unknown_name_is_refused_with_the_names() -> None:
    from striate.errors import UsageError

    with pytest.raises(UsageError) as caught:
        read_recipe("fast-cifra")
    assert str(caught.value) == (
        "--recipe: there is no recipe 'fast-cifra', and no such file\n"
        "  got:   fast-cifra\n"
        "  needs: one of best-digits, fast-cifar, fast-digits, or a YAML file\n"
        "  write: fast-cifar"
    )


def test_the_published_rates_are_those_of_the_recipe() -> None:
    # airbench94: lr 11.5 and decay 0.0153 for a loss summed over a batch, both divided by 1024 * (1 + 1 / (1 - 0.85)).
    recipe = read_recipe("fast-cifar")
    scale = 1024 * (1 + 1 / (1 - 0.85))
    assert recipe.batch == 512
    assert recipe.learning_rate == pytest.approx(11.5 / scale * 512, rel=0.01)
    assert recipe.weight_decay == pytest.approx((0.0153 * 512 / scale) / (11.5 / scale) / 512, rel=0.01)
    assert Recipe().epochs is None


@pytest.mark.parametrize(
    ("name", "net", "shape"),
    [
        ("fast-cifar", "airbench94", (3, 16, 16)),
        ("fast-digits", "mnist-cnn", (1, 12, 12)),
        ("best-digits", "digits-net", (1, 12, 12)),
    ],
)
def test_every_recipe_trains_its_network(tmp_path: Path, name: str, net: str, shape: tuple[int, int, int]) -> None:
    recipe = read_recipe(name, {"epochs": 2, "batch": 16, "threads": 1})
    run = train(net, make_dataset(shape=shape), recipe, runs=tmp_path)
    assert run.record.status == "done"
    assert run.views == recipe.tta
    assert ("test_accuracy_without_tta" in run.record.results) == (recipe.tta != "none")
