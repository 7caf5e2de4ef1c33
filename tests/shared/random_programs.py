"""Programs as data, and what can be seen of them step by step: run as a script, they come one by one as lines of JSON.

A step is a list: its kind, and its arguments. An operand is a whole number, for one of the nodes so far; a float, for
itself; or a list with a place in NUMBERS.
"""

import contextvars
import copy
import gc
import json
import math
import operator
import pickle
import re
import sys
import threading
import warnings
import weakref
from contextlib import ExitStack
from fractions import Fraction

import scalargrad as sg
from scalargrad import Exact, Value, nn
from scalargrad.node.mode import modes_were_used, standing_watches
from scalargrad.table import TABLE

NUMBERS = [
    0.0, -0.0, 1.0, -1.0, 2.0, 3.0, 0.5, 0, 1, 2, -1, 3, True, False, 2**53, 2**53 + 1, -(2**53) - 2, 10**400, 1e308, -1e308,
    5e-324, 1e-200, math.inf, -math.inf, math.nan, Fraction(1, 3), Exact(1, 3), Exact(-2), "2", "text", None, [1.0], 1j,
]  # fmt: skip
OPERATORS = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.floordiv, operator.mod,
    operator.iadd, operator.isub, operator.imul, operator.itruediv, operator.lt, operator.ge, operator.eq, operator.xor,
    divmod,
]  # fmt: skip
UNARY = [operator.neg, operator.pos, abs, math.floor, round, bool, float, int, repr, str, "{:.3f}".format, hash]
ROWS = [name for name, op in TABLE.items() if name != "take" and not op.is_users]
CONTEXTS = [sg.no_grad, sg.detect_anomaly, lambda: sg.sweep_hook(lambda node, gradient: None)]


class Sub(Value):
    """A subclass, with attributes."""


class Narrow(Value):
    """A subclass without."""

    __slots__ = ()


class Own(Value):
    """A subclass with an operator, a method and a comparison of its own."""

    __slots__ = ("more",)

    def __add__(self, other):
        return super().__add__(other) * 1.0

    __radd__ = __add__

    def tanh(self):
        return Value.tanh(self) + 0.0

    def __eq__(self, other):
        return isinstance(other, Value) and self.data == other.data

    def __hash__(self):
        return hash(self.data)


CLASSES = [Value, Value, Value, Sub, Narrow, Own]


class Stop(BaseException):
    """As KeyboardInterrupt, which would end the tests."""


ERRORS = [ValueError, ZeroDivisionError, TypeError, TimeoutError, Stop, MemoryError]


def raising(which):
    raise ERRORS[which % len(ERRORS)]("raised by a rule")


def row_of_users(which):
    """A row of a user's; its rule raises if it is not the first."""
    return sg.primitive(lambda x: x * x, name="squared", partials=lambda x: raising(which) if which else 2.0 * x)


def bits(x):
    """A text that tells numbers apart by their bits, and by their types."""
    if type(x) is float:
        return f"{math.copysign(1, x):+.0f}nan" if x != x else x.hex()
    if isinstance(x, Value):
        return f"{type(x).__name__}({bits(x._data)}, {bits(getattr(x, 'grad', 'none'))}, {x.label!r})"
    if isinstance(x, (list, tuple)):
        return f"{type(x).__name__}[{', '.join(map(bits, x))}]"
    return re.sub(r"0x[0-9a-f]+", "0x", repr(x)) if type(x) is not str else x


class Run:
    """One program while it runs."""

    def __init__(self):
        modes_were_used.clear()
        standing_watches.clear()
        self.nodes = [Value(0.5, label="x"), Value(-2.0)]
        self.contexts, self.handles, self.refs, self.resting = [], [], [], []

    def node(self, i):
        return self.nodes[i % len(self.nodes)]

    def operand(self, given):
        if isinstance(given, list):
            return NUMBERS[given[0] % len(NUMBERS)]
        return given if isinstance(given, float) else self.node(given)

    def keep(self, made):
        if isinstance(made, Value):
            self.nodes.append(made)
        elif isinstance(made, (list, tuple)):
            self.nodes += [one for one in made if isinstance(one, Value)]
        return made

    def step(self, kind, *arguments):
        return self.keep(getattr(self, f"do_{kind}")(*arguments))

    def seen(self):
        """Everything that can be seen of the nodes."""
        place = {id(node): i for i, node in enumerate(self.nodes)}
        return [
            (bits(node), node._rule.text, node.requires_grad, [place.get(id(p), -1) for p in node.parents],
             [bits(a) for _, a in node.operands])
            for node in self.nodes
        ]  # fmt: skip

    # ---------------------------------------------------------------- what makes nodes

    def do_leaf(self, cls, number, label, requires_grad):
        return CLASSES[cls % len(CLASSES)](self.operand(number), label=label, requires_grad=requires_grad)

    def do_function(self, row, *operands):
        return TABLE[ROWS[row % len(ROWS)]].function(*map(self.operand, operands))

    def do_method(self, row, x, *operands):
        return getattr(self.node(x), ROWS[row % len(ROWS)])(*map(self.operand, operands))

    def do_operator(self, which, x, y):
        return OPERATORS[which % len(OPERATORS)](self.operand(x), self.operand(y))

    def do_unary(self, which, x):
        found = UNARY[which % len(UNARY)](self.node(x))
        return found if which % len(UNARY) != len(UNARY) - 1 else None

    def do_many(self, which, operands):
        xs = list(map(self.operand, operands))
        half = len(xs) // 2
        return [
            lambda: sum(xs), lambda: sg.sum(xs), lambda: sg.dot(xs[:half], xs[half : 2 * half], *xs[2 * half :]),
            lambda: sg.max(xs), lambda: sg.logsumexp(*xs), lambda: sg.prod(xs), lambda: nn.softmax(xs),
            lambda: sg.take(xs, 1), lambda: sg.mean(iter(xs)),
        ][which % 9]()  # fmt: skip

    def do_layer(self, which, seed, operands):
        xs = list(map(self.operand, operands))
        layer = nn.Layer(len(xs), 2, activation=["tanh", "relu", None, "sigmoid"][which % 4], seed=seed)
        return [*layer.parameters(), *layer(xs)]

    def do_by_hand(self, which, x):
        x = self.node(x)
        out = Value(2.0 * x.data, (x,), "twice")

        def closure():
            if which > 6:
                raising(which)
            x.grad += 2.0 * out.grad

        if which:
            out._backward = closure
        return out

    def do_closure(self, x, y):
        x, y = self.node(x), self.node(y)

        def closure():
            for parent in x.parents:
                parent.grad += y.data * x.grad

        x._backward = closure

    def do_given(self, x, y, local):
        return Value(1.0, (self.node(x), self.node(y)), (self.operand(local), 2.0))

    def do_user_row(self, which, x):
        return row_of_users(which)(self.operand(x))

    def do_rest(self, x):
        """A generator that rests inside no_grad, or goes on."""

        def generator():
            with sg.no_grad():
                yield self.node(x) * 2.0
            yield self.node(x) * 3.0

        if not self.resting:
            self.resting.append(generator())
            return next(self.resting[0])
        return next(self.resting.pop())

    # ---------------------------------------------------------------- what changes nodes

    def do_data(self, x, number):
        self.node(x).data = self.operand(number)

    def do_grad(self, x, number):
        self.node(x).grad = self.operand(number)

    def do_no_grad_there(self, x):
        del self.node(x).grad

    def do_label(self, x, label):
        self.node(x).label = label

    def do_requires_grad(self, x, flag):
        self.node(x).requires_grad = flag

    def do_hook(self, x, which):
        hook = [lambda g: None, lambda g: g * 2.0, lambda g: raising(which), lambda g: "no number"][which % 4]
        self.handles.append(self.node(x).register_hook(hook))

    def do_unhook(self):
        self.handles.pop().remove()

    def do_attribute(self, x, y):
        self.node(x).more = self.node(y)

    # ---------------------------------------------------------------- sweeps

    def do_backward(self, x, seed, times, create_graph):
        for _ in range(times):
            if create_graph:
                self.node(x).backward(self.operand(seed), create_graph=True)
            elif seed == 1.0:
                self.node(x).backward()
            else:
                self.node(x).backward(self.operand(seed))

    def do_zero(self, x):
        self.node(x).zero_grad()

    def do_gradient(self, x, y, create_graph):
        return sg.grad(self.node(x), [self.node(y)], create_graph=create_graph)

    def do_functional(self, which, row, x):
        f = TABLE[ROWS[row % len(ROWS)]].function
        x = self.operand(x)
        return [
            lambda: sg.grad(f)(x), lambda: sg.jvp(f, (x,), (1.0,)), lambda: sg.derivative(f, x),
            lambda: sg.value_and_grad(lambda x: f(x) * x)(x), lambda: sg.checkpoint(f, x),
            lambda: sg.hvp(lambda xs: f(xs[0]) * xs[0], [x], [1.0]),
        ][which % 6]()  # fmt: skip

    def do_order(self, x):
        place = {id(node): i for i, node in enumerate(self.nodes)}
        return [place.get(id(node), bits(node)) for node in sg.topological_order(self.node(x))]

    def do_words(self, x):
        return self.node(x).formula(), repr(self.node(x)._backward), sg.to_python(self.node(x))

    # ---------------------------------------------------------------- modes, threads, copies

    def do_enter(self, which):
        context = ExitStack()
        context.enter_context(CONTEXTS[which % len(CONTEXTS)]())
        self.contexts.append(context)

    def do_leave(self):
        self.contexts.pop().close()

    def do_copy(self, which, x):
        return [copy.copy, copy.deepcopy, lambda node: node.detach(), pickle.dumps][which % 4](self.node(x))

    def do_forget(self, x):
        """One node fewer; whether those that went are freed at once."""
        if len(self.nodes) > 2:
            self.refs.append(weakref.ref(self.nodes.pop(x % len(self.nodes))))
        return [ref() is None for ref in self.refs]

    def do_in_thread(self, *step):
        return self._run_in(lambda work: work(), step)

    def do_in_context(self, *step):
        return self._run_in(contextvars.copy_context().run, step)

    def _run_in(self, around, step):
        found = []

        def work():
            try:
                found.append(self.step(*step))
            except BaseException as error:
                found.append(f"{type(error).__name__}: {error}")

        if around is contextvars.copy_context().run:
            around(work)
        else:
            thread = threading.Thread(target=around, args=(work,))
            thread.start()
            thread.join()
        return bits(found)


def history(program):
    """What is seen of a program: of each step what it gave, raised and warned of, and all nodes after it."""
    run, told = Run(), []
    gc.disable()  # when it runs depends on all that the process made before, and a cycle is freed then
    try:
        for step in program:
            with warnings.catch_warnings(record=True) as warned:
                warnings.simplefilter("always")
                try:
                    found = bits(run.step(*step))
                except BaseException as error:
                    found = f"{type(error).__name__}: {error}"
                    del error
            told.append([step, re.sub(r"0x[0-9a-f]+", "0x", found), [str(one.message) for one in warned], run.seen()])
    finally:
        while run.contexts:
            run.contexts.pop().close()
        run.resting.clear()
        gc.enable()
    return json.loads(json.dumps(told))


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(history(json.loads(line))), flush=True)
