"""Decoded pixels in a file: the same images as in memory, found again, never trusted blindly, never in the way."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from striate.data import Dataset, load_data
from striate.data.cache_folder import cache_folder, make_room
from striate.data.matching import load_matching
from striate.errors import DataError, StorageError, UsageError

Picture = Callable[..., Image.Image]
Folders = Callable[..., Path]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own for each test."""
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pixels"


@pytest.fixture
def small_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("striate.data.pixel_file.CHUNK_BYTES", 3 * 10 * 12 * 4)


@contextlib.contextmanager
def no_decoding() -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise AssertionError("an image was opened")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("striate.data.decode_files.decode", refuse)
        patch.setattr("striate.data.files.read_header", refuse)
        yield


def on_disk(images: np.ndarray) -> bool:
    base: object = images
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False


def assert_same(one: Dataset, other: Dataset) -> None:
    assert one.splits.keys() == other.splits.keys()
    for name, split in one.splits.items():
        assert split.ids == other.splits[name].ids
        assert (split.labels == other.splits[name].labels).all()
        assert (split.images == other.splits[name].images).all()
    assert one.card.splits == other.card.splits
    assert one.preprocessing == other.preprocessing
    assert one.skipped == other.skipped
    assert [f for f in one.findings if f.code != "D029"] == [f for f in other.findings if f.code != "D029"]


def codes(dataset: Dataset) -> list[str]:
    return [finding.code for finding in dataset.findings if finding.code in ("D029", "D030")]


def table(root: Path, header: str, rows: list[str]) -> Path:
    path = root / "table.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


@pytest.mark.parametrize("source", ["folder", "splits", "tags", "values", "broken"])
@pytest.mark.parametrize("stretches", ["one", "many"])
def test_the_same_images_as_in_memory(
    folders: Folders, source: str, stretches: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if stretches == "many":
        monkeypatch.setattr("striate.data.pixel_file.CHUNK_BYTES", 3 * 10 * 12 * 4)
    options: dict[str, object] = {}
    if source == "splits":
        root = folders({"train/a": 20, "train/b": 11, "test/a": 5, "test/b": 6})
    else:
        root = folders({"a": 30, "b": 17})
    path = root
    if source in ("tags", "values"):
        generator = np.random.default_rng(0)
        cells = {"tags": ["x", "y", "x|y", "x|z"], "values": ["1", "2.5", "-3", "4"]}[source]
        names = [f"{name}/img{index}.png" for name, count in (("a", 30), ("b", 17)) for index in range(count)]
        rows = [f"{name},{cells[generator.integers(4)]}" for name in names]
        path = table(root, "path,labels" if source == "tags" else "path,value", rows)
    if source == "broken":
        (root / "a/img3.png").write_bytes(b"no image")
        for name in ("a/img7.png", "b/img16.png"):  # whole headers, so that only decoding tells
            data = (root / name).read_bytes()
            (root / name).write_bytes(data[: len(data) // 2])
        options = {"seed": 5, "val": 0.2}
    memory = load_data(path, cache="memory", **options)  # type: ignore[arg-type]
    assert not on_disk(memory.train.images)
    first = load_data(path, cache="disk", **options)  # type: ignore[arg-type]
    assert_same(memory, first)
    assert all(on_disk(split.images) for split in first.splits.values()), "no split was copied into memory"
    with no_decoding():
        again = load_data(path, cache="disk", **options)  # type: ignore[arg-type]
        assert_same(memory, again)
        assert again.card == first.card
        assert_same(memory, load_data(path, **options))  # type: ignore[arg-type]
    assert len(os.listdir(cache_folder())) == 1


def test_what_is_said_about_it(folders: Folders, store: Path) -> None:
    dataset = load_data(folders({"a": 8, "b": 8}), cache="disk")
    [path] = store.iterdir()
    [finding] = [finding for finding in dataset.findings if finding.code == "D029"]
    assert finding.where == str(path)
    assert finding.message.startswith("the decoded pixels (")
    assert str(store) not in " ".join(dataset.card.notes), "a run does not carry a path of this machine"


def test_only_when_memory_is_short(folders: Folders, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folders({"a": 30, "b": 30})
    memory = load_data(root)
    assert not store.exists()
    monkeypatch.setattr("striate.data.memory.available_memory", lambda: 2 * (60 * 3 * 10 * 12 - 1))
    dataset = load_data(root)
    assert_same(memory, dataset)
    assert codes(dataset) == ["D029"]
    with pytest.raises(DataError, match="do not fit in memory"):
        load_data(root, cache="memory")


def test_not_enough_room_on_the_disk(folders: Folders, monkeypatch: pytest.MonkeyPatch, store: Path) -> None:
    root = folders({"a": 30, "b": 30})
    monkeypatch.setattr("striate.data.memory.available_memory", lambda: 2000)
    monkeypatch.setattr("striate.data.cache_folder.shutil.disk_usage", lambda _: SimpleNamespace(free=20_000))
    with pytest.raises(DataError) as caught:
        load_data(root, cache="disk")
    text = str(caught.value)
    assert "do not fit in the folder for them" in text
    assert "cache='stream'" in text
    assert "60 images of 3×10×12 = 21.1 KiB" in text
    assert f"at most 9.8 KiB (half of the disk's room under {store})" in text
    assert "STRIATE_CACHE=DIR" in text


@pytest.mark.parametrize("change", ["pixels", "time", "more", "options"])
def test_a_change_is_noticed(folders: Folders, picture: Picture, store: Path, change: str) -> None:
    root = folders({"a": 10, "b": 10})
    load_data(root, cache="disk")
    options: dict[str, object] = {}
    path = root / "a/img4.png"
    if change == "pixels":
        picture(seed=99).save(path)
        os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    elif change == "time":
        os.utime(path, ns=(1, 1))
    elif change == "more":
        picture(seed=99).save(root / "a/another.png")
    else:
        options["seed"] = 1
    with no_decoding(), pytest.raises((AssertionError, DataError)):
        load_data(root, cache="disk", **options)  # type: ignore[arg-type]
    assert_same(load_data(root, cache="memory", **options), load_data(root, cache="disk", **options))  # type: ignore[arg-type]
    assert len(list(store.iterdir())) == (2 if change == "options" else 1), "what is out of date is removed"


@pytest.mark.parametrize("fault", ["pixel", "record", "seal", "cut", "empty", "foreign"])
def test_a_damaged_file_is_never_used(folders: Folders, store: Path, fault: str, small_stretches: None) -> None:
    root = folders({"a": 10, "b": 10})
    whole = load_data(root, cache="disk")
    [path] = store.iterdir()
    data = bytearray(path.read_bytes())
    place = {"pixel": 3 * 10 * 12 * 7 + 5, "record": 3 * 10 * 12 * 20 + 30, "seal": len(data) - 20}.get(fault)
    if place is not None:
        data[place] ^= 1
    path.unlink()  # the pixels of the first are still mapped
    path.write_bytes({"cut": data[:-100], "empty": b"", "foreign": b"\x89PNG" * 100}.get(fault, data))
    dataset = load_data(root)
    assert codes(dataset) == ["D030"], "there is memory for them, so no file is written again"
    [finding] = [finding for finding in dataset.findings if finding.code == "D030"]
    assert finding.severity == "warning"
    if fault == "pixel":
        assert "the pixels of images 4 to 7 were changed" in finding.message
    assert (dataset.train.images == whole.train.images).all()
    assert codes(load_data(root, cache="disk")) == ["D029"]


def count_decoded(patch: pytest.MonkeyPatch, stop_after: int | None = None) -> list[int]:
    from striate.data import decode_files
    from striate.data.decoding import decode

    done: list[int] = []

    def counted(*arguments: object) -> object:
        if len(done) == stop_after:
            raise KeyboardInterrupt
        done.append(1)
        return decode(*arguments)  # type: ignore[arg-type]

    patch.setattr(decode_files, "decode", counted)
    return done


def test_an_interrupted_start_is_gone_on_with(folders: Folders, store: Path, small_stretches: None) -> None:
    root = folders({"a": 12, "b": 12})
    memory = load_data(root, cache="memory")
    with pytest.MonkeyPatch.context() as patch:
        count_decoded(patch, stop_after=14)
        with pytest.raises(KeyboardInterrupt):
            load_data(root, cache="disk")
    assert sorted(path.suffix for path in store.iterdir()) == [".journal", ".part"]
    with pytest.MonkeyPatch.context() as patch:
        done = count_decoded(patch)
        dataset = load_data(root, cache="disk")
    assert len(done) == 24 - 12, "three stretches of four images were whole"
    assert_same(memory, dataset)
    assert [path.suffix for path in store.iterdir()] == [".pixels"]


@pytest.mark.parametrize("fault", ["pixels", "journal"])
def test_what_an_interrupted_start_left_is_checked(
    folders: Folders, store: Path, small_stretches: None, fault: str
) -> None:
    root = folders({"a": 12, "b": 12})
    memory = load_data(root, cache="memory")
    with pytest.MonkeyPatch.context() as patch:
        count_decoded(patch, stop_after=14)
        with pytest.raises(KeyboardInterrupt):
            load_data(root, cache="disk")
    [part] = store.glob("*.part")
    [journal] = store.glob("*.journal")
    if fault == "pixels":
        data = bytearray(part.read_bytes())
        data[3 * 10 * 12 * 4] ^= 1
        part.write_bytes(data)
    else:
        lines = journal.read_text().splitlines()
        journal.write_text("\n".join([lines[0], lines[1], lines[2][:20]]))
    with pytest.MonkeyPatch.context() as patch:
        done = count_decoded(patch)
        assert_same(memory, load_data(root, cache="disk"))
    assert len(done) == 20


def test_kill_9_loses_nothing_but_the_last_stretch(folders: Folders, store: Path) -> None:
    root = folders({"a": 12, "b": 12})
    script = (
        "import os, signal, striate.data.decode_files as files, striate.data.pixel_file as pixels\n"
        "from striate.data import load_data\n"
        "pixels.CHUNK_BYTES = 3 * 10 * 12 * 4\n"
        "decode, done = files.decode, []\n"
        "def counted(*arguments):\n"
        "    done.append(1)\n"
        "    if len(done) == 19:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return decode(*arguments)\n"
        "files.decode = counted\n"
        f"load_data({str(root)!r}, cache='disk')\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=60).returncode == -9
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("striate.data.pixel_file.CHUNK_BYTES", 3 * 10 * 12 * 4)
        done = count_decoded(patch)
        dataset = load_data(root, cache="disk")
    assert len(done) == 24 - 16
    assert_same(load_data(root, cache="memory"), dataset)


def test_two_processes_at_once(folders: Folders, store: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    root = folders({"a": 12, "b": 12})
    with pytest.MonkeyPatch.context() as patch:
        count_decoded(patch, stop_after=3)
        with pytest.raises(KeyboardInterrupt):
            load_data(root, cache="disk")
    [journal] = store.glob("*.journal")
    with open(journal, "a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        dataset = load_data(root, cache="disk")
    assert_same(load_data(root, cache="memory"), dataset)
    assert journal.exists(), "the other's work is left alone"
    assert len(list(store.iterdir())) == 3


def test_a_full_disk_is_told_and_left_clean(folders: Folders, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = folders({"a": 12, "b": 12})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("striate.data.stored_files.seal_pixel_file", full)
    with pytest.raises(StorageError) as caught:
        load_data(root, cache="disk")
    assert "got:   No space left on device" in str(caught.value)
    assert "write: STRIATE_CACHE=DIR" in str(caught.value)
    assert list(store.iterdir()) == []


def test_a_folder_that_cannot_be_made(folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="STRIATE_CACHE"):
        load_data(folders({"a": 8, "b": 8}), cache="disk")


def test_those_not_used_for_longest_go_first(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.mkdir(parents=True)
    for age, name in enumerate("cab"):
        (store / f"{name}.pixels").write_bytes(bytes(100))
        os.utime(store / f"{name}.pixels", (1000 - age, 1000 - age))
    (store / "old.part").write_bytes(b"")
    os.utime(store / "old.part", (1, 1))
    (store / "new.part").write_bytes(b"")
    monkeypatch.setattr("striate.data.cache_folder.shutil.disk_usage", lambda _: SimpleNamespace(free=300))
    make_room(store, 150, "images", "images")  # half of 600: one of 300 must go, and then another, for 150 to fit
    assert sorted(path.name for path in store.iterdir()) == ["c.pixels", "new.part"]


def test_memory_stays_bounded(folders: Folders, photograph: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    """34 MB of pixels pass through a tenth of that; what is mapped from the file is not taken from memory."""
    root = folders({"a": 0, "b": 0})
    for seed in range(8):
        photograph(seed, 96).save(root / "ab"[seed % 2] / f"{seed}.png")
    for copy in range(8, 1230):
        shutil.copy(root / "ab"[copy % 2] / f"{copy % 8}.png", root / "ab"[copy % 2] / f"{copy}.png")
    total = 1230 * 3 * 96 * 96
    for module in ("pixel_file.CHUNK_BYTES", "statistics.CHUNK", "signatures.CHUNK"):
        monkeypatch.setattr(f"striate.data.{module}", 1 << 18)
    load_data("digits")  # imports
    tracemalloc.start()
    try:
        dataset = load_data(root, cache="disk")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert sum(split.images.nbytes for split in dataset.splits.values()) == total
    assert peak < total / 3


def test_a_run_reads_the_file_that_its_training_made(folders: Folders, store: Path) -> None:
    """Training leaves the form open; measuring the run asks for the form it got."""
    root = folders({"a": 12, "b": 12})
    dataset = load_data(root, cache="disk")
    form = dataset.preprocessing
    asked = {"size": (form.height, form.width), "channels": form.channels, "fit": form.fit, "task": "classes"}
    with no_decoding():
        assert_same(dataset, load_data(root, cache="disk", **asked))  # type: ignore[arg-type]
    assert_same(load_data(root, channels=1, cache="memory"), load_data(root, channels=1, cache="disk"))
    assert len(list(store.iterdir())) == 2


def test_splits_in_memory_are_stretches_of_one_array(folders: Folders) -> None:
    dataset = load_data(folders({"a": 12, "b": 12}), cache="memory")
    bases = {id(split.images.base) for split in dataset.splits.values()}
    assert len(bases) == 1, "dividing copies nothing"


def test_other_images_for_a_run_may_come_from_a_file(folders: Folders) -> None:
    root = folders({"a": 12, "b": 12})
    card = load_data(root, cache="memory").card
    memory = load_matching(root, card)
    load_data(root, cache="disk", val=0, test=0)
    assert (load_matching(root, card).parts["all"].images == memory.parts["all"].images).all()


def test_wrong_words_are_explained() -> None:
    with pytest.raises(UsageError, match="auto or memory or disk"):
        load_data("digits", cache="yes")  # type: ignore[arg-type]
