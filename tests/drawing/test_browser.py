"""What a reader sees in a real Chromium: no text outside its card, colours and contrast, nothing injected."""

import base64
import io

import pytest
from drawing_helpers import HOSTILE, hexed, mlp_loss, page_of, sigmoid_neuron
from helpers import readme_example

from scalargrad import Value
from scalargrad.drawing import draw, engines
from scalargrad.drawing.theme import contrast
from scalargrad.drawing.wrapping import shortened
from scalargrad.node.naming import isolated
from scalargrad.support.labels import clean_label

pytestmark = pytest.mark.browser

# For every text of every card: how far it sticks out of its card (in a circuit: out of the picture), in pixels.
OVERFLOW = """(circuit) => [...document.querySelectorAll('svg g.node')].flatMap(g => {
  const face = circuit ? document.querySelector('svg') : [...g.querySelectorAll('rect, ellipse')].pop();
  const card = face.getBoundingClientRect();
  return [...g.querySelectorAll('text')].map(t => {
    const b = t.getBoundingClientRect();
    return [Math.max(card.left - b.left, b.right - card.right, card.top - b.top, b.bottom - card.bottom), t.textContent];
  });
})"""

PAINT = """() => [...document.querySelectorAll('svg g.node, svg g.edge')].flatMap(g => {
  const face = g.querySelector('rect');
  const style = e => getComputedStyle(e);
  return [...g.querySelectorAll('text, path, polygon, rect')].map(e => ({
    tag: e.tagName, text: e.textContent, cls: e.getAttribute('class'), group: g.getAttribute('class'),
    fill: style(e).fill, stroke: style(e).stroke, face: face ? style(face).fill : null }));
})"""


def readme():
    g, _, _ = readme_example(Value)
    g.label = "g"
    g.backward()
    return g


@pytest.mark.parametrize("engine", ["wasi", "dot"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_readme_example(browser, engine, scheme):
    try:
        engines.available(engine)
    except engines.EngineError as error:
        pytest.skip(str(error))
    with page_of(browser, draw(readme(), engine=engine).svg, scheme) as (page, trouble):
        assert page.locator("svg g.node").count() == 27
        overflow = page.evaluate(OVERFLOW)
        assert len(overflow) == 81
        assert max(overflow)[0] <= 0, max(overflow)
        painted = page.evaluate(PAINT)
        background = "#ffffff" if scheme == "light" else "#111111"
        texts = [item for item in painted if item["tag"] == "text"]
        for item in texts:
            face = hexed(item["face"]) if item["face"] else background
            assert contrast(hexed(item["fill"]), face) >= 4.5, item
        for item in painted:
            if item["tag"] == "path" and "s-hairline" not in item["cls"]:
                assert contrast(hexed(item["stroke"]), background) >= 3, item
            if item["tag"] == "rect":
                assert contrast(hexed(item["stroke"]), background) >= 3, item
        assert len({item["fill"] for item in texts}) == 4
        values = next(item for item in texts if item["cls"] == "f-value")
        assert hexed(values["fill"]) == ("#005a9c" if scheme == "light" else "#7cc4ff")
        assert trouble == []


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (sigmoid_neuron, {}), (sigmoid_neuron, {"style": "circuit"}), (sigmoid_neuron, {"style": "micrograd"}),
        (readme, {"style": "micrograd"}), (sigmoid_neuron, {"theme": "cs231n"}), (mlp_loss, {}),
        (lambda: mlp_loss(fused=True), {"rankdir": "TB"}), (lambda: mlp_loss((2, 8, 1), 50), {"collapse": "layer"}),
        (lambda: mlp_loss((2, 4, 1), 50), {"collapse": "neuron"}),
    ],
)  # fmt: skip
def test_no_text_leaves_its_card(browser, make, options):
    with page_of(browser, draw(make(), **options).svg) as (page, trouble):
        overflow = page.evaluate(OVERFLOW, options.get("style") == "circuit")
        assert len(overflow) > 6
        assert max(overflow)[0] <= 0, max(overflow)
        assert trouble == []


def test_texts_do_not_lie_on_each_other(browser):
    code = """() => { const boxes = [...document.querySelectorAll('svg text')].map(t => [t.getBoundingClientRect(), t.textContent]);
      return boxes.flatMap(([a, s], i) => boxes.slice(i + 1).filter(([b]) =>
        a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4).map(([, t]) => [s, t])); }"""
    for drawing in (draw(sigmoid_neuron()), draw(sigmoid_neuron(), style="circuit"), draw(readme(), rankdir="LR")):
        with page_of(browser, drawing.svg) as (page, _):
            assert page.evaluate(code) == []


def test_right_without_its_stylesheet(browser):
    svg = draw(readme()).svg
    bare = svg[: svg.index("<style>")] + svg[svg.index("</style>") + 8 :]
    with page_of(browser, svg) as (page, _):
        styled = page.evaluate(PAINT)
    with page_of(browser, bare) as (page, _):
        assert page.evaluate(PAINT) == styled


def test_as_an_image_in_a_dark_page(browser):
    """Jupyter shows an SVG inside an img; the cards stay opaque, the page shows between them."""
    data = base64.b64encode(draw(sigmoid_neuron()).svg.encode()).decode()
    with page_of(browser, f'<img src="data:image/svg+xml;base64,{data}">', "dark") as (page, trouble):
        assert (
            page.evaluate("() => { const i = document.querySelector('img'); return i.complete && i.naturalWidth }")
            > 500
        )
        assert [line for line in trouble if not line.startswith("request data:")] == []


def corner(page):
    """The colour of the page's last pixel, where no picture is."""
    image = pytest.importorskip("PIL.Image", reason="the extra `plot` is not installed")
    with image.open(io.BytesIO(page.screenshot())) as shot:
        return "#{:02x}{:02x}{:02x}".format(*shot.convert("RGB").getpixel((shot.width - 1, shot.height - 1)))


@pytest.mark.parametrize("reader", ["light", "dark"])
@pytest.mark.parametrize("scheme", ["auto", "light", "dark"])
def test_a_file_has_a_page_behind_it_on_which_it_can_be_read(browser, tmp_path, scheme, reader):
    path = draw(sigmoid_neuron(), scheme=scheme).save(tmp_path / "graph.svg")
    page = browser.new_page(color_scheme=reader, viewport={"width": 1400, "height": 900})
    try:
        page.goto(path.as_uri())
        behind = corner(page)
        assert (
            contrast(behind, "#000000" if (scheme, reader) in (("auto", "dark"), ("dark", reader)) else "#ffffff") < 1.3
        )
        for item in page.evaluate(PAINT):
            if item["tag"] == "text" and not item["face"]:
                assert contrast(hexed(item["fill"]), behind) >= 4.5
                assert contrast(hexed(item["stroke"]), behind) < 1.3, "the halo"
        # Inside of a page the picture has no background of its own.
        page.goto("about:blank")
        data = base64.b64encode(path.read_bytes()).decode()
        page.set_content(f'<body style="background:#336699"><img src="data:image/svg+xml;base64,{data}">')
        page.locator("img").evaluate("image => image.decode()")
        box = page.locator("img").bounding_box()
        page.set_viewport_size({"width": int(box["x"] + box["width"]) - 1, "height": int(box["y"] + box["height"]) - 1})
        assert corner(page) == "#336699"
    finally:
        page.close()


def test_two_drawings_on_one_page_do_not_disturb_each_other(browser):
    first, second = draw(readme()).svg, draw(readme(), theme="cs231n").svg
    with page_of(browser, first) as (page, _):
        alone = page.evaluate(PAINT)
    with page_of(browser, first + second) as (page, _):
        both = page.evaluate(PAINT)
        ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert both[: len(alone)] == alone
    assert len(set(ids)) == len(ids)
    assert {item["fill"] for item in both[len(alone) :]} != {item["fill"] for item in alone}


@pytest.mark.parametrize("style", ["card", "circuit", "micrograd"])
def test_hostile_labels(browser, style):
    """Every label as one small drawing, all inline on one page."""
    drawings = [draw(Value(1.0, label=label) + 1.0, style=style, id_prefix=f"d{i}") for i, label in enumerate(HOSTILE)]
    with page_of(browser, "".join(drawing.svg for drawing in drawings)) as (page, trouble):
        shown = page.evaluate(
            "() => [...document.querySelectorAll('svg')].map(s => [...s.querySelectorAll('text')].map(t => t.textContent))"
        )
        assert len(shown) == len(HOSTILE)
        for texts, label in zip(shown, HOSTILE, strict=True):
            cleaned = clean_label(label)
            wanted = {shortened(cleaned), shortened(isolated(cleaned)), cleaned, isolated(cleaned)}
            assert wanted & {text.replace("\u200b", "") for text in texts}, (texts, label)
        tags = set(page.evaluate("() => [...document.querySelectorAll('*')].map(e => e.tagName.toLowerCase())"))
        assert not tags & {"script", "img", "b", "a", "iframe"}
        assert page.evaluate("() => [...document.querySelectorAll('svg style')].length") == len(HOSTILE)
        assert trouble == []


def test_hostile_labels_stay_in_their_cards(browser):
    pictures = [draw(Value(1.0, label=label) + 1.0).svg for label in HOSTILE]
    with page_of(browser, "".join(pictures)) as (page, _):
        found = page.evaluate(OVERFLOW)
        assert len(found) == 6 * len(HOSTILE)
        assert max(found)[0] <= 0.5, max(found)
