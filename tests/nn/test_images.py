"""Layers of images compute their formulas, in eager and compiled code, and are saved, drawn, trained as other layers.

The oracle of a formula is a plain loop over all places, in exact fractions where it has no root; the parity with
PyTorch, values and gradients, is in tests/reliability/test_parity_nn.py.
"""

import itertools
import re
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from optional import numpy

import scalargrad as sg
from scalargrad import Value, nn

halves = st.integers(-6, 6).map(lambda n: n / 2)


def images(channels=2, most=5):
    """Images of numbers that floats multiply and add exactly, so that the oracle compares to the last bit."""
    sizes = st.tuples(st.integers(1, channels), st.integers(1, most), st.integers(1, most))
    return sizes.flatmap(
        lambda size: st.lists(
            st.lists(st.lists(halves, min_size=size[2], max_size=size[2]), min_size=size[1], max_size=size[1]),
            min_size=size[0],
            max_size=size[0],
        )
    )


def data(image):
    return [[[getattr(x, "data", x) for x in row] for row in channel] for channel in image]


def flat(image):
    return [x for channel in image for row in channel for x in row]


def shape(image):
    return len(image), len(image[0]), len(image[0][0])


def padded(channel, padding, outside):
    """The channel with its padding written out."""
    (high, wide), columns = padding, len(channel[0])
    empty = [[outside] * (columns + 2 * wide)]
    return [*(empty * high), *([outside] * wide + row + [outside] * wide for row in channel), *(empty * high)]


def slid(channel, kernel, stride, padding, outside):
    """Every window of a channel, all its places in rows."""
    full, (high, wide) = padded(channel, padding, outside), kernel
    return [
        [
            [x for row in full[i : i + high] for x in row[j : j + wide]]
            for j in range(0, len(full[0]) - wide + 1, stride[1])
        ]
        for i in range(0, len(full) - high + 1, stride[0])
    ]


settings_of_a_window = st.fixed_dictionaries(
    {
        "kernel": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "stride": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "padding": st.tuples(st.integers(0, 2), st.integers(0, 2)),
    }
)


def fits(image, window, *, half=False):
    _, rows, columns = shape(image)
    return all(
        (p <= k // 2 if half else p < k) and n + 2 * p >= k
        for n, k, p in zip((rows, columns), window["kernel"], window["padding"], strict=True)
    )


# -------------------------------------------------------------------- formulas


@given(images(), settings_of_a_window, st.integers(1, 2), st.randoms(use_true_random=False))
def test_a_convolution_is_the_same_dot_product_at_every_place(image, window, nout, rng):
    assume(fits(image, window))
    layer = nn.Conv2d(len(image), nout, **window)
    for parameter in layer.parameters():
        parameter.data = rng.randint(-4, 4) / 2
    expected = []
    for one in layer.filters:
        size = len(one.w) // len(image)
        kernels = [[w.data for w in one.w[c * size : (c + 1) * size]] for c in range(len(image))]
        places = [slid(channel, **window, outside=0.0) for channel in image]
        expected.append(
            [
                [
                    one.b.data + sum(w * x for kernel, below in zip(kernels, seen, strict=True)
                                     for w, x in zip(kernel, below, strict=True))
                    for seen in zip(*line, strict=True)
                ]
                for line in zip(*places, strict=True)
            ]
        )  # fmt: skip
    assert data(layer(image)) == expected
    assert data(layer(numpy.array(image))) == expected


@given(images(), settings_of_a_window)
def test_the_gradient_of_a_shared_weight_is_the_sum_over_the_places(image, window):
    assume(fits(image, window))
    layer = nn.Conv2d(len(image), 1, **window, init="zeros")
    result = layer(image)
    sg.sum(flat(result)).backward()
    expected = [
        sum(seen[i] for line in slid(channel, **window, outside=0.0) for seen in line)
        for channel in image
        for i in range(window["kernel"][0] * window["kernel"][1])
    ]
    assert [w.grad for w in layer.filters[0].w] == expected
    assert layer.bias[0].grad == len(flat(result))


@given(images(), settings_of_a_window)
def test_pooling_takes_the_largest_or_the_mean_of_every_window(image, window):
    assume(fits(image, window, half=True))
    cells = window["kernel"][0] * window["kernel"][1]
    largest = [[[max(seen) for seen in line] for line in slid(c, **window, outside=-100.0)] for c in image]
    mean = [[[sum(seen) / cells for seen in line] for line in slid(c, **window, outside=0.0)] for c in image]
    values = [[[Value(x) for x in row] for row in channel] for channel in image]
    assert nn.MaxPool2d(**window)(image) == data(nn.MaxPool2d(**window)(values)) == largest
    assert nn.AvgPool2d(**window)(image) == data(nn.AvgPool2d(**window)(values)) == mean


def test_pooling_routes_the_gradient_and_a_tie_shares_it():
    image = [[[Value(1.0), Value(3.0)], [Value(3.0), Value(0.0)]]]
    nn.MaxPool2d(2)(image)[0][0][0].backward()
    assert [x.grad for x in flat(image)] == [0.0, 0.5, 0.5, 0.0]
    image = [[[Value(1.0), Value(3.0)], [Value(3.0), Value(0.0)]]]
    nn.AvgPool2d(2)(image)[0][0][0].backward()
    assert [x.grad for x in flat(image)] == [0.25] * 4


@given(images(channels=4, most=2), st.integers(1, 5), halves.map(abs), st.sampled_from([1.0, 2.0]))
def test_the_response_norm_divides_by_what_the_channels_beside_it_say(image, size, alpha, k):
    found = nn.LocalResponseNorm(size, alpha=alpha, beta=1.0, k=k)(image)
    for c, i, j in itertools.product(*map(range, shape(image))):
        near = [image[d][i][j] for d in range(c - size // 2, c + (size - 1) // 2 + 1) if 0 <= d < len(image)]
        expected = Fraction(image[c][i][j]) / (
            Fraction(k) + Fraction(alpha) / size * sum(Fraction(x) ** 2 for x in near)
        )
        assert found[c][i][j] == pytest.approx(float(expected), rel=1e-14)


@given(images(channels=3, most=2), st.sampled_from([0.5, 2.0, 3.0]), st.sampled_from([1.0, 1e150, 1e-170]))
def test_the_response_norm_of_numbers_is_that_of_values(image, beta, scale):
    layer = nn.LocalResponseNorm(2, alpha=1.0, beta=beta)
    image = [[[x * scale for x in row] for row in channel] for channel in image]
    assert repr(layer(image)) == repr(data(layer([[list(map(Value, row)) for row in channel] for channel in image])))


@given(images(channels=2, most=3), st.tuples(*[st.booleans()] * 3))
def test_an_image_may_be_made_of_iterators(image, which):
    wrap = [iter if one else list for one in which]
    layer = nn.Conv2d(len(image), 2, 1, seed=0)
    lazy = wrap[0]([wrap[1]([wrap[2](row) for row in channel]) for channel in image])
    assert data(layer(lazy)) == data(layer(image))


@given(images())
def test_flatten_and_unflatten_move_the_very_values(image):
    values = [[[Value(x) for x in row] for row in channel] for channel in image]
    row = nn.Flatten()(values)
    assert all(a is b for a, b in zip(row, flat(values), strict=True))
    back = nn.Unflatten(*shape(image))(row)
    assert shape(back) == shape(image)
    assert all(a is b for a, b in zip(flat(back), row, strict=True))


# -------------------------------------------------------------------- networks of them


def alexnet(**options):
    return nn.Sequential(
        nn.Unflatten(1, 4, 4),
        nn.Conv2d(1, 3, 3, padding=1, seed=1, **options),
        "relu",
        nn.LocalResponseNorm(3, alpha=0.5),
        nn.MaxPool2d(2),
        nn.AvgPool2d(2, stride=1),
        nn.Flatten(),
        nn.Layer(3, 2, activation=None, seed=2),
    )


ROWS = [[((7 * i + 3 * j) % 11) / 10 for j in range(16)] for i in range(6)]
TARGETS = [0, 1, 0, 1, 1, 0]


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_compiled_code_gives_what_eager_code_gives(backend):
    pytest.importorskip("llvmlite", reason="the backend llvm is an extra") if backend == "llvm" else None
    model = alexnet()
    compiled = sg.compile(
        lambda x, y: nn.cross_entropy([model(x)], [y]), parameters=model.parameters(), backend=backend
    )
    for row, target in zip(ROWS, TARGETS, strict=True):
        loss = nn.cross_entropy([model(row)], [target])
        model.zero_grad()
        loss.backward()
        expected = [p.grad for p in model.parameters()]
        found, gradients = compiled.value_and_grad([row], [target])
        assert found == pytest.approx(loss.data, rel=1e-12)
        assert gradients == pytest.approx(expected, rel=1e-11, abs=1e-14)


def test_compiled_training_makes_the_steps_of_eager_training():
    models = [alexnet(), alexnet()]
    for model, compiled in zip(models, (False, "python"), strict=True):
        nn.fit(model, ROWS, TARGETS, loss="cross_entropy", lr=0.1, epochs=5, progress=False, compiled=compiled)
    eager, compiled = [list(model.state_dict().values()) for model in models]
    assert compiled == pytest.approx(eager, rel=1e-10, abs=1e-13)


@pytest.mark.parametrize("made", [lambda images: images, numpy.array])
def test_a_sample_may_be_an_image_in_fit_and_predict(made):
    model, flat_model = nn.Sequential(*alexnet().layers[1:]), alexnet()
    X = made([[[row[i : i + 4] for i in range(0, 16, 4)]] for row in ROWS])
    how = {"loss": "cross_entropy", "lr": 0.1, "epochs": 3, "batch_size": 2, "seed": 1, "progress": False}
    for one, rows in ((model, X), (flat_model, ROWS)):
        nn.fit(one, rows, TARGETS, validation=(rows, TARGETS), **how)
        nn.fit(one, rows, TARGETS, compiled="python", **how)
    assert list(model.state_dict().values()) == pytest.approx(list(flat_model.state_dict().values()), rel=1e-12)
    for scores, expected in zip(nn.predict(model, X), nn.predict(flat_model, ROWS), strict=True):
        assert scores == pytest.approx(expected, rel=1e-12)
    assert nn.dead_relus(model, X) == nn.dead_relus(flat_model, ROWS)


def test_a_file_brings_the_network_back(tmp_path):
    model = nn.Sequential(
        alexnet(activation="tanh"), nn.Unflatten(2, 1, 1), nn.Conv2d(2, 1, (1, 1), (2, 1), 0, bias=False), nn.Flatten()
    )
    again = nn.load(model.save(tmp_path / "model.json"))
    assert repr(again) == repr(model)
    assert again.state_dict() == model.state_dict()
    assert nn.predict(again, ROWS) == nn.predict(model, ROWS)


@pytest.mark.parametrize(
    "damaged", [{"kernel": [0, 1]}, {"kernel": 3}, {"kernel": [1, 2, 3]}, {"padding": [-1, 0]}, {"stride": [True, 1]}]
)
def test_a_file_with_impossible_sizes_is_refused(damaged):
    from scalargrad.nn.files.architecture import describe, numbers_in

    settings = describe(nn.Conv2d(1, 2, 3))
    assert numbers_in(settings) == 20
    with pytest.raises(ValueError, match=next(iter(damaged))):
        numbers_in({**settings, **damaged})


def test_weights_are_those_of_the_filters_by_channel_row_and_column():
    layer = nn.Conv2d(2, 3, (2, 1), seed=0)
    assert [w for kernels in layer.weight for w in flat(kernels)] == [w for one in layer.filters for w in one.w]
    assert shape(layer.weight[0]) == (2, 2, 1)
    assert [name for name, _ in layer.named_parameters()][:5] == [
        "filters.0.w.0", "filters.0.w.1", "filters.0.w.2", "filters.0.w.3", "filters.0.b",
    ]  # fmt: skip
    assert nn.Conv2d(1, 1, 1, bias=False).bias is None


def test_a_picture_frames_every_filter_and_every_channel():
    model = nn.Sequential(nn.Conv2d(1, 2, 2, seed=0), nn.MaxPool2d(2), nn.Flatten(), nn.Layer(2, 1, seed=1))
    out = model([[[1.0, 2.0, 0.0], [0.5, 1.0, 3.0], [4.0, 0.0, 1.0]]])
    text = out.draw(engine="text", collapse="layer").text
    assert [name for name in ("layer 0", "layer 1", "layer 3") if name in text] == ["layer 0", "layer 1", "layer 3"]
    scopes = {str(getattr(v.label, "scope", ())) for v in sg.topological_order(out)}
    assert {"('layer 0', 'filter 1')", "('layer 1', 'channel 0')"} <= scopes


# -------------------------------------------------------------------- what is refused

WRONG = [
    (nn.Conv2d(2, 4, 3), [[[1.0] * 3] * 3], r"image of 2 channels.*not one of 1, a list of 1×3×3 numbers"),
    (nn.Conv2d(1, 4, 3), [1.0] * 64, r"list of 64 numbers.*Unflatten\(1"),
    (nn.Conv2d(1, 4, 3), [[1.0] * 8] * 8, r"list of 8×8 numbers.*\[rows\]"),
    (nn.MaxPool2d(2), [[[[1.0] * 8] * 8]], r"list of 1×1×8×8 numbers.*call the model once for each"),
    (
        nn.AvgPool2d(2),
        [[[1.0], [1.0, 2.0]]],
        r"AvgPool2d\(2\): row 1 of channel 0 has 2 numbers, but the first row has 1",
    ),
    (nn.LocalResponseNorm(3), [[[1.0]], [[1.0], [2.0]]], r"channel 1 has 2 rows, but channel 0 has 1"),
    (nn.MaxPool2d(3), [[[1.0] * 2] * 5], r"a kernel of 3×3 is larger than the image, 1×5×2"),
    (nn.Unflatten(1, 2, 2), [1.0] * 5, r"takes 1 · 2 · 2 = 4 numbers, but 5 were given"),
    (nn.Unflatten(1, 2, 2), [[1.0] * 2] * 2, r"takes a flat list"),
    (nn.Layer(8, 2), [[[1.0] * 2] * 2] * 2, r"Layer\(8, 2.*looks like an image.*nn\.Flatten\(\)"),
    (nn.MaxPool2d(1), [[]], r"takes an image"),
    (nn.MaxPool2d(1), [[[]]], r"has no pixel"),
]


@pytest.mark.parametrize(("layer", "given_", "message"), WRONG)
def test_what_does_not_fit_is_refused_with_the_sizes_given_and_wanted(layer, given_, message):
    with pytest.raises(ValueError, match=message) as caught:
        layer(given_)
    assert type(layer).__name__ in str(caught.value)


@pytest.mark.parametrize(
    "layer", [nn.Conv2d(1, 1, 1), nn.MaxPool2d(1), nn.AvgPool2d(1), nn.LocalResponseNorm(1), nn.Flatten()]
)
@pytest.mark.parametrize("wrong", ["a", None, 1j])
def test_what_is_no_number_is_named_with_its_place(layer, wrong):
    with pytest.raises(TypeError, match=re.escape(type(layer).__name__)):
        layer([[[1.0, wrong]]])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Conv2d(1, 1, 0), "kernel must be at least 1"),
        (lambda: nn.Conv2d(1, 1, (1, 2, 3)), "kernel must be a whole number, or two"),
        (lambda: nn.Conv2d(1, 1, 3, padding=3), "padding must be smaller than the kernel"),
        (lambda: nn.MaxPool2d(3, padding=2), "padding must be at most half"),
        (lambda: nn.MaxPool2d(2, stride=0), "stride must be at least 1"),
        (lambda: nn.Unflatten(), "needs a size"),
        (lambda: nn.Unflatten(1, 0), "at least 1"),
        (lambda: nn.LocalResponseNorm(0), "size must be at least 1"),
        (lambda: nn.LocalResponseNorm(3, k=-1.0), "k must be a finite number from 0 up"),
        (lambda: nn.LocalResponseNorm(3, beta=float("nan")), "beta must be a finite number"),
    ],
)
def test_impossible_sizes_are_refused_when_the_layer_is_made(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_pytorchs_call_of_unflatten_is_told_what_to_write():
    with pytest.raises(TypeError, match=r"Unflatten\(1, 8, 8\)"):
        nn.Unflatten(1, (1, 8, 8))
