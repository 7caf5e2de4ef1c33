"""The stepper before an audience, in a real Chromium: what moves where, what fits, where a click, a key or a link leads."""

import re

import pytest
from drawing_helpers import hexed, mlp_loss, sigmoid_neuron
from helpers import readme_example
from optional import need_layout
from stepper_helpers import accumulating, opened

import scalargrad as sg
from scalargrad import Value
from scalargrad.drawing.theme import THEMES
from scalargrad.words.texts import number_text

pytestmark = pytest.mark.browser

STEPPED = "() => Number(document.querySelector('.sg-number').textContent.split(' ')[0])"
WHOLE = """() => { const view = document.querySelector('.sg-view').getBoundingClientRect();
  return [...document.querySelectorAll('.sg-live g.node')].map(g => g.getBoundingClientRect()).every(b => b.left >= view.left - 1
    && b.right <= view.right + 1 && b.top >= view.top - 1 && b.bottom <= view.bottom + 1 && b.bottom <= innerHeight && b.right <= innerWidth); }"""
IN_VIEW = """() => { const seen = (b, f) => b.left >= f.left - 1 && b.right <= f.right + 1 && b.top >= f.top - 1 && b.bottom <= f.bottom + 1;
  const page = { left: 0, top: 0, right: innerWidth, bottom: innerHeight }, view = document.querySelector('.sg-view').getBoundingClientRect();
  const card = document.querySelector('g.node.sg-now').getBoundingClientRect(), words = document.querySelector('.sg-equation').getBoundingClientRect();
  return { card: seen(card, view) && seen(card, page), words: seen(words, page), scroll: [scrollX, scrollY],
    readable: card.height >= 25, sideways: document.documentElement.scrollWidth > innerWidth }; }"""
FLOW = """() => { const box = e => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; };
  const style = (s, ...names) => { const e = document.querySelector(s); return e && names.map(n => getComputedStyle(e)[n]); };
  const head = document.querySelector('.sg-head'), dot = document.querySelector('.sg-dot');
  return { head: head && box(head), dot: dot && box(dot), said: dot && dot.textContent,
    now: box(document.querySelector('g.node.sg-now rect')), source: box(document.querySelector('g.node.sg-source rect')),
    way: style('.sg-way', 'stroke', 'strokeWidth', 'strokeDasharray'),
    upstream: style('.sg-mark-upstream', 'stroke'), local: style('.sg-mark-local', 'stroke'), contribution: style('.sg-mark-contribution', 'fill'),
    chips: Object.fromEntries(['upstream', 'local', 'contribution'].map(k => [k, [...document.querySelectorAll('.sg-equation .sg-' + k)].map(e => e.textContent)])),
    colors: [style('.sg-equation .sg-upstream', 'borderTopColor'), style('.sg-equation .sg-local', 'borderTopColor'), style('.sg-equation .sg-contribution', 'backgroundColor')].map(c => c && c[0]) }; }"""


def lecture():
    x, y, z = (Value(n, label=name) for n, name in ((-2.0, "x"), (5.0, "y"), (-4.0, "z")))
    f = (x + y) * z
    f.label = "f"
    return f


def saved(trace, tmp_path):
    need_layout()
    return trace.save(tmp_path / "walk.html")


def go_to(page, step):
    """By the address; what listens to it is called after `goto` has returned."""
    page.goto(page.url.partition("#")[0] + f"#step={step}")
    page.wait_for_function(f"() => ({STEPPED})() === {step}")


def gap(a, b):
    """How far two boxes are apart."""
    return max(a[0] - b[2], b[0] - a[2], a[1] - b[3], b[1] - a[3], 0.0)


# ---------------------------------------------------------------- backward moves backward


@pytest.mark.parametrize("make", [sigmoid_neuron, accumulating, lambda: readme_example(Value)[0]])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_gradient_flows_from_the_result_to_the_operand_and_its_factors_look_alike(browser, tmp_path, make, scheme):
    trace = sg.trace(make())
    colors = THEMES["default"].colors(scheme)
    with opened(browser, saved(trace, tmp_path), scheme) as (page, trouble):
        for step in trace:
            page.keyboard.press("ArrowRight") if step.index else None
            if step.phase != "backward":
                assert page.locator(".sg-marks *").count() == 0
                continue
            seen = page.evaluate(FLOW)
            assert gap(seen["head"], seen["now"]) < 2 < gap(seen["head"], seen["source"])
            if step.nothing:
                assert seen["dot"] is None
                continue
            assert gap(seen["dot"], seen["now"]) < 3
            contribution = number_text(step.contribution)
            assert seen["said"] == contribution
            assert seen["chips"]["contribution"][0] == contribution
            assert number_text(step.upstream) in [text.strip("()") for text in seen["chips"]["upstream"]]
            assert number_text(step.local) in [text.strip("()") for text in seen["chips"]["local"]]
            ink = {"upstream": colors["gradient"], "local": colors["ink"], "contribution": colors["gradient"]}
            assert [hexed(color) for color in seen["colors"]] == list(ink.values())
            assert {kind: hexed(seen[kind][0]) for kind in ink} == ink
        assert trouble == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_edge_has_its_signs_colour_from_its_step_on_and_only_width_and_dashes_mark_it(browser, tmp_path, scheme):
    code = "() => [...document.querySelectorAll('.sg-live g.edge path')].map(p => getComputedStyle(p).stroke)"
    trace = sg.trace(accumulating())
    colors = THEMES["default"].colors(scheme)
    signed = {color for role, color in colors.items() if role.startswith("edge-") and role != "edge-0"}
    with opened(browser, saved(trace, tmp_path), scheme) as (page, _):
        passed = {}
        for step in trace:
            page.keyboard.press("ArrowRight") if step.index else None
            now = [hexed(color) for color in page.evaluate(code)]
            assert {i: now[i] for i in passed} == passed
            if step.phase == "backward":
                (current,) = page.evaluate(
                    "() => [...document.querySelectorAll('.sg-live g.edge')].flatMap((g, i) => g.classList.contains('sg-now') ? [i] : [])"
                )
                way = page.evaluate(FLOW)["way"]
                assert hexed(way[0]) == now[current]
                assert (float(way[1].removesuffix("px")), "px" in way[2]) > (3.3, False)
                assert (now[current] in signed) == (step.contribution != 0)
                passed[current] = now[current]
            elif step.phase == "forward":
                assert not signed & set(now)
        assert len(set(passed.values())) > 2
        assert page.locator(".sg-legend").inner_text().split("\n")[-2:] == ["positive", "negative"]


def test_the_number_travels_and_is_added_on_arrival_but_not_for_who_wants_less_motion(browser, tmp_path):
    trace = sg.trace(accumulating())
    step = next(step for step in trace if step.part == 2)
    row = "() => [...document.querySelectorAll('g.node.sg-now text')].pop().textContent"
    with opened(browser, saved(trace, tmp_path)) as (page, _):
        go_to(page, step.index)
        page.keyboard.press("ArrowRight")
        assert page.evaluate(row).endswith(" " + number_text(step.after))
        page.emulate_media(reduced_motion="no-preference")
        page.keyboard.press("ArrowLeft")
        before = page.evaluate(
            """(row) => { document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
            return [eval(row)(), document.querySelector('.sg-dot').getAttribute('transform')]; }""".replace(
                "eval(row)()", f"({row})()"
            ),
            None,
        )
        assert before[0].endswith(" " + number_text(step.before))
        page.wait_for_function("(text) => document.querySelector('g.node.sg-now text:last-of-type').textContent.endsWith(text)",
                               arg=number_text(step.after))  # fmt: skip
        assert page.evaluate("() => document.querySelector('.sg-dot').getAttribute('transform')") != before[1]
        seen = page.evaluate(FLOW)
        assert gap(seen["dot"], seen["now"]) < 3
        animated = "() => getComputedStyle(document.querySelector('.sg-way')).animationName"
        assert page.evaluate(animated) == "sg-run"
        page.emulate_media(reduced_motion="reduce")
        assert page.evaluate(animated) == "none"


# ---------------------------------------------------------------- it fits


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1920, 1080), (914, 900), (740, 900)])
@pytest.mark.parametrize("make", [sigmoid_neuron, accumulating, lecture, mlp_loss])
def test_the_whole_graph_is_seen_from_the_first_step_on(browser, tmp_path, make, width, height):
    trace = sg.trace(make())
    drawn = "() => Number(document.querySelector('.sg-view svg').getAttribute('width'))"
    with opened(browser, saved(trace, tmp_path), width=width) as (page, _):
        page.set_viewport_size({"width": width, "height": height})
        readable_whole = 0.3 * page.evaluate(drawn) < page.locator(".sg-view").bounding_box()["width"] - 10
        for key in ("Home", "End"):
            page.reload()
            page.keyboard.press(key)
            assert page.evaluate(WHOLE) is readable_whole  # else its type would be less than four pixels high
            assert (page.locator(".sg-frame").get_attribute("data-more") == "") is readable_whole
            assert page.evaluate(IN_VIEW)["card"]
            page.keyboard.press("0")
            assert page.evaluate(WHOLE)


@pytest.mark.parametrize("make", [sigmoid_neuron, lambda: readme_example(Value)[0], mlp_loss])
@pytest.mark.parametrize(("width", "height"), [(390, 844), (360, 640), (844, 390), (1366, 768)])
def test_the_card_of_the_step_and_its_equation_are_in_view_at_each_step(browser, tmp_path, make, width, height):
    trace = sg.trace(make())
    with opened(browser, saved(trace, tmp_path), width=width) as (page, _):
        page.set_viewport_size({"width": width, "height": height})
        for step in trace:
            page.keyboard.press("ArrowRight") if step.index else None
            seen = page.evaluate(IN_VIEW)
            assert seen["card"], step
            assert seen["words"] or height < 400, step
            assert seen["scroll"] == [0, 0]
            assert not seen["sideways"]
            assert seen["readable"] or width > 600


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_no_target_is_lost_with_fast_keys(browser, tmp_path, motion):
    trace = sg.trace(readme_example(Value)[0])
    code = """([key, n, look]) => { for (let i = 0; i < n; i++)
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })); }"""
    with opened(browser, saved(trace, tmp_path), width=390) as (page, _):
        page.emulate_media(reduced_motion=motion)
        for key, n in (("ArrowRight", 40), ("ArrowLeft", 25), ("ArrowRight", 51), ("ArrowLeft", 60)):
            page.evaluate(code, [key, n, None])
            assert page.evaluate(IN_VIEW)["card"]


def test_zoom_on_request_shows_where_there_is_more(browser, tmp_path):
    trace = sg.trace(sigmoid_neuron())
    size = "() => document.querySelector('.sg-view svg').getBoundingClientRect().width"
    more = "() => document.querySelector('.sg-frame').dataset.more"
    with opened(browser, saved(trace, tmp_path), width=900) as (page, _):
        fitted = page.evaluate(size)
        for _ in range(5):
            page.keyboard.press("+")
        assert page.evaluate(size) > 2 * fitted
        assert "right" in page.evaluate(more)
        assert "left" not in page.evaluate(more)
        page.keyboard.press("End")
        page.wait_for_function("() => document.querySelector('.sg-frame').dataset.more.includes('right')")
        assert page.evaluate(IN_VIEW)["card"]
        page.keyboard.press("0")
        assert page.evaluate(more) == ""
        assert page.evaluate(size) == pytest.approx(fitted, abs=2)
        page.locator("[aria-label^='Zoom out']").click()
        assert page.evaluate(size) == pytest.approx(fitted / 1.25, abs=2)
        page.locator("[aria-label^='Zoom in']").click()
        page.locator("[aria-label^='Zoom in']").click()
        assert page.evaluate(size) > fitted
        page.locator("[aria-label^='Fit']").click()
        assert page.evaluate(WHOLE)


@pytest.mark.parametrize("make", [lecture, sigmoid_neuron, lambda: readme_example(Value)[0]])
def test_f_fills_the_screen_with_type_for_the_last_row(browser, tmp_path, make):
    trace = sg.trace(make())
    code = """() => { const box = s => document.querySelector(s).getBoundingClientRect(), live = box('.sg-live'), frame = box('.sg-frame'), svg = box('.sg-view svg');
      return { type: parseFloat(getComputedStyle(document.querySelector('.sg-equation')).fontSize), live: [live.width, live.height],
        filled: Math.max(svg.width / frame.width, svg.height / frame.height), card: 12 * svg.width / document.querySelector('.sg-view svg').getAttribute('width'), inside: document.querySelector('.sg-live').contains(document.activeElement) }; }"""
    with opened(browser, saved(trace, tmp_path), width=1920) as (page, trouble):
        page.set_viewport_size({"width": 1920, "height": 1080})
        small = page.evaluate(code)
        page.keyboard.press("End")
        page.keyboard.press("f")
        page.wait_for_selector(".sg-full")
        seen = page.evaluate(code)
        assert seen["type"] >= 28
        assert seen["live"] == [1920, 1080]
        assert seen["filled"] > 0.9
        assert seen["inside"]
        assert seen["card"] >= 10.8  # whole where it is read so, else the cards of the step
        assert page.evaluate(IN_VIEW)["card"]
        page.keyboard.press("0")
        assert page.evaluate(WHOLE)
        page.keyboard.press("PageUp")
        assert page.evaluate(STEPPED) == len(trace) - 1
        page.keyboard.press("f")
        page.wait_for_function("() => !document.querySelector('.sg-full')")
        assert page.evaluate(code)["type"] == small["type"]
        assert trouble == []


# ---------------------------------------------------------------- where clicks, keys and links lead


def test_a_click_on_a_card_leads_to_its_step_and_so_does_enter(browser, tmp_path):
    trace = sg.trace(accumulating())
    order = trace.graph.order
    complete = {step.node: step.index for step in trace if step.phase != "forward"}
    with opened(browser, saved(trace, tmp_path)) as (page, trouble):
        for act in ("click", "Enter"):
            page.keyboard.press("Home")
            for i, node in enumerate(order):
                card = page.locator("g.node").nth(i)
                for _ in range(2):
                    before = page.evaluate(STEPPED) - 1
                    card.click(position={"x": 5, "y": 30}) if act == "click" else card.press("Enter")
                    places = [i, complete.get(node, i)] if before < len(order) else [complete.get(node, i), i]
                    assert page.evaluate(STEPPED) - 1 == (places[0] if before != places[0] else places[1])
        assert trouble == []


def test_cards_are_reached_by_keyboard_alone(browser, tmp_path):
    trace = sg.trace(lecture())
    active = "() => [...document.querySelectorAll('g.node')].indexOf(document.activeElement)"
    with opened(browser, saved(trace, tmp_path)) as (page, _):
        page.keyboard.press("End")
        page.locator(".sg-slider").focus()
        page.keyboard.press("Tab")
        assert page.evaluate(active) == trace.graph.order.index(trace[-1].node)
        seen = [page.evaluate(active)]
        for _ in range(4):
            page.keyboard.press("ArrowDown")
            seen.append(page.evaluate(active))
        assert sorted(seen) == [0, 1, 2, 3, 4]
        assert (
            page.evaluate("() => getComputedStyle(document.activeElement.querySelector('rect')).strokeWidth") == "4px"
        )
        page.keyboard.press("Enter")
        assert trace[page.evaluate(STEPPED) - 1].node is trace.graph.order[seen[-1]]
        assert "gradient" in page.evaluate("() => document.activeElement.getAttribute('aria-label')")


def test_speeds(browser, tmp_path):
    trace = sg.trace(readme_example(Value)[0])
    with opened(browser, saved(trace, tmp_path)) as (page, _):
        page.clock.install(time=0)
        page.reload()
        page.clock.pause_at(3_600_000)  # or real time would go on beside
        reached = {}
        for _ in range(4):
            name = page.locator("[aria-label^='Speed']").inner_text()
            page.keyboard.press("Home")
            page.keyboard.press(" ")
            page.clock.run_for(7000)
            page.keyboard.press(" ")
            reached[name] = page.evaluate(STEPPED) - 1
            page.keyboard.press("s")
        assert reached == {"1×": 5, "2×": 10, "4×": 20, "0.5×": 2}
        assert page.locator("[aria-label^='Speed']").inner_text() == "1×"


def test_the_address_names_the_step(browser, tmp_path):
    trace = sg.trace(sigmoid_neuron())
    path = saved(trace, tmp_path)
    with opened(browser, path) as (page, trouble):
        assert "#" not in page.url
        page.keyboard.press("ArrowRight")
        assert page.url.endswith("#step=2")
        go_to(page, 8)
        page.reload()
        assert page.evaluate(STEPPED) == 8
        for address, step in (("#step=999", 26), ("#step=0", 1), ("#step=x", 1), ("#other", 1)):
            page.goto("about:blank")
            page.goto(path.as_uri() + address)
            assert page.evaluate(STEPPED) == step
        assert trouble == []


def test_embedded_on_a_slide_it_fills_the_frame(browser, tmp_path):
    path = saved(sg.trace(sigmoid_neuron()), tmp_path)
    with opened(browser, path, width=960) as (page, trouble):
        page.set_viewport_size({"width": 960, "height": 600})
        page.goto(path.as_uri() + "?embed#step=20")
        assert page.evaluate(STEPPED) == 20
        assert not page.locator("h1").is_visible()
        assert not page.locator("summary").is_visible()
        assert page.locator(".sg-live").bounding_box() == {"x": 0, "y": 0, "width": 960, "height": 600}
        assert page.evaluate(WHOLE)
        page.keyboard.press("ArrowRight")
        assert page.evaluate(STEPPED) == 21
        assert [line for line in trouble if not line.startswith("request")] == []


KEYS = """(key) => { const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true });
  document.activeElement.dispatchEvent(event); return event.defaultPrevented; }"""


def test_arrow_keys_work_at_once_where_it_is_the_only_one_and_are_stolen_from_nobody(browser, tmp_path):
    need_layout()
    html = sg.trace(sigmoid_neuron()).html
    pages = {
        "alone": (html, True), "two": (html + sg.trace(lecture()).html, False),
        "jupyter": ("<div class='jp-Notebook'></div>" + html, False),
        "slides": ("<div class='reveal'></div>" + html, False), "below": ("<p style='height:3000px'></p>" + html, False),
    }  # fmt: skip
    for name, (content, works) in pages.items():
        path = tmp_path / f"{name}.html"
        path.write_text('<!doctype html><meta charset="utf-8"><input class="mine">' + content, encoding="utf-8")
        with opened(browser, path) as (page, _):
            assert page.evaluate(KEYS, "ArrowRight") is works, name
            assert page.evaluate(STEPPED) == (2 if works else 1), name
            assert page.evaluate(KEYS, "Home") is False  # it scrolls the page
            assert page.evaluate(KEYS, " ") is False
            page.locator(".mine").focus()
            assert page.evaluate(KEYS, "ArrowRight") is False
    with opened(browser, saved(sg.trace(sigmoid_neuron()), tmp_path)) as (page, _):
        for key, step in (("ArrowRight", 2), ("End", 26), ("Home", 1)):
            assert page.evaluate(KEYS, key)
            assert page.evaluate(STEPPED) == step
        page.locator("summary").focus()
        assert page.evaluate(KEYS, " ") is False
        assert page.evaluate(KEYS, "Home") is False
        assert page.evaluate(KEYS, "ArrowRight")
        page.keyboard.press("Control+ArrowRight")
        assert page.evaluate(STEPPED) == 2


# ---------------------------------------------------------------- guess first


def test_a_guess_is_asked_before_each_backward_step_and_judged_as_on_a_worksheet(browser, tmp_path):
    root = lecture()
    trace = sg.trace(root)
    sheet = sg.worksheet(root)
    hint = {"x": 4.0, "y": 1.0, "z": -4.0, "v1": 1.0}  # sign, local alone, its own value, handed on as it is
    forward = len(trace.graph.order)
    with opened(browser, saved(trace, tmp_path)) as (page, trouble):
        page.keyboard.press("g")
        for _ in range(forward):
            page.keyboard.press("ArrowRight")
        assert page.locator(".sg-phase").inner_text() == "seed"
        for step in trace[forward + 1 :]:
            page.keyboard.press("ArrowRight")
            name = step.name
            assert page.locator(".sg-question").inner_text().strip() == f"What is {name}.grad after this step?"
            live = page.locator(".sg-live")
            assert not page.locator(".sg-equation").is_visible()
            assert not page.locator(".sg-why").is_visible()
            assert page.locator(".sg-dot").text_content() == "?"
            row = page.locator("g.node.sg-now text").last.text_content()
            assert row == "·"
            assert number_text(step.after) not in live.locator(".sg-slider").get_attribute("aria-valuetext").split()
            box = page.locator(".sg-answer")
            for text in ("", "abc", "1/0", "1,2,3", "1_0", "0x1"):
                box.fill(text)
                box.press("Enter")
                assert "number" in page.locator(".sg-verdict").inner_text()
            box.fill(str(hint[name]))
            box.press("Enter")
            (number,) = [blank.number for blank in sheet.blanks if blank.name == name]
            wanted = sheet.check({number: hint[name]}).wrong[number]
            assert page.locator(".sg-verdict").inner_text() == f"Not yet: {wanted}"
            box.fill(f" {number_text(step.after).replace('.', ',')} ")
            page.locator(".sg-ask button").click()
            assert page.locator(".sg-verdict").inner_text().startswith("Right now.")
            assert page.locator(".sg-equation").inner_text() == step.text
        assert page.locator(".sg-verdict").inner_text() == "Right now. 0 of 4 right at the first try."
        assert trouble == []


def test_who_does_not_guess_goes_on_and_who_forgets_to_add_is_told(browser, tmp_path):
    trace = sg.trace(accumulating())
    second = next(step for step in trace if step.part > 1 and step.contribution != step.after)
    with opened(browser, saved(trace, tmp_path)) as (page, trouble):
        go_to(page, second.index)
        page.keyboard.press("g")
        page.keyboard.press("ArrowRight")
        assert page.locator(".sg-ask").is_visible()
        row = page.locator("g.node.sg-now text").last.text_content()
        assert row.endswith(" " + number_text(second.before))
        page.locator(".sg-answer").fill(repr(second.contribution))
        page.locator(".sg-answer").press("Enter")
        assert "every use adds its share (+=)" in page.locator(".sg-verdict").inner_text()
        page.locator(".sg-answer").press("ArrowLeft")  # the caret's, not the stepper's
        assert page.evaluate(STEPPED) == second.index + 1
        page.locator(".sg-answer").press("Escape")
        page.keyboard.press("ArrowRight")  # shows it
        assert page.locator(".sg-equation").inner_text() == second.text
        assert page.evaluate(STEPPED) == second.index + 1
        page.keyboard.press("ArrowRight")
        assert page.locator(".sg-ask").is_visible()
        page.keyboard.press("ArrowLeft")
        assert page.locator(".sg-equation").inner_text() == second.text
        page.locator("button", has_text="Guess first").click()
        page.keyboard.press("ArrowRight")
        assert not page.locator(".sg-ask").is_visible()
        assert trouble == []


def test_playing_waits_at_a_question(browser, tmp_path):
    trace = sg.trace(lecture())
    with opened(browser, saved(trace, tmp_path)) as (page, _):
        page.clock.install()
        page.reload()
        page.keyboard.press("g")
        page.keyboard.press(" ")
        page.clock.run_for(60_000)
        assert page.locator(".sg-ask").is_visible()
        assert page.evaluate(STEPPED) == len(trace.graph.order) + 2


# ---------------------------------------------------------------- the title


def test_the_title_says_the_formula_and_a_long_one_its_last_operation(browser, tmp_path):
    with opened(browser, saved(sg.trace(lecture()), tmp_path), width=390) as (page, _):
        assert page.title() == page.locator("h1").inner_text() == "Backpropagation of f = (x + y) × z"
    path = saved(sg.trace(mlp_loss()), tmp_path)
    with opened(browser, path, width=390) as (page, _):
        assert re.fullmatch(r"Backpropagation of L = \w+\^2", page.title())
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
