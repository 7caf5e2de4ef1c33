"""Worksheets to fill in on a screen: they judge and hint as `check` does, and no answer can be read in the page."""

import math
import random
import re

import pytest
from drawing_helpers import chromium, sigmoid_neuron
from helpers import random_graph
from hypothesis import given
from hypothesis import strategies as st
from optional import need_layout
from stepper_helpers import sanitised

from scalargrad import Value, worksheet
from scalargrad.tracing import fields
from scalargrad.tracing.marking import agrees, leeway
from scalargrad.words.texts import number_text


def lecture():
    x, y, z = (Value(n, label=name) for n, name in ((-2.0, "x"), (5.0, "y"), (-4.0, "z")))
    f = (x + y) * z
    f.label = "f"
    return f


def cells_of(number):
    """The cells that fields.js looks into, in Python."""
    found = [f"a{math.floor(number * 1e4 + 0.5)}"]
    if number:
        sign, size = "-" if number < 0 else "+", math.log(abs(number))
        found += [f"b{sign}{math.floor(size * 1e4 + 0.5)}", f"c{sign}{math.floor(size * 50 + 0.5)}"]
    return found


@given(st.floats(-1e300, 1e300), st.floats(-1.5, 1.5), st.sampled_from([0.0, 0.02]))
def test_every_answer_that_agrees_lies_in_a_cell_of_the_number(right, off, tolerance):
    answer = right + off * leeway(right, tolerance)
    sealed = set(fields._cells(right, leeway(right, tolerance)))
    assert len(sealed) < 120
    if agrees(answer, right, tolerance):
        assert sealed & set(cells_of(answer))


@pytest.mark.parametrize("make", [lecture, sigmoid_neuron])
def test_no_answer_and_no_hint_can_be_read_in_the_page(make):
    sheet = worksheet(make(), title="Week 3")
    for html in (sheet.fields_html, sheet._repr_mimebundle_()["text/html"]):
        script = html.partition("<script>")[2]
        data = script.partition('"sealed":')[2]
        assert data
        assert re.fullmatch(r'[\w+/=":,{}]*', data.partition("}")[0])
        shown = {number_text(v.data) for v in sheet.trace.graph.order}
        for blank in sheet.blanks:
            text = number_text(blank.answer)
            if text not in shown and len(text) > 3:
                assert text not in html
                assert repr(blank.answer) not in html
        for hint in ("local derivative alone", "is missing", "as it is", "check the sign", "Answer key"):
            assert hint not in html


def test_without_a_script_picture_task_and_questions_are_there():
    need_layout()
    sheet = worksheet(lecture())
    left = sanitised(sheet._repr_mimebundle_()["text/html"])
    assert "script" not in left
    assert "<img" in left
    assert sheet.task in left
    for blank in sheet.blanks:
        assert f"<code>{blank.question}</code>" in left


def test_a_page_to_fill_in_has_no_key(tmp_path):
    sheet = worksheet(lecture())
    with pytest.raises(ValueError, match="give the key a file of its own"):
        sheet.save(tmp_path / "a.html", key=True, fields=True)
    sheet.save(tmp_path / "a.html", key=tmp_path / "k.html", fields=True)
    assert (tmp_path / "a.html").read_text("utf-8") == sheet.fields_html
    assert (tmp_path / "k.html").read_text("utf-8") == sheet.key_html


def tries(sheet, chance):
    """For each blank answers that are right, nearly right, typical mistakes and nonsense."""
    steps = [x for s in sheet.trace for x in (s.contribution, s.local, s.data) if x is not None]
    for blank in sheet.blanks:
        right = blank.answer
        near = [right + chance.uniform(-1e-4, 1e-4), right * (1 + chance.uniform(-1e-4, 1e-4)), right * 1.01]
        yield [right, -right, *near, chance.choice(steps), chance.uniform(-9, 9)]


@pytest.mark.browser
def test_fields_judge_and_hint_as_check_does(tmp_path):
    need_layout()
    x, q = Value(0.0, label="x"), Value(3e7, label="q")
    roots = [lecture(), sigmoid_neuron(), (x * math.inf) * 2.0, q * 1e-12 * Value(2e9), random_graph(Value, 12, 1)[0]]
    chance = random.Random(1)
    with chromium() as browser:
        for root in roots:
            sheet = worksheet(root, "both")
            page = browser.new_page()
            trouble = []
            page.on("console", lambda message, trouble=trouble: trouble.append(message.text))
            page.on("pageerror", lambda error, trouble=trouble: trouble.append(str(error)))
            page.goto(sheet.save(tmp_path / "f.html", fields=True).as_uri())
            rows = page.locator(".sg-row")
            assert rows.count() == len(sheet.blanks)
            assert not page.locator(".sg-asked").is_visible()
            for answers in zip(*tries(sheet, chance), strict=True):
                for i, answer in enumerate(answers):
                    rows.nth(i).locator("input").fill(repr(answer))
                page.locator(".sg-form button").click()
                said = page.locator(".sg-verdict").all_inner_texts()
                right = 0
                for blank, answer, text in zip(sheet.blanks, answers, said, strict=True):
                    mark = sheet.check({blank.number: answer})[blank.number - 1]
                    right += mark.verdict == "right"
                    assert text == ("✓ right" if mark.verdict == "right" else f"not yet: {mark.hint}"), (blank, answer)
                assert page.locator(".sg-score").inner_text() == f"{right} of {len(said)} right"
            assert trouble == []
            page.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1366])
def test_fields_are_filled_in_by_keyboard_as_people_write_and_nothing_is_clipped(width, tmp_path):
    need_layout()
    sheet = worksheet(lecture())
    with chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.goto(sheet.save(tmp_path / "f.html", fields=True).as_uri())
        first = page.locator(".sg-row input").first
        first.focus()
        for text, said in [
            ("x", "That is not a number: write −7.125, 0,5, 1/3 or 1e-7."),
            ("4", "not yet: check the sign of the local derivative on edge v1 → f"),
            ("−8/2", "✓ right"),
        ]:
            first.fill(text)
            page.keyboard.press("Enter") if first.evaluate("e => e === document.activeElement") else first.press(
                "Enter"
            )
            assert page.locator(".sg-verdict").first.inner_text() == said
            assert (first.get_attribute("aria-invalid") is None) == ("right" in said)
        assert page.evaluate("[...document.querySelectorAll('input')].indexOf(document.activeElement)") == 1
        assert page.locator(".sg-score").inner_text() == "1 of 4 right, 3 open"
        first.fill("5")
        assert page.locator(".sg-verdict").first.inner_text() == ""
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.close()
