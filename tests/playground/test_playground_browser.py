"""The playground in a real Chromium: every number that it shows is the engine's, hostile text is text, no request leaves the computer, and the keyboard alone does all of it."""

import re

import pytest
from playground_helpers import playing, served, settled
from stepper_helpers import INJECTIONS

import scalargrad as sg
from scalargrad import Value, explain, live, trace
from scalargrad.words.local_derivatives import local_derivative
from scalargrad.words.texts import number_text

pytestmark = pytest.mark.browser

CARDS = """() => [...document.querySelectorAll('.lv-view g.node')].map(g => [...g.querySelectorAll('text')].map(t => t.textContent))"""
EDGES = """() => [...document.querySelectorAll('.lv-view g.edge')].map(g => [g.getAttribute('aria-label'), (g.querySelector('text') || {}).textContent || ''])"""
ROOT = ".lv-graph"


def drag(page, name, number):
    """Move a slider as a hand would: the page hears of it and asks."""
    page.locator(f"input[type=range][aria-label='{name}']").evaluate(
        "(e, number) => { e.value = number; e.dispatchEvent(new Event('input', { bubbles: true })); }", str(number)
    )
    settled(page)


def equation(page):
    return page.locator(".sg-equation").inner_text()


def why(page):
    return page.locator(".sg-why").inner_text()


def wanted(root):
    """What the cards must show: value and gradient of every Value, in topological order."""
    root.backward()
    return [[number_text(v.data), "grad " + number_text(v.grad)] for v in sg.topological_order(root)]


def test_every_number_shown_is_the_engines_wherever_the_inputs_are_dragged(browser):
    def f(w, x, b):
        return (w * x + b).tanh() * x

    with playing(browser, live("tanh(w*x + b)*x", w=0.5, x=(-5, 5, 1.0), b=0.1)) as (page, trouble):
        for w, x in ((-3.21, 1.0), (4.99, -0.01), (0.0, 0.0), (-5.0, 5.0), (1.5, -2.25)):
            drag(page, "w", w)
            drag(page, "x", x)
            w_, x_, b_ = Value(w, label="w"), Value(x, label="x"), Value(0.1, label="b")
            root = f(w_, x_, b_)
            cards, edges = page.evaluate(CARDS), page.evaluate(EDGES)
            assert [card[-2:] for card in cards] == wanted(root)
            order = sg.topological_order(root)
            names = {node: card[0].split(" = ")[0] for node, card in zip(order, cards, strict=True)}
            said = {
                (names[p], names[node], number_text(local_derivative(node, i)))
                for node in order
                for i, (p, _) in enumerate(node.operands)
            }
            found = {re.fullmatch(r"(\S+) to (\S+), local derivative (\S+)", label).groups() for label, _ in edges}
            assert found == said
            assert page.locator("input[aria-label='Number for w']").input_value() == number_text(w)
            gradients = page.locator(".lv-gradient").all_inner_texts()
            assert gradients == ["grad " + number_text(v.grad) for v in (w_, x_, b_)]
    assert trouble == []


def test_steps_from_wherever_one_is_are_the_traces(browser):
    made = live("x*y + relu(x)", x=2.0, y=-3.0)
    with playing(browser, made) as (page, trouble):
        drag(page, "x", 1.25)
        x, y = Value(1.25, label="x"), Value(-3.0, label="y")
        f = x * y + x.relu()
        f.label = "f"
        steps = trace(f, names=False)
        page.locator(ROOT).focus()
        for step in steps:
            page.keyboard.press("ArrowRight")
            settled(page)
            assert equation(page) == step.text
            assert why(page).startswith(step.why)
            assert page.locator(".sg-number").inner_text() == f"{step.index + 1} / {len(steps)}"
        page.keyboard.press("ArrowLeft")
        settled(page)
        assert equation(page) == steps[-2].text
        drag(page, "x", -1.5)  # the step stays, its numbers are those of the new place
        x, y = Value(-1.5, label="x"), Value(-3.0, label="y")
        f = x * y + x.relu()
        f.label = "f"
        assert equation(page) == trace(f, names=False)[-2].text
        page.keyboard.press("End")
        settled(page)
        assert [card[-2:] for card in page.evaluate(CARDS)] == wanted(f)
    assert trouble == []


def test_an_edge_says_its_rule_and_a_card_its_paths_and_both_stay_true_while_dragging(browser):
    with playing(browser, live("x*y + x", x=2.0, y=3.0)) as (page, trouble):
        page.get_by_role("button", name="x to v1").dispatch_event("click")
        settled(page)
        assert equation(page) == "x.grad += v1.grad × local = 1 × 3 = 3 → 1 + 3 = 4"
        assert "×" in why(page)
        drag(page, "y", -0.5)
        assert equation(page) == "x.grad += v1.grad × local = 1 × (−0.5) = −0.5 → 1 + (−0.5) = 0.5"
        page.locator("g.node").first.dispatch_event("click")
        settled(page)
        x, y = Value(2.0, label="x"), Value(-0.5, label="y")
        f = x * y + x
        f.label = "f"
        said = str(explain(f, wrt=x, names=False)).split("\n")
        assert equation(page) == said[0]
        shown = page.locator(".lv-lines p").all_text_contents()
        assert shown == said[1:]
        assert page.locator("g.edge.lv-marked").count() == 3
        page.locator(ROOT).focus()
        page.keyboard.press("Escape")
        assert page.locator(".lv-lines").is_hidden()
        assert page.locator(".lv-marked").count() == 0
    assert trouble == []


def test_outside_a_domain_the_message_stands_at_the_place_and_dragging_back_recovers(browser):
    with playing(browser, live("log(x)*y + y", x=(-5, 5, 2.0), y=3.0)) as (page, trouble):
        before = page.evaluate(CARDS)
        drag(page, "x", -1.5)
        bad = page.locator("g.node.sg-bad")
        assert bad.count() == 1
        assert "log(x)" in bad.text_content()
        assert "no value" in bad.text_content()
        assert page.locator(".lv-callout").text_content() == "log: domain error at -1.5 (label 'x')"
        assert equation(page).startswith("log: domain error")
        assert page.evaluate(CARDS)[0][-2] == "−1.5"
        drag(page, "x", 2)
        assert page.evaluate(CARDS) == before
        assert page.locator(".lv-callout, g.node.sg-bad, .lv-bad").count() == 0
    assert trouble == []


def test_numbers_that_are_not_finite_and_kinks_are_said_in_words(browser):
    with playing(browser, live("exp(x) + relu(y)", x=(-5, 800, 1.0), y=(-5, 5, 1.0))) as (page, trouble):
        drag(page, "x", 710)
        assert "v1 = exp(x) is inf: the first number that is not finite" in why(page)
        assert page.locator("g.node.sg-bad").count() >= 1
        drag(page, "x", 1)
        drag(page, "y", 0)
        assert "relu has a kink at y = 0" in why(page)
        drag(page, "y", 0.5)
        assert "kink" not in why(page)
    assert trouble == []


def test_a_function_that_branches_gets_another_picture_and_says_so(browser):
    def f(x):
        return x * x if x.data > 0 else x.exp() - 1

    with playing(browser, live(f, x=(-2, 2, 1.0))) as (page, trouble):
        assert len(page.evaluate(CARDS)) == 2
        drag(page, "x", -1)
        x = Value(-1.0, label="x")
        assert [card[-2:] for card in page.evaluate(CARDS)] == wanted(f(x))
        assert "the graph is another one now" in why(page)
        drag(page, "x", -0.5)
        assert len(page.evaluate(CARDS)) == 3
    assert trouble == []


def test_guessing_first_hides_the_answer_judges_and_hints(browser):
    with playing(browser, live("x*y", x=2.0, y=3.0)) as (page, trouble):
        page.get_by_role("button", name="Guess first").click()
        settled(page)
        assert [card[-1] for card in page.evaluate(CARDS)] == ["·", "·", "grad 1"]  # what is asked is not on the page
        assert page.locator(".lv-gradient").all_inner_texts() == ["·", "·"]
        page.locator(ROOT).focus()
        page.keyboard.press("ArrowRight")
        settled(page)
        question = page.locator(".sg-question").inner_text()
        assert question.strip() == "What is x.grad after this step?"
        assert "grad 3" not in str(page.evaluate(CARDS))
        for answer, verdict in (("abc", "That is not a number"), ("2", "Not yet: "), ("3", "Right.")):
            page.locator(".sg-answer").fill(answer)
            page.keyboard.press("Enter")
            settled(page)
            assert page.locator(".sg-verdict").inner_text().startswith(verdict)
        assert page.evaluate(CARDS)[0][-1] == "grad 3"
        page.keyboard.press("ArrowRight")
        settled(page)
        page.keyboard.press("1")
        page.keyboard.press("ArrowRight")  # at the end of the answer it goes on: the answer is shown
        settled(page)
        assert page.evaluate(CARDS)[1][-1] == "grad 2"
        assert page.locator(".sg-ask").is_hidden()
        page.locator(".lv-expression").fill("x*x + y")
        page.keyboard.press("Enter")
        settled(page)
        assert [card[-1] for card in page.evaluate(CARDS)].count("·") == 3  # and neither is it of the next graph
    assert trouble == []


def test_an_expression_is_typed_and_a_wrong_one_leaves_the_graph(browser):
    with playing(browser, live("x*y", x=2.0, y=3.0)) as (page, trouble):
        before = page.evaluate(CARDS)
        box = page.locator(".lv-expression")
        for wrong in ("x*", "__import__('os').system('true')", "x.__class__", "(" * 300, "<script>alert(1)</script>"):
            box.fill(wrong)
            box.press("Enter")
            settled(page)
            assert page.locator(".lv-trouble").inner_text()
            assert page.evaluate(CARDS) == before
        box.fill("2x + sin y")
        box.press("Enter")
        settled(page)
        page.get_by_role("button", name="Use 2*x + sin(y)").press("Enter")
        settled(page)
        x, y = Value(2.0, label="x"), Value(3.0, label="y")
        assert [card[-2:] for card in page.evaluate(CARDS)] == wanted(2 * x + y.sin())
        box.fill("(x + q)**2")
        box.press("Enter")
        settled(page)
        assert page.locator(".lv-trouble").inner_text() == ""
        assert [row.get_attribute("aria-label") for row in page.locator(".lv-slider input[type=range]").all()] == [
            "x",
            "q",
        ]
        assert page.evaluate(CARDS)[0][-2] == "2"
        page.locator("input[aria-label='Number for q']").fill("1/3")
        page.keyboard.press("Enter")
        settled(page)
        x, q = Value(2.0, label="x"), Value(1 / 3, label="q")
        assert [card[-2:] for card in page.evaluate(CARDS)] == wanted((x + q) ** 2)
        page.locator("input[aria-label='Number for q']").fill("fast")
        page.keyboard.press("Enter")
        settled(page)
        assert "must be a number" in page.locator(".lv-trouble").inner_text()
    assert trouble == []


def test_hostile_labels_are_text(browser):
    y = Value(3.0, label="y")
    f = y
    for i, text in enumerate(INJECTIONS):
        f = f + Value(2.0, label=text)
        f.label = text + "!" if i % 3 == 0 else ""
    with playing(browser, live(f)) as (page, trouble):
        for group in page.locator(".lv-view [role=button]").all():
            group.dispatch_event("click")
            settled(page)
        assert page.locator(".sg-live script, .sg-live img, .sg-live iframe, .sg-live foreignObject").count() == 0
        assert page.evaluate(CARDS)[-1][-2:] == [number_text(3.0 + 2.0 * len(INJECTIONS)), "grad 1"]
    assert trouble == []


def test_the_keyboard_alone_does_everything(browser):
    with playing(browser, live("x*y + x", x=2.0, y=3.0)) as (page, trouble):
        seen = []
        for _ in range(30):
            page.keyboard.press("Tab")
            name = page.evaluate(
                "() => { const e = document.activeElement, s = getComputedStyle(e);"
                " return [e.getAttribute('aria-label') || e.textContent.trim(),"
                " s.outlineStyle !== 'none' || !!e.closest('svg')]; }"
            )
            if name in seen or page.evaluate("() => document.activeElement === document.body"):
                break
            seen.append(name)
        names = [name for name, _ in seen]
        assert [name for name, visible in seen if not visible] == []
        for wanted_name in (
            "Expression",
            "Draw",
            "x",
            "Number for x",
            "y",
            "First step (Home)",
            "Next step (→)",
            "Guess first",
        ):
            assert wanted_name in names
        assert any(name.startswith("x; input") for name in names)
        page.locator("input[type=range][aria-label='x']").focus()
        page.keyboard.press("ArrowRight")
        settled(page)
        assert page.evaluate(CARDS)[0][-2] == "2.01"
        page.locator(".lv-view [role=button][tabindex='0']").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        settled(page)
        assert equation(page)
        assert page.locator(".lv-marked").count() > 0
    assert trouble == []


def test_every_part_has_a_name_for_screen_readers(browser):
    with playing(browser, live("tanh(w*x + b)")) as (page, trouble):
        nameless = page.evaluate(
            "() => [...document.querySelectorAll('button, input, [role=button], [role=group], output')]"
            ".filter(e => !e.closest('[hidden]') && !(e.getAttribute('aria-label') || e.textContent.trim() || (e.labels || []).length))"
            ".map(e => e.outerHTML.slice(0, 200))"
        )
        assert nameless == []
        assert page.locator(".sg-equation").get_attribute("aria-live") == "polite"
        assert page.locator("input[type=range]").first.get_attribute("aria-valuetext") == "0.5"
    assert trouble == []


@pytest.mark.parametrize("width", [390, 1366, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off_at_any_width_in_either_scheme(browser, width, scheme):
    made = live("tanh(w1*x1 + w2*x2 + b)", w1=-3.0, x1=2.0, w2=1.0, x2=0.0, b=6.7)
    with playing(browser, made, width=width, height=844 if width == 390 else 768, scheme=scheme) as (page, trouble):
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        cut = page.evaluate(
            "() => [...document.querySelectorAll('.lv-slider > *, .sg-button, .lv-expression')].filter(e => {"
            " const b = e.getBoundingClientRect(); return b.width && (b.left < 0 || b.right > innerWidth + 1); }).length"
        )
        assert cut == 0
        spilled = page.evaluate(
            "() => [...document.querySelectorAll('.lv-view g.node')].filter(g => { const box = [...g.querySelectorAll('rect')].pop()"
            ".getBoundingClientRect(); return [...g.querySelectorAll('text')].some(t => t.getBoundingClientRect().width > box.width); }).length"
        )
        assert spilled == 0
    assert trouble == []


def test_longer_numbers_stay_inside_their_cards(browser):
    with playing(browser, live("x*x*x", x=(-1e6, 1e6, 1.0))) as (page, trouble):
        for x in (-987654, 0.000123, 12345.678):
            page.locator("input[aria-label='Number for x']").fill(str(x))
            page.keyboard.press("Enter")
            settled(page)
            spilled = page.evaluate(
                "() => [...document.querySelectorAll('.lv-view g.node')].filter(g => { const box = [...g.querySelectorAll('rect')].pop()"
                ".getBoundingClientRect(); return [...g.querySelectorAll('text')].some(t => t.getBoundingClientRect().width > box.width); }).length"
            )
            assert spilled == 0
    assert trouble == []


def test_the_address_keeps_no_token_and_the_page_can_be_loaded_again(browser):
    with playing(browser, live("x*y", x=2.0, y=3.0)) as (page, trouble):
        assert page.server.token not in page.url
        page.reload()
        page.wait_for_selector(".lv-view svg")
        assert page.evaluate(CARDS)[-1][-2] == "6"
        second = page.context.new_page()
        second.goto(page.server.url)
        second.wait_for_selector(".lv-waiting[role=alert]")
        assert "another page" in second.locator(".lv-waiting").inner_text()
        page.close()
        second.goto("about:blank")
        second.goto(page.server.url)
        second.wait_for_selector(".lv-view svg")
    assert [line for line in trouble if "403" not in line] == []


def test_without_its_token_the_page_asks_nothing(browser):
    with served(live("x*y")) as server:
        context = browser.new_context()
        page = context.new_page()
        page.goto(server.url.split("#")[0])
        page.wait_for_selector(".lv-waiting[role=alert]")
        assert "whole address" in page.locator(".lv-waiting").inner_text()
        assert server.refusals == []
        context.close()


def test_a_flood_of_positions_ends_at_the_last_with_few_requests(browser):
    with playing(browser, live("x*y", x=(-5, 5, 0.0), y=3.0)) as (page, trouble):
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.locator("input[type=range][aria-label='x']").evaluate(
            "e => { for (let i = 0; i <= 400; i++) { e.value = i / 100; e.dispatchEvent(new Event('input')); } }"
        )
        settled(page)
        assert page.evaluate(CARDS)[0][-2] == "4"
        assert 1 <= len(asked) <= 6  # four under way, the newest, and a sign of life
    assert trouble == []


def test_a_function_without_any_value_is_said_once(browser):
    asked = []
    with served(live(lambda x: (x * 0.0 - 1.0).log(), x=1.0)) as server:
        context = browser.new_context()
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(server.url)
        page.wait_for_function("() => (document.querySelector('.lv-trouble') || {}).textContent")
        page.wait_for_timeout(200)
        assert page.locator(".lv-trouble").inner_text().endswith("give other numbers")
        assert "There is no graph" in page.locator(".lv-waiting").inner_text()
        assert sum(url.endswith("/api") for url in asked) == 2
        context.close()


def test_a_server_that_has_gone_is_said_in_words(browser):
    with playing(browser, live("x*y", x=2.0, y=3.0)) as (page, _):
        page.server.shutdown()
        page.server.server_close()
        page.context.set_offline(True)
        page.locator("input[type=range][aria-label='x']").evaluate(
            "e => { e.value = 1; e.dispatchEvent(new Event('input')); }"
        )
        page.wait_for_function("() => document.querySelector('.lv-trouble').textContent")
        assert "Python does not answer" in page.locator(".lv-trouble").inner_text()


def test_dragging_to_and_fro_over_a_branch_ends_with_the_graph_and_the_numbers_of_the_last_position(browser):
    def f(x):
        return x * x * x if x.data > 0.0 else x.exp() - 1

    with playing(browser, live(f, x=(-2, 2, 1.0))) as (page, trouble):
        for last in (1.99, -1.99, 0.01, -0.01):
            page.locator("input[type=range][aria-label='x']").evaluate(
                "(e, last) => { const put = x => { e.value = x; e.dispatchEvent(new Event('input')); };"
                " return new Promise(done => { let i = 0; const tick = () => { for (let k = 0; k < 3; k++) put(Math.sin(i++));"
                " if (i < 60) setTimeout(tick, 3); else { put(last); done(); } }; tick(); }); }",
                str(last),
            )
            settled(page)
            x = Value(last, label="x")
            assert [card[-2:] for card in page.evaluate(CARDS)] == wanted(f(x))
    assert trouble == []


def test_nothing_moves_by_itself_where_motion_is_not_wanted(browser):
    moving = "() => document.getAnimations().filter(a => a.playState === 'running').length"
    for motion, wanted_ in (("reduce", 0), ("no-preference", 1)):
        with playing(browser, live("x*y", x=2.0, y=3.0), reduced_motion=motion) as (page, trouble):
            page.locator(ROOT).focus()
            page.keyboard.press("ArrowLeft")
            settled(page)
            page.wait_for_selector("g.edge.lv-back")
            assert min(page.evaluate(moving), 1) == wanted_
        assert trouble == []
