"""A recorded graph runs again with other numbers as if built anew, and is written back to be looked at; ops of one's own included."""

import math

import pytest
from compiling_helpers import all_same, eager, needs_llvm, points, random_function, same, with_backends
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, primitive, topological_order

w_shared = Value(1.0)


def leaves_at(xs):
    return [Value(x, label=f"x{i}") for i, x in enumerate(xs)]


@pytest.fixture
def cube():
    """An op of a user's own."""

    @primitive(partials=lambda x: 3 * x * x)
    def cube_of_a_test(x):
        return x * x * x

    return cube_of_a_test


# -------------------------------------------------------------------- record


@has_full_size
@with_backends
def test_a_program_gives_what_the_graph_gives_at_other_points(backend):
    for seed in range(size(25, 80)):
        f = random_function(seed)
        first, *others = points(seed, 3, 4)
        leaves = leaves_at(first)
        program = sg.record(f(*leaves), inputs=leaves, backend=backend)
        reads = sg.record(f(*leaves), backend=backend)
        for xs in (*others, first):
            value, *grads = expected = eager(f, xs)
            if not all(map(math.isfinite, expected)):
                continue
            assert program.forward(xs) == value
            found = program.backward()
            all_same([found[x.label] for x in leaves], grads)
            seeded = Value(0.5)
            (f(*(fresh := list(map(Value, xs)))) * seeded).backward()
            all_same([program.backward(0.5)[x.label] for x in leaves], [x.grad for x in fresh])
            value_again, grads_again = program.value_and_grad(xs)
            all_same([value_again, *grads_again], expected)
            for leaf, x in zip(leaves, xs, strict=True):
                leaf.data = x
            assert reads.forward() == value
            all_same(
                [g for _, g in sorted(reads.backward().items())],
                [g for x, g in zip(leaves, grads, strict=True) if x in reads.parameters],
            )


@with_backends
def test_inputs_by_value_by_label_and_in_order(backend):
    x, y, w = Value(2.0, label="x"), Value(3.0), Value(5.0, label="w")
    program = sg.record(x * y + w, inputs=[x, y], backend=backend)
    assert program.forward() == 11.0
    assert program.forward([1.0, 1.0]) == program.forward((1, 1)) == 6.0
    assert program.forward({"x": 10.0}) == 35.0  # y keeps its own
    assert program.forward({x: 10, y: 10}) == 105.0
    w.data = 0.0
    x.data = 4.0
    assert program.forward({y: 2.0}) == 8.0
    assert program.leaves == [x, y, w]
    assert program.value_and_grad([7.0, 8.0]) == (56.0, [8.0, 7.0, 1.0])
    for given, message in (
        ({"z": 1.0}, "'z' is no input of the program; its inputs are Value 'x', Value"),
        ({w: 1.0}, "is no input of the program"),
        ([1.0], "the program has 2 inputs, but 1 numbers were given"),
        ([1.0] * 3, "the program has 2 inputs, but 3 numbers were given"),
    ):
        with pytest.raises(ValueError, match=message):
            program.forward(given)
    with pytest.raises(TypeError, match="must be a real number, not str"):
        program.forward(["1", 2.0])


@with_backends
def test_backward_needs_a_forward_first(backend):
    x = Value(2.0, label="x")
    with pytest.raises(ValueError, match=r"backward came before forward: run program.forward\(\{...\}\) first"):
        sg.record(x * x, inputs=[x], backend=backend).backward()


@with_backends
def test_roots_that_are_leaves(backend):
    x, c = Value(2.0, label="x"), Value(3.0, label="c", requires_grad=False)
    program = sg.record(x, inputs=[x], backend=backend)
    assert (program.forward([5.0]), program.backward(3.0)) == (5.0, {"x": 3.0})
    assert sg.record(c, backend=backend).value_and_grad() == (3.0, [])
    assert sg.record(x * c, backend=backend).value_and_grad() == (6.0, [3.0])


def state(root):
    return [(node.data, node.grad, node.operands) for node in topological_order(root)]


@with_backends
def test_write_back_makes_the_graph_what_it_would_have_been(backend):
    for seed in range(40):
        f = random_function(seed)
        first, other = points(seed, 3, 2)
        leaves, fresh = leaves_at(first), leaves_at(other)
        root, expected = f(*leaves), f(*fresh)
        expected.backward(2.0)
        program = sg.record(root, inputs=leaves[:2], backend=backend)
        leaves[2].data = other[2]
        program.forward(other[:2])
        program.backward(2.0)
        program.write_back()
        stands_for = dict(zip(topological_order(root), topological_order(expected), strict=True))
        for node, twin in stands_for.items():
            assert same(node.data, twin.data)
            assert same(node.grad, twin.grad)
            assert [a for _, a in node.operands] == [a for _, a in twin.operands]
        assert root.draw(names=False).dot == expected.draw(names=False).dot
        root.zero_grad()
        root.backward(2.0)
        assert [leaf.grad for leaf in leaves] == [leaf.grad for leaf in fresh]


@with_backends
def test_write_back_goes_by_the_last_run_and_its_seed(backend):
    x, w = Value(2.0), Value(3.0)
    program = sg.record(x * w, inputs=[x], backend=backend)
    for run, expected in (
        (lambda: program.forward([4.0]), (4.0, 1.0)),
        (lambda: program.backward(5.0), (4.0, 5.0)),
        (lambda: program.forward([6.0]), (6.0, 1.0)),
        (lambda: program.backward(7.0), (6.0, 7.0)),
        (lambda: program.value_and_grad([8.0]), (8.0, 1.0)),
    ):
        run()
        program.write_back()
        assert (x.data, x.grad, w.grad) == (expected[0], 3.0 * expected[1], expected[0] * expected[1])


@with_backends
def test_write_back_at_poles_and_of_constants(backend):
    x, c = Value(2.0), Value(3.0, requires_grad=False)
    root = sg.log(x * x)
    program = sg.record(root, inputs=[x], backend=backend)
    if backend == "llvm":  # python raises
        program.value_and_grad([0.0])
        program.write_back()
        assert (root.data, x.data) == (-math.inf, 0.0)
    program.value_and_grad([1.0])
    program.write_back()
    assert (root.data, x.data, x.grad) == (0.0, 1.0, 2.0)
    root = c * 2
    program = sg.record(root, inputs=[c], backend=backend)
    program.forward([5.0])
    program.write_back()
    assert (root.data, c.data, c.grad) == (10.0, 5.0, 0.0)


@with_backends
def test_printing(backend):
    x, w = Value(2.0, label="x"), Value(3.0, label="w")
    program = sg.record(sg.dot([x, w], [0.5, x], 1.5).tanh() ** 2, inputs=[x], backend=backend)
    assert str(program).splitlines() == [
        "program of 3 instructions", "  x = input", "  w = parameter", "  v1 = dot(x, w, 0.5, x, 1.5)", "  v2 = tanh(v1)",
        "  v3 = power(v2, 2.0)", "  output v3",
    ]  # fmt: skip
    assert repr(program) == "<program of 3 instructions, 1 inputs, 1 parameters>"
    long = Value(1.0)
    for _ in range(1000):
        long = long * 1.01
    text = str(sg.record(long, backend=backend))
    assert len(text.splitlines()) < 70
    assert text.startswith("program of 1000 instructions")
    assert str(sg.record(Value(1.0) * float("nan"))).count("nan") == 1


@with_backends
def test_what_a_program_cannot_run_is_refused_with_the_reason(backend):
    x = Value(2.0, label="x")
    by_hand = Value(4.0, (x,), "double", label="d")
    by_hand._backward = lambda: None
    assigned = x * 3
    assigned.data = 7.0
    hooked = x * 3
    hooked.register_hook(lambda g: g * 2)

    class Triple(sg.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 3

        @staticmethod
        def backward(ctx, grad):
            return grad * 3

    for node, message in (
        (by_hand, "Value 'd' cannot be replayed: 'double' was written by hand: write it with @primitive"),
        (Triple.apply(x), "'Triple' was applied before, and its forward left no graph: apply it inside"),
        (assigned, "cannot be replayed: its data was assigned after it was computed"),
        (hooked, "cannot be replayed: hooks run Python on its gradient: remove them first"),
        (sg.checkpoint(lambda v: v * v)(x), "cannot be replayed"),
    ):
        for root in (node, (node + 1).tanh()):
            with pytest.raises(ValueError, match=message):
                sg.record(root, backend=backend).forward()
            with pytest.raises(ValueError, match=message):
                sg.replay(lambda root=root: root * 2, backend=backend)()
            with pytest.raises(ValueError, match=message):
                sg.compile(lambda v, root=root: root * v, backend=backend).value_and_grad([1.0])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: sg.record(lambda: 3), TypeError, "record takes a Value, the output of a graph, not function"),
        (lambda: sg.record(Value(1.0), backend="gpu"), ValueError, "there is no backend 'gpu'"),
        (lambda: sg.record(Value(1.0), inputs=[Value(1.0) * 2]), TypeError, "inputs must be leaf Values"),
        (lambda: sg.record(w_shared * 2, inputs=[w_shared] * 2), ValueError, "an input was given twice"),
        (lambda: sg.record(Value(1.0), inputs=["x"]), TypeError, "inputs must be leaf Values, not 'x'"),
        (
            lambda: sg.record(w_shared * 2, inputs=[w_shared]).forward({1.0}),
            TypeError,
            "inputs must be a list, whose order",
        ),
    ],
)
def test_messages(make, error, message):
    with pytest.raises(error, match=message):
        make()


# -------------------------------------------------------------------- ops of one's own


def test_a_listing_calls_a_primitive_by_its_name(cube):
    assert "v1 = cube_of_a_test(x)" in str(sg.record(cube(Value(2.0, label="x"))))


@pytest.mark.parametrize("backend", ["python", "auto"])
def test_primitives_are_replayed(cube, backend):
    x = Value(2.0, label="x")
    program = sg.record(cube(x) * 2, inputs=[x], backend=backend)
    assert (program.forward([3.0]), program.backward()) == (54.0, {"x": 54.0})
    assert sg.compile(sg.hessian(lambda v: cube(v[0]) * v[1]), backend=backend)([2.0, 3.0]) == [
        [36.0, 12.0],
        [12.0, 0.0],
    ]
    assert sg.compile(lambda t: cube(x) * t, backend=backend).value_and_grad([1.0, 3.0]) == (16.0, [24.0])
    loop = sg.replay(lambda: cube(x), backend=backend)
    x.data = 1.0
    loop().backward()
    assert x.grad == 3.0


@needs_llvm
def test_primitives_are_no_business_of_llvm(cube):
    x = Value(2.0)
    message = "the llvm backend cannot compute cube_of_a_test, which was added with @primitive: use backend='python'"
    for run in (
        sg.record(cube(x), backend="llvm").forward,
        sg.replay(lambda: cube(x), backend="llvm"),
        lambda: sg.compile(cube, backend="llvm")(1.0),
        lambda: sg.compile(lambda t: cube(x) * t, backend="llvm").value_and_grad([1.0]),
    ):
        with pytest.raises(ValueError, match=message):
            run()
