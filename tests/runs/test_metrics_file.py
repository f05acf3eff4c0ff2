"""metrics.jsonl: what is appended is read back; a torn line is reported, a damaged one refused."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.errors import RunError, StorageError
from striate.runs import metrics as metrics_module
from striate.runs.metrics import MetricsWriter, read_metrics

VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.lists(st.dictionaries(st.text(), VALUES | st.lists(VALUES))))
def test_rows_survive(tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]) -> None:
    path = tmp_path_factory.mktemp("metrics") / "metrics.jsonl"
    with MetricsWriter(path) as writer:
        for row in rows:
            writer.append(row)
        assert writer.rows == len(rows)
        assert read_metrics(path).rows == rows  # readable while it is open
    read = read_metrics(path)
    assert read.rows == rows
    assert read.note is None


def test_numbers_that_are_not_finite_are_null_and_numpy_is_plain(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with MetricsWriter(path) as writer:
        writer.append({"loss": float("nan"), "rate": np.float32(0.5), "step": np.int64(3), "norms": (1.0, np.inf)})
    assert path.read_text() == '{"loss":null,"rate":0.5,"step":3,"norms":[1.0,null]}\n'


def test_what_json_cannot_hold_is_refused(tmp_path: Path) -> None:
    with MetricsWriter(tmp_path / "metrics.jsonl") as writer:
        with pytest.raises(ValueError, match=r"\{1\} \(set\) cannot be written as JSON"):
            writer.append({"classes": {1}})
        with pytest.raises(ValueError, match="the key 3 is not text"):
            writer.append({"classes": {3: 1}})
    assert read_metrics(tmp_path / "metrics.jsonl").rows == []


@pytest.mark.parametrize("torn", [b'{"step":2,"loss":0.', b'{"step":2,"loss":0.\n', b"\x00\x00\x00", b'{"a":"\xc3'])
def test_a_torn_last_line_is_left_out_and_said(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step":1}\n' + torn)
    read = read_metrics(path)
    assert read.rows == [{"step": 1}]
    assert read.note == f"{path}:2: the last line is cut off and was left out; 1 rows read"


def test_appending_after_a_torn_line_starts_a_line_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step":1}\n{"step":2,"lo')
    with MetricsWriter(path) as writer:
        assert writer.rows == 1
        writer.append({"step": 2})
    assert path.read_bytes() == b'{"step":1}\n{"step":2}\n'


def test_a_whole_last_line_without_its_line_feed_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step":1}\n{"step":2}')
    assert read_metrics(path).note is None
    with MetricsWriter(path) as writer:
        writer.append({"step": 3})
    assert read_metrics(path).rows == [{"step": 1}, {"step": 2}, {"step": 3}]


def test_a_resumed_run_drops_the_rows_after_its_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step":1}\n{"step":2}\n{"step":3}\n')
    with MetricsWriter(path, keep_rows=1) as writer:
        writer.append({"step": 9})
    assert read_metrics(path).rows == [{"step": 1}, {"step": 9}]
    with pytest.raises(RunError, match="5 rows are to be kept, and it holds 2"):
        MetricsWriter(path, keep_rows=5)
    with pytest.raises(RunError, match="1 rows are to be kept, and this file is missing"):
        MetricsWriter(tmp_path / "none.jsonl", keep_rows=1)


@pytest.mark.parametrize("damaged", [b"oops", b"[1]", b"", b"[" * 100_000, b"1" * 10_000])
def test_a_damaged_line_is_named(tmp_path: Path, damaged: bytes) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(b'{"step":1}\n' + damaged + b'\n{"step":3}\n')
    with pytest.raises(RunError) as caught:
        read_metrics(path)
    assert caught.value.where == f"{path}:2"
    assert caught.value.problem == "not a JSON object"


def test_a_missing_file_and_one_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "metrics.jsonl"
    with pytest.raises(RunError, match="this file is missing"):
        read_metrics(path)
    path.write_bytes(b'{"step":1}\n' * 200)
    monkeypatch.setattr(metrics_module, "METRICS_LIMIT", 1024)
    with pytest.raises(RunError) as caught:
        read_metrics(path)
    assert str(caught.value) == f"{path}: too large to be read\n  got:   2.1 KiB\n  needs: at most 1.0 KiB"


class FullDisk:
    """A stream that takes some bytes of a row and then has no room for the rest."""

    def __init__(self, stream: object, room: int) -> None:
        self.stream, self.room = stream, room

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)

    def write(self, data: bytes) -> int:
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = data[: self.room]
        self.room -= len(taken)
        written: int = self.stream.write(taken)  # type: ignore[attr-defined]
        return written


def test_a_full_disk_leaves_only_whole_rows(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with MetricsWriter(path) as writer:
        writer.append({"step": 1})
        real = writer._stream
        writer._stream = FullDisk(real, room=5)  # type: ignore[assignment]
        with pytest.raises(StorageError, match="the disk is full"):
            writer.append({"step": 2})
        writer._stream = real
        assert path.read_bytes() == b'{"step":1}\n'
        writer.append({"step": 3})
    assert read_metrics(path).rows == [{"step": 1}, {"step": 3}]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_the_device_that_is_always_full(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    with MetricsWriter(path) as writer:
        writer._stream.close()
        writer._stream = open("/dev/full", "ab", buffering=0)  # noqa: SIM115
        with pytest.raises(StorageError, match="the disk is full"):
            writer.append({"step": 1})


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="the folder does not exist"):
        MetricsWriter(tmp_path / "none" / "metrics.jsonl")


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_what_a_killed_process_announced_is_there(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    script = (
        "import sys; from pathlib import Path; from striate.runs.metrics import MetricsWriter\n"
        "writer = MetricsWriter(Path(sys.argv[1]))\n"
        "for step in range(10**9):\n    writer.append({'step': step})\n    print(step, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(200):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        announced = [199, *(int(line) for line in process.stdout if line.endswith("\n"))]
    rows = read_metrics(path).rows
    assert rows[: announced[-1] + 1] == [{"step": step} for step in range(announced[-1] + 1)]
    assert all(json.loads(line) for line in path.read_bytes().splitlines()[:-1])
