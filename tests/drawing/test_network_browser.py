"""Pictures of networks in a real Chromium: neurons in order, nothing clipped or overlapping, every text readable."""

from itertools import pairwise

import pytest
from drawing_helpers import hexed, page_of

from scalargrad import Value, nn
from scalargrad.drawing.theme import contrast

pytestmark = pytest.mark.browser

CLIPPED = """() => { const page = document.querySelector('svg').getBoundingClientRect();
  return [...document.querySelectorAll('svg text, svg path, svg ellipse, svg rect')].map(e => {
    const b = e.getBoundingClientRect();
    return [Math.max(page.left - b.left, b.right - page.right, page.top - b.top, b.bottom - page.bottom),
            e.textContent || e.tagName];
  }).filter(([out]) => out > 0.5); }"""

TEXTS_ON_TEXTS = """() => {
  const boxes = [...document.querySelectorAll('svg text')].map(t => [t.getBoundingClientRect(), t.textContent]);
  return boxes.flatMap(([a, s], i) => boxes.slice(i + 1).filter(([b]) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4).map(([, t]) => [s, t]));
}"""

LABELS_ON_CARDS = """() => {
  const walls = [...document.querySelectorAll('svg g.node rect, svg g.cluster text')].map(e => e.getBoundingClientRect());
  return [...document.querySelectorAll('svg g.edge text')].filter(t => { const a = t.getBoundingClientRect();
    return walls.some(b => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 3 && b.top < a.bottom - 3);
  }).map(t => t.textContent); }"""

NEURONS = """() => [...document.querySelectorAll('svg g.node')].map(g => {
  const e = g.querySelector('ellipse');
  const b = e.getBoundingClientRect();
  return [...g.id.match(/n(\\d+)-(\\d+)$/).slice(1).map(Number), b.left + b.width / 2, b.top + b.height / 2]; })"""

# Every text with the colour that is behind it: of its circle under the shade of its sign, or of the page.
INKS = """(page) => [...document.querySelectorAll('svg text')].map(t => {
  const g = t.closest('g.node');
  const b = t.getBoundingClientRect();
  const x = b.left + b.width / 2, y = b.top + b.height / 2;
  const over = e => { const c = e.getBoundingClientRect(); return c.left < x && x < c.right && c.top < y && y < c.bottom; };
  const parse = s => s.match(/[\\d.]+/g).map(Number);
  let back = parse(page);
  if (g) for (const e of g.querySelectorAll('ellipse, path')) {
    const fill = getComputedStyle(e).fill;
    if (fill === 'none' || !over(e)) continue;
    const alpha = Number(getComputedStyle(e).fillOpacity);
    const color = parse(fill);
    back = back.map((c, i) => alpha * color[i] + (1 - alpha) * c);
  }
  return [t.textContent, getComputedStyle(t).fill, `rgb(${back.slice(0, 3).map(Math.round).join(', ')})`]; })"""


def model(*sizes):
    return nn.MLP(sizes[0], list(sizes[1:]), activation="tanh", seed=1)


def samples():
    return nn.moons(40, labels=(-1, 1), seed=1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: model(2, 4, 1).draw(), lambda: model(2, 4, 4, 1).draw(*samples()), lambda: model(2, 16, 16, 1).draw(),
        lambda: model(64, 32, 10).draw(), lambda: model(3, 112, 2).draw(), lambda: model(2, 4, 1).draw(x=[0.5, -1.0]),
        lambda: model(2, 4, 2).draw(x=[0.5, -1.0], show="gradients"), lambda: nn.Neuron(3, seed=1).draw(),
        lambda: nn.Maxout(2, 3, pieces=3, seed=1).draw(),
    ],
)  # fmt: skip
def test_a_network_at_first_glance(browser, make, scheme):
    with page_of(browser, make().svg, scheme) as (page, trouble):
        assert page.evaluate(CLIPPED) == []
        assert page.evaluate(TEXTS_ON_TEXTS) == []
        by_column = {}
        for column, index, x, y in page.evaluate(NEURONS):
            by_column.setdefault(column, []).append((index, x, y))
        for column in by_column.values():
            column.sort()
            assert all(y < below for (_, _, y), (_, _, below) in pairwise(column))
            assert len({round(x) for _, x, _ in column}) == 1
        assert all(by_column[c][0][1] < by_column[c + 1][0][1] for c in range(len(by_column) - 1))
        background = "rgb(255, 255, 255)" if scheme == "light" else "rgb(17, 17, 17)"
        for text, ink, back in page.evaluate(INKS, background):
            assert contrast(hexed(ink), hexed(back)) >= 4.5, (text, ink, back)
        assert trouble == []


def after_backward(*sizes, fused=True):
    net = nn.MLP(sizes[0], list(sizes[1:]), activation="tanh", seed=1, fused=fused)
    y = net([Value(0.5 - i, label=f"x{i}") for i in range(sizes[0])])
    y.backward()
    return y


@pytest.mark.parametrize(
    "make",
    [
        lambda: model(2, 4, 1)([0.5, 0.0]).draw(), lambda: after_backward(2, 4, 4, 1).draw(),
        lambda: after_backward(2, 3, 1, fused=False).draw(), lambda: after_backward(2, 4, 4, 1).draw(collapse="neuron"),
        lambda: after_backward(2, 16, 16, 1).draw(collapse="neuron"), lambda: after_backward(2, 4, 4, 1).draw(collapse="layer"),
    ],
)  # fmt: skip
def test_the_graph_of_a_network(browser, make):
    with page_of(browser, make().svg) as (page, trouble):
        assert page.evaluate(CLIPPED) == []
        assert page.evaluate(LABELS_ON_CARDS) == []
        assert page.evaluate(TEXTS_ON_TEXTS) == []
        assert trouble == []


@pytest.mark.parametrize("width", [390, 1366, 1920])
def test_it_fits_the_page_as_an_image(browser, width):
    html = model(2, 16, 16, 1).draw(*samples())._repr_mimebundle_()["text/html"]
    with page_of(browser, f"<style>img{{max-width:100%;height:auto}}</style>{html}") as (page, _):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_function("() => document.querySelector('img').complete")
        assert page.evaluate("() => document.querySelector('img').naturalWidth") > 400
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
