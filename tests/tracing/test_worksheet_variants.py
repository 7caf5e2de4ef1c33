"""Worksheets in variants: other numbers on each, small and off kinks, the engine's answers, the same for the same seed."""

import math
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from drawing_helpers import chromium, sigmoid_neuron
from helpers import random_graph
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import need_layout
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, worksheet
from scalargrad.tracing import Worksheets, variants
from scalargrad.words.texts import number_text


def lecture():
    x, y, z = (Value(n, label=name) for n, name in ((-2.0, "x"), (5.0, "y"), (-4.0, "z")))
    f = (x + y) * z
    f.label = "f"
    return f


def leaves_of(sheet):
    return {v.label: v.data for v in sheet.trace.graph.order if v.is_leaf}


def answers_of(sheet):
    return [blank.answer for blank in sheet.blanks]


@has_full_size
def test_each_variant_has_its_own_small_numbers_and_the_answers_of_backward(figure):
    seen = Counter()

    @settings(max_examples=size(15, 300), deadline=None)
    @given(n=st.integers(2, 12), graph_seed=st.integers(0, 500), seed=st.integers(-5, 5))
    def check(n, graph_seed, seed):
        root, _ = random_graph(Value, n, graph_seed)
        before = [(v.data, v.grad, v.label) for v in sg.topological_order(root)]
        try:
            sheets = worksheet(root, "both", seed, variants=4)
        except ValueError as error:
            assert "at which everything is finite and off its kinks" in str(error)  # noqa: PT017
            seen["refused"] += 1
            return
        assert [(v.data, v.grad, v.label) for v in sg.topological_order(root)] == before
        assert [sheet.variant for sheet in sheets] == [1, 2, 3, 4]
        questions = [[(b.number, b.question) for b in sheet.blanks] for sheet in sheets]
        assert questions == [[(b.number, b.question) for b in worksheet(root, "both").blanks]] * 4
        inputs = [tuple(v.data for v in sheet.trace.graph.order if v.is_leaf) for sheet in sheets]
        assert len(set(inputs)) == 4
        assert all(x and abs(x) <= 20 and round(x, 1) == x for numbers in inputs for x in numbers)
        for sheet in sheets:
            order = sheet.trace.graph.order
            sheet.trace.graph.root.backward()
            for blank in sheet.blanks:
                assert math.isfinite(blank.answer)
                assert blank.answer == (blank.node.data if blank.what == "value" else blank.node.grad)
            assert sheet.check(answers_of(sheet))
            seen["sheets"] += 1
            seen["answers"] += len(sheet.blanks)
            for node in order:
                op = getattr(node._rule, "kinks", None)
                if op is not None:
                    numbers = [a for _, a in node.operands]
                    for i in range(len(numbers)):
                        for move in (-variants.CLEARANCE, variants.CLEARANCE):
                            moved = [a + move * (j == i) for j, a in enumerate(numbers)]
                            assert node._rule.sides(moved) == node._rule.sides(numbers)

    check()
    figure(
        f"{seen['sheets']} sheets in 4 variants of random graphs ({seen['refused']} graphs were refused in words)",
        f"{seen['answers']} answers, each finite, off kinks and what backward() gives; inputs small and of one decimal place",
    )


def test_the_same_seed_gives_the_same_pages_and_more_variants_begin_with_the_same():
    need_layout()
    first, again, other = (worksheet(lecture(), variants=5, seed=seed) for seed in (3, 3, 4))
    assert first.html == again.html
    assert first.key_html == again.key_html
    assert first.key == again.key != other.key
    assert worksheet(lecture(), variants=8, seed=3).key.startswith("Answer key")
    assert [leaves_of(s) for s in worksheet(lecture(), variants=8, seed=3)][:5] == [leaves_of(s) for s in first]


def test_gradients_differ_within_a_sheet_and_from_sheet_to_sheet():
    sheets = worksheet(lecture(), variants=30)
    for sheet in sheets:
        assert len(set(answers_of(sheet))) > 1
        assert 0.0 not in answers_of(sheet)
        assert len(set(map(abs, leaves_of(sheet).values()))) == 3
        assert all(x == int(x) for x in [*answers_of(sheet), *leaves_of(sheet).values()])
    assert len({tuple(answers_of(sheet)) for sheet in sheets}) > 15


def test_numbers_are_like_those_that_were_there_and_constants_stay():
    w, x, k = Value(0.3, label="w"), Value(7.0, label="x"), Value(2.5, label="k", requires_grad=False)
    sheets = worksheet((w * x + k) * 3.0, variants=12)
    for sheet in sheets:
        found = leaves_of(sheet)
        assert found["k"] == 2.5
        assert found["x"] == int(found["x"])
        assert abs(found["w"]) <= 2.0
        assert sheet.trace.graph.root.operands[1] == (None, 3.0)
    assert any(leaves_of(sheet)["w"] != int(leaves_of(sheet)["w"]) for sheet in sheets)


@pytest.mark.parametrize(
    "f", [lambda x: x.log(), lambda x: x.sqrt() + 1.0, lambda x: (x - 3.0).relu() * 2.0, lambda x: 1.0 / (x - 2.0)]
)
def test_domains_and_kinks_are_kept_to(f):
    x = Value(4.0, label="x")
    for sheet in worksheet(f(x), variants=4):
        assert all(map(math.isfinite, answers_of(sheet)))
        assert sheet.check(answers_of(sheet))


def test_a_tie_is_never_asked_for():
    x, y = Value(3.0, label="x"), Value(3.0, label="y")
    for sheet in worksheet(sg.maximum(x, y) * 2.0, variants=20):
        found = leaves_of(sheet)
        assert abs(found["x"] - found["y"]) >= variants.CLEARANCE


def test_a_function_has_its_parameters_as_inputs_and_its_defaults_say_which_numbers():
    def area(width, height=0.5, *, _unit=1.0):
        return width * height + width

    with pytest.raises(TypeError, match="must name each input"):
        worksheet(area, variants=2)

    def loss(width, height=0.5):
        return width * height + width

    sheets = worksheet(loss, variants=6)
    assert list(leaves_of(sheets[1])) == ["width", "height"]
    assert sheets[1].trace.graph.names[sheets[1].trace.graph.root] == "loss"
    assert all(leaves_of(sheet)["width"] == int(leaves_of(sheet)["width"]) for sheet in sheets)
    for thing, said in [
        (lambda *xs: xs[0], "must name each input"),
        (lambda x: x.data, "must return a Value, not float"),
        (lambda x="a": x, "default of x must be a number, not str"),
        (sg.nn.MLP(2, [1]), "call the model with inputs"),
        (Value(1.0).backward, r"write backward\(\)"),
        ([Value(1.0)], "give one of its elements"),
        (3.0, "a plain number has no graph"),
    ]:
        with pytest.raises(TypeError, match=said):
            worksheet(thing, variants=2)
    with pytest.raises(TypeError, match="call it with Values"):
        worksheet(loss)


@pytest.mark.parametrize("usual", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_no_example(usual):
    x, y = Value(usual, label="x"), Value(2.0, label="y")
    for sheets in (worksheet(x * y + x, variants=3), worksheet(lambda x=usual, y=2: x * y + x, variants=3)):
        assert all(math.isfinite(number) for sheet in sheets for number in leaves_of(sheet).values())


def test_names_of_variables_stay_and_blanks_by_value_and_name_are_asked_in_each():
    a, b = Value(3.0), Value(-2.0)
    c = a * b + a
    for hide in ([a, "b"], ["a", b]):
        for sheet in worksheet(c, hide, variants=3):
            assert {blank.question for blank in sheet.blanks} == {"a.grad", "b.grad"}
            assert sheet.trace.graph.names[sheet.trace.graph.root] == "c"
    assert [blank.name for blank in worksheet(c, variants=1, names=False)[1].blanks] == [
        blank.name for blank in worksheet(c, names=False).blanks
    ]


@pytest.mark.parametrize("start", [1.0, -1.0, 0.5])
@pytest.mark.parametrize("op", [lambda x: x**3, lambda x: sg.log(abs(x)), lambda x: sg.arccosh(x * x + 1.0)])
def test_one_input_is_enough_for_a_class(op, start):
    sheets = worksheet(op(Value(start, label="x")), variants=40)
    numbers = [step.data for sheet in sheets for step in sheet.trace if step.name == "x" and step.phase == "forward"]
    assert len(set(numbers)) == len(numbers) == 40
    digits = [len(f"{abs(x):g}") for x in numbers]
    assert max(digits[:4]) <= 3, "the nicest come first"
    assert max(digits) <= 4


def test_numbers_that_are_tried_and_left_give_no_warning(recwarn):
    worksheet(Value(0.5, label="a") ** Value(-1.0, label="b"), variants=30)
    assert not recwarn.list


def test_what_cannot_be_made_again_is_said():
    a = Value(3.0, label="a")
    out = Value(9.5, (a,), "mine", label="out")
    out._backward = lambda: None
    with pytest.raises(ValueError, match=r"out cannot be computed again .* give a function instead"):
        worksheet(out * 2.0, variants=2)
    with pytest.raises(ValueError, match="for x there are no numbers"):
        worksheet(lambda x: sg.sqrt(x - 100.0), variants=2)
    with pytest.raises(ValueError, match="no number can differ"):
        worksheet(Value(1.0, requires_grad=False) * 2.0, variants=2)
    for wrong, error in ((0, ValueError), (501, ValueError), (2.0, TypeError), (True, TypeError), ("3", TypeError)):
        with pytest.raises(error, match="variants must be"):
            worksheet(lecture(), variants=wrong)
    with pytest.raises(ValueError, match="a worksheet is for at most 100"):
        worksheet(sg.sum([Value(1.0) for _ in range(101)]), variants=2)


def test_a_variant_goes_by_the_number_on_its_sheet():
    sheets = worksheet(lecture(), variants=7)
    assert isinstance(sheets, Worksheets)
    assert (len(sheets), len(list(sheets))) == (7, 7)
    assert sheets[7].variant == 7
    assert sheets[7] in sheets
    assert worksheet(lecture()) not in sheets
    assert "variant 7" in sheets[7].text
    assert "variant 7" in sheets[7].key
    assert sheets[7].check(answers_of(sheets[7]))
    assert not sheets[7].check(answers_of(sheets[6]))
    for wrong in (0, 8, -1):
        with pytest.raises(IndexError, match="they are 1 to 7"):
            sheets[wrong]
    with pytest.raises(TypeError, match="the number of the variant"):
        sheets["7"]
    rows = sheets.key.splitlines()
    assert rows[1].split() == ["variant", "①", "v1.grad", "②", "z.grad", "③", "x.grad", "④", "y.grad"]
    assert [row.split() for row in rows[2:]] == [
        [str(sheet.variant), *map(number_text, answers_of(sheet))] for sheet in sheets
    ]
    assert "sheets[7] is the last" in repr(sheets)


class Texts(HTMLParser):
    """The texts of a page by section."""

    def __init__(self, html):
        super().__init__()
        self.sections, self.quiet = [], False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag == "section":
            self.sections.append([])
        self.quiet = tag == "style"

    def handle_data(self, data):
        if self.sections and not self.quiet:
            self.sections[-1].append(data)


def test_one_file_has_all_sheets_and_another_all_keys(tmp_path):
    need_layout()
    sheets = worksheet(lecture(), variants=3, title="Week 3")
    assert sheets.save(tmp_path / "s.html", key=tmp_path / "k.html") == tmp_path / "s.html"
    pages, keys = (Texts((tmp_path / name).read_text("utf-8")).sections for name in ("s.html", "k.html"))
    assert ["Variant 1" in page for page in pages] == [True, False, False]
    assert len(pages) == 3
    assert len(keys) == 4  # the table of all answers first
    for sheet, page, key in zip(sheets, pages, keys[1:], strict=True):
        assert f"Variant {sheet.variant}" in page
        assert f"Variant {sheet.variant}" in key
        for name in "xyz":
            assert number_text(leaves_of(sheet)[name]) in page
        assert not any(text.startswith("Answer") or "+=" in text for text in page)
        for blank, steps in sheet.solutions():
            assert number_text(blank.answer) in key
            assert set(steps) <= set(key)
            assert number_text(blank.answer) in keys[0]
    both = sheets.save(tmp_path / "both.html", key=True).read_text("utf-8")
    assert both.count("<section") == 7
    with pytest.raises(ValueError, match="the same file"):
        sheets.save(tmp_path / "s.html", key=tmp_path / "s.html")
    with pytest.raises(ValueError, match="the suffix must be"):
        sheets.save(tmp_path / "s.pdf")
    shown = sheets._repr_mimebundle_()
    assert "3 variants" in shown["text/html"]


INSIDE = """() => {
  const page = document.querySelector('section').getBoundingClientRect(), trouble = [];
  for (const e of document.querySelectorAll('h1, .variant, .who, .task, figure svg, .ask, .asked, .box, .work, td, th')) {
    const b = e.getBoundingClientRect();
    if (b.left < page.left - 1 || b.right > page.right + 1) trouble.push(e.className || e.tagName);
    if (e.scrollWidth > e.clientWidth + 1 && e.matches('.asked, td, th')) trouble.push('text of ' + (e.className || e.tagName));
  }
  for (const ask of document.querySelectorAll('.ask')) {
    const [badge, text, box] = [...ask.children].map((e) => e.getBoundingClientRect());
    if (badge.right > text.left + 0.5 || text.right > box.left + 0.5) trouble.push('overlap');
    if (box.width * 25.4 / 96 < 19) trouble.push('narrow box');
  }
  const mm = (e) => e.getBoundingClientRect().height * 25.4 / 96;
  return { trouble, sheets: [...document.querySelectorAll('section')].map(mm), line: mm(document.querySelector('.work div')),
    used: [...document.querySelectorAll('.work')].map(mm) }; }"""


@pytest.mark.browser
@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("make", [lecture, sigmoid_neuron, lambda: Value(2.0, label="x" * 60) * 3.0])
@pytest.mark.parametrize("hide", ["gradients", "both"])
def test_nothing_is_clipped_in_print_the_page_is_used_and_there_is_room_to_write(make, hide, paper, tmp_path):
    need_layout()
    sheets = worksheet(make(), hide, variants=2)
    text = sheets.save(tmp_path / "s.html").read_text("utf-8")
    across = "size: landscape" in text
    wide, high = {"A4": (210, 297), "Letter": (215.9, 279.4)}[paper]
    wide, high = (high, wide) if across else (wide, high)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": round((wide - 28) * 96 / 25.4), "height": 900})
        page.emulate_media(media="print")
        page.goto((tmp_path / "s.html").as_uri())
        seen = page.evaluate(INSIDE)
        printed = page.pdf(format=paper, landscape=across)
        page.close()
    assert seen["trouble"] == []
    assert seen["line"] >= 7.0
    count = len(re.findall(rb"/Type\s*/Page\b(?!s)", printed))
    if all(height <= high - 28 for height in seen["sheets"]):
        assert count == 2
        lines = min(seen["used"]) / seen["line"]
        # What is left at the bottom is less than another line for each row, unless a blank has as many as can be used.
        assert lines > 7.5 or all(height > 0.72 * (high - 28) for height in seen["sheets"])
    else:
        assert count <= 2 * math.ceil(max(seen["sheets"]) / (high - 28) + 1)


def test_the_key_is_nowhere_on_the_sheets():
    need_layout()
    sheets = worksheet(sigmoid_neuron(), variants=4)
    html = sheets.html
    shown = {number_text(v.data) for sheet in sheets for v in sheet.trace.graph.order}
    secret = {number_text(x) for sheet in sheets for x in answers_of(sheet)} - shown
    texts = {text for page in Texts(html).sections for text in page}
    assert not [text for text in texts for number in secret if len(number) > 4 and number in text]
    assert secret
