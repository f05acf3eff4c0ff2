"""The parts of fast recipes against closed forms, NumPy and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from striate.training.averaging import Average, Lookahead, cubic_lookahead
from striate.training.muon import Muon, orthogonalized
from striate.training.seen_again import averaged_outputs
from striate.training.whitening import patch_covariance, whitening_filters


def _images(count: int = 200, channels: int = 3, size: int = 9, seed: int = 0) -> torch.Tensor:
    """Correlated pixels, as those of photographs are."""
    noise = torch.randn(count, channels, size + 2, size + 2, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.avg_pool2d(noise, 3, 1)
    return smooth + 0.7 * smooth.mean(1, keepdim=True)


def test_covariance_against_numpy() -> None:
    images = _images(20, size=6)
    windows = np.lib.stride_tricks.sliding_window_view(images.numpy().astype(np.float64), (3, 2), axis=(2, 3))
    patches = windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, 18)
    expected = patches.T @ patches / len(patches)
    np.testing.assert_allclose(patch_covariance(images, (3, 2)).numpy(), expected, rtol=1e-6, atol=1e-9)


def test_whitened_patches_are_uncorrelated_with_variance_one() -> None:
    images = _images()
    filters = whitening_filters(images, (2, 2), 24, epsilon=0.0)
    out = torch.nn.functional.conv2d(images, filters).double()
    columns = out[:, :12].transpose(0, 1).reshape(12, -1)
    torch.testing.assert_close(
        columns @ columns.T / columns.shape[1], torch.eye(12, dtype=torch.float64), atol=1e-3, rtol=0
    )
    torch.testing.assert_close(out[:, 12:], -out[:, :12])


def test_whitening_with_fewer_filters_keeps_the_strongest_directions() -> None:
    images = _images()
    few, all_of_them = whitening_filters(images, (2, 2), 8), whitening_filters(images, (2, 2), 24)
    assert torch.equal(few[:4], all_of_them[:4])
    assert torch.equal(few[4:], -all_of_them[:4])
    strength = lambda weights: (weights.flatten(1) ** 2).sum(1)  # noqa: E731
    assert bool((strength(all_of_them)[:12].diff() >= 0).all()), "weaker directions are amplified more"


def test_whitening_a_direction_without_variance_stays_finite() -> None:
    grey = _images(channels=1).expand(-1, 3, -1, -1)
    assert bool(whitening_filters(grey, (2, 2), 24).isfinite().all())


def test_more_filters_than_directions_are_refused() -> None:
    with pytest.raises(ValueError, match="25 filters, and patches have 12 directions"):
        whitening_filters(_images(10), (2, 2), 25)


@pytest.mark.parametrize("shape", [(8, 20), (20, 8), (16, 16)])
def test_orthogonalized_keeps_singular_vectors_and_evens_out_the_values(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    # The iteration is a polynomial in the singular values: apply it to them alone.
    values = s / s.norm()
    for _ in range(5):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    torch.testing.assert_close(orthogonalized(matrix, 5), u @ torch.diag(values) @ vh, rtol=1e-5, atol=1e-6)
    assert float(values.min()) > 0.5
    assert float(values.max()) < 1.3


def test_muon_step_by_hand() -> None:
    weight = nn.Parameter(torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(2)))
    expected = weight.detach().clone()
    buffer = torch.zeros_like(expected)
    optimizer = Muon([weight], learning_rate=0.1, momentum=0.5, steps=3)
    for seed in range(3):
        gradient = torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(seed))
        buffer = 0.5 * buffer + gradient
        flat = orthogonalized((gradient + 0.5 * buffer).reshape(4, -1), 3)
        expected = expected * (2.0 / expected.norm()) - 0.1 * flat.reshape(4, 3, 2, 2)
        weight.grad = gradient.clone()
        optimizer.step()
        assert torch.equal(weight.grad, gradient), "the gradient is only read"
    torch.testing.assert_close(weight.detach(), expected)


def test_muon_goes_on_from_its_state() -> None:
    def run(steps: int, optimizer: Muon, weight: nn.Parameter) -> None:
        for _ in range(steps):
            optimizer.zero_grad()
            (weight**2).sum().backward()
            optimizer.step()

    one = nn.Parameter(torch.ones(3, 2))
    whole = Muon([one])
    run(4, whole, one)
    two = nn.Parameter(torch.ones(3, 2))
    first = Muon([two])
    run(2, first, two)
    second = Muon([two])
    second.load_state_dict(first.state_dict())
    run(2, second, two)
    assert torch.equal(one, two)


def test_average_is_the_weighted_sum() -> None:
    module = nn.BatchNorm1d(2)
    average = Average(module, 0.9)
    expected = module.weight.detach().clone()
    for step in range(1, 30):
        with torch.no_grad():
            module.weight.fill_(float(step))
            module.num_batches_tracked.add_(1)
        average.update(module)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    torch.testing.assert_close(average.tensors["weight"], expected)
    assert int(average.tensors["num_batches_tracked"]) == 29
    assert float(module.weight.detach()[0]) == 29.0


def test_lookahead_is_its_algorithm() -> None:
    module = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        module.weight.fill_(0.0)
    lookahead = Lookahead(module, lambda progress: 0.5, every=2)
    slow = fast = 0.0
    for step in range(1, 8):
        with torch.no_grad():
            module.weight.add_(1.0)
        fast += 1.0
        lookahead.step(module, step / 8)
        if step % 2 == 0:
            slow = 0.5 * slow + 0.5 * fast
            fast = slow
        assert float(module.weight.detach()) == pytest.approx(fast)
    lookahead.finish(module)
    assert float(module.weight.detach()) == pytest.approx(slow)


def test_early_lookahead_changes_nothing() -> None:
    module = nn.Linear(2, 2)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    Lookahead(module, cubic_lookahead, every=1).step(module, 0.0)
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())


def test_views_are_averaged_as_said() -> None:
    images = torch.randn(3, 2, 5, 5, generator=torch.Generator().manual_seed(3))
    weights = torch.randn(2 * 25, 4, generator=torch.Generator().manual_seed(4))
    network = lambda x: x.flatten(1) @ weights  # noqa: E731
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (1, 1), (1, 1)), mode="reflect")
    views = [images.numpy(), padded[:, :, :5, :5], padded[:, :, 2:, 2:]]
    total = np.zeros((3, 4))
    for view, weight in zip(views, (0.5, 0.25, 0.25), strict=True):
        for seen in (view, view[..., ::-1]):
            total += 0.5 * weight * (seen.reshape(3, -1) @ weights.numpy())
    np.testing.assert_allclose(averaged_outputs(network, images, "flip-shift").numpy(), total, rtol=1e-4, atol=1e-5)
    assert torch.equal(averaged_outputs(network, images, "none"), network(images))
    with pytest.raises(ValueError, match="one of none, flip, flip-shift"):
        averaged_outputs(network, images, "twice")
