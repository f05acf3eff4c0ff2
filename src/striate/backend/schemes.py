"""The names of the weight initialisations, for whoever lists or checks them without importing torch."""

from __future__ import annotations

from typing import Literal, get_args

__all__ = ["DESCRIPTIONS", "SCHEMES", "Scheme"]

Scheme = Literal["auto", "he", "xavier", "normal", "uniform", "orthogonal", "dirac", "zero"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)

#: What each scheme draws for a weight; biases are 0, scales 1 and shifts 0 in all of them.
DESCRIPTIONS: dict[Scheme, str] = {
    "auto": "he before an activation like ReLU, xavier before tanh, sigmoid or none; the layer that gives a"
    " classifier's logits normal, deviation 0.1/√fan_in, so that the first loss is near ln C",
    "he": "normal, deviation gain/√fan_in (He et al. 2015, equation 10)",
    "xavier": "uniform, bound gain·√(6/(fan_in + fan_out)) (Glorot and Bengio 2010, equation 16)",
    "normal": "normal, deviation 0.01 or as given (Krizhevsky et al. 2012, section 5)",
    "uniform": "uniform, bound gain/√fan_in (what PyTorch's layers draw by themselves)",
    "orthogonal": "a random orthogonal matrix, times gain (Saxe, McClelland, Ganguli 2014)",
    "dirac": "convolutions begin as the identity on as many filters as there are channels; all else as uniform, whose"
    " smaller filters turn faster where batch normalisation follows (Zagoruyko and Komodakis 2017; Jordan 2024, section"
    " 3.3)",
    "zero": "0 everywhere; such a network cannot learn, but its arithmetic is easy to follow",
}
