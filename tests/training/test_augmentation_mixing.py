"""Cutout, MixUp and CutMix against NumPy, one image after the other; and what the labels become."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from striate.training.augmentation import Augmentation
from striate.training.augmentations.cutmix import CutMix
from striate.training.augmentations.cutout import Cutout
from striate.training.augmentations.key import Key
from striate.training.augmentations.mixing import Mixing
from striate.training.augmentations.mixup import MixUp
from striate.training.augmentations.showing import Showing
from striate.training.losses import larger_share, make_loss
from striate.training.recipe import make_recipe
from training.augmenting import Fixed, apply, pictures
from training.samples import make_dataset, quick_run

COUNT = 60
EVERY = torch.arange(COUNT)


@given(st.integers(1, 9), st.floats(0, 0.999), st.floats(0, 0.999))
def test_a_square_is_cut_out_around_its_centre(side: int, down: float, right: float) -> None:
    images = pictures(3, (3, 10, 12)).float() + 1
    result = apply(Cutout(side), images, _0=down, _1=right).numpy()
    top = int(np.float32(down) * np.float32(10)) - side // 2
    left = int(np.float32(right) * np.float32(12)) - side // 2
    expected = images.numpy().copy()
    expected[:, :, max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = 0
    assert np.array_equal(result, expected)


def test_every_pixel_is_the_centre_equally_often() -> None:
    ones = torch.ones(8000, 1, 4, 5)
    holes = 1 - apply(Cutout(1), ones)
    assert holes.sum(dim=(1, 2, 3)).tolist() == [1.0] * 8000
    # 400 each are expected, with a deviation of 19.
    assert float((holes.sum(dim=(0, 1)) - 400).abs().max()) < 85


def showing(dataset: Any, seed: int = 4, **options: Any) -> Showing:
    return Showing(dataset, Augmentation.of(make_recipe(options)), torch.contiguous_format, seed)


def test_mixup_blends_image_and_partner_and_their_labels() -> None:
    dataset = make_dataset(train=COUNT, shape=(3, 7, 5))
    plain, labels = showing(dataset).epoch(1).batch(EVERY)
    x_bchw, target = showing(dataset, mixup=1.0).epoch(1).batch(EVERY)
    partners, _, shares = Mixing((MixUp(1.0),)).draw(Key(4, 1), COUNT)
    assert sorted(partners.tolist()) == list(range(COUNT))
    for at in range(COUNT):
        other, share = int(partners[at]), float(shares[at])
        blend = share * plain[at].double().numpy() + (1 - share) * plain[other].double().numpy()
        np.testing.assert_allclose(x_bchw[at].numpy(), blend, atol=1e-5)
        expected = np.zeros(3)
        expected[labels[at]] += share
        expected[labels[other]] += 1 - share
        np.testing.assert_allclose(target[at].numpy(), expected, atol=1e-6)
    assert target.sum(dim=1).tolist() == [1.0] * COUNT


@pytest.mark.parametrize("shape", [(3, 7, 5), (1, 16, 16)])
def test_cutmix_pastes_a_rectangle_and_shares_by_its_exact_area(shape: tuple[int, int, int]) -> None:
    dataset = make_dataset(train=COUNT, shape=shape)
    height, width = shape[1:]
    plain, labels = showing(dataset).epoch(1).batch(EVERY)
    x_bchw, target = showing(dataset, cutmix=1.0).epoch(1).batch(EVERY)
    partners, _, sides, downs, rights = Mixing((CutMix(1.0),)).draw(Key(4, 1), COUNT)
    areas = []
    for at in range(COUNT):
        other = int(partners[at])
        tall, wide = (int(np.float32(sides[at]) * np.float32(length)) for length in (height, width))
        top = int(np.float32(downs[at]) * np.float32(height)) - tall // 2
        left = int(np.float32(rights[at]) * np.float32(width)) - wide // 2
        mask = np.zeros((height, width), bool)
        mask[max(top, 0) : max(top + tall, 0), max(left, 0) : max(left + wide, 0)] = True
        assert np.array_equal(x_bchw[at].numpy(), np.where(mask, plain[other], plain[at]))
        areas.append(int(mask.sum()))
        expected = np.zeros(3, np.float32)
        if labels[at] == labels[other]:
            expected[labels[at]] = 1
        else:
            expected[labels[at]] = np.float32(height * width - mask.sum()) / np.float32(height * width)
            expected[labels[other]] = 1 - expected[labels[at]]
        assert np.array_equal(target[at].numpy(), expected)
    assert min(areas) < height * width / 10 < height * width / 2 < max(areas)


def test_a_partner_looks_as_at_its_own_place() -> None:
    dataset = make_dataset(train=COUNT, shape=(3, 7, 5))
    options: dict[str, Any] = {"flip": "both", "shift": 1, "color": 0.3, "cutout": 2}
    alone, _ = showing(dataset, **options).epoch(3).batch(EVERY)
    mixed, _ = showing(dataset, **options, mixup=1.0).epoch(3).batch(EVERY)
    partners, _, shares = Mixing((MixUp(1.0),)).draw(Key(4, 3), COUNT)
    share = shares.view(-1, 1, 1, 1)
    torch.testing.assert_close(mixed, alone * share + alone[partners] * (1 - share), rtol=0, atol=1e-6)


def test_a_share_of_the_images_is_mixed_and_each_in_one_way() -> None:
    count = 20_000
    partners, chosen, _, side, _, _ = Mixing((MixUp(0.5), CutMix(1.0)), 0.6).draw(Key(0, 1), count)
    times = [int((chosen == kind).sum()) for kind in (-1, 0, 1)]
    # 8000, 6000 and 6000 are expected, with deviations of 70.
    assert np.abs(np.array(times) - [8000, 6000, 6000]).max() < 300
    assert len(set(partners.tolist())) == count
    assert int((partners == torch.arange(count)).sum()) < 8
    # For alpha 1, λ is uniform, and the mean of √(1 - λ) is 2/3.
    assert float(side.mean()) == pytest.approx(2 / 3, abs=0.01)
    dataset = make_dataset(train=COUNT, shape=(3, 7, 5))
    plain, labels = showing(dataset).epoch(1).batch(EVERY)
    options = {"mixup": 0.5, "cutmix": 1.0, "mix_share": 0.5}
    x_bchw, target = showing(dataset, **options).epoch(1).batch(EVERY)
    chosen = Mixing((MixUp(0.5), CutMix(1.0)), 0.5).draw(Key(4, 1), COUNT)[1]
    left = chosen == -1
    assert 15 < int(left.sum()) < 45
    assert torch.equal(x_bchw[left], plain[left])
    assert torch.equal(target[left], torch.eye(3)[labels[left]])


@pytest.mark.parametrize("alpha", [0.001, 0.2, 1.0, 4.0, 1000.0])
def test_shares_follow_the_beta_distribution(alpha: float) -> None:
    from scipy.stats import beta, kstest

    shares = Key(1, 1).beta("mixup", 5000, alpha).double().numpy()
    assert np.all((shares >= 0) & (shares <= 1))
    if alpha > 0.01:  # else nearly all are 0 or 1, which no continuous distribution is
        assert kstest(shares, beta(alpha, alpha).cdf).pvalue > 0.001
    assert shares.mean() == pytest.approx(0.5, abs=0.03)


@given(st.integers(0, 1000), st.floats(0.01, 5))
def test_label_shares_sum_to_1_exactly(seed: int, alpha: float) -> None:
    kinds = (MixUp(alpha), CutMix(alpha))
    mixing = Mixing(kinds)
    count = 50
    labels = torch.eye(3)[torch.from_numpy(np.random.default_rng(seed).integers(0, 3, count))]
    images = torch.zeros(count, 1, 5, 5)
    rows = mixing.draw(Key(seed, 1), count)
    _, shares = mixing.apply(images, labels, rows, lambda at: (images[at], labels[at]))
    assert shares.sum(dim=1).tolist() == [1.0] * count
    assert shares.min() >= 0


def test_the_batch_given_is_not_changed() -> None:
    images, labels = pictures(20).float(), torch.eye(20)
    copies = images.clone(), labels.clone()
    for kinds in ((MixUp(1.0),), (CutMix(1.0),), (MixUp(1.0), CutMix(1.0))):
        mixing = Mixing(kinds)
        mixing.apply(images, labels, mixing.draw(Fixed(), 20), lambda at: (images[at], labels[at]))
        assert torch.equal(images, copies[0])
        assert torch.equal(labels, copies[1])


def test_tags_are_mixed_too() -> None:
    dataset = make_dataset("tags", train=COUNT)
    _, tags = showing(dataset).epoch(1).batch(EVERY)
    _, target = showing(dataset, mixup=1.0).epoch(1).batch(EVERY)
    partners, _, shares = Mixing((MixUp(1.0),)).draw(Key(4, 1), COUNT)
    share = shares[:, None]
    torch.testing.assert_close(target, tags * share + tags[partners] * (1 - share), rtol=0, atol=1e-6)


CLASSES, COUNTS = ("a", "b", "c"), {"a": 7, "b": 2, "c": 1}
RANDOM = np.random.default_rng(0)
LOGITS = torch.from_numpy(RANDOM.normal(size=(20, 3)) * 3).float()
LABELS = torch.from_numpy(RANDOM.integers(0, 3, 20))
SHARES = torch.from_numpy(RANDOM.dirichlet([1, 1, 1], 20)).float()
LOSSES: list[dict[str, Any]] = [
    {},
    {"label_smoothing": 0.2},
    {"class_weights": {"b": 3.0, "c": 0.5}},
    {"class_weights": "balanced", "label_smoothing": 0.1},
    {"loss": "mse"},
    {"loss": "binary-cross-entropy"},
]


@pytest.mark.parametrize("options", LOSSES)
def test_whole_shares_cost_what_indices_cost(options: dict[str, Any]) -> None:
    _, loss = make_loss(make_recipe(options), "classes", CLASSES, COUNTS)
    whole = torch.eye(3)[LABELS]
    assert float(loss(LOGITS, whole)) == pytest.approx(float(loss(LOGITS, LABELS)), rel=1e-6)
    assert loss.weight(whole) == pytest.approx(loss.weight(LABELS), rel=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weights", [None, {"b": 3.0, "c": 0.5}])
def test_shares_cost_cross_entropy(smoothing: float, weights: dict[str, float] | None) -> None:
    recipe = make_recipe({"label_smoothing": smoothing, "class_weights": weights})
    _, loss = make_loss(recipe, "classes", CLASSES, COUNTS)
    costs = -np.log(np.exp(LOGITS.double().numpy()) / np.exp(LOGITS.double().numpy()).sum(axis=1, keepdims=True))
    w = np.array([1.0, 3.0, 0.5]) if weights else np.ones(3)
    shares = SHARES.double().numpy()
    expected = (w * (shares * (1 - smoothing) + smoothing / 3) * costs).sum() / (w * shares).sum()
    assert float(loss(LOGITS, SHARES)) == pytest.approx(expected, rel=1e-5)
    assert loss.weight(SHARES) == pytest.approx((w * shares).sum(), rel=1e-6)


@pytest.mark.parametrize("options", LOSSES)
def test_the_cost_of_a_blend_lies_between_the_costs(options: dict[str, Any]) -> None:
    """All but mse are linear in the shares; without weights, so is their mean."""
    if options.get("loss") == "mse" or "class_weights" in options:
        pytest.skip("not linear")
    _, loss = make_loss(make_recipe(options), "classes", CLASSES, COUNTS)
    first, second = torch.eye(3)[LABELS], torch.eye(3)[LABELS.flip(0)]
    blend = float(loss(LOGITS, 0.3 * first + 0.7 * second))
    assert blend == pytest.approx(0.3 * float(loss(LOGITS, first)) + 0.7 * float(loss(LOGITS, second)), rel=1e-5)


def test_accuracy_is_counted_against_the_larger_share() -> None:
    shares = torch.tensor([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [0.1, 0.1, 0.8]])
    assert larger_share(shares).tolist() == [1, 0, 2]
    assert larger_share(LABELS) is LABELS


@pytest.mark.parametrize("options", [{"mixup": 0.4}, {"cutmix": 1.0, "mix_share": 0.5}, {"mixup": 1, "cutmix": 1}])
@pytest.mark.parametrize("task", ["classes", "tags"])
def test_a_network_learns_from_mixed_images(tmp_path: Any, task: Any, options: dict[str, Any]) -> None:
    run = quick_run(tmp_path, make_dataset(task, train=96), epochs=12, learning_rate=0.02, **options)
    if task == "classes":
        # The rows of the samples are told apart by any network that learns.
        assert run.folder.evaluation("test").accuracy == 1.0
        train = [row["train_accuracy"] for row in run.folder.metrics().rows if row["kind"] == "epoch"]
        assert 0.5 < train[-1] <= 1.0
    else:
        assert run.folder.evaluation("test").accuracy is not None
