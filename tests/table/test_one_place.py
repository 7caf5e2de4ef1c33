"""A new operation is written in one place: no list of ops stands outside the table but a named few, and a new row shows
up everywhere."""

import ast
import math
from pathlib import Path

import pytest
from compiling_helpers import needs_llvm
from optional import numpy as np

import scalargrad as sg
from scalargrad import Value, check_op, to_python, trace
from scalargrad.ops import absolute, exp2, log2, maximum
from scalargrad.table import TABLE
from scalargrad.table.making import binary
from scalargrad.words.derivation import partial_formula

PACKAGE = Path(sg.__file__).parent

# What an op that is missing there loses is said behind each.
ALLOWED = {
    "compiling/jax/primitives.py own": "a backend's own words for primitives; any other op has `lowered`",
    "compiling/llvm/primitives.py INTRINSIC": "a backend's own words for primitives; any other op has `lowered`",
    "compiling/wasm/primitives.py F64": "WebAssembly's names for its instructions, and their codes",
    "compiling/wasm/primitives.py F64X2": "WebAssembly's names for its instructions, and their codes",
    "compiling/wasm/primitives.py INSTRUCTION": "a backend's own words for primitives; any other op has `lowered`",
    "compiling/tape.py _OFTEN": "names for the ops in whose algebra a program is simplified; no other needs it",
    "checking/rational.py RATIONAL": "what fractions can decide about gradients; of other ops the ladder decides",
    "exact.py _ANALYTIC": "complex-step forms; an op without one is refused in words",
    "node/misnamed.py MATHEMATICS": "other people's names for ops; an op without one has its own",
    "nn/layers/activations.py ACTIVATIONS": "those that are offered by name; any function serves as one",
    "table/ufuncs.py _OTHER_NAMES": "numpy's aliases; a row with numpy's name needs none",
    "words/latex.py _LATEX_FUNCTIONS": "LaTeX's commands; any other op is an operator name",
    "words/latex.py _LATEX_TEMPLATES": "LaTeX's forms; any other op is a function",
    "words/lecture.py SAYS": "what a lecturer says of each op; any other is described by its pattern",
    "words/specialised.py _ANSWERS": "what only says on which side of a kink an operand is; any other op is written out",
    "words/staged_text.py TEMPLATES": "Python's words for a value, as a student writes it; any other op is a function of its lowered form",
    "words/staged_text.py HELPERS": "functions that Python has not, as a student writes them; others are written from their lowered forms",
}


def names_in(node):
    """The rows that a literal collection names, as texts or as the functions of ops.py."""
    parts = [*node.keys, *node.values] if isinstance(node, ast.Dict) else node.elts
    texts = [part.value for part in parts if isinstance(part, ast.Constant)]
    functions = [part.id.rstrip("_") for part in parts if isinstance(part, ast.Name)]
    return [name for name in (*texts, *functions) if isinstance(name, str) and name in ROWS]


def collections_of(path):
    """(the names of rows in it, what it is assigned to) for each literal collection of a file, and each text that is split."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    owner = {}
    for statement in ast.walk(tree):  # from the outside inwards, so the innermost assignment is the last to say
        if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            target = target.elts[0] if isinstance(target, ast.Tuple) else target
            owner |= {id(part): getattr(target, "id", "?") for part in ast.walk(statement)}
    for part in ast.walk(tree):
        if isinstance(part, (ast.List, ast.Set, ast.Tuple, ast.Dict)):
            yield names_in(part), owner.get(id(part), "?")
        elif isinstance(part, ast.Call) and getattr(part.func, "attr", "") == "split":
            text = getattr(part.func.value, "value", None)
            words = text.split() if isinstance(text, str) else []
            yield [word for word in words if word in ROWS], owner.get(id(part), "?")


ROWS = frozenset(TABLE)


def test_no_list_of_ops_stands_outside_the_table():
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if path != PACKAGE / "ops.py":
            for names, where in collections_of(path):
                if len(set(names)) >= 3:
                    found.setdefault(f"{path.relative_to(PACKAGE).as_posix()} {where}", []).append(names)
    assert set(found) == set(ALLOWED), {key: found[key] for key in found.keys() - ALLOWED.keys()}


# -------------------------------------------------------------------- a new row


@pytest.fixture
def logaddexp2():
    """numpy's log2(2**x + 2**y), as one row."""
    return binary(
        "logaddexp2", lambda x, y: max(x, y) + math.log2(1 + 2 ** -abs(x - y)),
        lambda x, y, z: exp2(x - z), lambda x, y, z: exp2(y - z),
        lowered=lambda x, y: maximum(x, y) + log2(1 + exp2(-absolute(x - y))),
    )  # fmt: skip


X, Y = 1.5, 0.25
RESULT = math.log2(2**X + 2**Y)
SLOPES = [2**X / (2**X + 2**Y), 2**Y / (2**X + 2**Y)]


@pytest.fixture
def root(logaddexp2):
    z = logaddexp2(Value(X, label="x"), Value(Y, label="y"))
    z.label = "z"
    return z


def test_a_new_row_is_a_function_a_method_and_a_ufunc(logaddexp2):
    x, y = Value(X), Value(Y)
    for z in (logaddexp2(x, y), x.logaddexp2(y), np.logaddexp2(x, y), np.logaddexp2(x, np.array([Y]))[0]):
        assert z.data == pytest.approx(RESULT)
        z.backward()
    assert (x.grad, y.grad) == pytest.approx((4 * SLOPES[0], 3 * SLOPES[1]))
    assert logaddexp2(X, Y) == pytest.approx(RESULT)


def test_a_new_row_has_derivatives_of_every_kind(logaddexp2):
    product = -math.log(2) * SLOPES[0] * SLOPES[1]  # of the second derivative in x and y
    second = sg.hessian(lambda v: logaddexp2(v[0], v[1]))([X, Y])
    assert second[0] == pytest.approx([-product, product])
    assert sg.jvp(logaddexp2, (X, Y), (1.0, 0.0))[1] == pytest.approx(SLOPES[0])
    assert not check_op(logaddexp2, examples=20)[next(v for v in sg.checking.Verdict if v.name == "FAIL")]


def test_a_new_row_is_worded_drawn_and_stepped(root):
    assert root.formula() == "logaddexp2(x, y)"
    assert root.formula("latex") == r"\operatorname{logaddexp2}\left(x, y\right)"
    assert partial_formula(root, 0, {root: "z", **dict(zip(root.parents, "xy", strict=True))}) == "exp2(x − z)"
    assert "x.grad += exp2(x.data - z.data) * z.grad; y.grad += exp2(y.data - z.data) * z.grad" in repr(root._backward)
    assert "logaddexp2" in str(root.draw())
    assert [step.node for step in trace(root)][2] is root
    assert "logaddexp2" in str(trace(root))


def test_a_new_row_is_staged(root):
    namespace = {}
    exec(to_python(root), namespace)  # noqa: S102
    result, gradients = namespace["f"]()
    assert result == root.data
    root.backward()
    assert gradients == {leaf.label: leaf.grad for leaf in root.parents}


@pytest.mark.parametrize("backend", ["python", pytest.param("llvm", marks=needs_llvm), "jax"])
def test_a_new_row_is_compiled(logaddexp2, backend):
    if backend == "jax":
        pytest.importorskip("jax")
    assert sg.compile(logaddexp2, backend=backend)(X, Y) == pytest.approx(RESULT)
    gradient = sg.compile(sg.grad(lambda v: logaddexp2(v[0], v[1])), backend=backend)
    assert gradient([X, Y]) == pytest.approx(SLOPES)
