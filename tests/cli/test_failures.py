"""From an exception to a message and an exit code."""

from __future__ import annotations

import errno
import os

import pytest

from cli.commands import Run
from striate import errors
from striate.cli.failures import FAULT, explain, report_failure


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("UsageError", 2),
        ("NetworkError", 2),
        ("LayerError", 2),
        ("ShapeError", 2),
        ("SourceError", 2),
        ("RunError", 2),
        ("WeightsError", 2),
        ("DataError", 3),
        ("DivergedError", 4),
        ("StorageError", 1),
        ("InterruptedRun", 130),
    ],
)
def test_exit_codes(kind: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    error = getattr(errors, kind)("it is wrong", where="here", got="this", needs="that", write="so")
    assert report_failure(error) == code
    captured = capsys.readouterr()
    assert captured.err == "error: here: it is wrong\n  got:   this\n  needs: that\n  write: so\n"
    assert captured.out == ""


def test_brackets_are_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    report_failure(errors.DataError("[red]no[/red] :smile:", where="[bold].png"))
    assert capsys.readouterr().err == "error: [bold].png: [red]no[/red] :smile:\n"


def test_control_characters_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report_failure(errors.DataError("broken", where="a\x1b]0;b\x07.png"))
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "problem", "where"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "a/b"), "No space left on device", "a/b"),
        (PermissionError(errno.EACCES, "Permission denied", b"a"), "Permission denied", "a"),
        (OSError(errno.EXDEV, "Invalid cross-device link", "a", None, "b"), "Invalid cross-device link", "a and b"),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files", None),
        (MemoryError(), "the memory is used up", None),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: 8"), "the memory is used up", None),
    ],
)
def test_what_the_system_refuses(error: Exception, problem: str, where: str | None) -> None:
    told = explain(error)
    assert told is not None
    assert (told.problem, told.where, told.exit_code) == (problem, where, 1)


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("shapes"), OSError("without a number"), KeyError("k")])
def test_what_is_a_fault_of_ours(error: Exception) -> None:
    assert explain(error) is None


def test_a_fault_is_told_in_one_message(striate: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(graph: object) -> None:
        raise ValueError("seven")

    monkeypatch.setattr("striate.analysis.report.inspect", fail)
    result = striate("inspect", "simple-cnn")
    assert result.code == FAULT == 70
    assert "Traceback" not in result.err
    assert "this is a fault in Striate: ValueError: seven\n" in result.err
    assert "STRIATE_DEBUG=1" in result.err
    monkeypatch.setenv("STRIATE_DEBUG", "1")
    result = striate("inspect", "simple-cnn")
    assert result.code == FAULT
    assert "Traceback" in result.err


def test_a_reader_that_is_gone_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_failure(BrokenPipeError(errno.EPIPE, "Broken pipe")) == 0
    assert capsys.readouterr().err == ""


def test_ctrl_c_is_told_in_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_failure(KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "error: interrupted\n"


@pytest.mark.parametrize(("code", "expected"), [(None, 0), (0, 0), (3, 3)])
def test_an_exit_inside_a_verb_keeps_its_code(code: int | None, expected: int) -> None:
    assert report_failure(SystemExit(code)) == expected


def test_an_error_nobody_can_read_still_has_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as broken:
        monkeypatch.setattr("sys.stderr", broken)
        assert report_failure(errors.DataError("broken")) == 3
        monkeypatch.undo()
        # What is left in its buffer must not complain when it is closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), broken.fileno())
