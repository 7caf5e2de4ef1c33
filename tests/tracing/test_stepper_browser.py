"""The stepper in a real Chromium, opened from a file and offline: what a reader sees, hears and can do."""

import pytest
from drawing_helpers import hexed, mlp_loss, sigmoid_neuron
from helpers import readme_example
from stepper_helpers import INJECTIONS, accumulating, injected, opened, sanitised

import scalargrad as sg
from scalargrad import Value
from scalargrad.drawing.theme import contrast
from scalargrad.words.texts import number_text

pytestmark = pytest.mark.browser

SHOWN = """(i) => { const live = document.querySelectorAll('.sg-live')[i || 0], text = s => live.querySelector(s).textContent;
  const hidden = e => getComputedStyle(e).display === 'none';
  return { equation: text('.sg-equation'), why: text('.sg-why'), phase: text('.sg-phase'), number: text('.sg-number'),
    slider: live.querySelector('input').value, spoken: live.querySelector('input').getAttribute('aria-valuetext'),
    cards: [...live.querySelectorAll('g.node')].map(g => [...g.querySelectorAll('text')].map(t => t.textContent)),
    now: [...live.querySelectorAll('g.node')].map((g, i) => g.classList.contains('sg-now') ? i : -1).filter(i => i >= 0),
    source: [...live.querySelectorAll('g.node')].map((g, i) => g.classList.contains('sg-source') ? i : -1).filter(i => i >= 0),
    bold: live.querySelectorAll('g.edge.sg-now').length,
    labels: [...live.querySelectorAll('g.edge text')].filter(t => !hidden(t)).map(t => t.textContent),
    current: [...live.querySelectorAll('g.edge.sg-now text')].filter(t => !hidden(t)).map(t => t.textContent),
    titles: [...live.querySelectorAll('svg title')].map(t => t.textContent),
    rows: [...document.querySelectorAll('tr[aria-current]')].map(r => r.cells[0].textContent) }; }"""

OVERFLOW = """() => Math.max(...[...document.querySelectorAll('.sg-live g.node')].flatMap(g => {
  const card = [...g.querySelectorAll('rect')].pop().getBoundingClientRect();
  return [...g.querySelectorAll('text')].map(t => { const b = t.getBoundingClientRect();
    return Math.max(card.left - b.left, b.right - card.right, card.top - b.top, b.bottom - card.bottom); }); }))"""

PAINT = """() => [...document.querySelectorAll('.sg-live *')].filter(e => e.checkVisibility()).flatMap(e => {
  const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  if (!own || e.tagName === 'title') return [];
  const card = e.closest('g.node, .sg-dot'), face = card && [...card.querySelectorAll('rect')].pop();
  const s = getComputedStyle(e), svg = e instanceof SVGElement;
  let behind = e;
  while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
  return [[e.textContent, svg ? s.fill : s.color, face ? getComputedStyle(face).fill : getComputedStyle(behind).backgroundColor]]; })"""


def press(page, key, n=1):
    for _ in range(n):
        page.locator(".sg-live").first.press(key)
    return page.evaluate(SHOWN)


@pytest.mark.parametrize("make", [sigmoid_neuron, accumulating])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_step_by_keyboard(browser, tmp_path, make, scheme):
    trace = sg.trace(make())
    forward = len(trace.graph.order)
    sums = {}
    with opened(browser, trace.save(tmp_path / "walk.html"), scheme) as (page, trouble):
        for step in trace:
            shown = press(page, "ArrowRight") if step.index else page.evaluate(SHOWN)
            assert (shown["equation"], shown["why"], shown["phase"]) == (step.text, step.why, step.phase)
            assert shown["number"] == f"{step.index + 1} / {len(trace)}"
            assert shown["slider"] == str(step.index + 1)
            assert shown["rows"] == [str(step.index + 1)]
            assert step.text in shown["spoken"]
            assert step.phase in shown["spoken"]
            assert page.evaluate(OVERFLOW) <= 0
            assert shown["now"] == [trace.graph.order.index(step.node)]
            if step.phase == "forward":
                assert not any(text.startswith(("grad", "×")) for texts in shown["cards"] for text in texts[1:])
                assert not any("gradient" in title for title in shown["titles"])
                assert [texts[1] for texts in shown["cards"]] == [
                    number_text(node.data) if i <= step.index else "·" for i, node in enumerate(trace.graph.order)
                ]
                assert shown["labels"] == shown["source"] == []
                assert shown["bold"] == len(step.node.parents)
            else:
                sums[step.node] = "grad " + number_text(step.after)
                wanted = [
                    "constant" if not node.requires_grad and node.is_leaf else sums.get(node, "·")
                    for node in trace.graph.order
                ]
                assert [texts[2] for texts in shown["cards"]] == wanted
            if step.phase == "backward":
                assert shown["source"] == [trace.graph.order.index(step.source)]
                assert shown["bold"] == 1
                assert shown["current"] == ["×" + number_text(step.local)]
        assert shown["number"].startswith(str(len(trace)))
        assert press(page, "ArrowRight")["number"] == f"{len(trace)} / {len(trace)}"
        for step in reversed(trace[:-1]):
            assert press(page, "ArrowLeft")["equation"] == step.text
        assert press(page, "ArrowLeft")["number"] == f"1 / {len(trace)}"
        assert press(page, "End")["equation"] == trace[-1].text
        assert press(page, "Home")["equation"] == trace[0].text
        assert press(page, "ArrowRight", forward)["phase"] == "seed"
        assert trouble == []


def test_the_last_step_looks_like_the_finished_picture(browser, tmp_path):
    code = """(root) => [...document.querySelector(root).querySelectorAll('g.edge path')].map(p => getComputedStyle(p).stroke)"""
    trace = sg.trace(accumulating())
    with opened(browser, trace.save(tmp_path / "walk.html")) as (page, _):
        neutral = set(page.evaluate(code, ".sg-live"))
        assert len(neutral) == 1
        press(page, "End")
        edges = page.evaluate(code, ".sg-live")
        image = page.evaluate(
            """async () => { const source = document.querySelector('img').src.split(',')[1];
            const svg = new DOMParser().parseFromString(atob(source), 'image/svg+xml');
            return [...svg.querySelectorAll('g.edge path')].map(p => p.getAttribute('stroke')); }"""
        )
        current = page.evaluate("() => [...document.querySelectorAll('g.edge')].findIndex(g => g.matches('.sg-now'))")
        assert len(set(image)) > 2
        for i, (color, final) in enumerate(zip(edges, image, strict=True)):
            assert i == current or hexed(color) == final


def test_the_local_derivative_of_the_current_edge_lies_on_no_card(browser, tmp_path):
    code = """() => { const label = [...document.querySelectorAll('g.edge.sg-now text')].map(t => t.getBoundingClientRect())[0];
      return [...document.querySelectorAll('.sg-live g.node rect')].map(r => r.getBoundingClientRect()).filter(c =>
        label.left < c.right && c.left < label.right && label.top + 3 < c.bottom && c.top < label.bottom - 3).length; }"""
    trace = sg.trace(readme_example(Value)[0])
    with opened(browser, trace.save(tmp_path / "walk.html")) as (page, _):
        press(page, "End")
        for step in reversed(trace):
            if step.phase == "backward":
                assert page.evaluate(code) == 0, step
                press(page, "ArrowLeft")


def test_space_plays_and_pauses(browser, tmp_path):
    trace = sg.trace(sigmoid_neuron())
    with opened(browser, trace.save(tmp_path / "walk.html")) as (page, trouble):
        page.clock.install()
        page.reload()
        label = "() => document.querySelectorAll('.sg-button')[2].getAttribute('aria-label')"
        assert page.evaluate(label) == "Play (Space)"
        press(page, "Space")
        assert page.evaluate(label) == "Pause (Space)"
        page.clock.run_for(10_000)
        reached = int(page.evaluate(SHOWN)["slider"])
        assert reached > 2
        press(page, "Space")
        page.clock.run_for(10_000)
        assert int(page.evaluate(SHOWN)["slider"]) == reached
        press(page, "Space")
        page.clock.run_for(100_000)
        assert page.evaluate(SHOWN)["slider"] == "26"
        assert page.evaluate(label) == "Play (Space)"
        press(page, "Space")
        assert page.evaluate(SHOWN)["slider"] == "1"
        assert press(page, "ArrowRight")["slider"] == "2"
        page.clock.run_for(10_000)
        assert page.evaluate(SHOWN)["slider"] == "2"
        assert trouble == []


def test_buttons_and_slider(browser, tmp_path):
    trace = sg.trace(sigmoid_neuron())
    with opened(browser, trace.save(tmp_path / "walk.html")) as (page, _):
        for name, number in (("Next", "2"), ("Last", "26"), ("Previous", "25"), ("First", "1")):
            page.locator(f".sg-button[aria-label^={name}]").click()
            assert page.evaluate(SHOWN)["slider"] == number
        page.locator(".sg-slider").fill("23")
        assert page.evaluate(SHOWN)["equation"] == trace[22].text
        page.locator(".sg-slider").press("ArrowRight")
        assert page.evaluate(SHOWN)["slider"] == "24"
        buttons = page.evaluate(
            "() => [...document.querySelectorAll('.sg-button:not(.sg-wide)')].map(b => [b.ariaLabel, b.textContent])"
        )
        assert all(label and not text for label, text in buttons)
        assert len(buttons) == 9


def test_by_keyboard_alone_with_visible_focus(browser, tmp_path):
    with opened(browser, sg.trace(sigmoid_neuron()).save(tmp_path / "walk.html")) as (page, _):
        seen = []
        for _ in range(15):
            page.keyboard.press("Tab")
            name, outline = page.evaluate(
                "() => { const e = document.activeElement; return [e.getAttribute('class') || e.tagName, getComputedStyle(e).outlineStyle]; }"
            )
            seen.append(name)
            if name.startswith("sg-"):
                assert outline != "none"
        assert seen[:7] == ["sg-live", *["sg-button"] * 5, "sg-slider"]
        assert seen[7].startswith("node")
        assert [name.split()[0] for name in seen[8:14]] == ["sg-button"] * 6
        assert "SUMMARY" in seen
        group = page.locator(".sg-live")
        wanted = {"role": "group", "tabindex": "0", "data-lm-suppress-shortcuts": "true"}
        assert {name: group.get_attribute(name) for name in wanted} == wanted
        assert "Backpropagation of f" in group.get_attribute("aria-label")
        assert page.locator(".sg-equation").get_attribute("aria-live") == "polite"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(browser, tmp_path, scheme):
    with opened(browser, sg.trace(sigmoid_neuron()).save(tmp_path / "walk.html"), scheme) as (page, _):
        for key in ["Home", *["ArrowRight"] * 3, "End", *["ArrowLeft"] * 13]:
            press(page, key)
            painted = page.evaluate(PAINT)
            assert len(painted) > 36
            for text, color, face in painted:
                assert contrast(hexed(color), hexed(face)) >= 4.5, (text, color, face)


def test_an_injected_script_is_blocked_by_the_pages_policy(browser, tmp_path):
    path = sg.trace(sigmoid_neuron()).save(tmp_path / "walk.html")
    page_text = path.read_text(encoding="utf-8")
    evil = "<script>document.title = 'evil'</script><p onclick='1' style='color:red'>x</p><img src='https://example.com/x'>"
    path.write_text(page_text.replace("</body>", evil + "</body>"), encoding="utf-8")
    with opened(browser, path) as (page, trouble):
        assert "evil" not in page.title()
        assert len([line for line in trouble if "Content Security Policy" in line]) >= 3
        assert page.locator(".sg-live").count() == 1


def test_without_script_picture_and_table_remain(browser, tmp_path):
    trace = sg.trace(sigmoid_neuron())
    with opened(browser, trace.save(tmp_path / "walk.html"), java_script_enabled=False) as (page, trouble):
        image = page.locator("img")
        assert image.is_visible()
        assert image.bounding_box()["width"] > 800
        page.locator("summary").click()
        assert page.locator("tbody tr").count() == 26
        assert page.locator("tbody tr").last.is_visible()
        assert trace[22].text in page.locator("tbody").inner_text()
        assert page.locator(".sg-live").count() == 0
        assert trouble == []


def test_in_a_notebook_that_is_not_trusted_picture_and_table_remain(browser, tmp_path):
    path = tmp_path / "untrusted.html"
    path.write_text(
        '<!doctype html><meta charset="utf-8">' + sanitised(sg.trace(sigmoid_neuron()).html), encoding="utf-8"
    )
    with opened(browser, path) as (page, trouble):
        assert page.evaluate("() => document.querySelector('img').naturalWidth") > 800
        assert page.locator("tbody tr").count() == 26
        assert page.locator("body").inner_text().strip() .splitlines() == [
            "A still picture: run this cell, or allow this page its script, to step through it.", "", "All 26 steps as text",
        ]  # fmt: skip
        assert trouble == []


def test_as_a_trusted_output_is_put_into_jupyterlab(browser, tmp_path):
    """JupyterLab sets innerHTML and then replaces each script by a copy, which runs; its page says whether it is dark."""
    path = tmp_path / "lab.html"
    path.write_text(
        "<!doctype html><meta charset='utf-8'><body data-jp-theme-light='false'><main></main>", encoding="utf-8"
    )
    trace = sg.trace(sigmoid_neuron())
    with opened(browser, path) as (page, trouble):
        page.evaluate(
            """(html) => { const host = document.querySelector('main'); host.innerHTML = html;
            for (const old of host.querySelectorAll('script')) { const copy = document.createElement('script');
              copy.textContent = old.textContent; old.replaceWith(copy); } }""",
            trace.html,
        )
        assert press(page, "ArrowRight", 22)["equation"] == trace[22].text
        background = "() => getComputedStyle(document.querySelector('.sg-live')).backgroundColor"
        assert contrast(hexed(page.evaluate(background)), "#000000") < 2
        page.evaluate("() => document.body.setAttribute('data-jp-theme-light', 'true')")
        assert hexed(page.evaluate(background)) == "#ffffff"
        assert trouble == []


def test_injections(browser, tmp_path):
    """Every text as label and as operation, all on one page."""
    traces = [sg.trace(injected(text)) for text in INJECTIONS]
    path = tmp_path / "all.html"
    path.write_text('<!doctype html><meta charset="utf-8">' + "".join(trace.html for trace in traces), encoding="utf-8")
    with opened(browser, path) as (page, trouble):
        for i, trace in enumerate(traces):
            live = page.locator(".sg-live").nth(i)
            for step in trace:
                if step.index:
                    live.press("ArrowRight")
                shown = page.evaluate(SHOWN, i)
                assert (shown["equation"], shown["why"]) == (step.text, step.why)
            names = [trace.graph.names[node] for node in trace.graph.order]
            titles = ["".join(texts[0].split()) for texts in shown["cards"]]  # long ones are broken into lines
            wanted = ["".join(name.split())[:12] for name in names]
            assert [title[: len(name)] for title, name in zip(titles, wanted, strict=True)] == wanted
        tags = set(page.evaluate("() => [...document.querySelectorAll('*')].map(e => e.tagName.toLowerCase())"))
        assert not tags & {"iframe", "a", "style", "b"}
        assert page.locator("script").count() == page.locator("img").count() == len(traces)
        assert trouble == []


def test_traces_on_one_page_do_not_disturb_each_other(browser, tmp_path):
    """Two different ones, and a copy of the first."""
    first, second = sg.trace(sigmoid_neuron()), sg.trace(accumulating())
    path = tmp_path / "two.html"
    path.write_text('<!doctype html><meta charset="utf-8">' + first.html + second.html + first.html, encoding="utf-8")
    with opened(browser, path) as (page, trouble):
        live = page.locator(".sg-live")
        assert live.count() == 3
        live.nth(0).press("End")
        live.nth(1).press("ArrowRight")
        shown = [page.evaluate(SHOWN, i)["equation"] for i in range(3)]
        assert shown == [first[-1].text, second[1].text, first[0].text]
        ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(set(ids)) == len(ids)
        assert page.evaluate("() => document.adoptedStyleSheets.length") == 1
        assert trouble == []


def test_a_wide_graph_scrolls_to_the_current_card_and_back(browser, tmp_path):
    code = """() => { const view = document.querySelector('.sg-view').getBoundingClientRect();
      return [...document.querySelectorAll('.sg-live g.node.sg-now')].map(g => g.getBoundingClientRect())
        .every(b => b.left >= view.left && b.right <= view.right && b.top >= view.top && b.bottom <= view.bottom); }"""
    trace = sg.trace(sigmoid_neuron())
    with opened(browser, trace.save(tmp_path / "walk.html"), width=420) as (page, _):
        lefts = []
        for _ in trace:
            assert page.evaluate(code)
            lefts.append(page.evaluate("() => document.querySelector('.sg-view').scrollLeft"))
            press(page, "ArrowRight")
        assert lefts[0] == 0 < max(lefts)
        assert lefts[-1] < max(lefts)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("() => window.scrollY") == 0


def test_a_large_trace_steps(browser, tmp_path):
    trace = sg.trace(mlp_loss((4, 5, 3, 1)))
    with opened(browser, trace.save(tmp_path / "walk.html", max_steps=400)) as (page, trouble):
        for key, step in (("ArrowRight", trace[1]), ("End", trace[-1]), ("ArrowLeft", trace[-2])):
            assert press(page, key)["equation"] == step.text
            assert page.evaluate(OVERFLOW) <= 0
        assert trouble == []


def test_bad_numbers_are_marked_when_they_appear(browser, tmp_path):
    x = Value(-1e308, label="x")
    y = x * 1e10
    trace = sg.trace(y - y)
    code = "() => [...document.querySelectorAll('.sg-live g.node')].map(g => g.classList.contains('sg-bad'))"
    with opened(browser, trace.save(tmp_path / "walk.html")) as (page, _):
        assert page.evaluate(code) == [False, False, False]
        press(page, "ArrowRight")
        assert page.evaluate(code) == [False, True, False]
        press(page, "ArrowRight")
        assert page.evaluate(code) == [False, True, True]


def test_printing_shows_the_finished_picture_and_the_table(browser, tmp_path):
    with opened(browser, sg.trace(sigmoid_neuron()).save(tmp_path / "walk.html")) as (page, trouble):
        page.emulate_media(media="print")
        page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
        assert not page.locator(".sg-live").is_visible()
        assert page.locator("img").is_visible()
        assert page.locator("tbody tr").last.is_visible()
        page.evaluate("() => window.dispatchEvent(new Event('afterprint'))")
        page.emulate_media(media="screen")
        assert page.locator(".sg-live").is_visible()
        assert not page.locator("img").is_visible()
        assert page.locator("details").get_attribute("open") is None
        assert trouble == []
