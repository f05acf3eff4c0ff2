"""Images decoded whenever they are asked for: the same as in memory, whoever decodes them, never others in silence."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from striate.data import Dataset, Split, load_data
from striate.data.image_source import expect, release, stretches
from striate.data.stream_workers import default_workers
from striate.errors import DataError, StorageError, UsageError

Picture = Callable[..., Image.Image]
Folders = Callable[..., Path]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pixels"


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode in this process, which takes no time to start."""
    monkeypatch.setattr("striate.data.streamed_files.default_workers", lambda: 0)


@pytest.fixture
def started() -> Iterator[list[Dataset]]:
    """Datasets put in here give their processes back."""
    datasets: list[Dataset] = []
    yield datasets
    for dataset in datasets:
        release(dataset.train.images)
    assert not multiprocessing.active_children()


def assert_same(memory: Dataset, stream: Dataset) -> None:
    assert memory.splits.keys() == stream.splits.keys()
    for name, split in memory.splits.items():
        other = stream.splits[name]
        assert split.ids == other.ids
        assert (split.labels == other.labels).all()
        assert not isinstance(other.images, np.ndarray)
        assert other.images.shape == split.images.shape
        assert (split.images == other.images[:]).all()
    assert memory.card == stream.card, "hashes, mean, deviation, notes"
    assert memory.preprocessing == stream.preprocessing
    assert memory.skipped == stream.skipped
    assert memory.findings == stream.findings


@pytest.mark.parametrize("source", ["folder", "splits", "tags", "values", "broken", "formats", "copies"])
def test_the_same_images_as_in_memory(folders: Folders, picture: Picture, source: str, alone: None) -> None:
    given = {"train/a": 20, "train/b": 11, "test/a": 5, "test/b": 6}
    root = folders(given if source == "splits" else {"a": 30, "b": 17})
    path, options = root, {}
    if source in ("tags", "values"):
        generator = np.random.default_rng(0)
        cells = {"tags": ["x", "y", "x|y", "x|z"], "values": ["1", "2.5", "-3", "4"]}[source]
        names = [f"{name}/img{index}.png" for name, count in (("a", 30), ("b", 17)) for index in range(count)]
        rows = [f"{name},{cells[generator.integers(4)]}" for name in names]
        path = root / "table.csv"
        path.write_text("\n".join(["path,labels" if source == "tags" else "path,value", *rows]) + "\n")
    if source == "broken":
        (root / "a/img3.png").write_bytes(b"no image")
        for name in ("a/img7.png", "b/img16.png"):  # whole headers, so that only decoding tells
            data = (root / name).read_bytes()
            (root / name).write_bytes(data[: len(data) // 2])
        options = {"seed": 5, "val": 0.2}
    if source == "formats":
        for number in range(8):
            picture(40, 30, seed=number).save(root / "a" / f"{number}.jpg")
            picture(12, 10, "RGBA", seed=number).save(root / "b" / f"{number}.webp")
        options = {"size": (16, 12)}
    if source == "copies":
        for number in range(0, 17, 2):
            shutil.copy(root / "a" / f"img{number}.png", root / "b" / f"img{number}.png")
            Image.new("RGB", (12, 10), (number, 0, 0)).save(root / "b" / f"one{number}.png")
    memory = load_data(path, cache="memory", **options)  # type: ignore[arg-type]
    assert_same(memory, load_data(path, cache="stream", **options))  # type: ignore[arg-type]


def test_the_same_from_other_processes(
    folders: Folders, monkeypatch: pytest.MonkeyPatch, store: Path, started: list[Dataset]
) -> None:
    """Several chunks for each process, batches of every size, asked for as announced, otherwise, and twice."""
    monkeypatch.setattr("striate.data.stream_workers.CHUNK_BYTES", 3 * 10 * 12 * 4)
    root = folders({"a": 30, "b": 17})
    (root / "a/img7.png").write_bytes((root / "a/img7.png").read_bytes()[:200])
    memory, stream = load_data(root, cache="memory"), load_data(root, cache="stream", workers=2)
    started.append(stream)
    assert_same(memory, stream)
    assert stream.kept == "16.5 KiB of pixels decoded whenever they are needed, as asked, by 2 processes"
    assert not store.exists()
    ours, theirs = stream.train.images, memory.train.images
    assert (np.concatenate(list(stretches(ours, 5))) == theirs).all()
    batches = [np.array([5, 1, 30]), np.arange(11, dtype=np.intp), np.array([5, 5, 0, 2, 9, 3, 8])]
    expect(ours, batches)
    assert (ours[batches[0]] == theirs[batches[0]]).all()
    assert (ours[np.array([2, 1])] == theirs[[2, 1]]).all(), "was not expected"
    assert (ours[4] == theirs[4]).all()
    assert (ours[batches[1]] == theirs[batches[1]]).all()
    expect(ours, batches)  # half of what was decoded ahead is thrown away
    for batch in batches:
        assert (ours[batch] == theirs[batch]).all()
    val = stream.val
    assert val is not None
    assert memory.val is not None
    assert (np.concatenate(list(stretches(val.images, 2))) == memory.val.images).all()
    release(ours)
    assert not multiprocessing.active_children()
    assert (np.concatenate(list(stretches(ours, 16))) == theirs).all(), "they start again"
    taken = stream.train.take(np.array([3, 1, 2]))
    assert isinstance(taken, Split)
    assert (taken.images[:] == theirs[[3, 1, 2]]).all()


@pytest.mark.parametrize("change", ["pixels", "gone", "cut"])
@pytest.mark.usefixtures("alone")
def test_an_image_that_changes_is_named(folders: Folders, picture: Picture, change: str) -> None:
    root = folders({"a": 12, "b": 12})
    dataset = load_data(root, cache="stream")
    name = dataset.train.ids[4]
    before = (root / name).stat()
    if change == "pixels":
        picture(seed=99).save(root / name)
        os.utime(root / name, ns=(before.st_atime_ns, before.st_mtime_ns))
    elif change == "gone":
        (root / name).unlink()
    else:
        (root / name).write_bytes((root / name).read_bytes()[:100])
    assert dataset.train.images[:4].shape == (4, 3, 10, 12)
    with pytest.raises(DataError) as caught:
        dataset.train.images[:8]
    error = caught.value
    assert error.where == str(root / name)
    got = {"pixels": "other pixels", "gone": "no such file", "cut": "cut off: the file ends in the middle of the image"}
    assert error.got == got[change]
    assert "striate resume goes on" in str(error)
    with pytest.raises(DataError):
        list(stretches(dataset.train.images, 3))


@pytest.mark.usefixtures("alone")
def test_broken_images_may_be_errors(folders: Folders) -> None:
    root = folders({"a": 12, "b": 12})
    (root / "a/img7.png").write_bytes((root / "a/img7.png").read_bytes()[:200])
    with pytest.raises(DataError, match="an image cannot be used") as caught:
        load_data(root, cache="stream", broken="error")
    assert caught.value.where == "a/img7.png"


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")
def test_a_process_that_dies_is_told(
    folders: Folders, started: list[Dataset], capfd: pytest.CaptureFixture[str]
) -> None:
    dataset = load_data(folders({"a": 12, "b": 12}), cache="stream", workers=2)
    started.append(dataset)
    handler = signal.getsignal(signal.SIGCHLD)
    assert handler == signal.SIG_DFL, "torch's handler would raise in the middle of a step"
    images = dataset.train.images
    expect(images, [np.arange(2), np.arange(2, 5), np.arange(3)])
    first = images[np.arange(2)]
    for child in multiprocessing.active_children():
        os.kill(child.pid or 0, signal.SIGKILL)
    with pytest.raises(StorageError) as caught:
        list(stretches(images, 1))
    text = str(caught.value)
    assert caught.value.exit_code == 1
    assert text.startswith("cache: stream: a process that decodes images has died\n")
    assert "killed by SIGKILL, as the system does where memory runs out" in text
    assert "needs: memory for 2 such processes" in text
    assert "write: fewer --workers" in text
    assert not multiprocessing.active_children()
    assert (images[:2] == first).all(), "whoever goes on gets other processes"
    assert (next(stretches(images, 2)) == first).all()
    assert "Traceback" not in "".join(capfd.readouterr())


def test_where_pixels_go_by_themselves(
    folders: Folders, store: Path, monkeypatch: pytest.MonkeyPatch, alone: None
) -> None:
    root = folders({"a": 30, "b": 30})
    monkeypatch.setattr("striate.data.memory.available_memory", lambda: 2000)
    monkeypatch.setattr("striate.data.cache_folder.shutil.disk_usage", lambda _: SimpleNamespace(free=20_000))
    dataset = load_data(root)
    assert dataset.kept == (
        "21.1 KiB of pixels decoded whenever they are needed, for memory may hold 1000 B of them, and the disk 9.8 KiB,"
        " by 0 processes"
    )
    assert not store.exists()
    monkeypatch.setattr("striate.data.cache_folder.shutil.disk_usage", lambda _: SimpleNamespace(free=80_000))
    kept = load_data(root).kept
    assert kept == "21.1 KiB of pixels in a file on the disk, for memory may hold 1000 B of them"


@pytest.mark.usefixtures("alone")
def test_memory_stays_bounded(folders: Folders, photograph: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folders({"a": 0, "b": 0})
    for seed in range(8):
        photograph(seed, 96).save(root / "ab"[seed % 2] / f"{seed}.png")
    for copy in range(8, 700):
        shutil.copy(root / "ab"[copy % 2] / f"{copy % 8}.png", root / "ab"[copy % 2] / f"{copy}.png")
    total = 700 * 3 * 96 * 96
    for module in ("stream_workers.CHUNK_BYTES", "statistics.CHUNK", "signatures.CHUNK"):
        monkeypatch.setattr(f"striate.data.{module}", 1 << 18)
    load_data("digits")
    tracemalloc.start()
    try:
        dataset = load_data(root, cache="stream")
        for _ in stretches(dataset.train.images, 16):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < total / 4


def test_a_script_needs_no_guard(folders: Folders) -> None:
    """It is not run once more by every process, and relative paths hold in another folder."""
    root = folders({"a": 12, "b": 12})
    script = root.parent / "script.py"
    script.write_text(
        "import os, striate as st\n"
        "print('begins')\n"
        f"os.chdir({str(root.parent)!r})\n"
        "dataset = st.load_data('images', cache='stream', workers=2)\n"
        "print(len(dataset.train))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False)
    assert (done.stdout.split(), done.stderr, done.returncode) == (["begins", "17"], "", 0)


def test_wrong_options_are_explained(folders: Folders) -> None:
    root = folders({"a": 12, "b": 12})
    with pytest.raises(UsageError, match="workers has no effect on images that are decoded once") as caught:
        load_data(root, workers=2)
    assert "8.4 KiB of pixels in memory" in str(caught.value)
    for wrong in (0, True, 2.5, 1000):
        with pytest.raises(UsageError, match="a whole number from 1 to 256"):
            load_data(root, cache="stream", workers=wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="only the pixels of image files are kept elsewhere than in memory"):
        load_data("digits", cache="stream")
    with pytest.raises(UsageError, match="workers has no effect on images that are not decoded"):
        load_data("digits", workers=2)


def test_there_is_a_process_for_each_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("striate.data.stream_workers.cores", lambda: 3)
    assert default_workers() == 3
    monkeypatch.setattr("striate.data.stream_workers.available_memory", lambda: 1 << 30)
    assert default_workers() == 2
    monkeypatch.setattr("striate.data.stream_workers.available_memory", lambda: 0)
    assert default_workers() == 1
