"""Pooling and ReLU in one operation give the bits that torch gives in two."""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from striate.backend.native.pooling import FusedPooling

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("llvmlite") is None, reason="llvmlite is not installed: pip install 'striate[fast]'"
)
LAST = torch.channels_last
WHOLE = {torch.bfloat16: torch.int16, torch.float32: torch.int32}
#: Both zeros, ties, the smallest and largest there are, and what is no number.
SPECIAL = (0.0, -0.0, 1.0, 1.0, -1.0, 0.5, 1e-40, -1e-40, 3e38, float("inf"), float("-inf"), float("nan"))


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def plain(x_bchw: Tensor) -> Tensor:
    return functional.relu(functional.max_pool2d(x_bchw, 2))


def same(ours: Tensor, theirs: Tensor) -> bool:
    """Bit by bit; of NaN torch itself writes several kinds, one in its vectors and another in what is left of them."""
    whole = WHOLE[ours.dtype]
    equal = ours.detach().contiguous().view(whole) == theirs.detach().contiguous().view(whole)
    return ours.dtype == theirs.dtype and bool((equal | (ours.isnan() & theirs.isnan())).all())


def special(shape: tuple[int, ...], dtype: torch.dtype, seed: int, kinds: int = len(SPECIAL)) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.tensor(SPECIAL[:kinds])[torch.randint(kinds, shape, generator=generator)]
    random = torch.randn(shape, generator=generator)
    return torch.where(torch.rand(shape, generator=generator) < 0.5, drawn, random).to(dtype)


def both(x_bchw: Tensor, gradient: Tensor | None = None) -> list[tuple[Tensor, Tensor]]:
    """Output and gradient of the two and of the one."""
    found = []
    for function in (plain, FusedPooling()):
        leaf = x_bchw.detach().clone(memory_format=torch.preserve_format).requires_grad_()
        output = function(leaf)
        given = torch.ones_like(output) if gradient is None else gradient
        found.append((output, torch.autograd.grad(output, leaf, given)[0]))
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.integers(1, 3), st.integers(1, 70), st.integers(2, 9), st.integers(2, 9)),
    st.sampled_from(list(WHOLE)),
    st.integers(0, 1000),
    st.sampled_from([2, 6, 9, 12]),
)
def test_the_bits_are_those_of_torch(
    shape: tuple[int, int, int, int], dtype: torch.dtype, seed: int, kinds: int
) -> None:
    maps = special(shape, dtype, seed, kinds).contiguous(memory_format=LAST)
    gradient = special((*shape[:2], shape[2] // 2, shape[3] // 2), dtype, seed + 1)
    (theirs, their_gradient), (ours, our_gradient) = both(maps, gradient.contiguous(memory_format=LAST))
    assert ours.shape == theirs.shape
    assert same(ours, theirs)
    assert same(our_gradient, their_gradient)
    assert ours.is_contiguous(memory_format=LAST)
    assert our_gradient.is_contiguous(memory_format=LAST)


@pytest.mark.parametrize("dtype", list(WHOLE))
@pytest.mark.parametrize("shape", [(33, 32, 28, 28), (16, 64, 31, 29), (7, 40, 14, 14), (1, 3, 224, 224)])
def test_large_maps_are_shared_among_threads(threads: int, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    maps = special(shape, dtype, 5).contiguous(memory_format=LAST)
    for _ in range(3):
        (theirs, their_gradient), (ours, our_gradient) = both(maps)
        assert same(ours, theirs)
        assert same(our_gradient, their_gradient)
    assert torch.get_num_threads() == threads


def test_all_256_windows_of_four_special_numbers() -> None:
    for kinds in (SPECIAL[:4], (-0.0, 0.0, float("nan"), float("inf")), (-1.0, -0.0, 0.0, float("-inf"))):
        windows = torch.cartesian_prod(*[torch.tensor(kinds)] * 4).reshape(-1, 1, 2, 2)
        (theirs, their_gradient), (ours, our_gradient) = both(windows)
        assert same(ours, theirs)
        assert same(our_gradient, their_gradient)


@pytest.mark.parametrize("dtype", list(WHOLE))
def test_any_memory_order_is_taken(dtype: torch.dtype) -> None:
    whole = special((4, 12, 10, 11), dtype, 2)
    for maps in (whole, whole[:, ::2], whole.transpose(2, 3), whole[1:, :, 1:, 3:], whole[:, :1].expand(-1, 5, -1, -1)):
        kept = maps.clone()
        gradient = special((*maps.shape[:2], maps.shape[2] // 2, maps.shape[3] // 2), dtype, 3)
        # A gradient may be one number seen from everywhere.
        for given_gradient in (gradient, gradient[:1, :1, :1, :1].expand(gradient.shape)):
            (theirs, their_gradient), (ours, our_gradient) = both(maps, given_gradient)
            assert same(ours, theirs)
            assert same(our_gradient, their_gradient)
        assert same(maps, kept)


def test_two_uses_before_one_backward_pass() -> None:
    gradients = []
    for module in (torch.nn.Sequential(torch.nn.MaxPool2d(2), torch.nn.ReLU()), copy.deepcopy(FusedPooling())):
        leaf = special((2, 9, 8, 8), torch.float32, 7, kinds=6).contiguous(memory_format=LAST).requires_grad_()
        first, second = module(leaf), module(leaf * 2)
        (first * second).sum().backward()
        assert leaf.grad is not None
        gradients.append(leaf.grad)
    assert same(gradients[1], gradients[0])


def test_what_the_kernel_does_not_know_is_left_to_torch() -> None:
    module = FusedPooling()
    doubles = torch.randn(2, 3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.equal(module(doubles), plain(doubles))
    assert torch.equal(module(doubles[0].float()), plain(doubles[0].float()))
    assert module(torch.zeros(0, 3, 4, 4)).shape == (0, 3, 2, 2)
    assert module(torch.zeros(2, 3, 4, 4, device="meta")).shape == (2, 3, 2, 2)
    with pytest.raises(RuntimeError, match="Output size is too small"):
        module(torch.zeros(1, 3, 1, 4))


def test_no_gradient_is_kept_where_none_is_wanted() -> None:
    assert FusedPooling()(torch.zeros(1, 3, 4, 4)).grad_fn is None
    leaf = torch.zeros(1, 3, 4, 4, requires_grad=True)
    with torch.no_grad():
        assert FusedPooling()(leaf).grad_fn is None


def test_a_second_derivative_is_refused() -> None:
    leaf = torch.ones(1, 3, 4, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad((FusedPooling()(leaf) ** 2).sum(), leaf, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()
