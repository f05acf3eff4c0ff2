"""Channel groups of convolutions: filters and channels must both divide among them."""

from __future__ import annotations

import math

from striate.errors import LayerError, ShapeError

__all__ = ["check_channel_groups", "check_filter_groups"]


def check_filter_groups(kind: str, filters: int, groups: int) -> None:
    """Whether the filters divide among the groups.

    Raises:
        LayerError: when they do not; the next number of filters that does is suggested.
    """
    if filters % groups:
        raise LayerError(
            f"{kind} cannot divide its filters among its groups",
            got=f"filters: {filters}, groups: {groups}",
            needs="filters that are a multiple of groups",
            write=f"filters: {groups * -(-filters // groups)}",
        )


def check_channel_groups(kind: str, channels: int, filters: int, groups: int) -> None:
    """Whether the channels that arrive divide among the groups.

    Raises:
        ShapeError: when they do not; the most groups that channels and filters have in common are suggested.
    """
    if channels % groups:
        raise ShapeError(
            f"{kind} cannot divide its input channels among its groups",
            got=f"{channels} channels, groups: {groups}",
            needs="input channels that are a multiple of groups",
            write=f"groups: {math.gcd(channels, filters)}",
        )
