"""A disk that is full, a folder that cannot be written, memory that is used up: what was saved stays."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import striate as st
from cli.commands import NET, QUICK, Run, digest

#: About 800 kB of weights, so that the disk below holds one file of them and not two.
LARGE = "flatten > dense 800 > dense 180 > dense classes"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for 1.2 MB; skipped where it may not be made."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=1200k", "tmpfs", str(folder)]
    if mount is None or os.name != "posix" or os.getuid() != 0:
        pytest.skip("making a file system needs root")
    if subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("no file system may be made here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(striate: Run, photos: Path, untouched: Path, small_disk: Path) -> None:
    earlier = small_disk / "runs" / "earlier-1"
    shutil.copytree(untouched, earlier)
    before = digest(earlier)
    result = striate("train", LARGE, "--data", photos, "--runs", small_disk / "runs", *QUICK)
    assert result.code == 1
    assert "the disk is full" in result.error
    assert str(small_disk) in result.error
    assert digest(earlier) == before
    record = st.open_run("photos-inline-1", runs=small_disk / "runs").record
    assert record.status == "failed"
    assert record.reason is not None
    assert "the disk is full" in record.reason


@pytest.mark.parametrize("number", [1, 4, 8, 10, 12])
def test_a_disk_that_fills_up_at_any_file(
    striate: Run,
    photos: Path,
    runs: Path,
    untouched: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    shutil.copytree(runs, tmp_path / "runs", symlinks=True)
    written, replace = 0, os.replace

    def replace_until_full(source: Any, target: Any, **options: Any) -> None:
        nonlocal written
        if str(target).startswith(str(tmp_path)) and not str(target).endswith("latest"):
            written += 1
            if written >= number:
                raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target, **options)

    monkeypatch.setattr(os, "replace", replace_until_full)
    result = striate("train", NET, "--data", photos, "--runs", tmp_path / "runs", *QUICK)
    monkeypatch.undo()
    assert result.code == 1
    assert "the disk is full" in result.error
    assert digest(tmp_path / "runs" / untouched.name) == digest(untouched)
    new = tmp_path / "runs" / "photos-inline-2"
    if (new / "run.json").exists():
        assert st.open_run(new).record.network == "inline"
    for weights in (new / "weights").glob("*.safetensors"):
        assert weights.stat().st_size == (untouched / "weights" / "best.safetensors").stat().st_size
    assert not list(new.rglob("*.striate-tmp"))


def test_runs_below_a_file(striate: Run, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    for folder in (tmp_path / "file", tmp_path / "file" / "runs"):
        result = striate("train", NET, "--data", photos, "--runs", folder, *QUICK)
        assert result.code == 1
        assert result.error.startswith(f"{folder}: a file stands where")
        assert "--runs DIR" in result.error
    assert (tmp_path / "file").read_text() == "kept"


def test_a_folder_that_cannot_be_written(striate: Run, photos: Path, tmp_path: Path) -> None:
    """/proc takes no folders from anybody, not even from root."""
    if not Path("/proc/self").exists():
        pytest.skip("there is no /proc")
    result = striate("train", NET, "--data", photos, "--runs", "/proc/runs", *QUICK)
    assert result.code == 1
    assert result.error.startswith("/proc/runs: ")


def test_a_report_that_cannot_be_written(striate: Run, untouched: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run-1"
    shutil.copytree(untouched, copy)
    (copy / "report.html").unlink()
    (copy / "report.html").mkdir()
    result = striate("report", copy)
    assert result.code == 1
    assert result.error.startswith(f"{copy / 'report.html'}: a folder stands where the file goes")


@pytest.mark.parametrize(
    "problem", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes")]
)
def test_memory_that_is_used_up(
    striate: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    import striate.training.running as running

    def refuse(*arguments: object, **options: object) -> None:
        raise problem

    monkeypatch.setattr(running, "train_epochs", refuse)
    result = striate("train", NET, "--data", photos, "--runs", tmp_path, *QUICK)
    assert result.code == 1
    assert result.error.startswith("the memory is used up\n")
    assert st.open_run("latest", runs=tmp_path).record.status == "failed"
