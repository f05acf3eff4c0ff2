"""Before any test, those in the documentation included: the width of a terminal is not a fact about Striate."""

from __future__ import annotations

import os

# pytest-xdist hands its workers the width of the terminal it was started on; a test that wants a width sets it.
for _variable in ("COLUMNS", "LINES"):
    os.environ.pop(_variable, None)
