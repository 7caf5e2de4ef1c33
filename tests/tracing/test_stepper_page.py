"""The stepper as HTML, without a browser: what the fragment and the page contain, and what they leave alone."""

import base64
import json
import re
from hashlib import sha256
from importlib.resources import files

import pytest
from drawing_helpers import cards, mlp_loss, sigmoid_neuron
from helpers import random_graph, readme_example
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import need_layout
from stepper_helpers import INJECTIONS, Contents, accumulating, injected, sanitised

import scalargrad as sg
from scalargrad import Value
from scalargrad.drawing import draw, engines
from scalargrad.tracing import TraceTooLongError
from scalargrad.tracing.stage import Stage
from scalargrad.words.texts import number_text


def script_of(html):
    need_layout()
    return html[html.index("<script>") + 8 : html.rindex("</script>")]


def data_of(html):
    text = script_of(html)
    return json.loads(text[text.index('({"key"') + 1 : -2])


def chain(n):
    """A trace of n + 1 nodes, 1 seed, n edges: 2n + 2 steps."""
    y = Value(0.5, label="x")
    for _ in range(n):
        y = y.tanh()
    return y


# ---------------------------------------------------------------- the fragment


def test_picture_then_table_then_one_script():
    need_layout()
    trace = sg.trace(sigmoid_neuron())
    found = Contents(trace.html)
    assert [tag for tag in found.tags if tag in ("img", "details", "script", "style", "link", "svg")] == [
        "img", "details", "script",
    ]  # fmt: skip
    assert "All 26 steps as text" in trace.html
    assert found.images[0]["alt"].startswith("Computation graph of f = 0.7311")
    assert trace.html == sg.trace(sigmoid_neuron()).html
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", script_of(trace.html))
    assert " id=" not in trace.html.partition("<script>")[0]


def test_the_table_has_every_step():
    trace = sg.trace(readme_example(Value)[0])
    assert Contents(trace.html).table == [[str(s.index + 1), s.phase, s.text, s.why] for s in trace]


def test_the_picture_shows_the_traces_gradients_and_no_grad_is_touched():
    f = sigmoid_neuron()
    expected = cards(draw(f).svg)
    values = sg.topological_order(f)
    for value in values:
        value.grad = 77.0
    assert cards(Contents(sg.trace(f).html).svg()) == expected
    assert {value.grad for value in values} == {77.0}


def test_the_picture_keeps_the_numbers_and_names_of_the_trace():
    x = Value(3.0, label="x")
    y = x * x
    trace = sg.trace(y)
    before = trace.html
    x.data, x.label = 5.0, "z"
    assert trace.html == before


def test_seeds_other_than_one():
    x = Value(3.0, label="x")
    for seed in (2.0, 0.0, -1.0):
        shown = cards(Contents(sg.trace(x * x, seed).html).svg())
        assert shown[0][2] == "grad " + number_text(6 * seed)


@settings(max_examples=20)
@given(st.integers(0, 1000), st.integers(1, 12))
def test_the_steps_end_in_the_picture(seed, n):
    """Replaying the script's own data gives the gradients that the picture shows, and each edge is used once."""
    root, _ = random_graph(Value, n, seed)
    trace = sg.trace(root)
    html = trace.html
    data, shown = data_of(html), cards(Contents(html).svg())
    last = {node: text for node, text, _, _ in data["back"]}
    assert {i: texts[2] for i, texts in enumerate(shown)} == last
    used = [i for *_, edges in data["back"] for i in edges]
    assert sorted(used) == list(range(len(data["heads"])))
    for step, (node, text, source, edges) in zip(trace[len(shown) :], data["back"], strict=True):
        assert trace.graph.order[node] is step.node
        assert text == "grad " + number_text(step.after)
        if step.source is not None:
            assert trace.graph.order[source] is step.source
            assert [data["heads"][i] for i in edges] == [source]


def test_nothing_of_the_result_is_in_the_live_picture():
    trace = sg.trace(Value(-1e308, label="x") * 1e10 - 5.0)
    svg = data_of(trace.html)["svg"]
    assert "gradient" not in re.sub(r'class="[^"]*"', "", svg)
    assert "#c4122f" not in svg
    assert "#c4122f" in Contents(trace.html).svg()


def test_a_closure_hands_on_along_all_its_edges_at_once():
    a = Value(2.0, label="a")
    out = Value(4.0, (a, a), "my op")
    out._backward = lambda: setattr(a, "grad", a.grad + 4.0 * out.grad)
    data = data_of(sg.trace(out).html)
    assert data["back"] == [[1, "grad 1", None, []], [0, "grad 4", 1, [0, 1]]]


def test_cards_have_room_for_every_running_sum():
    stage = Stage(sg.trace(accumulating()).graph)
    a = next(card for card in stage.picture.cards if card.name == "a")
    assert max(map(len, a.later)) > len(a.rows[2][1])
    wide = Stage(sg.trace(accumulating()).graph)._sketch.shapes[stage.picture.cards.index(a)].width
    assert wide > draw(accumulating())._sketch.shapes[stage.picture.cards.index(a)].width


# ---------------------------------------------------------------- one step


def test_one_step_is_a_picture_of_its_moment():
    trace = sg.trace(sigmoid_neuron())
    forward = Contents(trace[8]._repr_mimebundle_()["text/html"])
    rows = {texts[0].split(" = ")[0]: texts[1:] for texts in cards(forward.svg())}
    assert rows["s"] == ["1", "·"]
    assert rows["v3"] == ["4", "·"]
    assert rows["v4"] == rows["f"] == ["·", "·"]
    assert trace[8].text in "".join(forward.text)
    assert trace[8].why in "".join(forward.text)
    backward = Contents(trace[22]._repr_mimebundle_()["text/html"])
    rows = {texts[0].split(" = ")[0]: texts[1:] for texts in cards(backward.svg())}
    assert rows["w1"] == ["−3", "grad −0.3932"]
    assert rows["w0"] == ["2", "·"]
    assert rows["f"] == ["0.7311", "grad 1"]
    assert "script" not in backward.tags
    assert trace[22]._repr_mimebundle_()["text/plain"] == repr(trace[22])
    assert trace[22].text in backward.images[0]["alt"]


def test_the_last_step_is_the_finished_picture():
    trace = sg.trace(accumulating())
    last = Contents(trace[-1]._repr_mimebundle_()["text/html"])
    assert cards(last.svg()) == cards(Contents(trace.html).svg())


def test_forward_steps_show_no_gradient():
    trace = sg.trace(accumulating())
    stage = Stage(trace.graph)
    for step in trace:
        if step.phase == "forward":
            texts = [item.text for group in stage.after(step).groups for item in group.items if hasattr(item, "text")]
            assert not [text for text in texts if text.startswith(("grad", "×"))]


# ---------------------------------------------------------------- the page


def test_saved_page(tmp_path):
    trace = sg.trace(sigmoid_neuron())
    path = trace.save(tmp_path / "walk.html")
    assert path == tmp_path / "walk.html"
    page = path.read_text(encoding="utf-8")
    assert trace.html in page
    assert page.startswith("<!doctype html>")
    assert len(list(tmp_path.iterdir())) == 1


def test_the_pages_policy_allows_its_own_script_and_style_and_nothing_else(tmp_path):
    page = sg.trace(sigmoid_neuron()).save(tmp_path / "walk.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    style = page[page.index("<style>") + 7 : page.index("</style>")]
    hashed = {
        name: f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'"
        for name, text in (("script-src", script_of(page)), ("style-src", style))
    }
    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        **hashed,
    }
    assert page.count("<script") == page.count("<style") == 1
    assert not re.search(r"<[^>]* (style|on\w+)=", page.partition("<script>")[0])


def test_save_says_what_is_wrong(tmp_path):
    trace = sg.trace(sigmoid_neuron())
    with pytest.raises(ValueError, match=r"cannot save a trace as 'walk.pdf': the suffix must be .html"):
        trace.save(tmp_path / "walk.pdf")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        trace.save(tmp_path / "nowhere" / "walk.html")
    with pytest.raises(ValueError, match="max_steps must be at least 1, not 0"):
        trace.save(tmp_path / "walk.html", max_steps=0)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_leaves_the_old_page(tmp_path, monkeypatch):
    path = sg.trace(sigmoid_neuron()).save(tmp_path / "walk.html")
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        sg.trace(accumulating()).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


# ---------------------------------------------------------------- sizes and limits


def test_sizes(tmp_path):
    assert sg.trace(sigmoid_neuron()).save(tmp_path / "walk.html").stat().st_size < 150_000
    wide = sg.trace(mlp_loss((4, 5, 3, 1)))
    assert 270 <= len(wide) <= 400
    assert wide.save(tmp_path / "walk.html", max_steps=400).stat().st_size < 1_000_000 * len(wide) / 300


def test_a_trace_that_is_too_long_names_calls_that_work(tmp_path):
    value = chain(400)
    trace = sg.trace(value)
    assert len(trace) == 802
    with pytest.raises(TraceTooLongError) as caught:
        trace.html  # noqa: B018
    message = str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert message.startswith("this trace has 802 steps; the limit is max_steps=300. Instead: ")
    calls = re.findall(r"[a-z]+\(.*?(?=(?: writes| draws| are))", message.partition("Instead: ")[2])
    assert len(calls) == 4
    names = {"trace": sg.trace, "draw": sg.draw, "value": value, "print": lambda x: str(x)}
    for call in calls:
        call = call.replace("'walk.html'", repr(str(tmp_path / "walk.html")))
        assert eval(call, names)  # noqa: S307
    assert (tmp_path / "walk.html").exists()


def test_jupyter_shows_the_head_of_a_trace_that_is_too_long():
    trace = sg.trace(chain(400))
    shown = trace._repr_mimebundle_()
    found = Contents(shown["text/html"])
    assert "the limit is max_steps=300" in "".join(found.text)
    assert found.table == [[str(s.index + 1), s.phase, s.text, s.why] for s in trace[:20]]
    assert "script" not in found.tags
    assert "img" not in Contents(trace[500]._repr_mimebundle_()["text/html"]).tags


def test_without_an_engine_the_table_and_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(engines, "_has_wasi", lambda: False)
    monkeypatch.setattr(engines.shutil, "which", lambda _: None)
    trace = sg.trace(sigmoid_neuron())
    found = Contents(trace.html)
    assert engines.INSTALL in "".join(found.text)
    assert len(found.table) == 26
    assert not {"img", "script"} & set(found.tags)
    assert "img" not in Contents(trace[3]._repr_mimebundle_()["text/html"]).tags
    page = trace.save(tmp_path / "walk.html").read_text(encoding="utf-8")
    assert "script-src 'none'" in page


# ---------------------------------------------------------------- hostile texts


@pytest.mark.parametrize("text", INJECTIONS)
def test_no_text_becomes_markup_or_script(text):
    clean = set(Contents(sg.trace(injected("x")).html).tags)
    trace = sg.trace(injected(text))
    html = trace.html
    found = Contents(html)
    assert set(found.tags) == clean
    assert found.table == [[str(s.index + 1), s.phase, s.text, s.why] for s in trace]
    assert not re.search(r"</script|<!--|<script", script_of(html))
    assert not re.search(r"[<>&\u2028\u2029]", script_of(html).partition('({"key"')[2])
    assert "\u2028" not in html
    assert data_of(html)["svg"].startswith("<svg")
    assert set(Contents(trace[-1]._repr_mimebundle_()["text/html"]).tags) == {"div", "p", "strong", "code", "img"}


def test_the_program_contains_nothing_that_would_end_its_script():
    for name in ("stepper.js", "stepper.css"):
        assert not re.search(r"</|<!--|<script", files("scalargrad.tracing").joinpath(name).read_text(encoding="utf-8"))


def test_what_jupyterlab_leaves_of_it_in_a_notebook_that_is_not_trusted():
    trace = sg.trace(injected("<b>x</b>"))
    for html in (trace.html, trace[3]._repr_mimebundle_()["text/html"]):
        left = sanitised(html)
        before, after = Contents(html), Contents(left)
        assert "script" not in after.tags
        assert [tag for tag in before.tags if tag != "script"] == after.tags
        assert [{k: image[k] for k in ("alt", "src")} for image in before.images] == after.images
        assert after.table == before.table
        assert "scalargradStepper" not in left
