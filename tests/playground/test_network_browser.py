"""The network view in a real Chromium: it shows the engine's numbers, all of it by keyboard, and lives on after errors."""

import ast
import re

import pytest
from playground_helpers import playing
from playground_helpers import settled as answered

from scalargrad import nn
from scalargrad.playground import Live
from scalargrad.playground.network.view import NetworkView
from scalargrad.words.texts import number_text

pytestmark = pytest.mark.browser

DRAWN = ".nw-neuron canvas[width='40']"


def settled(page):
    """Wait until what was asked is answered and shown."""
    answered(page)
    page.wait_for_selector(".nw-live:not([aria-busy])")


class Opened:
    """A page with a network, and the view behind it."""

    def __init__(self, page, view, trouble):
        self.page, self.view, self.trouble = page, view, trouble
        settled(page)

    @property
    def net(self):
        return self.view._open

    @property
    def model(self):
        return self.net.trained.model

    def press(self, name):
        self.page.get_by_role("button", name=name, exact=True).click()
        settled(self.page)

    def run(self):
        """Begin to train; until it is paused, it is hardly ever not busy."""
        self.page.get_by_role("button", name="Run", exact=True).click()

    def choose(self, label, value):
        self.page.get_by_label(label, exact=True).select_option(value)
        settled(self.page)

    def write(self, label, text):
        field = self.page.get_by_label(label, exact=True)
        field.fill(str(text))
        field.press("Enter")
        settled(self.page)

    def key(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
            settled(self.page)

    def text(self, selector):
        return self.page.locator(selector).inner_text()

    @property
    def alert(self):
        return self.text(".nw-trouble")

    @property
    def score(self):
        return self.text(".nw-train")


def network(browser, **options):
    """As `playing`, with an Opened in place of the page."""
    view = NetworkView()
    opened = playing(browser, Live("networks", lambda: [view]), drawn=DRAWN, **options)

    class Context:
        def __enter__(self):
            page, trouble = opened.__enter__()
            return Opened(page, view, trouble)

        def __exit__(self, *error):
            return opened.__exit__(*error)

    return Context()


def expected_score(net):
    trained = net.trained
    scores = [trained.model(row) for row in trained.rows]
    loss, right = trained.measure(trained.rows, trained.targets)
    eager = nn.bce_with_logits(scores, [(t + 1) / 2 for t in trained.targets]).data
    assert loss == pytest.approx(eager, rel=1e-12)
    assert right == round(nn.accuracy(scores, trained.targets) * len(scores))
    return f"loss of the points: {number_text(loss)}, {right} of {len(scores)} right"


def test_the_numbers_are_the_engines_after_every_step(browser):
    with network(browser) as net:
        for n in (1, 2, 3):
            net.press("Step")
            assert net.text(".nw-count") == f"step {n}, epoch {n}"
            assert net.score == expected_score(net.net)
        largest = max(abs(p.data) for p in net.model.parameters())
        assert f"up to {number_text(float(f'{largest:.3g}'))};" in net.text(".nw-legend")
        net.run()
        net.page.wait_for_function("() => /step [1-9][^,]+,/.test(document.querySelector('.nw-count').textContent)")
        net.press("Pause")
        assert net.score == expected_score(net.net)
        net.press("Reset")
        assert net.text(".nw-count") == "step 0, epoch 0"
        assert net.model.state_dict() == nn.MLP(2, [8, 8, 1], activation="tanh", seed=1).state_dict()
        assert net.trouble == []


def test_a_map_is_painted_in_the_hue_of_the_sign(browser):
    with network(browser) as net:
        net.press("Step")
        pixels = net.page.evaluate(
            "() => [...document.querySelectorAll('.nw-neuron canvas')].map(c => "
            "[...c.getContext('2d').getImageData(0, 0, 40, 40).data])"
        )
        points = net.net.points.plane.grid(40)
        answers = [[row[k] for row in points] for k in (0, 1)] + net.net.shown.answers(points)
        for data, numbers in zip(pixels, answers, strict=True):
            for i in range(0, 1600, 37):
                red, green = data[4 * i], data[4 * i + 1]
                if abs(numbers[i]) > 0.05:
                    assert (green > red) == (numbers[i] > 0)


def test_one_points_graph_is_walked_by_keyboard_with_the_engines_numbers(browser):
    with network(browser) as net:
        net.press("Step")
        net.page.locator(".nw-live").focus()
        net.key("ArrowRight")
        trained = net.net.trained
        model, row, target = net.model, trained.rows[0], trained.targets[0]
        out = model(row)
        loss = nn.bce_with_logits([out], [(target + 1) / 2])
        model.zero_grad()
        loss.backward()
        assert f"x0 = {number_text(row[0])}, x1 = {number_text(row[1])}, target {number_text(target)}" in net.text(
            ".nw-walk .sg-number"
        )
        first = model.layers[0](row)
        assert net.text(".nw-step >> nth=0") == f"Forward: layer 0 · neuron 0 gives {number_text(first[0].data)}"
        assert f"= {number_text(first[0].data)}" in net.text(".nw-lines")
        net.key(*["ArrowRight"] * 16)  # the last neuron, forward
        assert net.text(".nw-step >> nth=0") == f"Forward: layer 2 · neuron 0 gives {number_text(out.data)}"
        shown = net.page.locator(".nw-number:visible").all_inner_texts()
        assert shown[:2] == [number_text(x) for x in row]
        assert shown[2:10] == [number_text(v.data) for v in first]
        assert shown[-1] == number_text(out.data)
        net.key("ArrowRight")
        assert net.text(".nw-step >> nth=0") == f"Forward: the loss gives {number_text(loss.data)}"
        net.key("ArrowRight", "ArrowRight")
        assert net.text(".nw-step >> nth=0").startswith(f"Backward: gradient {number_text(out.grad)} reached layer 2")
        weight = model.layers[2].neurons[0].w[0]
        assert f"= {number_text(weight.grad)}" in net.text(".nw-lines")
        net.key("Escape")
        assert net.page.locator(".nw-number:visible").count() == 0
        assert net.trouble == []


def test_a_neuron_and_a_weight_are_opened_checked_and_set_by_keyboard(browser):
    with network(browser) as net:
        net.press("Step")
        net.page.locator(".nw-neuron >> nth=0").focus()
        net.key("ArrowRight", "ArrowDown", "ArrowDown")
        assert net.page.evaluate("document.activeElement.getAttribute('aria-label')") == "layer 0 · neuron 2, tanh"
        assert net.text(".nw-caption >> nth=0") == "what layer 0 · neuron 2 answers"
        net.key("Enter")
        neuron = net.model.layers[0].neurons[2]
        texts = net.page.locator(".nw-value span:last-child").all_inner_texts()
        assert texts == [number_text(p.data) for p in (*neuron.w, neuron.b)]
        assert net.page.locator(".nw-graph svg").count() == 1
        net.page.locator(".nw-value >> nth=1").focus()
        net.key("Enter")
        walk = net.net.walk()
        weight = walk.shown.columns[1].nodes[2].parameters[1]
        panel = net.text(".nw-weight")
        assert f"Gradient of this point's loss: {number_text(walk.gradients()[weight])}." in panel
        assert "1 PASS" in panel
        assert "the sum over 8 paths" in panel
        net.write("Set layer 0 · neuron 2: weight from x1 to", "0.125")
        assert weight.data == 0.125
        assert "weight from x1 = 0.125" in net.text(".nw-weight")
        assert net.score == expected_score(net.net)
        assert net.trouble == []


def test_what_is_opened_is_seen_on_a_phone_and_the_keyboard_stays_where_it_was(browser):
    def in_view(selector):
        box = net.page.locator(selector).bounding_box()
        return box["y"] >= 0 and box["y"] + min(box["height"], 800) <= 800 + 1

    with network(browser, width=390, height=800) as net:
        net.page.locator(".nw-plane").click(position={"x": 60, "y": 90})
        settled(net.page)
        assert in_view(".nw-walk")
        net.page.locator(".nw-neuron").nth(5).click()
        settled(net.page)
        assert in_view(".nw-weights")
        net.page.locator(".nw-value").nth(1).click()
        net.page.wait_for_selector(".nw-weight input")
        settled(net.page)
        assert in_view(".nw-weight .nw-step")
        field = net.page.locator(".nw-weight input")
        field.fill("1.5")
        field.press("Enter")
        net.page.wait_for_function("() => document.querySelector('.nw-weight .nw-step').textContent.endsWith('= 1.5')")
        settled(net.page)
        assert net.page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("Set layer 0")
        net.page.locator(".nw-boxes input").nth(2).focus()
        net.key(" ")
        assert net.page.evaluate("document.activeElement.closest('label').textContent") == "x0**2"
        assert net.trouble == []


def test_whatever_is_changed_builds_that_network(browser):
    with network(browser) as net:
        net.press("+ layer")
        assert [len(layer.neurons) for layer in net.model.layers] == [8, 8, 8, 1]
        net.press("− layer")
        net.page.get_by_label("layer 0: activation").select_option("relu")
        settled(net.page)
        net.page.get_by_label("layer 1: one neuron less").click()
        settled(net.page)
        assert [(len(one.neurons), one.neurons[0].activation) for one in net.model.layers[:2]] == [
            (8, "relu"),
            (7, "tanh"),
        ]
        net.choose("Optimizer", "adam")
        net.choose("Loss", "hinge")
        net.choose("Weights", "he_normal")
        net.choose("Batch", "10")
        net.write("Seed", 5)
        net.page.get_by_label("x0*x1").check()
        settled(net.page)
        net.write("Another", "sin(3*x1)")
        net.choose("Data", "circles")
        net.write("Points", 80)
        net.write("Noise", 0.2)
        net.choose("Held out", "0.3")
        fields, trained = net.net.fields, net.net.trained
        assert net.net.inputs.texts == ["x0", "x1", "x0*x1", "sin(3*x1)"]
        assert (len(trained.rows), len(trained.held_out[0])) == (56, 24)
        assert type(trained.optimizer).__name__ == "Adam"
        wanted = {"loss": "hinge", "init": "he_normal", "batch": 10, "seed": 5, "noise": 0.2, "data": "circles"}
        assert {name: fields[name] for name in wanted} == wanted
        assert (
            net.model.state_dict()
            == nn.MLP(4, [8, 7, 1], activation=["relu", "tanh", None], init="he_normal", seed=5).state_dict()
        )
        net.choose("Learning rate", "0.3")
        net.choose("L2", "0.01")
        net.press("Step")
        assert (trained.optimizer.lr, trained.optimizer.weight_decay) == (0.3, 0.01)
        assert net.trouble == []


def test_a_learning_rate_that_is_too_large_stops_in_words_and_is_mended(browser):
    with network(browser) as net:
        net.choose("Loss", "mse")
        net.page.get_by_label("layer 0: activation").select_option("relu")
        settled(net.page)
        net.page.get_by_label("layer 1: activation").select_option("relu")
        settled(net.page)
        net.choose("Optimizer", "sgd")
        net.choose("Learning rate", "100")
        net.run()
        net.page.wait_for_function("() => document.querySelector('.nw-trouble').textContent")
        assert "The learning rate 100 is too large here" in net.alert
        assert net.page.get_by_role("button", name="Run", exact=True).count() == 1
        net.press("Reset")
        net.choose("Learning rate", "0.01")
        net.press("Step")
        assert net.alert == ""
        assert net.text(".nw-count") == "step 1, epoch 1"
        assert net.trouble == []


def test_a_dead_relu_is_marked_said_and_mended(browser):
    with network(browser) as net:
        net.page.get_by_label("layer 0: activation").select_option("relu")
        settled(net.page)
        neuron = net.page.locator(".nw-neuron >> nth=4")
        neuron.click()
        settled(net.page)
        net.page.locator(".nw-value >> nth=2").click()
        settled(net.page)
        net.write("Set layer 0 · neuron 2: bias to", "-50")
        assert "layer 0 · neuron 2: 0 for all 100 points" in net.text(".nw-said")
        assert neuron.get_attribute("aria-label") == "layer 0 · neuron 2, relu, dead"
        assert nn.dead_relus(net.model, net.net.trained.rows) == ["layer 0 · neuron 2 (relu)"]
        net.write("Set layer 0 · neuron 2: bias to", "0")
        assert net.text(".nw-said") == ""
        assert neuron.get_attribute("aria-label") == "layer 0 · neuron 2, relu"
        assert net.trouble == []


def test_points_are_set_by_clicking_and_by_keyboard(browser):
    with network(browser) as net:
        net.choose("Data", "points")
        net.choose("A click", "1")
        box = net.page.locator(".nw-plane").bounding_box()
        net.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        settled(net.page)
        net.choose("A click", "-1")
        net.page.locator(".nw-plane").focus()
        net.key("Shift+ArrowRight", "Shift+ArrowUp", "Enter")
        (first, second), labels = net.net.points.X, net.net.points.y
        assert labels == [1.0, -1.0]
        assert first == pytest.approx([0, 0], abs=0.05)
        assert second == pytest.approx([first[0] + 0.4, first[1] + 0.4], abs=0.01)
        assert net.page.locator(".nw-point").count() == 2
        net.press("Step")
        assert net.score == expected_score(net.net)
        net.choose("A click", "look")
        net.key("Enter")
        net.page.locator(".nw-plane").focus()
        net.key("Enter")
        assert "target −1" in net.text(".nw-walk .sg-number")
        net.press("Reset")  # the points stay
        assert net.page.locator(".nw-point").count() == 2
        assert net.trouble == []


HOSTILE = "<script>alert(1)</script>"


def test_tables_and_expressions_are_text_whatever_they_hold(browser):
    with network(browser) as net:
        net.choose("Data", "table")
        assert net.page.evaluate("document.activeElement.className") == "nw-table"
        net.press("Use this table")
        assert "the table is empty" in net.alert
        net.page.locator(".nw-table").fill(f"1,2,{HOSTILE}\n3,4,b\n5,x,b")
        net.press("Use this table")
        assert net.alert == "line 3 of the table: 'x' is no number: each line is like 0.5, -1.2, 1"
        net.page.locator(".nw-table").fill(f"1,2,{HOSTILE}\n0.3,4,b\n0.5,1,b")
        net.press("Use this table")
        assert net.alert == ""
        assert HOSTILE in net.text(".nw-legend")
        assert net.page.locator("script:not([src])").count() == 0
        net.write("Another", HOSTILE)
        assert "neither x0 nor x1" in net.alert
        net.write("Another", "log(x0 - 50)")
        assert "at x0 = " in net.alert
        net.choose("Data", "function")
        net.write("f(x) =", "sqrt(x)")
        assert "f(x): at x = −" in net.alert
        net.write("f(x) =", "x**3 - x")
        assert net.alert == ""
        net.press("Step")
        assert net.score == expected_score(net.net)
        assert net.trouble == []


def test_what_is_downloaded_is_what_the_session_gives(browser):
    with network(browser) as net:
        net.press("Step")
        for button, what in (("↓ Python code", "python"), ("↓ Model", "model"), ("↓ Picture", "picture")):
            with net.page.expect_download() as download:
                net.press(button)
            given = net.view.do_export({"what": what})
            text = download.value.path().read_text(encoding="utf-8")
            assert (download.value.suggested_filename, text) == (given["name"], given["text"])
            if what == "python":
                ast.parse(text)
        assert [one for one in net.trouble if not one.startswith("request blob:")] == []


@pytest.mark.parametrize("width", [390, 1366, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_screen_and_has_the_scheme(browser, width, scheme):
    with network(browser, width=width, height=800, scheme=scheme) as net:
        net.press("Step")
        net.page.locator(".nw-neuron >> nth=3").click()
        settled(net.page)
        assert net.page.evaluate("document.documentElement.scrollWidth") <= width
        for selector in (".nw-plane", ".nw-network", ".nw-curves", ".nw-foot"):
            box = net.page.locator(selector).bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        red = net.page.evaluate("() => getComputedStyle(document.querySelector('.nw-live')).backgroundColor")
        assert (int(re.search(r"\d+", red)[0]) > 128) == (scheme == "light")
        pixel = net.page.evaluate(
            "() => Math.max(...document.querySelector('.nw-neuron canvas').getContext('2d').getImageData(0, 0, 40, 40).data.filter((_, i) => i % 4 == 0))"
        )
        assert (pixel > 200) == (scheme == "light")
        assert net.trouble == []


def test_everything_has_a_name_for_screen_readers(browser):
    with network(browser) as net:
        net.page.locator(".nw-neuron >> nth=3").click()
        settled(net.page)
        net.page.locator(".nw-value >> nth=0").click()
        settled(net.page)
        nameless = net.page.evaluate(
            "() => [...document.querySelectorAll('button, input, select, textarea, [tabindex]')].filter(e => e.checkVisibility() && "
            "!(e.getAttribute('aria-label') || (e.labels && e.labels[0] && e.labels[0].textContent.trim()) || e.textContent.trim()))"
            ".map(e => e.outerHTML)"
        )
        assert nameless == []
