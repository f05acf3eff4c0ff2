"""The tree of errors: exit codes, the message, telling an error from further out, near misses."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate import errors
from striate.errors import StriateError, near_miss

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, StriateError)]
texts = st.none() | st.text(max_size=20)


@pytest.mark.parametrize(
    ("kind", "parent", "code"),
    [
        (errors.UsageError, StriateError, 2),
        (errors.NetworkError, StriateError, 2),
        (errors.LayerError, errors.NetworkError, 2),
        (errors.ShapeError, errors.NetworkError, 2),
        (errors.SourceError, errors.NetworkError, 2),
        (errors.RunError, StriateError, 2),
        (errors.WeightsError, errors.RunError, 2),
        (errors.DataError, StriateError, 3),
        (errors.DivergedError, StriateError, 4),
        (errors.StorageError, StriateError, 1),
        (errors.InterruptedRun, StriateError, 130),
    ],
)
def test_the_tree(kind: type[StriateError], parent: type[Exception], code: int) -> None:
    assert kind.__bases__ == (parent,)
    assert kind("it is wrong").exit_code == code


def test_every_error_is_exported_and_drawn() -> None:
    assert {kind.__name__ for kind in KINDS} | {"near_miss"} == set(errors.__all__)
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in KINDS)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "it is wrong"),
        ({"where": "net.yaml:4"}, "net.yaml:4: it is wrong"),
        ({"got": "1"}, "it is wrong\n  got:   1"),
        ({"where": "x", "needs": "2", "write": "3"}, "x: it is wrong\n  needs: 2\n  write: 3"),
    ],
)
def test_the_message(options: dict[str, str], text: str) -> None:
    assert str(StriateError("it is wrong", **options)) == text


@given(st.sampled_from(KINDS), st.text(max_size=20), texts, texts, texts, texts)
def test_an_error_survives_a_trip_between_processes(
    kind: type[StriateError], problem: str, where: str | None, got: str | None, needs: str | None, write: str | None
) -> None:
    error = kind(problem, where=where, got=got, needs=needs, write=write)
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(again) is kind
        assert str(again) == str(error)


@given(st.sampled_from(KINDS), texts)
def test_told_from_further_out(kind: type[StriateError], where: str | None) -> None:
    error = kind("it is wrong", where=where, got="g", needs="n", write="w")
    outer = error.at("net.yaml:3")
    assert type(outer) is kind
    assert outer.where == ("net.yaml:3" if where is None else f"net.yaml:3, {where}")
    assert (outer.problem, outer.got, outer.needs, outer.write) == ("it is wrong", "g", "n", "w")
    assert error.where == where


@pytest.mark.parametrize(
    ("typed", "known", "meant"),
    [
        ("maxpol", ["avgpool", "maxpool"], "maxpool"),
        ("Max_Pool", ["maxpool"], "maxpool"),
        ("resnet-18", ["resnet34", "resnet18"], "resnet18"),
        ("xyz", ["maxpool"], None),
        ("", ["maxpool"], None),
        ("conv", [], None),
    ],
)
def test_near_misses(typed: str, known: list[str], meant: str | None) -> None:
    assert near_miss(typed, known) == meant
