"""Everything that training changes, as named tensors, and back into fresh objects to the last bit.

    weights.<name>               parameters and buffers of the network
    optimizer.<parameter>.<key>  moments and step counts
    random.cpu, random.cuda      torch's generators, which dropout draws from; the second only for a network on CUDA
    best.<name>                  the best weights, where they are not the newest
    average.<name>               the average of the weights (EMA, Lookahead), where the recipe asks for one

The order of the images and the augmentation need
none: both follow from the seed and the epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import nn

from striate.errors import RunError
from striate.training.devices import device_of
from striate.training.randomness import random_states, set_random_states
from striate.units import format_shape

__all__ = [
    "AVERAGE",
    "BEST",
    "WEIGHTS",
    "has_part",
    "optimizer_strides",
    "part",
    "restore_average",
    "restore_module",
    "restore_optimizer",
    "state_of",
]

WEIGHTS, OPTIMIZER, RANDOM, BEST, AVERAGE = "weights.", "optimizer.", "random.", "best.", "average."

Tensors = Mapping[str, torch.Tensor]
Strides = Mapping[str, tuple[int, ...]]


def state_of(
    module: nn.Module, optimizer: torch.optim.Optimizer, best: Tensors | None = None, average: Tensors | None = None
) -> dict[str, torch.Tensor]:
    """The state as it is now, under the names above; nothing is copied.

    Args:
        module: the network.
        optimizer: of its parameters.
        best: the best weights by name; None where the newest are the best, or none are yet.
        average: of the weights, by name; None without one.
    """
    tensors = {WEIGHTS + names[0]: tensor for names, tensor in _module_tensors(module)}
    tensors |= {name: tensor.detach() for name, tensor in _optimizer_tensors(module, optimizer)}
    tensors |= {RANDOM + kind: state for kind, state in random_states(device_of(module)).items()}
    tensors |= {BEST + name: tensor for name, tensor in (best or {}).items()}
    tensors |= {AVERAGE + name: tensor for name, tensor in (average or {}).items()}
    return tensors


def optimizer_strides(module: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, tuple[int, ...]]:
    """The memory order of the optimizer's tensors: fused kernels run over memory as it lies."""
    return {name: tuple(tensor.stride()) for name, tensor in _optimizer_tensors(module, optimizer) if tensor.ndim}


def has_part(tensors: Tensors, prefix: str) -> bool:
    """Whether any tensor belongs to a part."""
    return any(name.startswith(prefix) for name in tensors)


def part(tensors: Tensors, prefix: str) -> dict[str, torch.Tensor]:
    """The tensors of one part under their own names.

    >>> part({"best.a": torch.zeros(1), "weights.a": torch.ones(1)}, BEST)
    {'a': tensor([0.])}
    """
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def restore_module(module: nn.Module, tensors: Tensors, prefix: str, where: str) -> None:
    """Fill a network of the same structure; its memory order, device and dtypes stay.

    Raises:
        RunError: names, shapes or dtypes are others.
    """
    found = part(tensors, prefix)
    # A shared tensor may be stored under each of its names, or under the first.
    targets = [(next((name for name in names if name in found), names[0]), t) for names, t in _module_tensors(module)]
    known = {name for names, _ in _module_tensors(module) for name in names}
    _refuse_others(set(found), {name for name, _ in targets} | (set(found) & known), where)
    for name, target in targets:
        _check_form(prefix + name, found[name], target, where)
    for name, target in targets:
        target.copy_(found[name])


def restore_optimizer(
    module: nn.Module, optimizer: torch.optim.Optimizer, tensors: Tensors, strides: Strides, where: str
) -> None:
    """Fill a fresh optimizer, and set torch's random generators.

    Raises:
        RunError: a tensor belongs to no parameter, or has not its shape.
    """
    parameters = dict(module.named_parameters())
    for name, tensor in part(tensors, OPTIMIZER).items():
        owner, _, key = name.rpartition(".")
        if owner not in parameters:
            _refuse_others({name}, set(), where)
        parameter = parameters[owner]
        # Counts of steps are single numbers; all else has the shape of its parameter.
        if tensor.ndim and tensor.shape != parameter.shape:
            _check_form(OPTIMIZER + name, tensor, parameter, where)
        placed = _laid_out(tensor, strides.get(OPTIMIZER + name), parameter, where)
        optimizer.state[parameter][key] = placed
    _restore_random(tensors, device_of(module), where)


def restore_average(average: Tensors, tensors: Tensors, where: str) -> None:
    """Fill the tensors of an average.

    Raises:
        RunError: names, shapes or dtypes are others.
    """
    found = part(tensors, AVERAGE)
    _refuse_others(set(found), set(average), where)
    for name, target in average.items():
        _check_form(AVERAGE + name, found[name], target, where)
        target.copy_(found[name])


def _module_tensors(module: nn.Module) -> list[tuple[list[str], torch.Tensor]]:
    """Every parameter and buffer once, with all of its names."""
    entries: dict[int, tuple[list[str], torch.Tensor]] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        entries.setdefault(id(tensor), ([], tensor.detach()))[0].append(name)
    return list(entries.values())


def _optimizer_tensors(module: nn.Module, optimizer: torch.optim.Optimizer) -> Iterator[tuple[str, torch.Tensor]]:
    for name, parameter in module.named_parameters():
        for key, value in optimizer.state.get(parameter, {}).items():
            if isinstance(value, torch.Tensor):
                yield f"{OPTIMIZER}{name}.{key}", value
            elif value is not None:
                raise TypeError(f"{key} of {name} is a {type(value).__name__}, and only tensors are kept")


def _laid_out(
    tensor: torch.Tensor, strides: tuple[int, ...] | None, parameter: torch.Tensor, where: str
) -> torch.Tensor:
    if strides is None:
        return tensor.clone().to(parameter.device)
    reach = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, strides, strict=False))
    if len(strides) != tensor.ndim or reach != tensor.numel():
        raise RunError("a memory order that cannot be", where=where, got=str(strides))
    empty = torch.empty_strided(tuple(tensor.shape), strides, dtype=tensor.dtype, device=parameter.device)
    return empty.copy_(tensor)


def _restore_random(tensors: Tensors, device: torch.device, where: str) -> None:
    try:
        set_random_states(part(tensors, RANDOM), device)
    except (RuntimeError, KeyError) as error:
        raise RunError(
            "the state of a random generator does not fit this torch or this machine",
            where=where,
            got=str(error).splitlines()[0],
            needs="the torch that wrote it, on a machine with the same devices",
        ) from None


def _refuse_others(found: set[str], wanted: set[str], where: str) -> None:
    if found != wanted:
        missing, extra = sorted(wanted - found), sorted(found - wanted)
        raise RunError(
            "these are not the tensors of this network",
            where=where,
            got=f"{extra[0]}, which it does not have" if extra else f"no {missing[0]}",
            needs="the checkpoint of this network",
        )


def _check_form(name: str, found: torch.Tensor, wanted: torch.Tensor, where: str) -> None:
    if found.shape != wanted.shape or found.dtype != wanted.dtype:
        raise RunError(
            f"{name} has another form",
            where=where,
            got=f"{format_shape(tuple(found.shape))} {found.dtype}",
            needs=f"{format_shape(tuple(wanted.shape))} {wanted.dtype}",
        )
