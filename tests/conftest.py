"""What every test may use: the downloaded images, a browser, and settings that keep runs repeatable."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Before torch or NumPy is first imported: one thread per test process (see the Makefile).
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

# Without this variable a GPU is hidden: the tests are of the processor, whose numbers are the same everywhere. With it
# only those that are marked gpu may be run: STRIATE_TEST_GPU=1 pytest -m gpu
if "STRIATE_TEST_GPU" not in os.environ:
    os.environ["CUDA_VISIBLE_DEVICES"] = ""

REPOSITORY = Path(__file__).resolve().parents[1]

settings.register_profile(
    "ci", deadline=None, derandomize=True, max_examples=50, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("dev", deadline=None, max_examples=200)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with ``mnist`` and ``cifar10`` in it: $STRIATE_SHARED_DATA, or shared/data beside the repository."""
    folder = Path(os.environ.get("STRIATE_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no image files in {folder}; write: STRIATE_SHARED_DATA=DIR")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The command that starts Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        command = shutil.which(name)
        if command is not None:
            return command
    pytest.skip("neither chromium, chromium-browser nor google-chrome is installed")
