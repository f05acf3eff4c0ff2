"""A fix that is called safe changes nothing that a network computes: outputs, gradients and statistics in torch."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lint.literate import FILES, Case, cases, rule_of, subject_of
from properties.strategies import graphs
from striate.backend import build_module
from striate.graph import Graph
from striate.lint import Subject, all_rules
from striate.lint.mending import mend
from striate.lint.target import Target
from striate.sources import read_inline

SAFE = [rule for rule in all_rules().values() if rule.fix == "safe"]
#: Sums are taken in the same order before and after, but torch may choose another kernel.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def check_equal(before: Graph, after: Graph) -> None:
    """The same outputs, gradients of the parameters and running statistics, in training and evaluation mode."""
    first = build_module(before)
    second = build_module(after, seed=None)
    kept = second.state_dict()
    second.load_state_dict({name: value.clone() for name, value in first.state_dict().items() if name in kept})
    images = [
        torch.randn(3, *before.shapes[node.name], generator=torch.Generator().manual_seed(1)) for node in before.inputs
    ]
    for training in (False, True):
        modules = [copy.deepcopy(module).train(training) for module in (first, second)]
        outputs = [_run(module, images) for module in modules]
        for one, other in zip(*outputs, strict=True):
            torch.testing.assert_close(one, other, equal_nan=True, **CLOSE)
        for found in outputs:
            total = sum((out * torch.linspace(-1, 1, out.numel()).reshape(out.shape)).sum() for out in found)
            if isinstance(total, torch.Tensor) and total.requires_grad:
                total.backward()
        for name, parameter in modules[1].named_parameters():
            torch.testing.assert_close(parameter.grad, modules[0].get_parameter(name).grad, equal_nan=True, **CLOSE)
        for name, buffer in modules[1].named_buffers():
            torch.testing.assert_close(buffer, modules[0].get_buffer(name), equal_nan=True, **CLOSE)


def _run(module: torch.nn.Module, images: list[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """The outputs; whatever is random in the network is drawn from the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        value = module(*(image.clone() for image in images))
    return value if isinstance(value, tuple) else (value,)


def test_some_fixes_are_called_safe() -> None:
    assert SAFE


def firing() -> list[Case]:
    codes = {rule.code for rule in SAFE}
    return [case for file in FILES if file.name[:4] in codes for case in cases(file) if case.expected]


@pytest.mark.parametrize("case", firing(), ids=lambda case: case.place)
def test_safe_fixes_of_the_literate_networks(case: Case) -> None:
    subject, _ = subject_of(case.kind, case.text, case.options)
    mended = mend(Target("net", subject), [rule_of(case.file)])
    check_equal(subject.graph, mended.target.subject.graph)


#: What may follow each other in a chain; some of it is there to be left out.
PIECES = (
    *[
        "conv 4 3 same",
        "conv 3 1 bias=false",
        "batchnorm",
        "maxpool 2",
        "avgpool 1",
        "maxpool 1",
        "identity",
        "dropout 0",
        "dropout 0.5",
    ],
    *[
        "relu",
        "relu",
        "relu6",
        "leakyrelu",
        "sigmoid",
        "tanh",
        "softplus",
        "gelu",
        "hardtanh",
        "upsample 1",
        "globalavgpool",
    ],
)
TAILS = (
    "globalavgpool > dense 5",
    "flatten > dense 5 > identity",
    "flatten > flatten > relu > relu > dense 5 bias=false",
    "",
)


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8), st.sampled_from(TAILS))
def test_safe_fixes_of_chains(pieces: list[str], tail: str) -> None:
    from striate.errors import NetworkError

    try:
        graph = read_inline(" > ".join([*pieces, *([tail] if tail else [])]), input=(2, 6, 7))
    except NetworkError:
        return
    mended = mend(Target("net", Subject(graph)), SAFE)
    assert not mended.unfinished
    if mended.done:
        check_equal(graph, mended.target.subject.graph)


@given(graphs())
def test_safe_fixes_of_any_network(graph: Graph) -> None:
    mended = mend(Target("net", Subject(graph)), SAFE)
    assert not mended.unfinished
    if mended.done:
        check_equal(graph, mended.target.subject.graph)
