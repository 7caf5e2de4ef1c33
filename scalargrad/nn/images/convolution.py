"""Conv2d: neurons that look at a small window, with the same weights wherever the window lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.nn.arguments.inputs import count, not_in_a_list
from scalargrad.nn.arguments.randomness import RandomSource, random_source
from scalargrad.nn.images.image import PADDING, PAIR, Image, Sliding, Window, constant_image, image_of, pixels, short
from scalargrad.nn.layers.initialisers import Initialiser, resolve_initialiser
from scalargrad.nn.layers.neurons import Neuron
from scalargrad.nn.modules.known_module import FLAG, NAME, SIZE, KnownModule, Settings, alike
from scalargrad.ops import dot
from scalargrad.support.arguments import MOST
from scalargrad.support.spelling import explained

if TYPE_CHECKING:
    from typing_extensions import Never

    from scalargrad.engine import Value
    from scalargrad.nn.layers.activations import Activation

_EXAMPLE = "Conv2d(1, 8, 3)"


class Conv2d(KnownModule):
    """A convolution: one neuron for each channel of the result, that slides over the image with the same weights.

    A pixel of the result is activation(w · window + b): one `dot` of the filter's nin · rows · columns weights and the
    pixels below them. Every pixel of a channel shares the weights, so a weight's gradient is a sum over all places.
    What the lectures and PyTorch call a convolution is a correlation: the kernel is not turned round.

    Shapes: an image [channel][row][column] of (nin, rows, columns) → (nout, rows', columns') with
    rows' = ⌊(rows + 2·padding − kernel) / stride⌋ + 1, and columns' likewise. Outside the image, in the padding, are
    zeros; their products are left out.

    Args:
        nin: how many channels the image has.
        nout: how many filters, and so channels of the result.
        kernel: rows and columns of a window; one number for a square.
        stride: how far the window moves, down and to the right; one number for both.
        padding: how many rows and columns of zeros there are on each side; smaller than the kernel.
        activation: as in Neuron; none if left out.
        init: the initialiser of the weights, or its name; a neuron has nin · rows · columns inputs.
        bias: False leaves the biases out.
        seed: seeds one generator, from which all filters draw in turn.
        rng: or a `random.Random` to draw from.

    Attributes:
        filters: a list of nout Neurons, whose weights go channel by channel, each row by row.

    Raises:
        TypeError: if a size is no whole number and no pair of them.
        ValueError: if a size is out of range or a name unknown.

    Source: LeCun, Boser, Denker, Henderson, Howard, Hubbard and Jackel, Backpropagation applied to handwritten zip code
    recognition, 1989; PyTorch's `torch.nn.Conv2d` computes the same.

    >>> layer = Conv2d(1, 1, 2, init="zeros")
    >>> for weight, number in zip(layer.filters[0].w, [1.0, 0.0, -1.0, 2.0]):
    ...     weight.data = number
    >>> [[y.data for y in row] for row in layer([[[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [4.0, 0.0, 1.0]]])[0]]
    [[3.0, 7.0], [-4.0, 3.0]]
    >>> Conv2d(3, 8, 3, padding=1, seed=0)
    Conv2d(3, 8, kernel=3, padding=1)
    """

    _fields: ClassVar = {
        "nin": SIZE, "nout": SIZE, "kernel": PAIR, "stride": PAIR, "padding": PADDING, "activation": NAME, "bias": FLAG,
    }  # fmt: skip
    _blank: ClassVar = {"init": "zeros"}

    @explained(_EXAMPLE)
    def __init__(
        self,
        nin: int,
        nout: int,
        kernel: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        *,
        activation: Activation = None,
        init: str | Initialiser = "he_uniform",
        bias: bool = True,
        seed: int | None = None,
        rng: RandomSource | None = None,
    ) -> None:
        self.nin, nout = count(nin, "nin", _EXAMPLE, MOST), count(nout, "nout", _EXAMPLE, MOST)
        self._sliding = sliding = Sliding(kernel, stride, padding, _EXAMPLE)
        self.kernel, self.stride, self.padding = sliding.kernel, sliding.stride, sliding.padding
        cells = self.kernel[0] * self.kernel[1]
        count(self.nin * nout * cells, "the number of weights, nin * nout * rows * columns,", _EXAMPLE, MOST)
        rng, init = random_source(seed, rng), resolve_initialiser(init)
        self.filters = [
            Neuron(self.nin * cells, activation=activation, init=init, bias=bias, nout=nout * cells, rng=rng)
            for _ in range(nout)
        ]
        self.place(("convolution",))

    def place(self, scope: tuple[str, ...]) -> None:
        """Place each filter as "filter 1" within the scope; its weights are w0, w1, ... and its bias b."""
        for i, one in enumerate(self.filters):
            one.place((*scope, f"filter {i}" if one.activation == "linear" else f"filter {i} ({one.activation})"))

    @property
    def weight(self) -> list[list[list[list[Value]]]]:
        """The weights as lists [filter][channel][row][column], the order of PyTorch's `weight`."""
        rows, columns = self.kernel
        return [
            [
                [one.w[(c * rows + i) * columns : (c * rows + i + 1) * columns] for i in range(rows)]
                for c in range(self.nin)
            ]
            for one in self.filters
        ]

    @property
    def bias(self) -> list[Value] | None:
        """The biases, one for each filter; None if there are none."""
        found = [one.b for one in self.filters if one.b is not None]
        return found or None

    def __call__(self, x: Any, *_more: Never) -> Image:
        """Return the image of nout channels.

        Args:
            x: an image, nin channels of rows of numbers or Values; or an array of that shape. Numbers become constants.

        Raises:
            ValueError: if x is no such image, has not nin channels, or is smaller than the kernel.
            TypeError: if an element is neither a Value nor a real number.
        """
        if _more:
            raise not_in_a_list(type(self).__name__, x, *_more)
        image = constant_image(image_of(x, self._head, self.nin))
        weights: dict[tuple[int, ...], list[tuple[Value, ...]]] = {}
        maps: Image = [[] for _ in self.filters]
        for line in self._sliding.places(image, self._head):
            outputs: list[list[Any]] = [[] for _ in self.filters]
            for rows, columns in line:
                seen = (rows.skipped, rows.end - rows.begin, columns.skipped, columns.end - columns.begin)
                if seen not in weights:
                    weights[seen] = [self._weights_below(one, rows, columns) for one in self.filters]
                window = [v for channel in image for v in pixels(channel, rows, columns)]
                weighted_sum = dot.op.bind(window)  # type: ignore[attr-defined]
                for one, w, output in zip(self.filters, weights[seen], outputs, strict=True):
                    output.append(one._finish(weighted_sum(w, one.b is not None)))
            for rows_of, output in zip(maps, outputs, strict=True):
                rows_of.append(output)
        return maps

    def _weights_below(self, one: Neuron, rows: Window, columns: Window) -> tuple[Value, ...]:
        """The filter's weights that lie over the image and not over its padding, then its bias if it has one."""
        high, wide = self.kernel
        every = one._weights_and_bias(self.nin * high * wide)
        if rows.end - rows.begin == high and columns.end - columns.begin == wide:
            return every
        kept = [
            every[(c * high + i) * wide + j]
            for c in range(self.nin)
            for i in range(rows.skipped, rows.skipped + rows.end - rows.begin)
            for j in range(columns.skipped, columns.skipped + columns.end - columns.begin)
        ]
        return (*kept, *every[self.nin * high * wide :])

    def _settings(self) -> Settings:
        filters = alike(Neuron, self.filters)
        return {
            "nin": self.nin, "nout": len(self.filters), "kernel": list(self.kernel), "stride": list(self.stride),
            "padding": list(self.padding), "activation": filters["activation"], "bias": filters["bias"],
        }  # fmt: skip

    @classmethod
    def _size(cls, settings: Settings) -> int:
        rows, columns = settings["kernel"]
        return int(settings["nout"] * (settings["nin"] * rows * columns + settings["bias"]))

    def _head(self) -> str:
        text = f"Conv2d({self.nin}, {len(self.filters)}, kernel={short(self.kernel)}"
        text += f", stride={short(self.stride)}" * (self.stride != (1, 1))
        text += f", padding={short(self.padding)}" * any(self.padding)
        activations = "/".join(dict.fromkeys(one.activation for one in self.filters))
        return text + f", activation={activations!r}" * (activations != "linear") + ")"

    def __repr__(self) -> str:
        return self._head()
