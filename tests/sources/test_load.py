"""What a source is taken for, and what is said when it is nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from striate import zoo
from striate.errors import LayerError, SourceError, UsageError
from striate.graph import network
from striate.sources import leaves_open, load, read_yaml, to_yaml

TEXT = "input: [1, 8, 8]\nclasses: 3\nlayers:\n  - flatten\n  - dense: classes\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a network, a run and files that are neither."""
    (tmp_path / "small-net.yaml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "runs" / "digits-1").mkdir(parents=True)
    (tmp_path / "runs" / "digits-1" / "net.yaml").write_text("name: saved\n" + TEXT, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("conv", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["simple-cnn", "Simple_CNN", " simplecnn ", "simple-cnn\n"])
def test_a_name_of_the_zoo(name: str) -> None:
    assert load(name) == zoo.build("simple-cnn")
    assert load(name, input=(1, 16, 16), classes=4) == zoo.build("simple-cnn", (1, 16, 16), 4)


def test_a_file(folder: Path) -> None:
    for source in ("small-net.yaml", "./small-net.yaml", Path("small-net.yaml"), str(folder / "small-net.yaml")):
        net = load(source)
        assert (net.name, net.output_shape) == ("small-net", (3,))
    assert load("small-net.yaml", input=(3, 4, 4), classes=9).output_shape == (9,)


def test_a_file_of_another_system(folder: Path) -> None:
    (folder / "other.YML").write_bytes(b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())
    assert load("other.YML").output_shape == (3,)


def test_a_run_folder(folder: Path) -> None:
    assert load("runs/digits-1").name == load(folder / "runs" / "digits-1").name == "saved"
    (folder / "runs" / "digits-1" / "net.yaml").write_text("layers: [relu]", encoding="utf-8")
    assert problem("runs/digits-1").where == str(Path("runs/digits-1/net.yaml"))


def test_yaml_text_has_a_line_break() -> None:
    assert load(TEXT) == read_yaml(TEXT)
    with pytest.raises(LayerError) as caught:
        load("input: [1, 8]\nlayers: [convv]")
    assert caught.value.where == "text:2, layer 1"


def test_inline_text_has_an_arrow_or_begins_with_a_layer() -> None:
    assert load("conv 4 3 > relu").output_shape == (4, 30, 30)
    assert load("conv 4 3", input=(1, 8, 8)).output_shape == (4, 6, 6)
    assert load("relu").output_shape == (3, 32, 32)


def test_a_folder_wins_over_a_layer_and_the_zoo_over_a_folder(folder: Path) -> None:
    for name in ("relu", "simple-cnn"):
        (folder / name).mkdir()
        (folder / name / "net.yaml").write_text(f"name: in-{name}\n" + TEXT, encoding="utf-8")
    assert load("relu").name == "in-relu"
    assert load("simple-cnn").name == "simple-cnn"
    assert load("./simple-cnn").name == "in-simple-cnn"


def test_a_graph_and_its_options() -> None:
    net = network("n", (1, 8, 8), classes=3).globalavgpool().dense(3).build()
    assert load(net) is net
    assert load(net, classes=3) is net
    assert load(net, input=(4, 9, 9)).input_shape == (4, 9, 9)
    other = load(net, classes=5)
    assert (other.classes, other.output_shape, net.output_shape) == (5, (5,), (3,))
    bare = network("n", (1, 8, 8)).globalavgpool().dense(3).build()
    assert load(bare, classes=3).classes == 3
    with pytest.raises(SourceError, match="classes=5 has no effect"):
        load(bare, classes=5)


@pytest.mark.parametrize("source", ["simple-cnn", "relu > flatten", TEXT, network("n", (1, 8, 8)).relu().build()])
def test_impossible_options_are_refused_everywhere(source: object) -> None:
    with pytest.raises(LayerError, match="this is not the shape of an image"):
        load(source, input=(3,))  # type: ignore[arg-type]
    with pytest.raises(LayerError, match="this is not the shape of an image"):
        load(source, input=())  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="this is not a number of classes"):
        load(source, classes=0)  # type: ignore[arg-type]


def problem(source: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        load(source)  # type: ignore[arg-type]
    return caught.value


def test_nothing_is_called_this(folder: Path) -> None:
    error = problem("simple-cn")
    assert (error.problem, error.got, error.write) == ("no network is called this", "'simple-cn'", "simple-cnn")
    for piece in (
        "a zoo name (",
        "'striate zoo' lists all",
        "(small-net.yaml)",
        "a run folder",
        "> flatten > dense 10",
    ):
        assert piece in (error.needs or "")
    assert problem("small_net").write == "small-net.yaml"
    assert problem("simple cnn").write == "simple-cnn"
    assert problem("xyzzy").write is None


def test_words_that_begin_with_no_layer_are_marked() -> None:
    with pytest.raises(LayerError) as caught:
        load("cnov 16 3")
    assert (caught.value.got, caught.value.write) == ("cnov 16 3\n         ^^^^", "conv")


def test_a_missing_file(folder: Path) -> None:
    error = problem("smal-net.yaml")
    assert str(error) == (
        "smal-net.yaml: there is no such file\n"
        "  needs: an existing file; this folder holds small-net.yaml\n"
        "  write: small-net.yaml"
    )
    assert problem(Path("runs/nett.yaml")).needs == "a YAML file; runs holds none"
    assert problem("nowhere/net.yaml").needs == "an existing folder; nowhere is none"
    assert problem("a\0b.yaml").problem == "there is no such file"
    assert problem("a" * 5000 + ".yaml").problem == "there is no such file"


def test_what_is_no_yaml_file(folder: Path) -> None:
    assert str(problem("notes.txt")) == (
        "notes.txt: this is not a YAML file by its name\n"
        "  got:   'notes.txt'\n"
        "  needs: a name that ends in .yaml or .yml\n"
        "  write: notes.yaml"
    )
    assert str(problem(".")) == (
        ".: this folder is not a run: there is no net.yaml in it\n"
        "  got:   a folder with small-net.yaml\n"
        "  needs: a YAML file or a run folder\n"
        "  write: small-net.yaml"
    )
    (folder / "folder.yaml").mkdir()
    assert problem("folder.yaml").problem == "this folder is not a run: there is no net.yaml in it"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"input: \x00", "bad.yaml: this is a binary file, not YAML"),
        (b"\x89PNG\r\n\x1a\n\x00", "bad.yaml: this is a binary file, not YAML"),
        (b"name: x\nclasses: \xff\xfe", "bad.yaml:2: this file is not text in UTF-8\n  got:   the byte 0xFF"),
        (b"\xff\xfei\x00n\x00", "bad.yaml: this is a binary file, not YAML"),
        (b"", "bad.yaml: there is no network in this text\n  got:   nothing"),
        (b"# nothing yet\n", "bad.yaml: there is no network in this text\n  got:   only comments"),
        (b"#" * (1024**2 + 1), "bad.yaml: this file is too large for a network\n  got:   more than 1.0 MiB"),
        (b"input: [1, 8]\nlayers: [relo]\n", "bad.yaml:2, layer 1: there is no layer 'relo'"),
    ],
)
def test_a_file_that_holds_no_network(content: bytes, message: str, folder: Path) -> None:
    (folder / "bad.yaml").write_bytes(content)
    with pytest.raises((SourceError, LayerError)) as caught:
        load("bad.yaml")
    assert str(caught.value).startswith(message)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    assert problem("pipe.yaml").problem == "this is not a file"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="everything may be read here")
def test_a_file_that_may_not_be_read(folder: Path) -> None:
    (folder / "small-net.yaml").chmod(0)
    assert problem("small-net.yaml").problem == "this file cannot be read"


@pytest.mark.parametrize("source", [None, 5, b"relu", ["relu"], {"layers": []}])
def test_what_is_no_source_at_all(source: object) -> None:
    assert problem(source).problem == "a network cannot be loaded from this"


def test_an_empty_text() -> None:
    assert problem("  ").problem == "the network has no name"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("simple-cnn", (False, False)),
        ("relu > flatten", (True, False)),
        ("input 1x8x8 > flatten > dense classes", (False, True)),
        ("conv filters=classes kernel=1", (True, True)),
        (TEXT, (False, False)),
        ("layers:\n  - flatten\n  - dense: classes\n", (True, True)),
        (
            "inputs: {a: [1, 2]}\nlayers: [{relu: , as: classes}, {add: classes}, {tanh: , from: classes}]",
            (False, False),
        ),
        ("layers:\n  - repeat: {times: 1, layers: [{branches: [[], [{conv: [classes, 1]}]]}]}\n", (True, True)),
    ],
)
def test_what_a_text_leaves_open(source: str, expected: tuple[bool, bool]) -> None:
    assert leaves_open(source) == expected


def test_what_files_and_graphs_leave_open(folder: Path) -> None:
    assert leaves_open("small-net.yaml") == leaves_open(Path("runs/digits-1")) == (False, False)
    assert leaves_open(network("n", (1, 8, 8)).relu().build()) == (False, False)
    with pytest.raises(SourceError, match="no network is called this"):
        leaves_open("xyzzy")


def test_what_is_written_is_loaded(folder: Path) -> None:
    net = zoo.build("simple-cnn")
    (folder / "copy.yaml").write_text(to_yaml(net), encoding="utf-8")
    assert load("copy.yaml") == load(to_yaml(net)) == net


def test_a_zoo_name_and_inline_text_need_no_yaml_and_no_torch() -> None:
    script = (
        "import sys; from striate.sources import load; load('simple-cnn'); load('conv 4 3 > relu');"
        "print(sorted(sys.modules.keys() & {'ruamel.yaml', 'torch', 'numpy', 'pydantic', 'rich'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
