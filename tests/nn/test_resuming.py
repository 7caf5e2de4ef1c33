"""Training resumed from a file is the training that was not interrupted, bit for bit; a damaged file changes nothing."""

from __future__ import annotations

import copy
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from saving_helpers import bits
from sizes import has_full_size, size

import scalargrad
from scalargrad import Value, nn

HOW = [False, "python", "llvm"]
KINDS = {
    "SGD": lambda ps: nn.SGD(ps, 0.05),
    "momentum": lambda ps: nn.SGD(ps, 0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adagrad": lambda ps: nn.Adagrad(ps, 0.05, eps=1e-9),
    "RMSprop": lambda ps: nn.RMSprop(ps, 0.01, alpha=0.95, momentum=0.5),
    "Adam": lambda ps: nn.Adam(ps, 0.01, betas=(0.8, 0.99), weight_decay=0.01),
    "AdamW": lambda ps: nn.AdamW(ps, 0.01),
}
OTHER = {
    **KINDS,
    "SGD": lambda ps: nn.SGD(ps, 7.0),
    "Adam": lambda ps: nn.Adam(ps, 7.0),
    "AdamW": lambda ps: nn.AdamW(ps, 7.0),
}
RNG = random.Random(0)
X = [[RNG.uniform(-1, 1), RNG.uniform(-1, 1)] for _ in range(7)]
Y = [a * b for a, b in X]


def needs(how):
    if how == "llvm":
        pytest.importorskip("llvmlite")


def network(seed=0):
    return nn.MLP(2, [3, 1], activation="tanh", seed=seed)


def fitted(model, optimizer, epochs, how, first=0):
    schedule = nn.cosine_lr(0.05, 20)
    nn.fit(model, X, Y, loss="mse", optimizer=optimizer, epochs=epochs, progress=False, compiled=how, batch_size=3,
           shuffle=False, schedule=lambda k: schedule(first + k))  # fmt: skip


def everything(model, optimizer):
    return bits(model), copy.deepcopy(optimizer.state_dict()), [p.requires_grad for p in model.parameters()]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("new", [True, False], ids=["the file builds it", "built by hand"])
def test_fit_goes_on_from_a_file_as_if_it_had_not_stopped(tmp_path, kind, how, new, figure):
    needs(how)
    model = network()
    optimizer = KINDS[kind](model)
    fitted(model, optimizer, 4, how)
    model.layers[0].neurons[1].w[0].requires_grad = False
    fitted(model, optimizer, 2, how, first=12)
    path = nn.save(tmp_path / "run.json", model, optimizer=optimizer)
    saved = everything(model, optimizer)
    fitted(model, optimizer, 5, how, first=optimizer.steps)

    again = nn.load(path) if new else network(seed=5)
    resumed = OTHER[kind](again)
    assert nn.load(path, again, optimizer=resumed) is again
    assert everything(again, resumed) == saved
    fitted(again, resumed, 5, how, first=resumed.steps)
    assert everything(again, resumed) == everything(model, optimizer)
    figure(
        f"fit with {kind}, saved, loaded, gone on with",
        "parameters and optimizer bit for bit those of a fit without a stop",
    )


@pytest.mark.parametrize("how", ["python", "llvm"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_compiled_training_is_saved_and_resumed_in_the_middle(tmp_path, kind, how):
    """Without write_back(): the optimizer knows where its numbers are, and the training that they were replaced."""
    needs(how)

    def begun(seed):
        model = network(seed)
        loss = scalargrad.compile(lambda x, y: (model(x) - y) ** 2, parameters=model.parameters(), backend=how)
        return model, KINDS[kind](model), loss

    model, optimizer, loss = begun(0)
    with loss.training(optimizer) as step:
        for _ in range(5):
            step(X, Y)
        path = model.save(tmp_path / "run.json", optimizer=optimizer)
        assert optimizer.state_dict()["counts"] == [5] * 13
        losses = [step(X, Y) for _ in range(5)]
    expected = everything(model, optimizer)
    again, resumed, loss = begun(1)
    with loss.training(resumed) as step:
        step(X, Y)
        again.load(path, optimizer=resumed)
        assert [step(X, Y) for _ in range(5)] == losses
    assert everything(again, resumed) == expected


@pytest.mark.parametrize("how", HOW)
def test_a_callback_of_fit_may_save_and_load(tmp_path, how):
    needs(how)

    def run(callback):
        model = network()
        optimizer = nn.Adam(model, 0.01)
        nn.fit(model, X, Y, loss="mse", optimizer=optimizer, epochs=6, progress=False, compiled=how,
               callback=lambda epoch, history: callback(epoch, model, optimizer))  # fmt: skip
        return everything(model, optimizer)

    path = tmp_path / "run.json"
    plain = run(lambda *_: None)
    assert run(lambda epoch, m, o: m.save(path, optimizer=o) and False) == plain
    model, optimizer = network(3), nn.Adam(network(3), 1.0)
    optimizer = nn.Adam(model, 1.0)
    model.load(path, optimizer=optimizer)
    assert everything(model, optimizer) == plain
    assert run(lambda epoch, m, o: m.load(path, optimizer=o) if epoch == 6 else None) == plain


def test_steps_by_hand_go_on_in_memory():
    model = network()
    optimizer = nn.AdamW(model, 0.01)
    fitted(model, optimizer, 3, False)
    twin, state = copy.deepcopy(model), json.loads(json.dumps(optimizer.state_dict()))
    assert state == optimizer.state_dict()
    other = nn.AdamW(twin, 0.5, betas=(0.1, 0.2))
    other.load_state_dict(state)
    assert (other.lr, other.betas) == (optimizer.lr, optimizer.betas)
    for m, o in ((model, optimizer), (twin, other)):
        fitted(m, o, 3, False, first=9)
    assert everything(twin, other) == everything(model, optimizer)


def test_order_of_parameters_is_by_name_in_a_file(tmp_path):
    model = network()
    optimizer = nn.Adam(model.parameters()[::-1], 0.01)
    fitted(model, optimizer, 2, False)
    path = model.save(tmp_path / "run.json", optimizer=optimizer)
    again = network(4)
    resumed = nn.Adam(again, 0.01)
    again.load(path, optimizer=resumed)
    assert resumed._states == optimizer._states[::-1]
    fitted(model, optimizer, 2, False)
    fitted(again, resumed, 2, False)
    assert bits(again) == bits(model)


# -------------------------------------------------------------------- frozen parameters


class Own(nn.Module):
    def __init__(self):
        self.scale, self.offset = Value(2.0), Value(1.0)
        self.layer = nn.Layer(2, 1, nonlin=False, seed=0)


@pytest.mark.parametrize("make", [network, Own, lambda: nn.Sequential(nn.Layer(2, 2, seed=0), nn.BatchNorm(2))])
@given(data=st.data())
def test_frozen_parameters_stay_frozen(tmp_path_factory, make, data):
    model = make()
    for p in model.parameters():
        p.requires_grad = data.draw(st.booleans())
    frozen = {name for name, v in nn.modules.module.state_values(model, "test").items() if not v.requires_grad}
    path = model.save(tmp_path_factory.getbasetemp() / "frozen.json")
    fresh = make()
    if make is not Own:
        fresh = nn.load(path)
    fresh.load(path)
    assert {name for name, v in nn.modules.module.state_values(fresh, "test").items() if not v.requires_grad} == frozen
    assert bits(fresh) == bits(model)


def test_what_you_froze_stays_frozen_and_old_files_freeze_nothing(tmp_path):
    path = network().save(tmp_path / "plain.json")
    assert json.loads(path.read_bytes())["version"] == 1
    model = network(1)
    model.parameters()[0].requires_grad = False
    model.load(path)
    assert [p.requires_grad for p in model.parameters()] == [False] + [True] * 12


# -------------------------------------------------------------------- what does not fit, and damage


def saved():
    model = network()
    optimizer = nn.Adam(model, 0.01)
    fitted(model, optimizer, 1, False)
    model.parameters()[3].requires_grad = False
    return model, optimizer


def document(tmp_path):
    model, optimizer = saved()
    return json.loads(model.save(tmp_path / "good.json", optimizer=optimizer).read_bytes())


def refused(path, content, text=""):
    """Whether a file with this content is refused, in words, and nothing changes; otherwise what it gives."""
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    model = network(2)
    optimizer = nn.Adam(model, 0.5)
    before = everything(model, optimizer)
    try:
        nn.load(path, model, optimizer=optimizer)
    except nn.ModelFileError as error:
        problem = error
    else:
        assert everything(model, optimizer) == everything(*saved())
        return False
    assert text in str(problem)
    assert everything(model, optimizer) == before
    return True


CHANGES = [
    (("kind",), "SGD", "the state is of SGD, but this optimizer is Adam"), (("kind",), 3, '"kind" must be a name'),
    (("steps",), -1, "steps must be from 0"), (("steps",), 1.5, "whole numbers"), (("steps",), True, "whole numbers"),
    (("steps",), 10**30, "whole numbers"), (("counts", 0), -1, "counts, 0 must be from 0"), (("counts",), [1], "a list of 13"),
    (("counts", 2), None, "whole numbers"), (("averages",), [], "averages has 0 entries"), (("averages",), 5, "a list of 13"),
    (("averages", 1, 4), -1e-9, "an average of squares"), (("averages", 0, 4), "1", "finite numbers"),
    (("averages", 0, 4), True, "finite numbers"), (("averages", 0), [0.0], "a list of 13"),
    (("names", 0), "layers", "different names"), (("names", 0), "layers.0.neurons.0.w.1", "different names"),
    (("names",), {}, "different names"), (("settings", "lr"), -1.0, "lr must be at least 0"),
    (("settings", "lr"), None, "'lr' must be a finite number"), (("settings", "betas"), [0.9], "betas must be two numbers"),
    (("settings", "betas"), [0.9, 1.0], "below 1"), (("settings", "betas"), 0.9, "betas"),
    (("settings", "eps"), 0.0, "eps keeps a division by zero away"), (("settings", "momentum"), 0.5, "unexpected 1 name: 'momentum'"),
    (("settings",), [], '"settings" an object'), (("more",), 1, "unexpected 1 name: 'more'"), ((), None, "it must be an object"),
    ((), [], "it must be an object"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "x", "text"), CHANGES, ids=lambda x: str(x)[:40])
def test_an_optimizer_that_cannot_be_is_refused(tmp_path, place, x, text):
    whole = document(tmp_path)
    del whole["sha256"]
    assert not refused(tmp_path / "bad.json", whole)
    inner = whole
    *way, last = ("optimizer", *place)
    for key in way:
        inner = inner[key]
    inner[last] = x
    assert refused(tmp_path / "bad.json", whole, text)


@pytest.mark.parametrize("frozen", [[], ["no"], "layers.0.neurons.0.b", [1], {}, None, ["layers.0.neurons.0.b"] * 2])
def test_names_of_frozen_parameters_are_checked(tmp_path, frozen):
    whole = document(tmp_path)
    del whole["sha256"]
    assert refused(tmp_path / "bad.json", {**whole, "frozen": frozen}, '"frozen" must be a list of names')
    assert refused(tmp_path / "bad.json", {**whole, "version": 1}, "unexpected 2 names")


@has_full_size
def test_truncated_and_flipped_files_change_nothing(tmp_path, figure):
    content = (document(tmp_path), (tmp_path / "good.json").read_bytes())[1]
    rng = random.Random(0)
    path = tmp_path / "bad.json"
    lengths = range(0, len(content) - 1, size(29, 7))
    for n in lengths:
        assert refused(path, content[:n])
    flipped = 0
    apart = size(13, 3)
    for i in range(0, len(content), apart):
        damaged = bytearray(content)
        damaged[i] ^= 1 << rng.randrange(8)
        flipped += refused(path, bytes(damaged))
    assert flipped > 0.9 * len(content) / apart
    figure(f"{len(lengths)} files with an optimizer, cut off", "refused, nothing changed")
    flips = len(range(0, len(content), apart))
    figure(
        f"{flips} files with an optimizer, one bit flipped",
        f"{flipped} refused, nothing changed; {flips - flipped} still valid and loaded as they were saved",
    )


@given(data=st.data())
def test_any_entry_may_be_anything(tmp_path_factory, data):
    """No checksum, one value somewhere in the optimizer replaced: it is refused in words, or taken as it stands."""
    folder = tmp_path_factory.getbasetemp()
    whole = document(folder)
    del whole["sha256"]
    inner, key = whole, "optimizer"
    while isinstance(inner[key], (dict, list)) and inner[key] and data.draw(st.integers(0, 3)):
        inner = inner[key]
        key = data.draw(st.sampled_from(list(inner) if isinstance(inner, dict) else range(len(inner))))
    inner[key] = data.draw(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just([]), st.just({}))
    )
    (folder / "any.json").write_text(json.dumps(whole))
    model = network(2)
    optimizer = nn.Adam(model, 0.5)
    before = everything(model, optimizer)
    try:
        nn.load(folder / "any.json", model, optimizer=optimizer)
    except nn.ModelFileError:
        assert everything(model, optimizer) == before
    else:
        fitted(model, optimizer, 1, False)


def test_wrong_arguments(tmp_path):
    model, optimizer = saved()
    path = tmp_path / "run.json"
    with pytest.raises(ValueError, match=r"parameter 0 of the optimizer, .*, is not in this MLP"):
        model.save(path, optimizer=nn.SGD(network(), 0.1))
    with pytest.raises(TypeError, match="optimizer must be an Optimizer, not str"):
        model.save(path, optimizer="adam")
    optimizer._states = [(float("inf"), 1.0), *optimizer._states[1:]]
    with pytest.raises(ValueError, match='cannot save the optimizer: "averages" must be finite'):
        model.save(path, optimizer=optimizer)
    assert not path.exists()
    model.save(path)
    with pytest.raises(nn.ModelFileError, match="it holds no optimizer"):
        model.load(path, optimizer=optimizer)
    with pytest.raises(ValueError, match="an optimizer trains the parameters of a model"):
        nn.load(path, optimizer=optimizer)
    for state, kind in (([], TypeError), ({}, ValueError), (nn.SGD(model).state_dict(), ValueError)):
        with pytest.raises(kind):
            optimizer.load_state_dict(state)
