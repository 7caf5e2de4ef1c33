"""How weights start: each initialiser draws one weight of a layer with `nin` inputs and `nout` outputs.

An initialiser is a function `(rng, nin, nout) -> weight`. The functions here make one; `init=` of Neuron, Layer and MLP
takes one or its name, as in `Layer(2, 16, init="he_normal")` or `Layer(2, 16, init=nn.uniform(-0.1, 0.1))`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scalargrad.nn.arguments.randomness import RandomSource
from scalargrad.support.arguments import brief, real
from scalargrad.support.spelling import did_you_mean

Initialiser = Callable[[RandomSource, int, int], float]


def uniform(low: float = -1.0, high: float = 1.0) -> Initialiser:
    """Return the initialiser U(low, high). The default U(-1, 1) is micrograd's.

    Raises:
        ValueError: unless low <= high, both finite.
    """
    if not -math.inf < real(low, "uniform: low") <= real(high, "uniform: high") < math.inf:
        raise ValueError(f"uniform: low {low!r} must not be above high {high!r}, and both must be finite")
    return lambda rng, nin, nout: rng.uniform(low, high)


def normal(mean: float = 0.0, std: float = 1.0) -> Initialiser:
    """Return the initialiser N(mean, std**2).

    Raises:
        ValueError: if std is negative or a number is not finite.
    """
    if not (math.isfinite(real(mean, "normal: mean")) and 0 <= real(std, "normal: std") < math.inf):
        raise ValueError(f"normal: mean {mean!r} must be finite and std {std!r} finite and not negative")
    return lambda rng, nin, nout: rng.gauss(mean, std)


def constant(weight: float) -> Initialiser:
    """Return the initialiser that sets every weight to this number.

    Neurons that start equal get equal gradients and stay equal: with hidden layers use a random initialiser.

    Raises:
        ValueError: if the weight is not finite.
    """
    if not math.isfinite(real(weight, "constant: the weight")):
        raise ValueError(f"constant: the weight {weight!r} must be finite")
    return lambda rng, nin, nout: float(weight)


def zeros() -> Initialiser:
    """Return the initialiser that sets every weight to 0, as is usual for a single linear neuron."""
    return constant(0.0)


def xavier_uniform(gain: float = 1.0) -> Initialiser:
    """Return U(-a, a) with a = gain * sqrt(6 / (nin + nout)), for tanh and sigmoid.

    Source: Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010, eq. 16.
    """
    gain = real(gain, "xavier_uniform: gain")

    def draw(rng: RandomSource, nin: int, nout: int) -> float:
        bound = gain * math.sqrt(6 / (nin + nout))
        return rng.uniform(-bound, bound)

    return draw


def xavier_normal(gain: float = 1.0) -> Initialiser:
    """Return N(0, std**2) with std = gain * sqrt(2 / (nin + nout)), for tanh and sigmoid.

    Source: Glorot and Bengio, 2010, eq. 12.
    """
    gain = real(gain, "xavier_normal: gain")
    return lambda rng, nin, nout: rng.gauss(0.0, gain * math.sqrt(2 / (nin + nout)))


def he_uniform(gain: float = math.sqrt(2)) -> Initialiser:
    """Return U(-a, a) with a = gain * sqrt(3 / nin), for relu: gain = sqrt(2) gives a = sqrt(6 / nin).

    Source: He, Zhang, Ren and Sun, Delving deep into rectifiers, 2015, section 2.2.
    """
    gain = real(gain, "he_uniform: gain")

    def draw(rng: RandomSource, nin: int, _nout: int) -> float:
        bound = gain * math.sqrt(3 / nin)
        return rng.uniform(-bound, bound)

    return draw


def he_normal(gain: float = math.sqrt(2)) -> Initialiser:
    """Return N(0, std**2) with std = gain / sqrt(nin), for relu: gain = sqrt(2) gives std = sqrt(2 / nin).

    Source: He, Zhang, Ren and Sun, 2015, eq. 10.
    """
    gain = real(gain, "he_normal: gain")
    return lambda rng, nin, nout: rng.gauss(0.0, gain / math.sqrt(nin))


INITIALISERS: dict[str, Callable[[], Initialiser]] = {
    "uniform": uniform,
    "normal": normal,
    "zeros": zeros,
    "xavier_uniform": xavier_uniform,
    "xavier_normal": xavier_normal,
    "glorot_uniform": xavier_uniform,
    "glorot_normal": xavier_normal,
    "he_uniform": he_uniform,
    "he_normal": he_normal,
    "kaiming_uniform": he_uniform,
    "kaiming_normal": he_normal,
}
"""Every initialiser that needs no argument, by name; Glorot and Kaiming are the first names of Xavier's and He's."""


def resolve_initialiser(init: str | Initialiser) -> Initialiser:
    """Return the initialiser of this name, or the function itself.

    Raises:
        ValueError: if there is none of this name.
        TypeError: if it is neither a name nor a function.
    """
    if isinstance(init, str):
        if init not in INITIALISERS:
            raise ValueError(
                f"there is no initialiser {brief(init)}{did_you_mean(init, INITIALISERS)}; choose one of "
                f"{', '.join(INITIALISERS)}"
            )
        return INITIALISERS[init]()
    if not callable(init):
        raise TypeError(f"init must be a name or a function (rng, nin, nout) -> weight, not {type(init).__name__}")
    return init
