"""The folder ``autopsy/`` of a run: everything that computing its last step again needs.

autopsy.json        what was found, on which images, with which weights
weights.safetensors the weights to begin from
batch.safetensors   inputs as the network saw them, labels, torch's random state
images/             the same images as they are stored, as PNG
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import safetensors.torch
import torch
from safetensors import SafetensorError

from striate.errors import RunError
from striate.runs.atomic import storage_error, write_bytes
from striate.runs.plain import plain

if TYPE_CHECKING:
    from striate.data.dataset import Images

__all__ = ["Bundle", "read_bundle", "write_bundle"]

#: Images of the batch that are written as PNG; all of them are in batch.safetensors.
MOST_IMAGES = 256
#: A file that is larger, in bytes, is none of ours.
MOST_BYTES = 16 * 1024**3
_BATCH = ("inputs", "target", "random")


@dataclass(frozen=True, eq=False)
class Bundle:
    """A step, ready to be computed again.

    Args:
        weights: by name.
        inputs: (batch, channels, height, width) float32, as the network saw them.
        target: the labels.
        random: torch's random state before the step.
    """

    weights: Mapping[str, torch.Tensor]
    inputs: torch.Tensor
    target: torch.Tensor
    random: torch.Tensor


def write_bundle(folder: Path, bundle: Bundle, facts: Mapping[str, Any], images: Images, names: Sequence[str]) -> None:
    """Write the folder.

    Args:
        folder: made where it is missing.
        bundle: the step.
        facts: for ``autopsy.json``; a number that is not finite becomes its name.
        images: of the batch, uint8 (batch, channels, height, width).
        names: of the images.

    Raises:
        StorageError: the disk is full.
    """
    pictures = folder / "images"
    try:
        pictures.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, pictures) from error
    write_bytes(folder / "weights.safetensors", safetensors.torch.save(_stored(bundle.weights)))
    batch = {"inputs": bundle.inputs, "target": bundle.target, "random": bundle.random}
    write_bytes(folder / "batch.safetensors", safetensors.torch.save(_stored(batch)))
    for place, name in enumerate(names[:MOST_IMAGES]):
        write_bytes(pictures / f"{place:03d}-{_file_name(name)}.png", _png(images[place]))
    text = json.dumps(plain(_worded(dict(facts))), ensure_ascii=False, allow_nan=False, indent=2)
    write_bytes(folder / "autopsy.json", text.encode() + b"\n")


def read_bundle(folder: Path) -> Bundle:
    """Read the tensors of the folder.

    Raises:
        RunError: a file is missing or damaged.
    """
    weights = _load(folder / "weights.safetensors")
    batch = _load(folder / "batch.safetensors")
    if missing := [name for name in _BATCH if name not in batch]:
        raise RunError(f"the tensor {missing[0]!r} is missing", where=str(folder / "batch.safetensors"))
    return Bundle(weights, *(batch[name] for name in _BATCH))


def _load(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise RunError(
            "there is no autopsy in this run", where=str(path), needs="a run whose loss or weights were not finite"
        )
    if path.stat().st_size > MOST_BYTES:
        raise RunError("this file is too large", where=str(path), got=f"{path.stat().st_size} bytes")
    try:
        return safetensors.torch.load_file(path)
    except (SafetensorError, OSError) as error:
        raise RunError("cannot be read", where=str(path), got=str(error)) from None


def _stored(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    # Cloned: safetensors refuses tensors that share memory.
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}


def _png(image: Any) -> bytes:
    from PIL import Image

    pixels = image[0] if image.shape[0] == 1 else image.transpose(1, 2, 0)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _file_name(name: str) -> str:
    """A name that is a file name everywhere."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)[-60:].strip("._") or "image"


def _worded(value: Any) -> Any:
    """JSON has no NaN and no infinity; here they are what it is about, so they become words."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if isinstance(value, dict):
        return {key: _worded(entry) for key, entry in value.items()}
    return [_worded(entry) for entry in value] if isinstance(value, list | tuple) else value
