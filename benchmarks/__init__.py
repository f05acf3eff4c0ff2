"""Measured comparisons: both sides in one run, interleaved, several repeats, the median ratio with its spread."""
