"""Whether memory is really kept: counted in page faults by the system itself."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource, torch
from striate.training.allocator import freed_memory_kept

def faults(times=30):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(times):
        torch.ones(3_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.ones(3_000_000); free = faults()
with freed_memory_kept() as kept:
    torch.ones(3_000_000); inside = faults()
print(kept, free, inside, faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has the switch")
@pytest.mark.parametrize("environment", [{}, {"MALLOC_TOP_PAD_": "0"}])
def test_freed_memory_is_kept_and_given_back(environment: dict[str, str]) -> None:
    import os

    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env={**clean, **environment}, capture_output=True, text=True, check=True
    )
    kept, free, inside, after = done.stdout.split()
    if environment:
        assert kept == "False", "what the environment says is respected"
        return
    assert kept == "True"
    # 12 MB are 2,930 pages of 4 KiB; each of 30 rounds fetches them again unless they are kept.
    assert int(inside) < int(free) / 10
    assert int(after) > 10 * int(inside)
