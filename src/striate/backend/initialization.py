"""First values of the weights.

Every weight has a random generator of its own, seeded with the seed and the weight's full name. So a weight's values
follow from scheme, seed, name, shape and the layer's surroundings alone: not from other layers, the device, the number
of threads, or the global random state, which is neither used nor changed.
"""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor, nn

from striate.backend.following import following_activation
from striate.backend.logits import logits_layers
from striate.backend.operations import operation_of
from striate.backend.registry import Fans
from striate.backend.schemes import SCHEMES, Scheme
from striate.backend.tensors import matched_tensors
from striate.errors import UsageError, near_miss
from striate.graph import Graph, Layer, Node
from striate.graph.layers.activation import LeakyReLU
from striate.graph.layers.convolution import Conv
from striate.graph.layers.prelu import PReLU

__all__ = ["initialize"]

_CONSTANTS = {"bias": 0.0, "scale": 1.0, "shift": 0.0}
_NORMAL_DEVIATION = 0.01
#: Of the layer that gives the logits: the first cross-entropy is then ln C within 3 % for every classifier of the zoo.
#: Not 0, with which the layers before it would get no gradient from the first step.
_GAIN_OF_LOGITS = 0.1


def initialize(
    module: nn.Module,
    graph: Graph,
    scheme: Scheme = "auto",
    seed: int = 0,
    *,
    gain: float | None = None,
    std: float | None = None,
) -> None:
    """Give every tensor of a module its first value, in place. Biases are 0, scales 1, shifts 0, statistics
    reset; a layer that says what its tensor begins with (the slopes of ``prelu``, ``layerscale``) gets that.

    ``auto`` is ``he`` where the activation that follows is like ReLU (ReLU, leaky ReLU, SiLU, GELU, hard swish), and
    ``xavier`` where it is tanh or sigmoid or where none follows; the formulas are in ``schemes.DESCRIPTIONS``. The
    layer that gives a classifier's logits (:func:`striate.backend.logits.logits_layers`) is normal with the deviation
    0.1/√fan_in instead: the network begins unsure, and its first cross-entropy over C classes is near ln C. Usual
    practice is a fixed deviation of 0.01 there, which is the same at 100 inputs (Krizhevsky et al. 2012, section 5;
    Goyal et al. 2017, "Accurate, large minibatch SGD", section 5.1; torchvision's VGG, MobileNet and SqueezeNet).
    fan_in is how many inputs one output sums, fan_out how many outputs one input reaches; groups, and the stride of a
    transposed convolution, are counted.

    Args:
        module: what :func:`striate.backend.build_module` made of ``graph``, on any device and in any float dtype.
        graph: the network.
        scheme: auto, he, xavier, normal, uniform, orthogonal, dirac or zero.
        seed: any whole number.
        gain: factor of the deviation or bound, instead of the scheme's own. That is for ``he`` √2 before ReLU and what
            is like it, √(2 / (1 + slope²)) before a leaky ReLU and 1 elsewhere; the same for ``orthogonal``; 1 for
            ``xavier`` and ``uniform``. ``auto`` takes what ``he`` and ``xavier`` take, and 0.1 for the logits.
        std: the deviation of ``normal``; default 0.01.

    Raises:
        UsageError: for an unknown scheme, an argument the scheme does not use, or a module that is not of this graph.

    >>> from striate.backend import build_module
    >>> from striate.graph import network
    >>> net = network("tiny", (1, 8, 8)).conv(4, 3).relu().flatten().dense(2).build()
    >>> module = build_module(net)
    >>> initialize(module, net, "orthogonal", seed=1, gain=1.0)
    >>> weight = module.conv1.weight.flatten(1)
    >>> torch.allclose(weight @ weight.T, torch.eye(4), atol=1e-6)
    True
    """
    _check_arguments(scheme, seed, gain, std)
    tensors = matched_tensors(module, graph)
    logits = logits_layers(graph) if scheme == "auto" else frozenset()
    with torch.no_grad():
        for node in graph.nodes:
            for parameter in graph.own_parameters(node):
                tensor = tensors[f"{node.name}.{parameter.name}"]
                if tensor.is_meta:
                    raise UsageError("a module on the device 'meta' has no numbers to set", where=graph.name)
                if parameter.role == "weight":
                    name = f"{node.name}.{parameter.name}"
                    generator = _generator(seed, name)
                    if node.name in logits:
                        tensor.copy_(_unsure(node, tensor, generator, gain))
                    else:
                        tensor.copy_(_draw(graph, node, tensor, scheme, generator, gain, std))
                else:
                    constant = _CONSTANTS[parameter.role] if parameter.initial is None else parameter.initial
                    tensor.fill_(constant)
            if graph.own_buffers(node):
                _reset_buffers(module.get_submodule(node.name))


def _check_arguments(scheme: str, seed: int, gain: float | None, std: float | None) -> None:
    if scheme not in SCHEMES:
        raise UsageError(
            f"there is no initialisation {scheme!r}",
            got=scheme,
            needs="one of " + ", ".join(SCHEMES),
            write=near_miss(scheme, SCHEMES),
        )
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise UsageError("the seed of an initialisation is a whole number", got=repr(seed), write="seed=0")
    if gain is not None and scheme in ("normal", "dirac", "zero"):
        raise UsageError(
            f"the initialisation {scheme!r} has no gain", got=f"gain={gain}", write=f"scheme={scheme!r} alone"
        )
    if std is not None and scheme != "normal":
        raise UsageError(
            f"the initialisation {scheme!r} has no std", got=f"std={std}", write="scheme='normal', or gain="
        )
    for name, value in (("gain", gain), ("std", std)):
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise UsageError(
                f"{name} must be a finite number of at least 0", got=f"{name}={value}", write=f"{name}=1.0"
            )


def _generator(seed: int, name: str) -> torch.Generator:
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little", signed=True))


def _unsure(node: Node, like: Tensor, generator: torch.Generator, gain: float | None) -> Tensor:
    """Weights of the layer that gives the logits, such that no class is likelier than another by much."""
    fans = operation_of(node.layer).fans(node.layer, tuple(like.shape))
    deviation = (_GAIN_OF_LOGITS if gain is None else gain) / math.sqrt(fans.inward)
    return torch.zeros(like.shape, dtype=torch.float32).normal_(0.0, deviation, generator=generator)


def _draw(
    graph: Graph,
    node: Node,
    like: Tensor,
    scheme: Scheme,
    generator: torch.Generator,
    gain: float | None,
    std: float | None,
) -> Tensor:
    """The weight's values in float32 on the CPU, whatever the module is in, so that they are the same everywhere."""
    values = torch.zeros(like.shape, dtype=torch.float32)
    activation = following_activation(graph, node.name)
    fans = operation_of(node.layer).fans(node.layer, tuple(like.shape))
    if scheme == "auto":
        scheme = "he" if _rectifies(activation) else "xavier"
    if gain is None:
        gain = _gain(activation) if scheme in ("he", "orthogonal") else 1.0
    if scheme == "he":
        return values.normal_(0.0, gain / math.sqrt(fans.inward), generator=generator)
    if scheme == "xavier":
        bound = gain * math.sqrt(6.0 / (fans.inward + fans.outward))
        return values.uniform_(-bound, bound, generator=generator)
    if scheme == "normal":
        return values.normal_(0.0, _NORMAL_DEVIATION if std is None else std, generator=generator)
    if scheme in ("uniform", "dirac"):
        bound = gain / math.sqrt(fans.inward)
        values.uniform_(-bound, bound, generator=generator)
        return _with_identity(values, fans.blocks) if scheme == "dirac" and isinstance(node.layer, Conv) else values
    if scheme == "orthogonal":
        return _orthogonal(values, fans, gain, generator)
    return values


def _rectifies(activation: Layer | None) -> bool:
    return activation is not None and activation.nonlinearity in ("relu", "leaky_relu")


def _gain(activation: Layer | None) -> float:
    """He et al. 2015, equations 10 and 15: half of the variance is lost, or (1 - slope²) / 2 of it."""
    if not _rectifies(activation):
        return 1.0
    slope = 0.0
    if isinstance(activation, (LeakyReLU, PReLU)):
        slope = activation.slope if isinstance(activation, LeakyReLU) else activation.initial
    return math.sqrt(2.0 / (1.0 + slope**2))


def _with_identity(values: Tensor, groups: int) -> Tensor:
    """The first filters of each group hand on one input channel each, unchanged where strides and padding are even;
    the other filters keep their values.
    """
    for block in values.chunk(groups):
        kept = block[: block.shape[1]]
        kept.zero_()
        middle = tuple(size // 2 for size in block.shape[2:])
        for channel in range(len(kept)):
            kept[(channel, channel, *middle)] = 1.0
    return values


def _orthogonal(values: Tensor, fans: Fans, gain: float, generator: torch.Generator) -> Tensor:
    """Each group's matrix (its first axis × the rest) with orthonormal rows or columns, whichever are fewer."""
    for block in values.chunk(fans.blocks):
        nn.init.orthogonal_(block, gain, generator=generator)
    return values


def _reset_buffers(module: nn.Module) -> None:
    reset = getattr(module, "reset_running_stats", None)
    if reset is None:
        raise TypeError(f"{type(module).__name__} has buffers and no reset_running_stats()")
    reset()
