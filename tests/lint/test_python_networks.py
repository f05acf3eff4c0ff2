"""Networks in Python: findings at the author's lines, comments there, and code that is no network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from torch import nn

import striate
from striate.cli import main
from striate.lint.result import lint_target
from striate.lint.target import read_target

MODEL = """\
import torch
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3)
        self.norm = nn.BatchNorm2d(width)
        self.idle = nn.Linear(3, 4)
        self.head = nn.Linear(width, 10)

    def forward(self, x):
        x = F.relu(self.norm(self.conv(x)))
        # striate: allow two-activations: a second one for show
        x = torch.relu(x)
        x = F.relu(x)
        return self.head(x.mean((2, 3)))  # striate: allow even-kernel


class Broken(nn.Module):
    def forward(self, x):
        return x @ torch.zeros(3, 4)
"""


@pytest.fixture(autouse=True)
def _model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model.py").write_text(MODEL)


def found(**options: Any) -> set[tuple[str | None, str | None]]:
    target = read_target("model.py:Net", input=(3, 32, 32), **options)
    return {(finding.rule, finding.origin) for finding in lint_target(target).findings}


def test_findings_stand_at_the_authors_lines() -> None:
    assert ("conv-bias-before-batchnorm", "model.py:15") in found()
    assert ("two-activations", "model.py:18") in found()
    assert ("two-activations", "model.py:17") not in found(), "a comment allows it"
    assert ("unused-allow", "model.py:19") in found()


def test_parameters_without_use_are_told_once() -> None:
    rules = [finding.rule for finding in striate.lint("model.py:Net", input=(3, 32, 32))]  # type: ignore[operator]
    assert rules.count("unused-parameters") == 1
    assert "dead-end" not in rules


def test_options_of_the_class() -> None:
    target = read_target("model.py:Net", input=(3, 32, 32), kwargs={"width": 5})
    assert target.subject.graph.shapes["conv"] == (5, 30, 30)


def test_a_module_is_linted_like_its_source() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.ReLU())
    rules = [finding.rule for finding in striate.lint(module, input=(3, 8, 8))]  # type: ignore[operator]
    assert "two-activations" in rules


def run(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    printed = capfd.readouterr()
    return int(caught.value.code or 0), printed.out, printed.err


def test_code_that_fails_is_a_finding_at_its_line(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capfd, "lint", "model.py:Broken", "--input", "3x8x8", "--format", "github")
    assert code == 1
    assert out.startswith("::error file=model.py,line=24,title=N000 invalid-network::")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["model.py:Net"], "write: --input 3x224x224"),
        (["model.py:Nte", "--input", "3x8x8"], "write: model.py:Net"),
        (["gone.py:Net", "--input", "3x8x8"], "there is no such file"),
        (["simple-cnn", "--kwargs", "width=3"], "--kwargs is for networks in Python"),
    ],
)
def test_what_is_asked_wrongly_is_no_finding(capfd: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    code, out, err = run(capfd, "lint", *words)
    assert (code, out) == (2, "")
    assert message in err


def test_python_is_not_mended(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capfd, "lint", "model.py:Net", "--input", "3x8x8", "--fix", "--unsafe-fixes")
    assert code == 0
    assert "model.py:Net is not mended: it is written in Python" in err
    assert "--fix mends" not in out
    assert "fix: leave relu3 out\n" in out
    assert Path("model.py").read_text() == MODEL


def test_a_network_that_cannot_be_written_has_no_difference(capfd: pytest.CaptureFixture[str]) -> None:
    text = MODEL.replace("x.mean((2, 3))", "torch.fft.fft2(x).real.mean((2, 3))")
    Path("model.py").write_text(text)
    code, out, err = run(capfd, "lint", "model.py:Net", "--input", "3x8x8", "--diff")
    assert (code, out) == (0, "")
    assert "is not mended: it is written in Python" in err


def test_without_rules_the_option_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capfd, "lint", "simple-cnn", "--isolated", "--ignore", "N")
    assert code == 2
    assert "--ignore: no rule is left" in err
    assert "None" not in err


@pytest.mark.parametrize("name", ["own.pth", "own.pt2", "own.safetensors"])
def test_a_file_of_weights_is_no_network(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path(name).write_bytes(b"")
    code, out, _ = run(capfd, "lint", name)
    assert code == 1
    assert "this is a file of weights, and no network" in out
