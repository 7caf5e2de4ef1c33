"""A training that begins where another ended takes over all that happened between them, however it did."""

import gc
import random
import weakref

import pytest
from compiling_helpers import needs_llvm
from interrupting import stopped

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.compiling import sharing, training
from scalargrad.compiling.llvm import aimed, in_memory, slots, updating

pytestmark = needs_llvm

OPTIMIZERS = {
    "sgd": lambda p: nn.SGD(p, lr=0.05),
    "momentum": lambda p: nn.SGD(p, lr=0.05, momentum=0.9),
    "adam": lambda p: nn.Adam(p, lr=0.01),
    "adamw": lambda p: nn.AdamW(p, lr=0.01),
}
X = [[0.5, -1.0], [1.5, 2.0], [-0.3, 0.7]]
Y = [1.0, 0.0, -1.0]


class Session:
    """A network, its compiled loss and optimizers, and what a user does between two trainings."""

    def __init__(self, name, backend):
        self.name, self.factor = name, 1.0
        self.net = nn.MLP(2, [3, 1], activation="tanh", seed=3)
        self.parameters = self.net.parameters()
        self.loss = sg.compile(self.of_sample, parameters=self.parameters, backend=backend)
        self.other = sg.compile(lambda x: self.net(x) ** 2, parameters=self.parameters, backend=backend)
        self.optimizers = [OPTIMIZERS[name](self.parameters) for _ in range(2)]
        self.seen, self.saved, self.held = [], None, []

    def of_sample(self, x, y):
        return (self.net(x) - y) ** 2

    def act(self, what, rng):
        p = rng.choice(self.parameters)
        optimizer = self.optimizers[rng.randrange(2)]
        x = rng.uniform(-0.5, 0.5)
        if what == "train":
            self.train(self.loss, optimizer, rng.randrange(3), X, Y)
        elif what == "train another loss":
            self.train(self.other, optimizer, 2, X)
        elif what == "train both":
            with self.loss.training(optimizer) as one, self.other.training(self.optimizers[0]) as two:
                self.seen += [one(X, Y), two(X), one(X, Y)]
        elif what == "other sizes":
            self.train(self.loss, optimizer, 2, X * 3, Y * 3)
        elif what == "freeze":
            p.requires_grad = not p.requires_grad
            if not any(p.requires_grad for p in self.parameters):
                p.requires_grad = True
        elif what == "assign":
            p.data = x
        elif what == "assign a whole number":
            p.data = 1
        elif what == "gradient":
            p.grad = x
        elif what == "lr":
            optimizer.lr = abs(x) / 10
        elif what == "decay":
            optimizer.weight_decay = abs(x) / 10
        elif what == "eager step":
            optimizer.zero_grad()
            sg.mean([self.of_sample(x, y) for x, y in zip(X, Y, strict=True)]).backward()
            optimizer.step()
        elif what == "look":
            self.held = [(p.data, p.grad) for p in self.parameters], list(map(list, optimizer._states))
        elif what == "save":
            self.saved = optimizer.state_dict()
        elif what == "load" and self.saved is not None:
            optimizer.load_state_dict(self.saved)
        elif what == "value_and_grad":
            loss, grads = self.loss.value_and_grad(X, Y)
            self.seen += [loss, *grads]
        elif what == "fewer parameters":
            optimizer.parameters = list(self.parameters)
        elif what == "new optimizer":
            self.optimizers[0] = OPTIMIZERS[self.name](self.parameters)

    def train(self, loss, optimizer, steps, *batches):
        with loss.training(optimizer) as step:
            self.seen += [step(*batches) for _ in range(steps)]

    def numbers(self):
        found = [x for p in self.parameters for x in (p.data, p.grad)]
        for one in self.optimizers:
            found += [one.steps, *one._counts, *(x for state in one._states for x in state)]
        return [*found, *self.seen]


ACTIONS = [
    "train", "train", "train", "train another loss", "train both", "other sizes", "freeze", "assign",
    "assign a whole number", "gradient", "lr", "decay", "eager step", "look", "save", "load", "value_and_grad",
    "fewer parameters", "new optimizer",
]  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_between_trainings_counts(name, seed):
    sessions = [Session(name, backend) for backend in ("python", "llvm")]
    choose = random.Random(seed)
    for k in range(40):
        what = choose.choice(ACTIONS)
        for session in sessions:
            session.act(what, random.Random(1000 * seed + k))
        assert sessions[1].numbers() == pytest.approx(sessions[0].numbers(), rel=1e-9, abs=1e-12), (k, what)


def test_a_function_that_reads_something_else_now_is_recorded_again():
    w, factor = Value(1.0), 1.0
    loss = sg.compile(lambda x: (factor * w * x) ** 2, parameters=[w], backend="llvm")
    optimizer = nn.SGD([w], lr=0.0)
    for factor in (1.0, 1.0, 3.0, 1.0):
        with loss.training(optimizer) as step:
            assert step([2.0]) == 4.0 * factor**2


def test_programs_that_were_recorded_again_meanwhile_are_those_that_run():
    w, factor = Value(1.0), 1.0
    loss = sg.compile(lambda x: (factor * w * x) ** 2, parameters=[w], backend="llvm")
    optimizer = nn.SGD([w], lr=0.0)
    for factor in (1.0, 3.0, 5.0):
        assert loss.value_and_grad([2.0])[0] == 4.0 * factor**2
        with loss.training(optimizer) as step:
            assert step([2.0]) == 4.0 * factor**2


def test_programs_that_are_recorded_again_between_two_steps_are_those_that_run():
    w, factor = Value(1.0), 1.0
    loss = sg.compile(lambda x: (factor * w * x) ** 2, parameters=[w], backend="llvm")
    with loss.training(nn.SGD([w], lr=0.0)) as step:
        for factor in (1.0, 3.0, 5.0):
            assert loss.value_and_grad([2.0])[0] == 4.0 * factor**2
            assert step([2.0]) == 4.0 * factor**2


def test_parameters_that_were_exchanged_in_their_list_are_refused_as_at_first():
    w, v = Value(1.0), Value(2.0)
    loss = sg.compile(lambda x: (w * x) ** 2, parameters=[w], backend="llvm")
    optimizer = nn.SGD([w], lr=0.1)
    with loss.training(optimizer) as step:
        step([1.0])
    optimizer.parameters[0] = v
    with pytest.raises(ValueError, match="are the same"), loss.training(optimizer) as step:
        step([1.0])
    assert v.data == 2.0


class Scaled(nn.SGD):
    """Has settings that may change where they are."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, lr)
        self.scales, self.names = [1.0, 2.0], {"offset": [0.0]}

    def update(self, p, g, state):
        return p - self.lr * (g * self.scales[0] * self.scales[1] + self.names["offset"][0]), state


IN_PLACE = {
    "a parameter more": lambda optimizer: optimizer.parameters.append(Value(3.0)),
    "a parameter less": lambda optimizer: optimizer.parameters.pop(),
    "another parameter": lambda optimizer: optimizer.parameters.__setitem__(0, Value(3.0)),
    "another order": lambda optimizer: optimizer.parameters.reverse(),
    "a setting": lambda optimizer: optimizer.scales.__setitem__(1, -0.5),
    "a setting inside of one": lambda optimizer: optimizer.names["offset"].__setitem__(0, 0.25),
}


@pytest.mark.parametrize("when", ["between steps", "between trainings"])
@pytest.mark.parametrize("name", IN_PLACE)
def test_what_changes_in_an_optimizer_where_it_is_counts(name, when):
    outcomes = []
    for backend in ("python", "llvm"):
        w = [Value(1.0), Value(0.5)]
        loss = sg.compile(lambda x, w=w: (w[0] * x + w[1]) ** 2, parameters=w, backend=backend)
        optimizer = Scaled(w, 0.05)
        step = loss.training(optimizer)
        found, refused = [step([1.0]), step([2.0])], ""
        if when == "between trainings":
            step.__exit__()
            step = loss.training(optimizer)
        IN_PLACE[name](optimizer)
        try:
            found += [step([1.0]), step([2.0])]
            step.write_back()
        except ValueError as error:
            refused = str(error)
        outcomes.append((refused, [*found, *(p.data for p in w)]))
    (as_it_is, expected), (refused, found) = outcomes
    assert refused == as_it_is
    assert found == pytest.approx(expected)


def test_what_rests_goes_with_its_optimizer_and_with_its_loss():
    w = Value(1.0)
    loss = sg.compile(lambda x: (w * x) ** 2, parameters=[w], backend="llvm")
    optimizer = nn.SGD([w], lr=0.1)
    with loss.training(optimizer) as step:
        step([1.0])
        gone = weakref.ref(step._memory)
    del step
    assert gone() is not None
    del optimizer
    assert gone() is None
    optimizer = nn.SGD([w], lr=0.1)
    with loss.training(optimizer) as step:
        step([1.0])
        gone = weakref.ref(step._memory)
    del step, loss
    gc.collect()
    assert gone() is None


def test_rooms_are_neither_lost_nor_given_twice():
    w = Value(1.0)
    loss = sg.compile(lambda x: (w * x) ** 2, parameters=[w], backend="llvm")
    optimizer = nn.SGD([w], lr=0.0)
    for _ in range(4):
        with loss.training(optimizer) as step:
            step([1.0])
            loss.value_and_grad([1.0, 2.0])  # takes a room of its own
            step([1.0])
        loss.value_and_grad([3.0])
    ((program,),) = loss.batches.recordings.known.values()
    rooms = program.runner._rooms
    assert len(rooms) == len(set(map(id, rooms))) == 2


def test_ctrl_c_anywhere_leaves_all_of_a_training_or_nothing():
    files = {module.__file__ for module in (training, sharing, in_memory, aimed, updating, slots)}
    w = [Value(0.5), Value(-1.0)]
    loss = sg.compile(lambda x: (w[0] * x + w[1]) ** 2, parameters=w, backend="llvm")
    optimizer = nn.Adam(w, lr=0.1)

    def numbers():  # `steps` counts a step, too, that is lost as Ctrl-C comes before the first line of __exit__
        return [*((p.data, p.grad) for p in w), *optimizer._counts, *map(tuple, optimizer._states)]

    def train():
        with loss.training(optimizer) as step:
            step([1.0, 2.0])

    train()
    n = 0
    while True:
        before, state, data = numbers(), optimizer.state_dict(), [(p.data, p.grad) for p in w]
        if not stopped(train, n, files, at_calls=True):
            break
        after = numbers()
        optimizer.load_state_dict(state)
        for p, (x, gradient) in zip(w, data, strict=True):
            p.data, p.grad = x, gradient
        train()
        assert after in (before, numbers())
        n += 1
    ((program,),) = loss.batches.recordings.known.values()
    rooms = program.runner._rooms
    assert len(rooms) == len(set(map(id, rooms)))
    assert n > 80
