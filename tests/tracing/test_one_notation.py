"""No symbol stands for two numbers in steps, reasons, explanations, worksheets and hints, and the numbers are the engine's.

What is promised, for every graph:

- a name is the Value's number, wherever it is equated with one;
- `x.grad` is the complete gradient, in upstream factors, seeds, questions and keys; as the target of a step it is shown
  with what it was before and after: `→ 2 + 3 = 5`; in a hook's step as `3 → 4`;
- `local` is one number in a step; where a Value is several operands of a node, its place tells them apart, and so does
  it in `local for left x` of explanations and in "the local derivative for the left x" of reasons;
- `dy/dx` is the gradient of y with respect to x.
"""

import math
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value, explain, trace, worksheet
from scalargrad.engine import gradients
from scalargrad.strategies import call, expressions, inputs_for
from scalargrad.table.row import PACKAGE_ROWS, TABLE
from scalargrad.words.lecture import SAYS
from scalargrad.words.places import placed
from scalargrad.words.specialised import said_partial
from scalargrad.words.texts import grad_of, number_text, symbol_of

WORD = r"[^\W\d²][^\W²]*"  # a superscript is no part of a name
NAME = rf"(?:‹[^›]*›|{WORD})"
NUMBER = r"−?(?:inf|nan|\d+(?:\.\d+)?(?:e−?\d+)?)"
PLACE = r"(?:\d+(?:st|nd|rd|th) )?(?:left |right |last )?"
END = r"(?=$|[,;:)\n]|\.(?:$|\s)| →|  )"
LABELS = ["x", "x", "w", "x²", "the rate", "x1*w1", "−3", "local", "a = 3", "b.grad", ""]


class Symbols:
    """A table from symbols to numbers, which has to stay a function."""

    def __init__(self):
        self.table = {}

    def says(self, symbol, text, where):
        text = text.strip("()")
        assert self.table.setdefault(symbol, text) == text, (symbol, self.table[symbol], text, where)

    def reads(self, text, node=""):
        """Every bare symbol that the text equates with a number. `node` is what local derivatives are those of."""
        assert "∂" not in text
        names = {}

        def mask(found):
            return names.setdefault(found[0], f"quoted{len(names)}")

        text = re.sub(r"‹[^›]*›", mask, text)
        back = {masked: name for name, masked in names.items()}
        for found in re.finditer(rf"(?=(local(?: derivative)? for (?:the )?({PLACE}{WORD}) (?:=|is) ([^;\n]*)))", text):
            chain = re.split(r", local for|, so |\. ", found[3])[0].rstrip(".")
            number = re.search(rf"(?:^|= |, |is )({NUMBER})$", chain)
            place, _, name = found[2].rpartition(" ")
            assert number, chain
            self.says(("local", node, place, back.get(name, name)), number[1], text)
        text = re.sub(rf"local(?: derivative)? for (?:the )?{PLACE}{WORD} (?:=|is) ", "", text)
        for found in re.finditer(rf"({WORD}(?:\.grad)?|d{WORD}/d{WORD}) = ({NUMBER}){END}", text):
            before = text[: found.start()]
            if not re.search(r"[×÷+−^(./\w] ?$", before.removesuffix("is ")) and not before.endswith("mod "):
                symbol = re.sub(r"quoted\d+", lambda one: back[one[0]], found[1])
                self.says(symbol, found[2], text)


GRAMMAR = {
    "forward": rf"{NAME} = .*",
    "seed": rf"{NAME}\.grad = {NUMBER}",
    "hook": rf"{NAME}\.grad: {NUMBER} → {NUMBER}",
    "backward": rf"{NAME}\.grad \+= (?:nothing: .*|{NUMBER}|{NAME}\.grad × local(?: \({PLACE}{NAME}\))? = {NUMBER} × "
    rf"(?:{NUMBER}|\({NUMBER}\)) = {NUMBER})(?: → {NUMBER} \+ (?:{NUMBER}|\({NUMBER}\)) = {NUMBER})?",
}


def read_steps(steps, symbols):
    """Every text and reason of a trace goes into the table, and is the step's."""
    names = steps.graph.names
    for step in steps:
        assert re.fullmatch(GRAMMAR[step.phase], step.text), step.text
        assert "".join(text for _, text in step.pieces) == step.text
        node = "" if step.source is None else names[step.source]
        symbols.reads(step.why, node)
        pieces = {}
        for kind, text in step.pieces:
            pieces.setdefault(kind, []).append(text)
        if step.phase == "forward":
            symbols.says(symbol_of(step.name), step.text.rpartition(" = ")[2], step.text)
            continue
        assert pieces["target"] == [grad_of(step.name)]
        if step.phase == "backward" and not step.nothing:
            assert pieces["contribution"][0] == number_text(step.contribution)
            if step.local is not None:
                assert len(pieces["local"]) == len(pieces["upstream"]) == 2
                symbols.says(pieces["upstream"][0], pieces["upstream"][1], step.text)
                symbols.says(("local", node, step.place, symbol_of(step.name)), pieces["local"][1], step.text)
        if (
            step.phase == "backward"
            and step.part == step.parts
            and not any(s.phase == "hook" and s.node is step.node for s in steps)
        ):
            symbols.says(grad_of(step.name), number_text(step.after), step.text)


def of_engine(steps, symbols):
    """What the table must say, from the engine."""
    root, names = steps.graph.root, steps.graph.names
    adjoints = gradients([root], [1.0])
    for node, name in names.items():
        wanted = {symbol_of(name): number_text(node.data), grad_of(name): number_text(adjoints.get(node, 0.0))}
        for symbol, text in wanted.items():
            assert symbols.table.get(symbol, text) == text, symbol


def read_everything(root):
    steps = trace(root, names=False)
    symbols = Symbols()
    read_steps(steps, symbols)
    names = steps.graph.names
    leaves = [node for node in steps.graph.order if node.is_leaf and node is not root]
    for leaf in leaves:
        try:
            explanation = explain(root, wrt=leaf, max_paths=60, names=False)
        except sg.TooManyPathsError:
            continue
        assert explanation.names[leaf] == names[leaf]
        for line in explanation.text.splitlines():
            symbols.reads(line, re.split(r" = ", line)[0].strip("‹›"))
        assert r"\partial" not in explanation.latex
        if explanation.agrees and explanation.paths:
            # a symbol for each factor: of no two edges the same
            factors = {edge: None for path in explanation.paths for edge in path.edges}
            written = {(edge.child, placed(edge.child, edge.operand, names[edge.parent])) for edge in factors}
            assert len(written) == len(factors)
    if leaves and len(steps.graph.order) <= 30:
        sheet = worksheet(root, "both", names=False)
        symbols.reads(sheet.task)
        for blank in sheet.blanks:
            symbols.says(blank.question, number_text(blank.answer), "question")
        for line in sheet.key.splitlines()[1:]:
            symbols.reads(line.strip().partition("  ")[2] if line[0] != " " else "")
        for mark in sheet.check([0.377 + 2.5 * blank.answer for blank in sheet.blanks]):
            symbols.reads(mark.hint)
    of_engine(steps, symbols)
    return symbols


@settings(max_examples=60, deadline=None)
@given(expressions(inputs=3, max_ops=6, kinks=True), st.lists(st.sampled_from(LABELS), min_size=3, max_size=3))
def test_a_symbol_is_one_number(expression, labels):
    root, leaves = expression.graph()
    for leaf, label in zip(leaves, labels, strict=True):
        leaf.label = label
    read_everything(root)


@pytest.mark.parametrize("name", sorted(PACKAGE_ROWS))
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_operands_that_are_the_same_value_are_told_apart(name, data):
    op = TABLE[name]
    x, y = data.draw(inputs_for(op, 2)) if op.arity == 2 else (0.6, 0.4)
    a, b = Value(x, label="x"), Value(y, label="the rate")
    if op.arity == 2:
        operands = data.draw(st.sampled_from([[a, a], [a, b], [b, b], [a, 0.5]]))
    elif op.arity == 1:
        operands = [Value(data.draw(inputs_for(op))[0], label="x")]
    else:
        n = len(op.arguments) or data.draw(st.sampled_from([2, 4, 6] if op.pair else [2, 3, 5]))
        operands = data.draw(st.lists(st.sampled_from([a, b]), min_size=n, max_size=n))
        operands += [a] * bool(op.pair and data.draw(st.booleans()))
        if op.has_index:
            operands[0] = Value(float(data.draw(st.integers(0, n - 2))), label="x")
    try:
        root = call(op, operands)
    except (ValueError, ArithmeticError):
        assume(False)
    assume(isinstance(root, Value) and math.isfinite(root.data))
    read_everything(root * operands[0] if isinstance(operands[0], Value) else root)


def test_hooks_closures_and_given_derivatives():
    x, w = Value(2.0, label="x"), Value(3.0, label="the rate")
    given_by_hand = Value(6.0, (x, w, x), (3.0, 2.0, 4.0), label="given")
    out = Value(given_by_hand.data * 2, (given_by_hand, x), "my op", label="out")
    out._backward = lambda: (setattr(given_by_hand, "grad", given_by_hand.grad + 2 * out.grad), None)[1]
    hooked = x * x
    hooked.register_hook(lambda g: 10 * g)
    steps = trace(out * hooked + hooked, names=False)
    read_steps(steps, Symbols())
    assert [step.place for step in steps if step.source is given_by_hand] == ["1st", "", "2nd"]
    assert any(
        s.why.startswith("given was made with its local derivatives: the one for the 2nd x is 4.") for s in steps
    )


# ------------------------------------------------------------------ what a lecturer says


def test_every_row_has_a_clause_for_each_operand():
    assert set(SAYS) == set(PACKAGE_ROWS)
    for name, clauses in SAYS.items():
        assert len(clauses) in (1, PACKAGE_ROWS[name].arity)


PYTHON = {"×": "*", "÷": "/", "−": "-", "^": "**", "²": "**2"}
FUNCTIONS = {name: op.value for name, op in PACKAGE_ROWS.items() if op.arity}


def evaluated(text, numbers):
    for shown, written in PYTHON.items():
        text = text.replace(shown, written)
    return eval(text, {**FUNCTIONS, **numbers})  # noqa: S307


@pytest.mark.parametrize("name", sorted(PACKAGE_ROWS))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_formula_of_a_local_derivative_gives_its_number(name, data):
    """In names it is the row's own rule at this point; in numbers the same with the numbers put in."""
    op = TABLE[name]
    xs = [Value(x, label="abcdef"[i]) for i, x in enumerate(data.draw(inputs_for(op)))]
    z = call(op, xs)
    z.label = "z"
    names = {**{x: x.label for x in xs}, z: "z"}
    for step in (step for step in trace(z) if step.phase == "backward"):
        said = said_partial(z, step.operand, names)
        number = number_text(step.local)
        assert re.search(rf"(?:is |, |= ){re.escape(number)}(?:, so [^=]*)?\.$", step.why), step.why
        assert "greater" not in step.why
        assert "where(" not in step.why
        assert not re.search(r"\d \+ \(.* > ", step.why)
        if said is None:
            continue
        numbers = {name: value.data for value, name in names.items()}
        assert evaluated(said.named[0], numbers) == pytest.approx(step.local, rel=1e-3, abs=2e-4), step.why
        filled = re.sub(r"(?<!\w)[a-z](?![\w(]{0,1}[a-z(])", lambda one: number_text(numbers[one[0]]), said.named[0])
        assert re.sub(r"[()]", "", filled) == re.sub(r"[()]", "", said.filled[0])
        assert said.named[0] in step.why


@pytest.mark.parametrize(
    ("root", "why"),
    [
        (lambda a, b: a * b, "× switches: the local derivative for a is the other factor, b = −1."),
        (lambda a, b: (a * 3).tanh(), "tanh squashes: the local derivative for v1 is 1 − v2² = 1 − 0.9051² = 0.1807."),
        (lambda a, b: sg.maximum(a, b), "maximum routes, and a is the larger: the local derivative for a is 1, so"),
        (lambda a, b: sg.maximum(a, a), "maximum routes, and in a tie it shares, as the left a is not the only one"),
        (lambda a, b: sg.min([a, b, a * 2]), "min routes, and a is not the smallest: the local derivative for a is 0, so nothing"),
        (lambda a, b: sg.relu(b * 1), "relu is shut here, as v1 is not positive: the local derivative for v1 is 0, so nothing"),
        (lambda a, b: abs(b * 1), "absolute turns v1 around, as it is negative: the local derivative for v1 is −1, so"),
        (lambda a, b: sg.clip(a, 1.0, 2.0), "clip cuts off a, which lies below 1: the local derivative for a is 0, so nothing"),
        (lambda a, b: sg.where(b, a, 2.0), "where routes, and a is chosen, as b is not 0: the local derivative for a is 1, so"),
        (lambda a, b: sg.dot([a, 1.0], [b, 2.0]), "dot multiplies in pairs and adds up: the local derivative for a is its partner, b = −1."),
        (lambda a, b: sg.sum([a, b]), "sum distributes: the local derivative for a is 1, so the gradient of v1 is handed on as it is."),
        (lambda a, b: sg.mean([a, b]), "mean distributes: the local derivative for a is an equal share for each of 2 operands, 0.5."),
        (lambda a, b: sg.prod([a, b, 4.0]), "prod switches: the local derivative for a is the product of all the others"),
        (lambda a, b: sg.logsumexp([a, b]), "logsumexp is a soft maximum: the local derivative for a is the share of a in the sum of"),
        (lambda a, b: sg.hypot(a, b), "hypot is a length: the local derivative for a is how much of it lies along a, a ÷ v1 ="),
    ],
)  # fmt: skip
def test_what_a_lecturer_says(root, why):
    a, b = Value(0.5, label="a"), Value(-1.0, label="b")
    whys = [step.why for step in trace(root(a, b), names=False) if step.phase == "backward"]
    assert any(text.startswith(why) for text in whys), whys


def test_names_that_are_no_identifiers_are_quoted():
    rate, word = Value(0.1, label="the learning rate"), Value(3.0, label="local")
    steps = trace(rate * word, names=False)
    assert [step.text for step in steps] == [
        "‹the learning rate› = 0.1",
        "‹local› = 3",
        "v1 = ‹the learning rate› × ‹local› = 0.1 × 3 = 0.3",
        "v1.grad = 1",
        "‹the learning rate›.grad += v1.grad × local = 1 × 3 = 3",
        "‹local›.grad += v1.grad × local = 1 × 0.1 = 0.1",
    ]


def test_a_bias_stands_last_in_card_formula_and_expanded_graph():
    w, x, b = Value(2.0, label="w"), Value(3.0, label="x"), Value(-1.0, label="b")
    y = sg.dot([w, x], [x, w], b)
    assert y.draw(names=False).text.splitlines()[1].startswith("v1 = w×x + x×w + b")
    assert y.formula() == "w × x + x × w + b"
    expanded = trace(y, expand=True, names=False)
    assert [step.text for step in expanded if step.phase == "forward"][-1] == "v4 = v3 + b = 12 + (−1) = 11"
