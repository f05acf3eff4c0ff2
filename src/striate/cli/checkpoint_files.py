"""``striate inspect weights.pth``: what a file of weights holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

__all__ = ["show_checkpoint"]

#: What may be asked about a file of weights; every other option is for networks.
_MEANT = ("net", "json")
#: What the command line keeps beside the options: the words as they were typed.
_OWN = ("words",)


def show_checkpoint(options: Namespace) -> bool:
    """List the file if it is one of weights.

    Returns:
        Whether it is.

    Raises:
        WeightsError: it is missing, damaged or of another kind.
        UsageError: an option is given that is for networks.
    """
    from striate.sources.checkpoint.file_names import is_checkpoint

    if not is_checkpoint(options.net):
        return False
    for name, value in vars(options).items():
        if value and name not in (*_MEANT, *_OWN) and not callable(value):
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag} is for networks", got=f"{options.net}, a file of weights", write="--json")
    from striate.cli.output import show, write_plain
    from striate.sources import read_checkpoint
    from striate.views.as_json import json_text
    from striate.views.checkpoint_listing import checkpoint_view

    checkpoint = read_checkpoint(options.net)
    if options.json:
        write_plain(json_text(checkpoint))
    else:
        show(checkpoint_view(checkpoint))
    return True
