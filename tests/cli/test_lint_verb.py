"""``striate lint`` and ``striate explain``: what they print, what they write, and how they end."""

from __future__ import annotations

import difflib
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

import striate as st
from cli.commands import Run

NET = """\
# a network
input: [3, 32, 32]
classes: 10
layers:
  - conv: {filters: 16, kernel: 3}
  - batchnorm
  - relu  # the first
  - relu  # the second
  - globalavgpool
  - dense: classes
"""
MENDED = NET.replace("  - relu  # the second\n", "")
WHOLE = MENDED.replace("kernel: 3}", "kernel: 3, bias: false}")
ONLY = ("--select", "N0,N301,N302")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def net() -> Path:
    path = Path("net.yaml")
    path.write_text(NET)
    return path


def test_findings_stand_at_their_lines(striate: Run, net: Path) -> None:
    result = striate("lint", net, *ONLY)
    assert (result.code, result.err) == (0, "")
    assert "  net.yaml:8: warning N302 two-activations relu2: it changes nothing" in result.out
    assert "  net.yaml:5: info N301 conv-bias-before-batchnorm conv1: " in result.out
    assert result.out.endswith("1 network: 1 warning, 1 info; --fix mends 1; --unsafe-fixes mends 1 more\n")


def test_json_is_what_the_function_returns(striate: Run, net: Path) -> None:
    for words in (["--json"], ["--format", "json"]):
        data = striate("lint", net, "simple-cnn", *words).json
        assert [entry["target"] for entry in data["networks"]] == ["net.yaml", "simple-cnn"]
        for entry in data["networks"]:
            expected = [finding.as_dict() for finding in st.lint(entry["target"])]  # type: ignore[operator]
            assert [
                {name: value for name, value in found.items() if name != "mends"} for found in entry["findings"]
            ] == expected
        assert data["counts"]["error"] == 0
        assert data["settings"] is None


def test_a_file_is_written(striate: Run, net: Path) -> None:
    for kind in ("text", "json", "github", "sarif"):
        result = striate("lint", net, "--format", kind, "-o", f"out.{kind}")
        assert (result.code, result.out) == (0, "")
        assert Path(f"out.{kind}").read_text() == striate("lint", net, "--format", kind).out
    assert json.loads(Path("out.sarif").read_text())["version"] == "2.1.0"
    result = striate("lint", net, "-o", "no/such/folder.txt")
    assert result.code == 1
    assert "no/such/folder.txt: the folder does not exist" in result.error


def test_exit_codes(striate: Run, net: Path) -> None:
    assert striate("lint", net, *ONLY).code == 0
    assert striate("lint", net, *ONLY, "--strict").code == 1
    assert striate("lint", net, "--select", "N301", "--strict").code == 0
    assert striate("lint", "flatten > dense 1 > softmax", "--select", "N406").code == 1
    assert striate("lint", "no-such-net").code == 2


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (NET.replace("batchnorm", "batchnrm"), 6, "there is no layer 'batchnrm'"),
        ("layers: [", 1, "this is not YAML"),
        ("", 1, "there is no network in this text"),
        (NET.replace("kernel: 3", "kernel: 99"), 5, "layer 1 (conv)"),
    ],
)
def test_a_file_that_is_no_network_is_a_finding(striate: Run, net: Path, text: str, line: int, message: str) -> None:
    Path("bad.yaml").write_text(text)
    result = striate("lint", "bad.yaml", net, "--json", *ONLY)
    assert result.code == 1
    bad, good = result.json["networks"]
    [finding] = bad["findings"]
    assert (finding["code"], finding["rule"], finding["severity"]) == ("N000", "invalid-network", "error")
    assert finding["origin"] == f"bad.yaml:{line}"
    assert message in finding["message"]
    assert len(good["findings"]) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "striate lint: NET is missing"),
        (["net.yaml", "--select", "even-kernl"], "--select: no rule is called this\n  got:   even-kernl\n"),
        (["net.yaml", "--select", "even-kernl"], "write: even-kernel\n"),
        (["net.yaml", "--ignore", "X"], "--ignore: no rule is called this"),
        (["net.yaml", "--select", "N3", "--ignore", "N3"], "--select and --ignore: no rule is left"),
        (["net.yaml", "--batch", "0"], "--batch: this is not a count"),
        (["net.yaml", "--loss", "bec"], "--loss: this is not a loss\n  got:   bec\n"),
        (["net.yaml", "--input", "3x"], "--input: this is not a shape"),
        (["net.yaml", "--weights", "w.safetensors"], "w.safetensors: there is no such file of weights"),
        (["net.yaml", "--weights", "x", "--fix"], "--weights: --fix changes the network"),
        (["net.yaml", "--format", "xml"], "--format cannot be xml"),
        (["net.yaml", "--json", "--format", "sarif"], "--json and --format sarif are two formats"),
        (["net.yaml", "--set", "conv1.kernel=5", "--fix"], "--set shows a change, and --fix makes others"),
        (["net.yaml", "--set", "conv1.kernl=5"], "--set conv1.kernl=5, "),
        (["net.yaml", "net.yaml", "--set", "conv1.kernel=5"], "--set changes one network"),
        (["net.yaml", "--set", "conv1.kernel=5", "--format", "github"], "--set has no form in --format github"),
        (["net.yaml", "--diff", "--json"], "--diff shows a difference and no findings"),
    ],
)
def test_options_that_mean_nothing(striate: Run, net: Path, words: list[str], message: str) -> None:
    result = striate("lint", *words)
    assert result.code == 2
    assert message in result.error


def test_fix_changes_the_file_and_nothing_but_what_it_must(striate: Run, net: Path) -> None:
    result = striate("lint", net, *ONLY, "--fix")
    assert (result.code, net.read_text()) == (0, MENDED)
    assert result.err == "striate lint: net.yaml: 1 place mended\n"
    assert result.out.endswith("1 network: 1 info; --unsafe-fixes mends 1\n")
    result = striate("lint", net, *ONLY, "--unsafe-fixes")
    assert net.read_text() == WHOLE
    assert result.out == "1 network: nothing found\n"
    before = net.stat()
    assert striate("lint", net, *ONLY, "--unsafe-fixes").err == ""
    assert net.stat().st_ino == before.st_ino, "nothing to mend, nothing written"


def test_diff_shows_and_changes_nothing(striate: Run, net: Path) -> None:
    result = striate("lint", net, *ONLY, "--diff")
    lines = difflib.unified_diff(NET.splitlines(True), MENDED.splitlines(True), "net.yaml", "net.yaml")
    assert result.out == "".join(lines)
    assert (result.code, net.read_text()) == (0, NET)
    assert (
        "+  - conv: {filters: 16, kernel: 3, bias: false}"
        in striate("lint", net, *ONLY, "--diff", "--unsafe-fixes").out
    )


def test_rights_line_ends_links_and_marks_stay(striate: Run) -> None:
    Path("deep").mkdir()
    real, link = Path("deep/real.yaml"), Path("link.yaml")
    real.write_bytes(b"\xef\xbb\xbf" + NET.replace("\n", "\r\n").encode())
    real.chmod(0o640)
    link.symlink_to(real)
    assert striate("lint", link, *ONLY, "--unsafe-fixes").code == 0
    assert link.is_symlink()
    assert real.read_bytes() == b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert sorted(os.listdir("deep")) == ["real.yaml"]


def test_what_cannot_be_mended_is_told(striate: Run) -> None:
    text = NET.replace("  - globalavgpool\n", "  - conv: [3, 1]\n  - relu\n  - add: relu3\n  - globalavgpool\n")
    Path("net.yaml").write_text(text.replace("filters: 16", "filters: 3"))
    before = Path("net.yaml").read_text()
    result = striate("lint", "net.yaml", *ONLY, "--fix")
    assert "striate lint: net.yaml:8: N302 two-activations relu2 is not mended: " in result.err
    assert Path("net.yaml").read_text() == before


def test_a_text_or_a_zoo_network_is_printed_after_mending(striate: Run) -> None:
    result = striate("lint", "conv 8 3 > relu > relu > globalavgpool > dense 10", "--select", "N302", "--fix")
    assert result.out == ("1 network: nothing found\n\ninput 3x32x32 > conv 8 3 > relu > globalavgpool > dense 10\n")
    mended = striate("lint", "vgg11_bn", "--select", "N301", "--unsafe-fixes").out.partition("\n\n")[2]
    assert mended.startswith("name: vgg11_bn\n")
    assert mended.count("bias: false") == 8
    data = striate("lint", "conv 8 3 > relu > relu", "--select", "N302", "--fix", "--json").json
    assert data["networks"][0]["text"] == "input 3x32x32 > conv 8 3 > relu\n"
    assert [entry["code"] for entry in data["networks"][0]["mended"]] == ["N302"]


def test_yaml_that_is_no_file_is_printed_after_mending(striate: Run) -> None:
    text = "input: [3, 8, 8]\nlayers: [relu, relu]"
    assert striate("lint", text, "--select", "N302", "--fix").out.partition("\n\n")[2] == text.replace(", relu]", "]\n")
    shown = striate("lint", text, "--select", "N302", "--diff").out
    assert shown == (
        "--- text\n+++ text\n@@ -1,2 +1,2 @@\n input: [3, 8, 8]\n"
        "-layers: [relu, relu]\n\\ No newline at end of file\n+layers: [relu]\n\\ No newline at end of file\n"
    )


def test_a_change_is_looked_at(striate: Run, net: Path) -> None:
    result = striate("lint", net, *ONLY, "--set", "conv1.bias=false")
    assert result.out == (
        "net.yaml: net (3×32×32)\n"
        "- info N301 conv-bias-before-batchnorm conv1: its bias stands before batchnorm batchnorm1, which takes it away"
        " again: 16 parameters without effect\n"
        "1 gone, 0 new, 0 with other numbers, 1 as before\n"
    )
    data = striate("lint", net, *ONLY, "--set", "conv1.bias=false", "--json").json
    assert [len(data[side]["findings"]) for side in ("before", "after")] == [2, 1]
    assert net.read_text() == NET


def test_comments_allow_what_is_found(striate: Run, net: Path) -> None:
    net.write_text(NET.replace("# the second", "# striate: allow two-activations: on purpose"))
    result = striate("lint", net, *ONLY, "--strict")
    assert result.code == 0
    assert result.out.endswith("1 network: 1 info; --unsafe-fixes mends 1; 1 allowed by comments\n")
    net.write_text(NET.replace("# the first", "# striate: allow two-activations, no-such-rule"))
    result = striate("lint", net, *ONLY)
    assert "net.yaml:7: warning N001 unused-allow: `allow two-activations` allows nothing" in result.out
    assert "`allow no-such-rule` allows nothing: there is no rule of this name" in result.out


def test_settings_come_from_pyproject(striate: Run, net: Path) -> None:
    Path("pyproject.toml").write_text('[tool.striate.lint]\nselect = ["N3"]\nignore = ["N301"]\nstrict = true\n')
    Path("inner").mkdir()
    os.chdir("inner")
    result = striate("lint", "../net.yaml")
    assert result.code == 1
    assert result.err.startswith("striate lint: select and ignore and strict from ")
    assert result.err.endswith("pyproject.toml\n")
    assert "N302" in result.out
    assert "N301" not in result.out
    assert "N201" not in result.out
    assert striate("lint", "../net.yaml", "--isolated").err == ""
    result = striate("lint", "../net.yaml", "--select", "N301", "--ignore", "N302", "--strict")
    assert (result.code, result.err) == (0, "")
    data = striate("lint", "../net.yaml", "--json")
    assert data.json["settings"].startswith("select and ignore and strict from ")
    assert data.json["strict"] is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.striate.lint]\nselct = []\n", "there is no setting 'selct'\n  got:   selct\n"),
        ("[tool.striate.lint]\nselect = 'N3'\n", "[tool.striate.lint] select: this value has no meaning"),
        ("[tool.striate.lint]\nignore = ['N9999']\n", "[tool.striate.lint] ignore: no rule is called this"),
        ("[tool.striate.lint]\nbatch = 0\n", "[tool.striate.lint] batch: this value has no meaning"),
        ("[tool.striate.lint]\nstrict = 1\n", "[tool.striate.lint] strict: this value has no meaning"),
        ("[tool.striate.lint]\nloss = 'x'\n", "[tool.striate.lint] loss: this is not a loss"),
        ("[tool.striate]\nlint = 3\n", "lint is not a table"),
        ("[tool\n", "this is not TOML"),
    ],
)
def test_settings_that_mean_nothing(striate: Run, net: Path, text: str, message: str) -> None:
    Path("pyproject.toml").write_text(text)
    result = striate("lint", net)
    assert result.code == 2
    assert "pyproject.toml" in result.error
    assert message in result.error


def test_a_pyproject_without_settings_is_passed_over(striate: Run, net: Path) -> None:
    Path("pyproject.toml").write_text('[tool.striate.lint]\nselect = ["N3"]\n')
    Path("inner").mkdir()
    Path("inner/pyproject.toml").write_text("[project]\nname = 'x'\n")
    os.chdir("inner")
    assert "select from " in striate("lint", "../net.yaml").err


def test_a_run_brings_its_weights_batch_and_loss(
    striate: Run, untouched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    from striate.cli import lint_running

    true = lint_running.read_target
    monkeypatch.setattr(
        lint_running, "read_target", lambda *args, **words: seen.append(true(*args, **words)) or seen[-1]
    )
    result = striate("lint", untouched)
    assert result.code == 0
    [target] = seen
    record = st.open_run(untouched).record
    assert target.subject.batch == record.resolved["batch"]
    assert target.subject.loss == "cross-entropy"
    assert set(target.subject.weights) == {name for name, _ in target.subject.graph.parameters()}
    for name, parameter in target.subject.graph.parameters():
        assert target.subject.weights[name].shape == parameter.shape
    # The weights of a run go with its network, which is never changed.
    result = striate("lint", untouched, "--fix", "--unsafe-fixes")
    assert result.code == 0


def test_explaining(striate: Run) -> None:
    assert striate("explain", "N301").out == st.explain("conv-bias-before-batchnorm") + "\n"
    text = striate("explain", "n301").out
    for section in ("What:", "Why:", 'Example:\n  striate lint "conv 16 3', "Instead:", "Fix:", "Source:"):
        assert section in text
    assert striate("explain", "D003").out.startswith("D003 exif-rotation\n")
    assert striate("explain", "N301", "--json").json["name"] == "conv-bias-before-batchnorm"
    listed = striate("explain", "--list").out
    assert "\nN301  conv-bias-before-batchnorm" in listed
    assert "\nT091  " in listed
    codes = [row["code"] for row in striate("explain", "--list", "--json").json]
    assert len(codes) == len(set(codes))
    assert codes[:2] == ["N000", "N001"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["N999"], "striate explain: no rule is called this\n  got:   N999\n"),
        (["even-kernl"], "write: even-kernel\n"),
        ([], "striate explain: RULE is missing"),
        (["N301", "--list"], "striate explain: RULE and --list are two questions"),
    ],
)
def test_what_cannot_be_explained(striate: Run, words: list[str], message: str) -> None:
    result = striate("explain", *words)
    assert result.code == 2
    assert message in result.error
