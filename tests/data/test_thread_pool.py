"""Work on threads: results in the order of the items, threads only where waiting makes them pay."""

from __future__ import annotations

import threading
import time

import pytest

from striate.data.pool import SAMPLE, map_in_order, map_waiting


@pytest.mark.parametrize("count", [0, 1, 5, 63, 64, 65, 1000])
@pytest.mark.parametrize("workers", [1, 3])
def test_results_come_in_order(count: int, workers: int) -> None:
    items = [item * 7 % 101 for item in range(count)]
    wanted = [item + 1 for item in items]
    assert list(map_in_order(lambda item: item + 1, items, workers)) == wanted
    assert map_waiting(lambda item: item + 1, items, workers) == wanted


@pytest.mark.parametrize("waits", [True, False])
def test_threads_are_for_waiting(waits: bool) -> None:
    seen = set()

    def work(item: int) -> int:
        seen.add(threading.get_ident())
        if waits:
            time.sleep(0.001)
        else:
            end = time.thread_time() + 0.0003
            while time.thread_time() < end:
                pass
        return item

    map_waiting(work, range(2 * SAMPLE), workers=3)
    if waits:
        assert len(seen) > 1
    elif len(seen) > 1:
        pytest.skip("other processes had the cores")


def test_an_error_ends_it() -> None:
    with pytest.raises(ZeroDivisionError):
        list(map_in_order(lambda item: 1 // item, [3, 2, 1, 0] * 50, workers=3))
