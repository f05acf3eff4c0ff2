"""Processes that decode ahead, through torch's DataLoader: how they are started, asked, found dead and ended.

They are started afresh ("spawn") and not forked. A fork copies the locks of threads that it does not copy, and torch,
Pillow and NumPy have threads: a child that needs such a lock waits for ever. Nor do they import the program that they
serve, as multiprocessing would have them: a script without ``if __name__ == "__main__"`` would begin once more in each.
Starting takes a second or two, once for a training: they stay for all splits and epochs.

Signals for stopping stay blocked in them: Ctrl-C goes to every process of a terminal, and it is the process that trains
which finishes its step, saves, and ends them.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import multiprocessing.process
import os
import signal
import sys
import threading
import types
import warnings
import weakref
from collections.abc import Iterator, Sequence
from multiprocessing import connection, resource_tracker, util
from typing import Any

import numpy as np

from striate.data.memory import available_memory
from striate.data.pool import cores
from striate.data.stream_files import Chunk, FileSet, begin_worker, unchanged
from striate.errors import StorageError
from striate.units import format_bytes

__all__ = ["CHUNK_BYTES", "Workers", "default_workers"]

CHUNK_BYTES = 2 << 20
"""Pixels that a process decodes and sends together."""
MOST_IMAGES = 64
"""Images in them at most."""
AHEAD_BYTES = 32 << 20
"""Pixels that each process decodes ahead; between 2 and 16 times what it sends together."""
MOST_WORKERS = 16
WORKER_BYTES = 512 << 20
"""Memory that a process takes at most, most of it torch, which all of them share."""
FIRST = 100
"""Of what multiprocessing does when a process ends: before it asks the children to end, which is 0."""
_SHARED = "/dev/shm"
_FAILURES = (RuntimeError, OSError, EOFError, MemoryError)
"""What DataLoader raises when a process is gone (the third where its pixels were on their way) or has no memory."""
_STOPPING = (signal.SIGINT, signal.SIGTERM)


def default_workers() -> int:
    """As many processes as there are processors to decode on, where memory allows for them."""
    return max(1, min(cores(), MOST_WORKERS, available_memory() // WORKER_BYTES))


class Workers:
    """Processes that decode files of one set, in the order in which they are asked for.

    Args:
        files: the set.
        count: of the processes. They start when the first images are taken.
    """

    def __init__(self, files: FileSet, count: int) -> None:
        self.count = count
        self._files = files
        size = int(np.prod(files.target.shape))
        self.at_once = max(1, min(MOST_IMAGES, CHUNK_BYTES // size))
        self._chunk_bytes = self.at_once * size
        self._asked: list[list[int]] = []
        self._loader: Any = None
        self._chunks: Iterator[tuple[Any, ...]] | None = None
        self._processes: list[multiprocessing.process.BaseProcess] = []
        # Before torch would end them gently, which takes seconds while they are still starting; and, where the process
        # that trains is itself a child, before multiprocessing waits for them to heed a signal that is blocked in them.
        util.Finalize(self, _kill, args=(self._processes,), exitpriority=FIRST)

    @property
    def started(self) -> bool:
        """Whether the processes are there."""
        return self._loader is not None

    def ask(self, chunks: list[list[int]]) -> None:
        """Have these files decoded, chunk by chunk, and forget what was asked for before.

        Raises:
            StorageError: a process has died, or none can be started.
        """
        self._asked[:] = chunks
        try:
            with self._started_quietly() if self._loader is None else contextlib.nullcontext():
                if self._loader is None:
                    self._loader = self._made()
                # the same processes every time; what they still have from before is thrown away
                self._chunks = iter(self._loader)
        except _FAILURES as error:
            raise self._ended(error) from None
        except BaseException:
            self.close()
            raise

    def next(self) -> Chunk:
        """The next of the chunks that were asked for.

        Raises:
            StorageError: a process has died.
        """
        if self._chunks is None:
            raise RuntimeError("ask for images before they are taken")
        try:
            pixels, *rest = next(self._chunks)
        except _FAILURES as error:
            raise self._ended(error) from None
        return Chunk(pixels.numpy(), *rest)

    def close(self) -> None:
        """End the processes."""
        chunks, self._chunks, self._loader = self._chunks, None, None
        _kill(self._processes)
        end = getattr(chunks, "_shutdown_workers", None)
        if end is not None:
            # Half a message from a process that is gone may be in the way.
            with contextlib.suppress(Exception):
                end()

    def _made(self) -> Any:
        import torch
        from torch.utils.data import DataLoader

        with warnings.catch_warnings():
            # More processes than processors are a choice, not a mistake, where files come over a slow network.
            warnings.filterwarnings("ignore", message="This DataLoader will create", category=UserWarning)
            return DataLoader(
                self._files,  # type: ignore[arg-type]
                batch_sampler=_Asked(self._asked),
                num_workers=self.count,
                collate_fn=unchanged,
                worker_init_fn=begin_worker,
                multiprocessing_context="spawn",
                prefetch_factor=self._ahead(),
                persistent_workers=True,
                # of its own, for each start of DataLoader draws a seed, and training's must stay as it is
                generator=torch.Generator(),
            )

    def _ahead(self) -> int:
        """Chunks that each process decodes ahead, so that all of them fit into memory and into shared memory."""
        ahead = max(2, min(16, AHEAD_BYTES // self._chunk_bytes))
        room = available_memory() // 4
        with contextlib.suppress(OSError, AttributeError):
            shared = os.statvfs(_SHARED)
            room = min(room, shared.f_bavail * shared.f_frsize // 2)
        return max(1, min(ahead, room // (self._chunk_bytes * self.count)))

    @contextlib.contextmanager
    def _started_quietly(self) -> Iterator[None]:
        """Starts in the block neither run the caller's program nor inherit or change what signals do."""
        others = set(multiprocessing.active_children())
        resource_tracker.ensure_running()  # now, for it sets the signals of its starter in its own way
        program, on_child = sys.modules.get("__main__"), signal.getsignal(_CHILD) if _CHILD else None
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING) if _HAS_MASK else None
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            yield
        finally:
            if program is not None:
                sys.modules["__main__"] = program
            if _CHILD and on_child is not None and threading.current_thread() is threading.main_thread():
                # DataLoader's raises in the middle of whatever the training does; here a death is seen between steps
                signal.signal(_CHILD, on_child)
            self._processes[:] = [child for child in multiprocessing.active_children() if child not in others]
            atexit.register(_close, weakref.ref(self))
            if blocked is not None:
                signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

    def _ended(self, error: BaseException) -> StorageError:
        """What became of the processes, told; the others are ended."""
        # what a process had sent can be missed a moment before its end is seen
        ending = connection.wait([process.sentinel for process in self._processes], timeout=2)
        for process in self._processes:
            process.join(2 if process.sentinel in ending else 0)
        dead = [process for process in self._processes if not process.is_alive()]
        how = [f"process {process.pid}, {_death(process.exitcode)}" for process in dead]
        shared = any(process.exitcode == -_BUS for process in dead) if _BUS else False
        count, room = self.count, format_bytes(self._chunk_bytes * self._ahead() * self.count)
        self.close()
        return StorageError(
            "a process that decodes images has died" if dead else "images could not be decoded in other processes",
            where="cache: stream",
            got="; ".join(how) or str(error).split("\n")[0],
            needs=f"{room} of shared memory in {_SHARED}" if shared else f"memory for {count} such processes",
            write="docker run --shm-size 1g, or fewer --workers" if shared else "fewer --workers",
        )


def _kill(processes: list[multiprocessing.process.BaseProcess]) -> None:
    """End processes that only decode: they write nothing that could be left half done."""
    with _child_signal_as_usual():
        for process in processes:
            process.kill()
        for process in processes:
            process.join()
    processes.clear()


@contextlib.contextmanager
def _child_signal_as_usual() -> Iterator[None]:
    """In the block nothing happens where a child ends, whoever has a handler for it."""
    handler = signal.getsignal(_CHILD) if _CHILD else None
    if not _CHILD or handler in (None, signal.SIG_DFL) or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(_CHILD, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(_CHILD, handler)


class _Asked:
    """What DataLoader is to ask the processes for; it looks anew each time it is iterated over."""

    def __init__(self, chunks: Sequence[list[int]]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[list[int]]:
        return iter(list(self._chunks))

    def __len__(self) -> int:
        return len(self._chunks)


_CHILD: signal.Signals | None = getattr(signal, "SIGCHLD", None)
_BUS: int | None = getattr(signal, "SIGBUS", None)
_HAS_MASK = hasattr(signal, "pthread_sigmask")


def _close(workers: weakref.ref[Workers]) -> None:
    alive = workers()
    if alive is not None:
        alive.close()


def _death(code: int | None) -> str:
    """How a process has ended.

    >>> _death(3)
    'exit code 3'
    """
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"killed by {name}" + (", as the system does where memory runs out" if name == "SIGKILL" else "")
