"""A network of images as stages: what each layer makes of one sample, read once; for the rest an error in words."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING, Any

from scalargrad.drawing.columns import parts_of, path_title
from scalargrad.engine import Value
from scalargrad.functional import grad
from scalargrad.nn.arguments.inputs import is_sequence
from scalargrad.nn.images.convolution import Conv2d
from scalargrad.nn.images.flatten import Flatten, Unflatten
from scalargrad.nn.images.image import flattened
from scalargrad.nn.images.pooling import AvgPool2d, MaxPool2d
from scalargrad.nn.images.response_norm import LocalResponseNorm
from scalargrad.nn.layers.activations import Elementwise
from scalargrad.nn.layers.affine import Linear
from scalargrad.nn.layers.dropout import Dropout
from scalargrad.nn.layers.neurons import Layer
from scalargrad.nn.modules.module import Module
from scalargrad.nn.scores.predicting import evaluating
from scalargrad.node.contexts import no_grad
from scalargrad.node.numbers import number_in, plain_gradient, plain_number
from scalargrad.support.arguments import MAX_DEPTH, brief, real, too_deep
from scalargrad.support.labels import clean_label

if TYPE_CHECKING:
    from collections.abc import Sequence

IMAGE_LAYERS = (Conv2d, MaxPool2d, AvgPool2d, LocalResponseNorm, Flatten, Unflatten)
BETWEEN = (Elementwise, Dropout, Flatten, Unflatten)
"""What changes no picture's place, or nothing but the shape: it stands with the layer before it."""

CAN = "what can be drawn as a network of images is a Sequential; the graph of any output is drawn by draw(model(x)[0])"


@dataclass
class Stage:
    """The input, or one layer.

    Attributes:
        title: `input`, or `layer 1`, or what the attribute is called.
        kind: what it is, with what is applied to its result: `Conv2d 3×3`, `relu`.
        layer: the module; None for the input.
        path: how Python reaches it from the model.
        parameters: how many it has.
        shape: of what it makes, as [12, 6, 6] or [10]; empty if unknown.
        maps: what it makes of the sample, as images of one channel each, or a single column of numbers.
        filters: of a convolution the weights, as lists [filter][channel][row][column].
    """

    title: str
    kind: list[str]
    layer: Any = None
    path: str = ""
    parameters: int = 0
    shape: list[int] = field(default_factory=list)
    maps: list[list[list[float]]] = field(default_factory=list)
    filters: list[list[list[list[float]]]] = field(default_factory=list)

    @property
    def is_image(self) -> bool:
        """Whether it makes channels of rows."""
        return len(self.shape) == 3

    @property
    def size(self) -> str:
        """What it makes, as `12×6×6`."""
        return "×".join(map(str, self.shape)) or "?"


def has_image_layers(model: Module) -> bool:
    """Return whether a layer of images is in it."""
    return any(isinstance(part, IMAGE_LAYERS) for part in model.modules())


def read_stages(model: Module, x: Any, *, gradients: bool) -> list[Stage]:
    """Return the model's stages, the input first.

    Args:
        model: a model with layers of images in it.
        x: a sample, or None.
        gradients: whether maps and filters hold gradients: of the outputs' sum for that sample, or, without one, what
            backward() left in the filters.

    Raises:
        ValueError: if it is not layers one after another, or x does not fit.
    """
    steps = _steps(model)
    stages = [Stage("input", [])]
    belongs = []
    for path, part in steps:
        if not isinstance(part, BETWEEN):
            count = len(part.parameters()) if isinstance(part, Module) else 0
            stages.append(Stage(path_title(path) or "layer", [_called(part)], part, path, count))
        elif isinstance(part, (Elementwise, Dropout)):
            stages[-1].kind.append(_called(part))
        belongs.append(len(stages) - 1)
    made = _passed(model, steps, x, gradients=gradients)
    shown = _numbers(made, gradients) if x is not None else made
    for at, output in zip([0, *belongs], shown, strict=True):
        stage, shape = stages[at], _shape(output)
        if stage.is_image and len(shape) != 3:  # flattened, and perhaps thinned: the image says more
            continue
        stage.shape = shape
        if x is not None:
            stage.maps = output if stage.is_image else [[[v] for v in flattened(output, lambda: "the model")]]
    for stage in stages:
        if isinstance(stage.layer, (Layer, Linear)) and not stage.shape:
            stage.shape = [len(stage.layer.neurons if isinstance(stage.layer, Layer) else stage.layer.W)]
        if isinstance(stage.layer, Conv2d):
            read = plain_gradient if gradients else number_in
            slopes = {}
            if gradients and x is not None:
                weights = [w for one in stage.layer.filters for w in one.w]
                slopes = dict(zip(weights, _slopes(made[-1], weights), strict=True))
            stage.filters = [
                [[[slopes.get(w, 0.0) if slopes else read(w) for w in row] for row in channel] for channel in kernel]
                for kernel in stage.layer.weight
            ]
    return stages


def _steps(model: Module) -> list[tuple[str, Any]]:
    """What is applied one after another, by its path."""
    found: list[tuple[str, Any]] = []
    stack: list[tuple[str, Any, int]] = [("", model, 0)]
    while stack:
        path, part, depth = stack.pop()
        if depth > MAX_DEPTH:
            raise too_deep("the model")
        if isinstance(part, (*IMAGE_LAYERS, *BETWEEN, Layer, Linear)) or not isinstance(part, Module):
            found.append((path, part))
            continue
        inside, own = parts_of(path, part)
        if own or not inside:
            found.append((path, part))
        else:
            stack += [(name, child, depth + 1) for name, child in reversed(inside)]
    return found


def _passed(model: Module, steps: Sequence[tuple[str, Any]], x: Any, *, gradients: bool) -> list[Any]:
    """The sample and what every step makes of it; of a sample of zeros without one; nothing if that does not go."""
    unknown: list[Any] = [None] * (len(steps) + 1)
    if x is None:
        first = steps[0][1]
        n = prod(first.sizes) if isinstance(first, Unflatten) else getattr(first, "nin", 0)
        if isinstance(first, Conv2d) or not n:
            return unknown
        with suppress(ValueError, TypeError, ArithmeticError), evaluating(model), no_grad():
            return _all(steps, [0.0] * n)
        return unknown
    sample = _sample(x)
    with evaluating(model):
        if gradients:
            return _all(steps, _mapped(sample, Value))
        with no_grad():
            made = _all(steps, sample)
            if repr(_plain(made[-1])) != repr(_plain(model(sample))):  # nan is nan
                raise ValueError(
                    f"{type(model).__name__} answers something else than its layers one after another, so what they "
                    f"make of a sample cannot be shown: {CAN}"
                )
    return made


def _all(steps: Sequence[tuple[str, Any]], x: Any) -> list[Any]:
    made = [x]
    for _, part in steps:
        x = part(x)
        made.append(x)
    return made


def _sample(x: Any) -> Any:
    """A sample as nested lists of floats."""
    x = x.tolist() if hasattr(x, "tolist") else x
    try:
        return _mapped(x, lambda v: real(plain_number(v), "each number of x"))
    except TypeError:
        raise TypeError(f"x must be one sample, a list of numbers or an image of them, not {brief(x)}") from None


def _mapped(x: Any, f: Any, depth: int = 0) -> Any:
    if depth > MAX_DEPTH:  # the cap is what allows recursion here
        raise too_deep("x")
    return [_mapped(v, f, depth + 1) for v in x] if is_sequence(x) else f(x)


def _plain(x: Any) -> Any:
    return _mapped(x, plain_number)


def _numbers(made: list[Any], gradients: bool) -> list[Any]:
    """What is shown of each step's result: the numbers, or the gradients of the outputs' sum in them."""
    if not gradients:
        return list(map(_plain, made))
    known = {v for output in made for v in flattened(output, lambda: "the model") if isinstance(v, Value)}
    values = list(known)
    slopes = dict(zip(values, _slopes(made[-1], values), strict=True))
    return [_mapped(output, lambda v: slopes.get(v, 0.0)) for output in made]


def _slopes(outputs: Any, values: list[Value]) -> list[float]:
    roots = [v for v in flattened(outputs, lambda: "the model") if isinstance(v, Value)]
    return [plain_number(g) for g in grad(roots, values)] if roots else [0.0] * len(values)


def _shape(x: Any) -> list[int]:
    shape: list[int] = []
    while is_sequence(x):
        shape.append(len(x))
        x = x[0] if len(x) else None
    return shape or ([1] if x is not None else [])


def _called(part: Any) -> str:
    if isinstance(part, Elementwise):
        return part.activation
    if isinstance(part, (Conv2d, MaxPool2d, AvgPool2d)):
        own = [one.activation for one in part.filters[:1]] if isinstance(part, Conv2d) else []
        names = "".join(f", {name}" for name in own if name != "linear")
        return f"{type(part).__name__} {part.kernel[0]}×{part.kernel[1]}{names}"
    if isinstance(part, Layer):
        used = {neuron.activation for neuron in part.neurons} - {"linear"}
        return clean_label(", ".join([f"Layer {part.nin} → {len(part.neurons)}", *sorted(used)]), 40)
    if isinstance(part, Linear):
        return f"Linear {len(part.W[0])} → {len(part.W)}"
    name = type(part).__name__ if isinstance(part, Module) else getattr(part, "__name__", type(part).__name__)
    return clean_label(str(name), 24)
