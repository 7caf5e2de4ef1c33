"""Parity of networks with PyTorch and JAX.

Losses and their gradients, the optimizers over 100 steps of a linear regression, learning rates, gradient clipping,
batch normalisation, the layers of images and the initialisers, each beside its counterpart with the same settings, in float64. The bar is 1e-12
of the other's number, or of the largest score where a loss is the difference of scores. JAX has no optimizers of its own.
"""

import inspect
import itertools
import random

import pytest
from parity_helpers import TOLERANCE, Jax, Torch
from sizes import size

from scalargrad import Value, nn
from scalargrad import dot as sum_of
from scalargrad.nn.descent.optimizers import OPTIMIZERS
from scalargrad.nn.scores.losses import LOSSES

BATCHES = size(5, 200)
STEPS = 100


class Worst:
    """The worst relative difference of many numbers, each of which must be within the tolerance."""

    def __init__(self):
        self.count, self.found = 0, 0.0

    def compare(self, ours, theirs, least=0.0):
        """Compare lists of numbers, relative to theirs, or to `least` if that is larger."""
        for x, y in zip(ours, theirs, strict=True):
            self.count += 1
            if x != y:
                apart = abs(x - y) / max(abs(y), least)
                assert apart <= TOLERANCE, (x, y)
                self.found = max(self.found, apart)

    def __str__(self):
        return f"{self.count} numbers, none farther apart than {self.found:.1e}"


@pytest.fixture(scope="module")
def pytorch():
    with Torch(torch_losses) as peer:
        yield peer


@pytest.fixture(scope="module", params=["torch", "jax"])
def peer(request):
    return request.getfixturevalue("pytorch") if request.param == "torch" else Jax(jax_losses)


# -------------------------------------------------------------------- losses


TARGETS = {
    "mse": lambda rng, k: [rng.uniform(-4, 4) for _ in range(k)],
    "sse": lambda rng, k: [rng.uniform(-4, 4) for _ in range(k)],
    "hinge": lambda rng, k: rng.choice((-1.0, 1.0)),
    "bce_with_logits": lambda rng, k: rng.choice((0.0, 1.0, rng.random())),
    "multiclass_hinge": lambda rng, k: rng.randrange(k),
    "cross_entropy": lambda rng, k: rng.randrange(k),
}
"""A random target of a sample with k scores."""
ONE_SCORE = ("hinge", "bce_with_logits")


def torch_losses(torch):
    F = torch.nn.functional
    reduce = {"mean": torch.mean, "sum": torch.sum, "none": lambda losses: losses}
    return {
        "mse": lambda s, t, how: F.mse_loss(s, t, reduction=how),
        "sse": lambda s, t, how: F.mse_loss(s, t, reduction="sum"),
        "hinge": lambda s, t, how: reduce[how](F.relu(1 - t * s)),
        "bce_with_logits": lambda s, t, how: F.binary_cross_entropy_with_logits(s, t, reduction=how),
        # PyTorch's is divided by the number of classes.
        "multiclass_hinge": lambda s, t, how: s.shape[1] * F.multi_margin_loss(s, t, reduction=how),
        "cross_entropy": lambda s, t, how: F.cross_entropy(s, t, reduction=how),
    }


def jax_losses(jax):
    jnp, act = jax.numpy, jax.nn
    reduce = {"mean": jnp.mean, "sum": jnp.sum, "none": lambda losses: losses}

    def multiclass_hinge(s, t):
        right = jnp.take_along_axis(s, t[:, None], axis=1)
        return (act.relu(s - right + 1) * (1 - act.one_hot(t, s.shape[1]))).sum(1)

    return {
        "mse": lambda s, t, how: reduce[how]((s - t) ** 2),
        "sse": lambda s, t, how: jnp.sum((s - t) ** 2),
        "hinge": lambda s, t, how: reduce[how](act.relu(1 - t * s)),
        "bce_with_logits": lambda s, t, how: reduce[how](-t * act.log_sigmoid(s) - (1 - t) * act.log_sigmoid(-s)),
        "multiclass_hinge": lambda s, t, how: reduce[how](multiclass_hinge(s, t)),
        "cross_entropy": lambda s, t, how: reduce[how](
            -jnp.take_along_axis(act.log_softmax(s), t[:, None], axis=1)[:, 0]
        ),
    }


def flat(rows):
    return [x for row in rows for x in (flat(row) if isinstance(row, list) else [row])]


def test_losses_and_their_gradients(peer, figure):
    assert set(peer.functions) == set(TARGETS) == set(LOSSES)
    rng, worst = random.Random(0), Worst()
    for name, target in TARGETS.items():
        for i, how in itertools.product(range(BATCHES), ("mean", "sum", "none")):
            n, k = (3, 4) if peer.extra == "jax" else (1 + i % 6, 2 + i % 4)  # JAX compiles anew for each shape
            scores = [[rng.uniform(-8, 8) for _ in range(k)] for _ in range(n)]
            scores = [row[0] for row in scores] if name in ONE_SCORE else scores
            targets = [target(rng, k) for _ in range(n)]
            leaves = [[Value(x) for x in row] if isinstance(row, list) else Value(row) for row in scores]
            found = LOSSES[name](leaves, targets, **({} if name == "sse" else {"reduction": how}))
            losses = found if isinstance(found, list) else [found]
            for loss in losses:
                loss.backward()
            theirs, slopes = peer.loss(peer.functions[name], scores, targets, how)
            worst.compare([loss.data for loss in losses], flat(theirs), least=8.0)
            worst.compare([x.grad for x in flat(leaves)], flat(slopes), least=1 / n)
    figure(f"{peer.name}: {len(LOSSES)} losses and their gradients", str(worst))


# -------------------------------------------------------------------- optimizers

SETTINGS = {
    "SGD": [
        {}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}, {"weight_decay": 0.1},
        {"momentum": 0.5, "nesterov": True, "weight_decay": 0.01},
    ],
    "Adagrad": [{}, {"weight_decay": 0.1, "eps": 1e-6}],
    "RMSprop": [{}, {"alpha": 0.5, "eps": 1e-6}, {"momentum": 0.9, "weight_decay": 0.1}],
    "Adam": [{}, {"betas": (0.5, 0.75), "eps": 1e-6}, {"weight_decay": 0.1}],
    "AdamW": [{}, {"weight_decay": 0.3, "betas": (0.5, 0.9)}],
}  # fmt: skip


def problem():
    """A linear neuron, inputs and targets, its best parameters far from where it starts.

    It is chosen so that rounding stays what it is: in a network of two layers, steps divided by averages of small
    gradients make of one unit in the last place up to 1e-6 within 100 steps, in PyTorch alone as well.
    """
    rng = random.Random(0)
    rows = [[rng.uniform(-2.0, 2.0) for _ in range(3)] for _ in range(8)]
    return nn.MLP(3, [1], init=nn.uniform(0.5, 1.0), seed=0), rows, [5 + 3 * x + 4 * y + 6 * z for x, y, z in rows]


def test_every_optimizer_is_among_the_settings():
    assert set(SETTINGS) == {kind.__name__ for kind in OPTIMIZERS.values()}


@pytest.mark.parametrize("kind", SETTINGS)
def test_optimizers(pytorch, kind, figure):
    """The loss and each parameter after every step."""
    worst = Worst()
    for settings in SETTINGS[kind]:
        model, rows, targets = problem()
        parameters = pytorch.numbers([p.data for p in model.parameters()], requires_grad=True)
        inputs, outputs = pytorch.numbers([[*row, 1.0] for row in rows]), pytorch.numbers(targets)
        ours = getattr(nn, kind)(model, lr=0.02, **settings)
        theirs = getattr(pytorch.module.optim, kind)([parameters], lr=0.02, **settings)
        for _ in range(STEPS):
            loss = nn.mse([model(row) for row in rows], targets)
            ours.zero_grad()
            loss.backward()
            ours.step()
            expected = pytorch.functions["mse"](inputs @ parameters, outputs, "mean")
            theirs.zero_grad()
            expected.backward()
            theirs.step()
            worst.compare([loss.data, *(p.data for p in model.parameters())], [expected.item(), *parameters.tolist()])
    figure(f"{pytorch.name}: {kind}, {STEPS} steps with {len(SETTINGS[kind])} settings", str(worst))


def test_the_defaults_are_pytorchs(pytorch):
    """All but SGD's learning rate."""
    for kind in OPTIMIZERS.values():
        theirs = inspect.signature(getattr(pytorch.module.optim, kind.__name__)).parameters
        for name, ours in list(inspect.signature(kind).parameters.items())[1:]:
            if (kind, name) != (nn.SGD, "lr"):
                assert ours.default == theirs[name].default, (kind, name)


SCHEDULES = {
    "linear_lr": (nn.linear_lr(0.5, 0.05, 40), "LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 40}),
    "step_lr": (nn.step_lr(0.5, every=10, factor=0.5), "StepLR", {"step_size": 10, "gamma": 0.5}),
    "exponential_lr": (nn.exponential_lr(0.5, 0.97), "ExponentialLR", {"gamma": 0.97}),
    "cosine_lr": (nn.cosine_lr(0.5, STEPS, end=0.01), "CosineAnnealingLR", {"T_max": STEPS, "eta_min": 0.01}),
    "inverse_time_lr": (nn.inverse_time_lr(0.5, 0.1), "LambdaLR", {"lr_lambda": lambda k: 1 / (1 + 0.1 * k)}),
    "constant_lr": (nn.constant_lr(0.5), "LambdaLR", {"lr_lambda": lambda k: 1.0}),
}


def test_learning_rates(pytorch, figure):
    torch, worst = pytorch.module, Worst()
    for ours, kind, settings in SCHEDULES.values():
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.5)
        theirs = getattr(torch.optim.lr_scheduler, kind)(optimizer, **settings)
        for k in range(STEPS + 1):
            worst.compare([ours(k)], theirs.get_last_lr())
            optimizer.step()
            theirs.step()
    figure(f"{pytorch.name}: learning rates of {', '.join(SCHEDULES)}", str(worst))


def test_clipping(pytorch, figure):
    clip, rng, worst = pytorch.module.nn.utils, random.Random(0), Worst()
    for limit in [1e-3, 0.5, 2.0, 100.0] * BATCHES:
        grads = [rng.uniform(-3, 3) for _ in range(7)]
        for function in ("clip_grad_norm", "clip_grad_value"):
            ours, theirs = [Value(0.0) for _ in grads], pytorch.numbers([0.0] * len(grads), requires_grad=True)
            theirs.grad = pytorch.numbers(grads)
            for p, grad in zip(ours, grads, strict=True):
                p.grad = grad
            norms = getattr(nn, function)(ours, limit), getattr(clip, f"{function}_")([theirs], limit)
            worst.compare([p.grad for p in ours], theirs.grad.tolist())
            if function == "clip_grad_norm":
                worst.compare([norms[0]], [norms[1].item()])
    figure(f"{pytorch.name}: clip_grad_norm and clip_grad_value", str(worst))


# -------------------------------------------------------------------- batch normalisation


def test_batch_normalisation(pytorch, figure):
    """In training the outputs, gradients and running statistics; in evaluation the outputs.

    Outputs and gradients are about 1 in size, and differences: relative here is to 1 at least.
    """
    rng, worst = random.Random(0), Worst()

    def draw(n, k):
        return [[rng.uniform(-3, 3) for _ in range(k)] for _ in range(n)]

    for i in range(BATCHES):
        settings = {"eps": rng.choice((1e-5, 1e-2)), "momentum": rng.choice((0.1, 0.3))}
        ours, theirs = nn.BatchNorm(3, **settings), pytorch.module.nn.BatchNorm1d(3, **settings).double()
        learned = [rng.uniform(0.5, 2.0) for _ in ours.parameters()]
        for p, x in zip(ours.parameters(), learned, strict=True):
            p.data = x
        with pytorch.module.no_grad():
            theirs.weight.copy_(pytorch.numbers(learned[:3]))
            theirs.bias.copy_(pytorch.numbers(learned[3:]))
        for _ in range(2):
            rows, targets = draw(2 + i % 7, 3), draw(2 + i % 7, 3)
            leaves, inputs = [[Value(x) for x in row] for row in rows], pytorch.numbers(rows, requires_grad=True)
            outputs, expected = ours(leaves), theirs(inputs)
            ours.zero_grad(), theirs.zero_grad()
            nn.mse(outputs, targets).backward()
            pytorch.module.nn.functional.mse_loss(expected, pytorch.numbers(targets)).backward()
            worst.compare([y.data for y in flat(outputs)], flat(expected.tolist()), least=1.0)
            worst.compare([x.grad for x in flat(leaves)], flat(inputs.grad.tolist()), least=1.0)
            slopes = [*theirs.weight.grad.tolist(), *theirs.bias.grad.tolist()]
            worst.compare([p.grad for p in ours.parameters()], slopes, least=1.0)
        statistics = [*theirs.running_mean.tolist(), *theirs.running_var.tolist()]
        worst.compare([x.data for x in (*ours.running_mean, *ours.running_var)], statistics)
        ours.eval(), theirs.eval()
        worst.compare([y.data for y in flat(ours(rows))], flat(theirs(pytorch.numbers(rows)).tolist()), least=1.0)
    figure(f"{pytorch.name}: BatchNorm in training and in evaluation", str(worst))


# -------------------------------------------------------------------- layers of images


def nested(x):
    return [nested(part) if isinstance(part, list) else x_of(part) for part in x]


def x_of(value):
    return value.data if isinstance(value, Value) else value


def image_layers(torch, rng):
    """Pairs of a layer here and the same in PyTorch, for images of three channels, 5 rows and 6 columns."""
    kernel = rng.randint(1, 3), rng.randint(1, 3)
    window = {"stride": (rng.randint(1, 3), rng.randint(1, 2)), "padding": tuple(k // 2 for k in kernel)}
    conv = nn.Conv2d(3, 2, kernel, **window)
    theirs = torch.nn.Conv2d(3, 2, kernel, **window).double()
    norm = {"alpha": rng.choice((1e-4, 0.5, 2.0)), "beta": rng.choice((0.5, 0.75)), "k": rng.choice((1.0, 2.0))}
    size = rng.randint(1, 6)
    with torch.no_grad():
        for bias in conv.bias:
            bias.data = rng.uniform(-1, 1)
        theirs.weight.copy_(torch.tensor(nested(conv.weight), dtype=torch.float64))
        theirs.bias.copy_(torch.tensor(nested(conv.bias), dtype=torch.float64))
    return [
        (conv, theirs),
        (nn.MaxPool2d(kernel, **window), torch.nn.MaxPool2d(kernel, **window)),
        (nn.AvgPool2d(kernel, **window), torch.nn.AvgPool2d(kernel, **window)),
        (nn.LocalResponseNorm(size, **norm), torch.nn.LocalResponseNorm(size, **norm)),
        (nn.Flatten(), torch.nn.Flatten()),
        (nn.Sequential(nn.Flatten(), nn.Unflatten(3, 5, 6)), torch.nn.Unflatten(1, (3, 5, 6))),
    ]


def test_layers_of_images(pytorch, figure):
    """Outputs, and the gradients of a random weighted sum of them in the image, the weights and the biases."""
    torch, rng, worst = pytorch.module, random.Random(0), Worst()
    for _ in range(BATCHES):
        for ours, theirs in image_layers(torch, rng):
            image = [[[rng.uniform(-2, 2) for _ in range(6)] for _ in range(5)] for _ in range(3)]
            leaves = [[[Value(x) for x in row] for row in channel] for channel in image]
            one = torch.tensor([image], dtype=torch.float64)
            inputs = one.flatten(1) if isinstance(theirs, torch.nn.Unflatten) else one
            inputs.requires_grad_(True)
            outputs, expected = flat(ours(leaves)), theirs(inputs)[0].flatten()
            worst.compare([y.data for y in outputs], expected.tolist(), least=1.0)
            weights = [rng.uniform(-1, 1) for _ in outputs]
            sum_of(weights, outputs).backward()
            (torch.tensor(weights, dtype=torch.float64) * expected).sum().backward()
            worst.compare([x.grad for x in flat(leaves)], inputs.grad.flatten().tolist(), least=1.0)
            slopes = [g for p in theirs.parameters() for g in p.grad.flatten().tolist()]
            mine = [] if ours.parameters() == [] else [*flat(ours.weight), *ours.bias]
            worst.compare([p.grad for p in mine], slopes, least=1.0)
    figure(f"{pytorch.name}: layers of images", str(worst))


# -------------------------------------------------------------------- initialisers


class Asked:
    """In place of a random generator: what it was asked for."""

    def uniform(self, low, high):
        return low, high

    def gauss(self, mean, std):
        return mean, std


def test_initialisers_draw_from_the_same_distributions(pytorch, figure):
    torch, worst = pytorch.module, Worst()

    class Recorder(torch.Tensor):
        def uniform_(self, low=0.0, high=1.0, generator=None):
            self.asked = low, high
            return self

        def normal_(self, mean=0.0, std=1.0, generator=None):
            self.asked = mean, std
            return self

    init = torch.nn.init
    pairs = [
        (nn.uniform(), init.uniform_, {"a": -1.0, "b": 1.0}), (nn.normal(0.5, 2.0), init.normal_, {"mean": 0.5, "std": 2.0}),
        (nn.xavier_uniform(), init.xavier_uniform_, {}), (nn.xavier_normal(), init.xavier_normal_, {}),
        (nn.xavier_uniform(5 / 3), init.xavier_uniform_, {"gain": init.calculate_gain("tanh")}),
        (nn.he_uniform(), init.kaiming_uniform_, {"nonlinearity": "relu"}),
        (nn.he_normal(), init.kaiming_normal_, {"nonlinearity": "relu"}),
        (nn.he_uniform(1.0), init.kaiming_uniform_, {"nonlinearity": "linear"}),
    ]  # fmt: skip
    for ours, theirs, settings in pairs:
        for nin in (1, 2, 3, 16):
            for nout in (1, 5, 16):
                tensor = torch.empty(nout, nin).as_subclass(Recorder)
                theirs(tensor, **settings)
                worst.compare(ours(Asked(), nin, nout), tensor.asked)
    figure(f"{pytorch.name}: bounds and deviations of the initialisers", str(worst))
