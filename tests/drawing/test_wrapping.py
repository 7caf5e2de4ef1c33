"""Long titles wrap at words and operators within 28 characters and three lines; the whole text is in the tooltip."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value
from scalargrad.drawing.engines import available
from scalargrad.drawing.theme import text_width
from scalargrad.drawing.wrapping import COLUMNS, LINES, shortened, wrap

SVG = "{http://www.w3.org/2000/svg}"
TEXTS = st.text(st.sampled_from("abcxyzÄµ这 _.=+×(),0123456789"), max_size=200) | st.text(max_size=120)


def columns(line):
    return round(text_width(line, 1.0) / text_width("x", 1.0))


@given(TEXTS)
def test_no_line_is_too_long_and_nothing_is_lost_that_fits(text):
    lines = wrap(text).split("\n") if columns(text) > COLUMNS else [text]
    assert len(lines) <= LINES
    assert all(columns(line) <= COLUMNS for line in lines)
    letters, shown = ["".join(x.split()) for x in (text, "".join(lines))]
    if lines[-1].endswith("…") and not text.endswith("…"):
        assert letters.startswith(shown[:-1])
    elif columns(text) > COLUMNS:
        assert shown == letters or shown.rstrip("…") == letters[: len(shown.rstrip("…"))]
    assert columns(shortened(text)) <= COLUMNS


def test_words_stay_whole_and_operators_begin_lines():
    text = "loss = the first factor of it + the weight of the second layer"
    assert wrap(text).split("\n") == ["loss = the first factor of", "it + the weight of the", "second layer"]
    lines = wrap("result = the learning rate × gradient").split("\n")
    assert lines == ["result = the learning rate", "× gradient"]


def lecture():
    rate = Value(3.0, label="the learning rate of the second experiment")
    size = Value(1.5, label="a_name_of_seventy_characters_without_a_single_space_in_it_for_a_variable")
    y = rate * size + rate
    y.label = "result of the long computation"
    y.backward()
    return y


@pytest.mark.skipif(available() == "text", reason="no engine to draw with")
@pytest.mark.parametrize("style", ["card", "micrograd", "circuit"])
def test_cards_hold_their_texts(style):
    y = lecture()
    document = ET.fromstring(sg.draw(y, style=style).svg)  # noqa: S314
    texts = [span.text for item in document.iter(SVG + "text") for span in (item, *item.iter(SVG + "tspan"))]
    assert all(columns(text) <= COLUMNS + 2 for text in texts if text and not text.startswith("contribution"))
    width = float(document.get("width"))
    assert width < 1400
    for node in document.iter(SVG + "g"):
        box = node.find(SVG + "rect") if style == "card" and "node" in node.get("class", "") else None
        if box is None:
            continue
        left, top = float(box.get("x")), float(box.get("y"))
        right, bottom = left + float(box.get("width")), top + float(box.get("height"))
        for item in node.iter(SVG + "text"):
            for span in item.findall(SVG + "tspan") or [item]:
                half = text_width(span.text, 12.0) / 2
                assert left <= float(span.get("x")) - half <= float(span.get("x")) + half <= right
                assert top < float(span.get("y")) - 6 < float(span.get("y")) < bottom


def test_the_whole_text_is_in_the_tooltip_and_in_dot_it_wraps_too():
    y = lecture()
    product = sg.draw(y).picture.cards[2]
    assert product.name == "v1"
    assert "a_name_of_seventy_characters_without_a_single_space_in_it_for_a_variable" in product.title
    assert r"the\ learning\ rate\ of\ the\nsecond\ experiment|" in sg.draw(y).dot
