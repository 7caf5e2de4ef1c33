"""Worksheets: the right blanks, no answer on the sheet, and hints that name what went wrong and nothing more."""

import math
import re
from base64 import b64decode
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from drawing_helpers import HOSTILE, chromium, mlp_loss, sigmoid_neuron
from helpers import random_graph, readme_example
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import need_layout
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, worksheet
from scalargrad.drawing import GraphTooLargeError
from scalargrad.support.labels import clean_label
from scalargrad.tracing.blanks import Blank
from scalargrad.tracing.marking import agrees, read_answers
from scalargrad.words.texts import MINUS, number_text


def lecture():
    x, y, z = (Value(n, label=name) for n, name in ((-2.0, "x"), (5.0, "y"), (-4.0, "z")))
    f = (x + y) * z
    f.label = "f"
    return f


def readme():
    g, _, _ = readme_example(Value)
    g.label = "g"
    return g


def odd():
    """Numbers that do not occur by chance: (f, a, b); a is used twice, by p and by q."""
    a, b = Value(1.3719, label="a"), Value(-2.7183, label="b")
    p = a * b
    q = a.tanh()
    p.label, q.label = "p", "q"
    r = p + q * 3.1416
    r.label = "r"
    f = r * p
    f.label = "f"
    return f, a, b


def rights(sheet):
    return {blank.number: blank.answer for blank in sheet.blanks}


def blank_of(sheet, name, what="gradient"):
    return next(blank for blank in sheet.blanks if (blank.name, blank.what) == (name, what))


def hint(sheet, name, answer, what="gradient", others=None):
    """The hint for a wrong answer to one blank; the other blanks are open unless they are given."""
    marks = sheet.check({blank_of(sheet, name, what).number: answer} | (others or {}))
    return marks.wrong[blank_of(sheet, name, what).number]


def step(sheet, node, source, operand=None):
    return next(s for s in sheet.trace if s.edge == (node, source) and (operand is None or s.operand == operand))


# ------------------------------------------------------------------ blanks


def test_all_gradients_but_the_outputs_in_the_order_of_backpropagation():
    sheet = worksheet(lecture())
    assert [(b.number, b.name, b.what, b.question, b.answer) for b in sheet.blanks] == [
        (1, "v1", "gradient", "v1.grad", -4.0),
        (2, "z", "gradient", "z.grad", 3.0),
        (3, "x", "gradient", "x.grad", -4.0),
        (4, "y", "gradient", "y.grad", -4.0),
    ]


def test_values_are_asked_of_what_is_computed_and_both_asks_for_everything():
    values = worksheet(lecture(), "values").blanks
    assert [(b.number, b.question, b.answer) for b in values] == [(1, "v1", 3.0), (2, "f", -12.0)]
    both = worksheet(lecture(), "both").blanks
    assert [b.question for b in both] == ["v1", "f", "v1.grad", "z.grad", "x.grad", "y.grad"]


@given(n=st.integers(1, 25), seed=st.integers(0, 999), share=st.floats(0.01, 1.0), blanks_seed=st.integers(0, 99))
def test_the_right_numbers_are_those_of_backward_and_no_grad_is_touched(n, seed, share, blanks_seed):
    root, leaves = random_graph(Value, n, seed)
    sheet = worksheet(root, share, blanks_seed)
    nodes = sg.topological_order(root)
    assert all(node.grad == 0.0 for node in nodes)
    candidates = sum(not v.is_leaf for v in nodes) + len(worksheet(root).blanks)
    assert len(sheet.blanks) == max(1, round(share * candidates))
    root.backward()
    for blank in sheet.blanks:
        assert blank.answer == (blank.node.data if blank.what == "value" else blank.node.grad)
    assert sheet.check(rights(sheet))
    assert leaves


def test_the_same_seed_leaves_the_same_blanks_and_another_seed_others():
    questions = [[b.question for b in worksheet(readme(), 0.4, seed).blanks] for seed in range(8)]
    assert questions == [[b.question for b in worksheet(readme(), 0.4, seed).blanks] for seed in range(8)]
    assert len({tuple(q) for q in questions}) == 8
    sheet, again = (worksheet(readme(), 0.4, seed=5) for _ in range(2))
    assert sheet.html == again.html
    assert sheet.key_html == again.key_html


def test_blanks_by_value_and_by_name():
    f, a, _ = odd()
    assert [b.name for b in worksheet(f, ["b", a, "q"]).blanks] == ["q", "a", "b"]
    for hide, message in [
        (["frob"], "no Value of this graph has the name 'frob'"),
        ([Value(1.0)], "not part of this graph"),
        ([f], "the gradient of f cannot be left blank: the output's is given"),
        ([], "leaves nothing blank"),
    ]:
        with pytest.raises(ValueError, match=re.escape(message)):
            worksheet(f, hide)
    constant = Value(2.0, label="k", requires_grad=False)
    with pytest.raises(ValueError, match="it has none"):
        worksheet(a * constant, ["k"])
    with pytest.raises(TypeError, match="not int"):
        worksheet(f, [3])


@pytest.mark.parametrize("hide", ["gradient", "", 0, 0.0, -0.5, 1.5, math.nan, True, None, 3j])
def test_another_hide_is_an_error(hide):
    with pytest.raises(ValueError, match="hide must be 'gradients', 'values', 'both'"):
        worksheet(lecture(), hide)


def test_blanks_are_numbered_by_signs_that_are_no_names():
    leaves = [Value(1.5 + i, label="ABC"[i] if i < 3 else "") for i in range(40)]
    blanks = worksheet(sg.sum(leaves)).blanks
    assert [blank.number for blank in blanks] == list(range(1, 41))
    signs = [blank.sign for blank in blanks]
    assert (signs[:3], signs[9:11], signs[39]) == (["①", "②", "③"], ["⑩", "(11)"], "(40)")
    assert not any(sign.isidentifier() for sign in signs)


def test_a_graph_too_large_for_paper_is_an_error_that_says_what_to_do():
    x = Value(1.0)
    for _ in range(100):
        x = x + 1.0
    with pytest.raises(
        GraphTooLargeError, match=r"this graph has 101 values, and a worksheet is for at most 100: make"
    ):
        worksheet(x)
    with pytest.raises(GraphTooLargeError, match="steps"):
        worksheet(sg.sum([Value(1.0)] * 1000))
    with pytest.raises(TypeError, match="takes a Value"):
        worksheet(3.0)
    with pytest.raises(ValueError, match="leaves nothing blank"):
        worksheet(Value(3.0))


def test_fused_nodes_can_be_spelled_out():
    xs = [Value(i + 0.5, label=f"x{i}") for i in range(3)]
    s = sg.dot(xs, xs[::-1])
    assert len(worksheet(s).blanks) == 3
    assert len(worksheet(s, expand=True).blanks) > 6
    sheet = worksheet(s, expand=True)
    assert sheet.check(rights(sheet))


# ------------------------------------------------------------------ answers as people write them


def some_blanks(answer=0.5):
    return [Blank(i + 1, f"v{i}", "gradient", f"v{i}.grad", answer, Value(0.0)) for i in range(3)]


@pytest.mark.parametrize(
    ("text", "number"),
    [("-0.3932", -0.3932), ("−0,3932", -0.3932), ("– 2", -2.0), (" 1/4 ", 0.25), ("-1,5 / 3", -0.5), ("1e−7", 1e-7),
     ("+3", 3.0), ("1/-2", -0.5), ("∞", math.inf), ("−inf", -math.inf), (".5", 0.5), ("1234,5", 1234.5)],
)  # fmt: skip
def test_numbers_as_people_write_them(text, number):
    assert list(read_answers(some_blanks(), {1: text}).values()) == [number]


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "1,234.5",
        "1.234,5",
        "1,2,3",
        "1/0",
        "1/2/3",
        "1 2",
        "1 1/2",
        "1_000",
        "--2",
        "1j",
        "9" * 5000,
        "\x1b[31m",
        "½x",
    ],
)
def test_what_is_no_number_is_an_error_that_names_the_blank(text):
    with pytest.raises(ValueError, match=r"the answer to ② \(v1\.grad\), .*, is not a number: write") as error:
        read_answers(some_blanks(), {2: text})
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 200


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_that_error(text):
    try:
        read = list(read_answers(some_blanks(), [text]).values())
    except ValueError as error:
        assert "the answer to ①" in str(error)  # noqa: PT017
    else:
        assert [type(number) for number in read] == ([float] if text.strip() else [])


def test_answers_by_number_name_question_value_or_in_order():
    f, a, _ = odd()
    sheet = worksheet(f)
    blank = blank_of(sheet, "a")
    by = [{"a": 7}, {blank.number: 7}, {str(blank.number): 7}, {blank.sign: 7}, {"a.grad": 7}, {a: 7}]
    by += [[7 if other is blank else None for other in sheet.blanks]]
    for answers in by:
        assert read_answers(sheet.blanks, answers) == {blank: 7.0}
    for answers, message in [
        ({"a": 7, blank.number: 8}, "is answered twice"),
        ({"zz": 1}, "no blank is called zz: they are 1 to 6, or go by name: "),
        ({0: 1}, "no blank is called 0"),
        ({True: 1}, "no blank is called True"),
        ({Value(1.0): 1}, "no blank is called"),
        ([1] * 9, "there are 6 blanks, but 9 answers"),
        ({"a": True}, "bool, is not a number"),
        ({"a": [1]}, "list, is not a number"),
    ]:
        with pytest.raises(ValueError, match=re.escape(message)):
            sheet.check(answers)
    for answers in ("1 2 3", 5, None, {1.0, 2.0}):
        with pytest.raises(TypeError, match="answers must be a dict"):
            sheet.check(answers)
    with pytest.raises(ValueError, match=r"has more than one blank: answer by number, .* \(value\) or .* \(gradient\)"):
        worksheet(f, "both").check({"p": 1})


def test_what_is_not_answered_is_open_and_not_wrong():
    sheet = worksheet(lecture())
    marks = sheet.check(["-4", None, "  "])
    assert (marks.right, marks.wrong, marks.open) == ([1], {}, [2, 3, 4])
    assert not marks
    assert not sheet.check({})
    assert str(marks).splitlines() == [
        "①  v1.grad  right", "②  z.grad   open", "③  x.grad   open", "④  y.grad   open", "1 of 4 right, 3 open",
    ]  # fmt: skip
    assert [mark.verdict for mark in marks] == ["right", "open", "open", "open"]


@given(st.floats(-1e308, 1e308) | st.sampled_from([math.nan, math.inf, -math.inf]))
def test_a_number_as_shown_is_right(x):
    shown = float(number_text(x).replace(MINUS, "-"))
    assert agrees(shown, x)
    assert agrees(x, x)


@given(st.floats(1e-9, 1e9), st.sampled_from([-1, 1]))
def test_more_than_a_unit_of_the_last_digit_shown_is_wrong(x, sign):
    unit = 1e-4 if 1e-3 <= x <= 1e5 else 10.0 ** math.floor(math.log10(x)) * 1e-4
    assert not agrees(x + sign * 1.01 * unit, x)
    assert agrees(x + sign * 0.49 * unit, x)


def test_a_tolerance_can_be_asked_for():
    sheet = worksheet(sigmoid_neuron())
    rounded = {number: float(f"{x:.2g}") for number, x in rights(sheet).items()}
    assert not sheet.check(rounded)
    assert sheet.check(rounded, tolerance=0.03)
    assert "close: carry more digits" in hint(sheet, "s", 0.195)
    for tolerance in (-0.1, 1.0, math.inf, math.nan):
        with pytest.raises(ValueError, match="tolerance must be a share of the right number"):
            sheet.check(rounded, tolerance=tolerance)


# ------------------------------------------------------------------ diagnoses


def test_a_missing_contribution_is_named():
    f, _, _ = odd()
    sheet = worksheet(f)
    right = blank_of(sheet, "a").answer
    through_p, through_q = (step(sheet, "a", name).contribution for name in "pq")
    assert math.isclose(right, through_p + through_q)
    last = [s.source.label for s in sheet.trace if s.name == "a" and s.source is not None][-1]
    for left_out, answer in (("q", through_p), ("p", through_q)):
        text = hint(sheet, "a", answer)
        assert text.startswith(f"a is used 2 times, and the contribution through edge a → {left_out} is missing")
        assert ("(+=)" in text) == (left_out != last)


def test_several_missing_contributions_are_named():
    sheet = worksheet(readme())
    parts = [s for s in sheet.trace if s.name == "a" and s.contribution]
    assert len(parts) == 4
    text = hint(sheet, "a", parts[0].contribution + parts[2].contribution)
    assert f"2 contributions through edge a → {parts[1].edge[1]} and edge a → {parts[3].edge[1]} are missing" in text
    b_parts = [s for s in sheet.trace if s.name == "b" and s.contribution]
    assert hint(sheet, "b", b_parts[-1].contribution).endswith(
        "are missing: every use adds its share (+=), the last must not replace the others"
    )


def test_equal_contributions_are_not_told_apart():
    a = Value(1.37, label="a")
    f = a * a
    f.label = "f"
    text = hint(worksheet(f), "a", 1.37 * 1.0000001)  # also the value, and the local derivative alone
    assert "the value of a" in text
    g = (a * a) * 2.5
    sheet = worksheet(g, ["a"])
    assert (
        hint(sheet, "a", 1.37 * 2.5)
        == "a is used 2 times, and 1 of the contributions through edge left a → v1 and edge right a → v1 "
        "is missing: every use adds its share (+=), the last must not replace the others"
    )


def test_many_uses_are_searched_quickly():
    a = Value(0.37, label="a")
    f = sg.sum([a * (1.0 + 0.013 * i) for i in range(49)]) * 1.7
    sheet = worksheet(f, ["a"])
    left_out = step(sheet, "a", "v7")
    assert "the contribution through edge a → v7 is missing" in hint(
        sheet, "a", sheet.blanks[0].answer - left_out.contribution
    )


def test_mistakes_on_one_edge_are_named():
    f, a, b = odd()
    sheet = worksheet(f)
    p, q, fp = step(sheet, "a", "p"), step(sheet, "a", "q"), step(sheet, "b", "p")
    right = blank_of(sheet, "a").answer
    assert (
        hint(sheet, "b", fp.local) == "edge b → p: that is the local derivative alone; multiply it by the gradient of p"
    )
    assert hint(sheet, "b", fp.upstream).startswith("edge b → p: the gradient of p was handed on as it is")
    assert hint(sheet, "b", fp.upstream * b.data).startswith("edge b → p: you multiplied by b itself")
    assert hint(sheet, "b", fp.upstream / fp.local).startswith(
        "edge b → p: multiply by the local derivative for b instead of"
    )
    assert hint(sheet, "b", -fp.contribution) == "check the sign of the local derivative on edge b → p"
    assert hint(sheet, "b", b.data) == "that is the value of b; its gradient b.grad is asked"
    # and where it is one edge of two
    assert hint(sheet, "a", right - q.contribution + q.local).startswith(
        "edge a → q: that is the local derivative alone"
    )
    assert hint(sheet, "a", right - q.contribution + q.upstream).startswith(
        "edge a → q: the gradient of q was handed on"
    )
    assert hint(sheet, "a", right - p.contribution + p.upstream * a.data).startswith(
        "edge a → p: you multiplied by a itself"
    )
    assert hint(sheet, "a", right - 2 * q.contribution) == "edge a → q: check the sign of the local derivative for a"


def test_a_slope_taken_at_the_wrong_place_is_named():
    f, a, _ = odd()
    sheet = worksheet(f)
    q = step(sheet, "a", "q")
    right = blank_of(sheet, "a").answer
    at_the_input = q.upstream * (1 - a.data**2)  # tanh'(x) is 1 − tanh(x)², not 1 − x²
    assert (
        hint(sheet, "a", right - q.contribution + at_the_input)
        == "edge a → q: check where the local derivative of tanh takes a and where it takes q"
    )
    x = Value(0.83, label="x")
    g = x.exp() * 1.9
    g.label = "g"
    sheet = worksheet(g)
    assert "check where the local derivative of exp takes x and where it takes v1" in hint(sheet, "x", 1.9 * 0.83)


def test_a_slope_taken_at_the_result_instead_of_the_operand_is_named():
    x = Value(0.83, label="x")
    g = x.sin() * 1.9
    sheet = worksheet(g)
    assert "check where the local derivative of sin takes x and where it takes v1" in hint(
        sheet, "x", 1.9 * math.cos(math.sin(0.83))
    )


def test_what_follows_from_a_wrong_answer_is_told_from_a_new_mistake():
    f, _, _ = odd()
    sheet = worksheet(f)
    r, q, p = (blank_of(sheet, name) for name in "rqp")
    v1 = next(b for b in sheet.blanks if b.name == "v1") if any(b.name == "v1" for b in sheet.blanks) else None
    assert v1 is not None
    wrong = 2 * v1.answer
    text = hint(sheet, "q", wrong * step(sheet, "q", "v1").local, others={v1.number: wrong})
    assert text == f"this step follows from your answer to {v1.sign}, so look at {v1.sign} again"
    assert "follows" not in hint(sheet, "q", 9.99, others={v1.number: wrong})
    assert len({r.number, q.number, p.number}) == 3


def test_gradients_that_follow_from_wrong_values():
    sheet = worksheet(odd()[0], "both")
    p = blank_of(sheet, "p", "value")
    text = hint(sheet, "r", 2 * p.answer, others={p.number: 2 * p.answer})
    assert text == f"this step follows from your answer to {p.sign}, so look at {p.sign} again"


def test_mistakes_in_values_are_named():
    a, b = Value(1.7, label="a"), Value(-0.6, label="b")
    c = a - b
    d = c.tanh()
    e = sg.sum([d, a, b])
    c.label, d.label, e.label = "c", "d", "e"
    sheet = worksheet(e, "values")
    assert hint(sheet, "c", 1.1, "value") == "that is + of the same operands: c = a − b"
    assert hint(sheet, "c", -2.3, "value") == "check the signs in c = a − b, edges from a and b"
    assert hint(sheet, "c", 1.7, "value") == "that is a itself: c = a − b"
    assert hint(sheet, "c", 77, "value") == "c = a − b: go over the edges from a and b"
    assert hint(sheet, "e", d.data + 1.7, "value") == "b is left out, edge b → e"
    wrong = 1.1
    c_blank = blank_of(sheet, "c", "value")
    assert hint(sheet, "d", math.tanh(wrong), "value", others={c_blank.number: wrong}).startswith(
        f"this step follows from your answer to {c_blank.sign}"
    )
    g = a / b
    g.label = "g"
    assert hint(worksheet(g, "values"), "g", -0.6 / 1.7, "value").startswith("the operands are the other way around")
    assert hint(worksheet(g, "values"), "g", 1.7 * -0.6, "value") == "that is × of the same operands: g = a ÷ b"


def test_what_no_typical_mistake_explains_names_every_edge():
    sheet = worksheet(odd()[0])
    assert hint(sheet, "a", 123.0) == (
        "go over edge a → q and edge a → p: the gradient of the child times the local derivative, added up over all edges"
    )


def test_a_hand_written_closure_can_be_asked_for():
    a = Value(3.0, label="a")
    out = Value(9.5, (a,), "mine", label="out")

    def _backward():
        a.grad += 6.25 * out.grad

    out._backward = _backward
    sheet = worksheet(out * 2.0, "both")
    assert sheet.check(rights(sheet))
    assert "edge a → out" in hint(sheet, "a", 1.23)
    assert hint(sheet, "out", 1.23, "value").endswith("go over the edges from a")


def test_numbers_that_are_not_finite_can_be_asked_for():
    x = Value(0.0, label="x")
    f = (x * math.inf) * 2.0
    sheet = worksheet(f, "both")
    assert any(math.isnan(blank.answer) for blank in sheet.blanks)
    assert sheet.check({b.number: number_text(b.answer) for b in sheet.blanks})
    assert not sheet.check(dict.fromkeys(rights(sheet), 1.0))
    sketch = sheet.drawing.svg
    assert "bad" not in re.sub("<style>.*</style>", "", sketch, flags=re.S)


@has_full_size
@settings(max_examples=size(30, 100))
@given(n=st.integers(2, 20), seed=st.integers(0, 500), data=st.data())
def test_every_wrong_answer_gets_a_hint_that_names_an_edge_and_no_number_of_the_key(n, seed, data):
    root, _ = random_graph(Value, n, seed)
    sheet = worksheet(root, "both")
    sums = [s.contribution for s in sheet.trace if s.contribution is not None]
    sums += [s.local for s in sheet.trace if s.local is not None] + [s.data for s in sheet.trace]
    answers = {
        b.number: data.draw(st.one_of(st.sampled_from(sums), st.just(-b.answer), st.floats(-9, 9)))
        for b in sheet.blanks
    }
    marks = sheet.check(answers)
    told = {number_text(b.answer) for b in sheet.blanks if len(number_text(b.answer)) > 4}
    for mark in marks:
        if mark.verdict == "wrong":
            assert not agrees(mark.answer, mark.blank.answer)
            assert not any(number in mark.hint for number in told), mark
            names = [s.edge[1] for s in sheet.trace if s.node is mark.blank.node and s.edge]
            if mark.blank.what == "gradient" and not mark.hint.startswith(
                ("this step follows", "that is the value", "close")
            ):
                assert any(re.search(rf"→ {re.escape(name)}\b", mark.hint) for name in names), mark
        else:
            assert agrees(mark.answer, mark.blank.answer)


# ------------------------------------------------------------------ the sheet gives nothing away


def texts_of(html):
    """Everything that a reader, a screen reader or the source shows: texts and attributes, but coordinates and styles."""
    found = []

    class Reader(HTMLParser):
        skipping = False

        def handle_starttag(self, tag, attributes):
            self.skipping = tag == "style"
            found.extend(
                value or "" for name, value in attributes if name in {"title", "alt", "aria-label", "class", "content"}
            )

        def handle_data(self, data):
            if not self.skipping:
                found.append(data)

    Reader().feed(html)
    return found


@pytest.mark.parametrize("hide", ["gradients", "values", "both", 0.5])
@pytest.mark.parametrize("local_derivatives", [False, True])
@pytest.mark.parametrize("make", [lambda: odd()[0], mlp_loss, sigmoid_neuron])
def test_no_answer_is_on_the_sheet(make, hide, local_derivatives):
    root = make()  # some of them after backward(): the gradients are in the Values, but not on the sheet
    sheet = worksheet(root, hide, seed=2, local_derivatives=local_derivatives)
    shown = {v.data for v in sheet.trace.graph.order} - {b.answer for b in sheet.blanks if b.what == "value"}
    shown |= {a for v in sheet.trace.graph.order for parent, a in v.operands if parent is None}
    if local_derivatives:
        shown |= {s.local for s in sheet.trace if s.local is not None}
    if hide == 0.5:  # a gradient that is shown may be the same as one that is not
        hidden = {b.node for b in sheet.blanks if b.what == "gradient"}
        shown |= {x for node, x in sheet.trace.graph.gradients.items() if node not in hidden}
    answers = {b.answer for b in sheet.blanks} - shown
    secret = {number_text(x) for x in answers} - {number_text(x) for x in shown}
    secret |= {number.replace(MINUS, "-") for number in secret} | {repr(x) for x in answers if len(repr(x)) > 8}
    secret = {number for number in secret if len(number) > 3}
    assert secret
    need_layout()
    mime = sheet._repr_mimebundle_()
    image = b64decode(re.search('base64,([^"]+)', mime["text/html"])[1]).decode()
    outputs = [*texts_of(sheet.html), *texts_of(sheet.drawing.svg), *texts_of(image), *texts_of(mime["text/html"])]
    outputs += [
        str(sheet),
        repr(sheet),
        mime["text/plain"],
        sheet.drawing.json,
        sheet.drawing.mermaid,
        sheet.drawing.text,
    ]
    outputs += [line for line in sheet.drawing.dot.splitlines() if "label=" in line]
    for text in outputs:
        for number in secret:
            assert not re.search(rf"(?<![\d.]){re.escape(number)}(?!\d)", text), (number, text)
    for blank in sheet.blanks:
        assert f"{blank.sign} = _" in sheet.drawing.svg


def test_edges_are_neutral_and_local_derivatives_are_shown_only_where_they_give_nothing_away():
    f, _, _ = odd()
    easy = worksheet(f, local_derivatives=True)
    labels = re.findall(r">(×[^<]*)<", easy.drawing.svg)
    assert len(labels) == sum(s.local not in (None, 1.0) for s in easy.trace)
    assert not re.findall(r">(×[^<]*)<", worksheet(f).drawing.svg)
    assert not re.search("edge-(plus|minus)", easy.drawing.svg)
    # The local derivative for r is p: shown, it would say the value of p.
    assert not re.findall(r">(×[^<]*)<", worksheet(f, "values", local_derivatives=True).drawing.svg)
    assert "grad" not in re.sub("<title.*?</title>", "", worksheet(f, "values").drawing.svg)


def test_the_key_has_every_answer_with_the_steps_to_it():
    sheet = worksheet(readme(), "both")
    key, html, svg = sheet.key, sheet.key_html, sheet.key_drawing.svg  # each is made anew when it is asked for
    for blank in sheet.blanks:
        assert f"{blank.question} = {number_text(blank.answer)}" in key
        assert f">{number_text(blank.answer)}<" in html
        assert re.search(rf">(grad )?{re.escape(blank.sign)} = {number_text(blank.answer)}<", svg)
    assert "→ 673.344 + (−27.7668) = 645.5773" in key
    assert "→ 673.344 + (−27.7668) = 645.5773" in html


# ------------------------------------------------------------------ files


def test_save_writes_the_sheet_and_the_key_behind_it_or_beside_it(tmp_path):
    sheet = worksheet(lecture(), title="Week 3")
    assert sheet.save(tmp_path / "a.html") == tmp_path / "a.html"
    alone = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert alone == sheet.html
    assert "Answer key" not in alone
    assert "<title>Week 3</title>" in alone
    sheet.save(tmp_path / "b.html", key=True)
    both = (tmp_path / "b.html").read_text(encoding="utf-8")
    assert both.count("<section") == 2
    assert "Answer key: Week 3" in both
    sheet.save(str(tmp_path / "c.html"), key=str(tmp_path / "k.html"))
    assert (tmp_path / "c.html").read_text(encoding="utf-8") == alone
    assert (tmp_path / "k.html").read_text(encoding="utf-8") == sheet.key_html
    with pytest.raises(ValueError, match="the suffix must be"):
        sheet.save(tmp_path / "a.pdf")
    with pytest.raises(ValueError, match="the same file"):
        sheet.save(tmp_path / "d.html", key=tmp_path / "d.html")
    with pytest.raises(FileNotFoundError):
        sheet.save(tmp_path / "no" / "a.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "b.html", "c.html", "k.html"]


def test_hostile_labels_are_text():
    need_layout()
    for label in HOSTILE:
        a = Value(1.3, label=label)
        f = a * 2.5 + a
        f.label = label + "f"
        sheet = worksheet(f, "both", title=label)
        for html in (sheet.html, sheet.key_html):
            assert set(re.findall(r"<([a-z0-9]+)", html)) <= set(
                "html head meta title style body section header h1 div span p figure svg desc g rect path polygon text ol "
                "li b table thead tbody tr th td tspan".split()
            ), label
            assert not set(map(ord, html)) & (set(range(32)) - {10})
            assert html.count("<style>") == 1
        ElementTree.fromstring(sheet.drawing.svg)  # noqa: S314
        assert sheet.check(rights(sheet))
        assert clean_label(label)[:3] in "".join(texts_of(sheet.html))
        fields = sheet._repr_mimebundle_()["text/html"]
        assert fields.count("<script") == 1
        assert set(re.findall(r"<([a-z0-9]+)", fields.partition("<script")[0])) <= set(
            "div h3 p img strong code".split()
        )
        assert "\x1b" not in str(sheet) + sheet.key + str(sheet.check(dict.fromkeys(rights(sheet), 9)))


def test_without_a_layout_engine_the_sheet_has_the_picture_as_text(monkeypatch):
    monkeypatch.setattr("scalargrad.tracing.sheet_page.available", lambda *_: "text")
    monkeypatch.setattr("scalargrad.tracing.sheet.available", lambda *_: "text")
    sheet = worksheet(lecture())
    assert "<pre>" in sheet.html
    assert "grad ① = ____" in sheet.html
    assert "<svg" not in sheet.html + sheet.key_html
    assert list(sheet._repr_mimebundle_()) == ["text/plain"]


@pytest.mark.browser
def test_the_sheet_prints_on_few_pages_without_a_word_on_the_console(tmp_path):
    makes = {
        "lecture": lecture,
        "neuron": sigmoid_neuron,
        "odd": lambda: odd()[0],
        "hostile": lambda: Value(1.3, label=HOSTILE[13]) * 2,
    }
    with chromium() as browser:
        for name, make in makes.items():
            for hide in ("gradients", "both"):
                path = worksheet(make(), hide).save(tmp_path / f"{name}.html")
                key = worksheet(make(), hide).save(tmp_path / f"{name}-key.html", key=True)
                page = browser.new_page(viewport={"width": 1100, "height": 900})
                trouble = []
                page.on(
                    "request",
                    lambda request: trouble.append(request.url) if not request.url.startswith("file:") else None,
                )
                page.on("console", lambda message: trouble.append(message.text))
                page.on("pageerror", lambda error: trouble.append(str(error)))
                page.goto(path.as_uri())
                # nothing sticks out of the page, no text out of its card
                assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
                assert (
                    page.evaluate(
                        """() => Math.max(...[...document.querySelectorAll('svg g.node')].flatMap(g => {
                         const card = [...g.querySelectorAll('rect')].pop().getBoundingClientRect();
                         return [...g.querySelectorAll('text')].map(t => t.getBoundingClientRect().right - card.right); }))"""
                    )
                    <= 0.5
                )
                assert page.locator("li .box").count() == len(worksheet(make(), hide).blanks)
                assert page.evaluate("getComputedStyle(document.querySelector('li .box')).borderTopStyle") == "solid"
                for paper in ("A4", "Letter"):
                    landscape = "size: landscape" in path.read_text(encoding="utf-8")
                    # 20 blanks with room to work in take two pages beside the picture's.
                    most = 3 if (name, hide) == ("neuron", "both") else 1
                    assert pages(page.pdf(format=paper, landscape=landscape)) == most, (name, hide, paper)
                page.goto(key.as_uri())
                assert pages(page.pdf(format="A4")) >= 2
                assert trouble == []
                page.close()


def pages(pdf):
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def test_lines_of_marks_are_broken_between_words_and_below_their_beginning():
    sheet = worksheet(readme())
    parts = [s for s in sheet.trace if s.name == "b" and s.contribution]
    marks = sheet.check({"b": parts[-1].contribution})
    lines = repr(marks).splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) > len(marks) + 1
    assert " ".join(marks[[m.blank.name for m in marks].index("b")].hint.split()) in " ".join(repr(marks).split())
