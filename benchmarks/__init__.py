"""Measured comparisons: both sides in one run, interleaved, several repeats, the median ratio with its spread."""

import os

# Both sides compute on the processor, also on a machine where Striate would take a GPU by itself.
os.environ["CUDA_VISIBLE_DEVICES"] = ""
