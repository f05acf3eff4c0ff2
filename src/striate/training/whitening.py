"""Whitening: a first convolution whose filters make the patches of the images uncorrelated."""

from __future__ import annotations

import torch

__all__ = ["patch_covariance", "whitening_filters"]

#: Added to each eigenvalue, so that directions without variance are not blown up.
EPSILON = 5e-4


def patch_covariance(images_bchw: torch.Tensor, kernel: tuple[int, int]) -> torch.Tensor:
    """The mean outer product of all patches of some images: float64 (c·kh·kw, c·kh·kw).

    The mean is not taken away: normalised images have one near 0.

    Args:
        images_bchw: (batch, channels, height, width) as the network sees them.
        kernel: height and width of a patch.

    >>> patch_covariance(torch.ones(1, 1, 3, 3), (2, 2)).tolist()[0]
    [1.0, 1.0, 1.0, 1.0]
    """
    height, width = kernel
    columns = torch.nn.functional.unfold(images_bchw, (height, width))  # (batch, c·kh·kw, patches)
    patches = columns.transpose(1, 2).reshape(-1, columns.shape[1]).double()
    return patches.T @ patches / len(patches)


def whitening_filters(
    images_bchw: torch.Tensor, kernel: tuple[int, int], filters: int, epsilon: float = EPSILON
) -> torch.Tensor:
    """Filters that whiten the patches of images, strongest direction first, then their negatives.

    Filter i is the eigenvector v_i of the patch covariance divided by ``sqrt(λ_i + ε)``, so that over the patches the
    outputs are uncorrelated and have variance ``λ_i / (λ_i + ε)``. The negatives keep what a ReLU would cut off.
    The sign of an eigenvector is free; here its entry of largest magnitude is positive.

    Source: Page, "How to train your ResNet", part 8 (2019); Jordan, "94% on CIFAR-10 in 3.29 seconds", 2024,
    section 3.2.

    Args:
        images_bchw: some thousand images as the network sees them.
        kernel: of the convolution.
        filters: how many it has; from the strongest direction on, 2 for each, and no more than 2·c·kh·kw.
        epsilon: ε.

    Returns:
        float32 (filters, c, kh, kw).

    Raises:
        ValueError: ``filters`` is more than there are directions with both signs.

    >>> pixels = torch.randn(64, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    >>> whitening_filters(pixels, (2, 2), 24).shape
    torch.Size([24, 3, 2, 2])
    """
    channels = images_bchw.shape[1]
    most = 2 * channels * kernel[0] * kernel[1]
    if filters > most:
        raise ValueError(f"{filters} filters, and patches have {most // 2} directions with 2 signs")
    values, vectors = torch.linalg.eigh(patch_covariance(images_bchw, kernel))
    order = values.argsort(descending=True)
    values, vectors = values[order].clamp_min(0.0), vectors[:, order]
    largest = vectors.abs().argmax(dim=0, keepdim=True)
    rows = (vectors * vectors.gather(0, largest).sign() / (values + epsilon).sqrt()).T
    kept = (filters + 1) // 2
    both = torch.cat([rows[:kept], -rows[: filters - kept]])
    return both.reshape(filters, channels, *kernel).float()
