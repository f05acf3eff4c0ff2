"""``striate inspect --format``: each format is the view of that name, to standard output or into a file."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from striate import zoo
from striate.analysis import inspect
from striate.cli import main
from striate.views import markdown_table, mermaid_diagram, network_page, svg_diagram


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        raise SystemExit(main(["inspect", *words]))
    printed = capsys.readouterr()
    return int(left.value.code or 0), printed.out, printed.err


@pytest.mark.parametrize(
    ("name", "view"),
    [("markdown", markdown_table), ("html", network_page), ("svg", svg_diagram), ("mermaid", mermaid_diagram)],
)
def test_formats(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, view: object) -> None:
    assert callable(view)
    wanted = view(inspect(zoo.build("resnet18")), 2)
    assert run(capsys, "resnet18", "--format", name, "--depth", "2") == (0, wanted, "")
    file = tmp_path / "out"
    assert run(capsys, "resnet18", "--format", name, "--depth", "2", "-o", str(file)) == (0, "", "")
    assert file.read_text(encoding="utf-8") == wanted


def test_tables(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, _ = run(capsys, "resnet152", "--depth", "2")
    assert code == 0
    assert "layer3.1–35" in out
    code, out, _ = run(capsys, "resnet152", "--format", "bars")
    assert "65.0 %" in out
    file = tmp_path / "net.csv"
    run(capsys, "resnet18", "--format", "csv", "--output", str(file))
    with file.open(encoding="utf-8", newline="") as stream:
        assert sum(int(row["parameters"]) for row in csv.DictReader(stream)) == 11_689_512


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "csv", "--depth", "1"), "CSV has one line for each node"),
        (("--depth", "none"), "this is not a count"),
        (("--layer", "fc", "--depth", "1"), "--layer derives one layer"),
        (("--json", "--format", "svg"), "--json has every node"),
        (("--format", "pdf"), "pdf"),
    ],
)
def test_what_does_not_go_together_is_said(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    code, out, err = run(capsys, "resnet18", *words)
    assert (code, out) == (2, "")
    assert said in err


def test_no_view_is_called_like_its_module() -> None:
    """A module that was imported would stand in the place of the view of the same name."""
    from striate import views

    assert not set(views._HOMES) & {name for names in views._HOMES.values() for name in names}
