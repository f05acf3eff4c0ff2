"""A file is the old one or the new one, whole: when writing fails at any step, and when the process is killed."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from striate.errors import StorageError
from striate.runs.atomic import remove_leftovers, replacing, write_bytes, write_json, write_text

KILLED_WRITER = """
import sys
from pathlib import Path
from striate.runs.atomic import write_json
path, number = Path(sys.argv[1]), 0
while True:
    number += 1
    write_json(path, {"number": number, "padding": [number] * 20_000})
    print(number, flush=True)
"""


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_writes_what_is_given(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a.bin", b"\x00\r\n\xff")
    write_text(tmp_path / "b.txt", "64×56×56\n")
    write_json(tmp_path / "c.json", {"name": "Straße", "sizes": [1, 2.5, None]})
    assert (tmp_path / "a.bin").read_bytes() == b"\x00\r\n\xff"
    assert (tmp_path / "b.txt").read_bytes() == "64×56×56\n".encode()
    assert json.loads((tmp_path / "c.json").read_text(encoding="utf-8")) == {"name": "Straße", "sizes": [1, 2.5, None]}
    assert names(tmp_path) == ["a.bin", "b.txt", "c.json"]


def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_bytes(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o644


@pytest.mark.parametrize("step", ["open", "write", "fsync", "replace"])
@pytest.mark.parametrize(
    ("code", "problem"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EACCES, "no permission to write here"),
        (errno.EIO, "cannot be written"),
    ],
)
def test_a_step_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int, problem: str
) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(b"old")

    def fail(*arguments: object, **options: object) -> int:
        raise OSError(code, os.strerror(code))

    class FullFile:
        write = fail

        def __enter__(self) -> FullFile:
            return self

        def __exit__(self, *error: object) -> None:
            return None

    with monkeypatch.context() as patch:
        if step == "write":
            patch.setattr("striate.runs.atomic.open", lambda *arguments: FullFile(), raising=False)
        else:
            patch.setattr(os, step, fail)
        with pytest.raises(StorageError) as caught:
            write_bytes(path, b"new")
    assert str(caught.value) == (
        f"{path}: {problem}\n  got:   {os.strerror(code)}\n"
        "  needs: a folder on a disk with room, that may be written\n  write: --runs DIR"
    )
    assert caught.value.exit_code == 1
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["run.json"]


def test_a_disk_that_is_really_full_leaves_the_old_file(tmp_path: Path) -> None:
    """A limit on the file size (EFBIG) is the full disk that every test machine can have."""
    path = tmp_path / "run.json"
    path.write_bytes(b"old")
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from striate.errors import StorageError; from striate.runs.atomic import write_bytes\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: write_bytes(Path(sys.argv[1]), bytes(10_000))\n"
        "except StorageError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{path}: cannot be written\n  got:   File too large")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["run.json"]


def test_an_interrupt_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(b"old")

    def write_half() -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["run.json"]


@pytest.mark.parametrize(("code", "raises"), [(errno.EINVAL, False), (errno.EACCES, False), (errno.EIO, True)])
def test_the_folder_is_flushed_where_the_system_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, raises: bool
) -> None:
    real, folders = os.fsync, []

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            folders.append(descriptor)
            raise OSError(code, os.strerror(code))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    if raises:
        with pytest.raises(StorageError, match="cannot be written"):
            write_bytes(tmp_path / "a", b"new")
    else:
        write_bytes(tmp_path / "a", b"new")
    assert len(folders) == 1
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_file_in_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "runs").write_bytes(b"")
    with pytest.raises(StorageError, match="a file stands where a folder is needed"):
        write_bytes(tmp_path / "runs" / "run.json", b"x")


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    with pytest.raises(StorageError, match="a folder stands where the file goes"):
        write_bytes(tmp_path / "run.json", b"x")
    assert names(tmp_path) == ["run.json"]


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="the folder does not exist"):
        write_bytes(tmp_path / "no" / "run.json", b"x")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind root")
def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="no permission to write here"):
            write_bytes(tmp_path / "run.json", b"x")
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(not Path("/proc/self/uid_map").exists(), reason="needs a folder that nobody may write")
def test_a_folder_that_not_even_root_may_write() -> None:
    path = Path("/proc/self/striate.json")
    with pytest.raises(StorageError) as caught:
        write_bytes(path, b"x")
    assert caught.value.where == str(path)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}])
def test_what_json_cannot_hold_is_refused_before_writing(tmp_path: Path, value: object) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    with pytest.raises((ValueError, TypeError)):
        write_json(path, {"value": value})
    assert path.read_bytes() == b"old"


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    write_bytes(tmp_path / "run.json", b"{}")
    (tmp_path / ".run.json.0123456789abcdef.striate-tmp").write_bytes(b"{")
    (tmp_path / ".mine.tmp").write_bytes(b"")
    assert remove_leftovers(tmp_path) == 1
    assert names(tmp_path) == [".mine.tmp", "run.json"]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    last = 0
    for attempt in range(12):
        with subprocess.Popen([sys.executable, "-c", KILLED_WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.003 * attempt)  # another moment of the write each time
            writer.send_signal(signal.SIGKILL)
            finished = [1, *(int(line) for line in writer.stdout if line.endswith("\n"))]
        content = json.loads(path.read_bytes())
        last = content["number"]
        assert content["padding"] == [last] * 20_000
        # What was announced as written is there; the one under way may be too.
        assert last in (finished[-1], finished[-1] + 1)
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["run.json"]
