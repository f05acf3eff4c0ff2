"""Names of nodes in messages: of a network with hundreds only those that may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection

__all__ = ["names_in_reach"]

#: So many names are listed as they come; of more the nearest.
_ALL, _NEAREST = 20, 10


def names_in_reach(name: str, known: Collection[str]) -> str:
    """The nodes there are, for a message about a name that is none of them; of many the nearest, and how many more.

    >>> names_in_reach("conv9", ["input", "conv1"])
    'one of input, conv1'
    >>> names_in_reach("layer1.7", [f"layer{part}.{block}" for part in range(1, 5) for block in range(7)])[:22]
    'one of layer1.6, layer'
    >>> names_in_reach("x", [f"layer{number}" for number in range(30)])[-13:]
    'and 20 others'
    """
    if len(known) <= _ALL:
        return "one of " + ", ".join(known)
    inside = [entry for entry in known if name and name in entry][:_NEAREST]
    alike = difflib.get_close_matches(name, known, n=_NEAREST, cutoff=0.0)
    near = list(dict.fromkeys([*inside, *alike]))[:_NEAREST]
    rest = len(known) - len(near)
    return f"one of {', '.join(near)} and {rest} {'other' if rest == 1 else 'others'}"
