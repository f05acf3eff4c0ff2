"""Where output goes: pipes that break, files on full disks, narrow terminals, terminals without colours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.commands import NET, QUICK, Run, command, environment

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")


def shell(line: str, *words: str | Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell; ``"$@"`` in it is the command."""
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {line}", "bash", *command(words)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env=environment(**changes),
    )


@posix
@pytest.mark.parametrize(
    "words", [["inspect", "simple-cnn"], ["inspect", "resnet152"], ["zoo", "--json"]], ids=" ".join
)
def test_a_reader_that_has_seen_enough(words: list[str]) -> None:
    """A small output fits the pipe, a large one breaks it in the middle."""
    done = shell('"$@" | head -1', *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


@posix
def test_a_reader_that_reads_nothing() -> None:
    done = shell('"$@" | true', "inspect", "resnet152", "--json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@posix
def test_a_training_outlives_the_reader_of_its_progress(photos: Path, tmp_path: Path) -> None:
    words = ("train", NET, "--data", photos, "--runs", tmp_path, "--json", *QUICK)
    done = shell(f'"$@" 2>&1 >{tmp_path / "out.json"} | true', *words)
    assert done.returncode == 0
    assert '"status": "done"' in (tmp_path / "out.json").read_text(encoding="utf-8")


@posix
def test_a_full_disk_behind_standard_output() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    done = shell('"$@" >/dev/full', "inspect", "simple-cnn")
    assert done.returncode == 1
    assert done.stderr == "error: standard output: No space left on device\n"


@posix
@pytest.mark.parametrize(
    ("line", "words", "code"),
    [
        ('"$@" >&-', ["inspect", "simple-cnn"], 0),
        ('"$@" 2>&-', ["inspect", "nothing-like-it"], 2),
        ('"$@" >&- 2>&- <&-', ["inspect", "simple-cnn"], 0),
    ],
)
def test_closed_streams(line: str, words: list[str], code: int) -> None:
    done = shell(line, *words)
    assert (done.returncode, done.stderr) == (code, "")


def test_a_terminal_that_knows_ascii_only(process: Run) -> None:
    """What it cannot print is spelled out; nothing fails."""
    result = process("inspect", "simple-cnn", env=environment(PYTHONIOENCODING="ascii", PYTHONUTF8="0"))
    assert result.code == 0
    assert result.out.startswith("simple-cnn: 3\\xd732\\xd732 \\u2192 10\n")


def test_piped_output_is_plain_and_never_broken(process: Run) -> None:
    result = process("inspect", "simple-cnn", env=environment(COLUMNS=""))
    assert "\x1b" not in result.out
    assert "total" in result.out


@pytest.mark.parametrize(
    "words", [["inspect", "simple-cnn"], ["zoo"], ["train", "--help"], ["inspect", "--help"]], ids=" ".join
)
def test_a_narrow_terminal(process: Run, words: list[str]) -> None:
    result = process(*words, env=environment(COLUMNS="40"))
    assert result.code == 0
    # Every word is there; a table that cannot be narrower may be a little wider.
    longest = max(len(line) for line in result.out.splitlines() if not line.startswith("  striate"))
    assert longest < 80


@posix
def test_colours_on_a_terminal_only(tmp_path: Path) -> None:
    plain = on_a_terminal(["inspect", "simple-cnn"], NO_COLOR="1", TERM="xterm-256color")
    coloured = on_a_terminal(["inspect", "simple-cnn"], TERM="xterm-256color")
    dumb = on_a_terminal(["inspect", "simple-cnn"], TERM="dumb")
    assert "\x1b[36m" in coloured
    assert "\x1b[36m" not in plain
    assert "\x1b" not in dumb
    assert "simple-cnn" in plain


@posix
@pytest.mark.parametrize("columns", ["200", "40"])
def test_progress_on_a_terminal(photos: Path, tmp_path: Path, columns: str) -> None:
    words = ["train", NET, "--data", str(photos), "--runs", str(tmp_path), "--epochs", "2", "--threads", "1"]
    shown = on_a_terminal(words, TERM="xterm", COLUMNS=columns)
    live = [part for part in shown.split("\r\x1b[K") if part.startswith(("━", "─", "epoch 1  step"))]
    assert live
    assert all(len(part) < int(columns) for part in live)
    # Wiped before the lines that stay.
    assert "\r\x1b[Kepoch  1/2  loss" in shown
    assert "report  " in shown


@posix
def test_an_error_on_a_terminal_stands_on_a_line_of_its_own(photos: Path, tmp_path: Path) -> None:
    words = ["train", NET, "--data", str(photos), "--runs", str(tmp_path), "--learning-rate", "1e30", *QUICK]
    shown = on_a_terminal(words, TERM="xterm", NO_COLOR="1", COLUMNS="200")
    before, found, _ = shown.partition("error: ")
    assert found
    assert before.split("\n")[-1].rpartition("\r\x1b[K")[2].replace("\x1b[1m", "") == ""


def on_a_terminal(words: list[str], **changes: str) -> str:
    """What a pseudo-terminal shows."""
    import pty

    main, other = pty.openpty()
    child = subprocess.Popen(
        command(words), stdout=other, stderr=other, stdin=other, env=environment(**changes), close_fds=True
    )
    os.close(other)
    shown = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:  # the last process has closed it
            break
        if not part:
            break
        shown += part
    os.close(main)
    child.wait(timeout=60)
    return shown.decode(errors="replace").replace("\r\n", "\n")


def test_starting_needs_neither_torch_nor_numpy_nor_pydantic() -> None:
    script = (
        "import sys\nfrom striate.cli import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'torch', 'numpy', 'pydantic', 'sklearn', 'PIL', 'matplotlib', 'typer'} & set(sys.modules)))"
    )
    for words in (
        ["--help"],
        ["inspect", "simple-cnn"],
        ["inspect", "simple-cnn", "--json"],
        ["zoo"],
        ["train", "nothing"],
    ):
        done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
        # train reads its flags from Recipe, which is checked by pydantic.
        expected = {"train": ["pydantic"]}.get(words[0], [])
        if words[0] != "train":
            assert done.stdout.splitlines()[-1] == str(expected)
