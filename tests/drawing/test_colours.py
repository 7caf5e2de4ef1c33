"""Each hue means one thing: the sign's pair, the value's and the gradient's colour stay apart for every reader."""

import itertools
import math
import re

import pytest
from drawing_helpers import SVG, parsed
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import need_layout
from sizes import size

from scalargrad import Value
from scalargrad.drawing import draw
from scalargrad.drawing.styles import STYLES
from scalargrad.drawing.theme import BINS, THEMES, edge_role, text_width
from scalargrad.strategies import expressions

# How people without red, green or blue receptors see linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
SEEN_BY = {
    "everyone": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900),
    ),
}  # fmt: skip
# Linear RGB to the cone responses of OKLab, and these to lightness and the two opponent axes (Ottosson 2020).
CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929), (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)  # fmt: skip
LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468), (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)  # fmt: skip


def times(matrix, vector):
    return [math.fsum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def lab(color, reader):
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    seen = [min(max(c, 0.0), 1.0) for c in times(SEEN_BY[reader], linear)]
    return times(LAB, [max(c, 0.0) ** (1 / 3) for c in times(CONES, seen)])


def apart(a, b, reader):
    """The distance in OKLab, in hundredths; 2 is about what can just be told apart."""
    return 100 * math.dist(lab(a, reader), lab(b, reader))


@pytest.mark.parametrize("name", THEMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("reader", SEEN_BY)
def test_the_colours_of_different_meanings_differ_for_every_reader(name, scheme, reader):
    colors = THEMES[name].colors(scheme)
    for bin_ in (1, 2, 3):
        plus, minus = colors[edge_role(bin_)], colors[edge_role(-bin_)]
        assert apart(plus, minus, reader) >= 9, (plus, minus)
        for sign, role in itertools.product((plus, minus), ("value", "gradient")):
            assert apart(sign, colors[role], reader) >= (9 if reader == "everyone" else 5), (sign, role)
    if name == "default":  # cs231n's green and red are the lecture's; there it is the place that tells them apart
        assert apart(colors["value"], colors["gradient"], reader) >= 9


@pytest.mark.parametrize("name", THEMES)
def test_a_bin_is_as_far_from_none_as_it_is_large(name):
    for scheme in ("light", "dark"):
        colors = THEMES[name].colors(scheme)
        for sign in (1, -1):
            away = [apart(colors[edge_role(sign * bin_)], colors[edge_role(0)], "everyone") for bin_ in (1, 2, 3)]
            assert away == sorted(away)
            assert away[0] >= 3.9


@pytest.mark.parametrize("name", THEMES)
def test_no_two_roles_of_different_meaning_share_a_colour(name):
    for scheme in ("light", "dark"):
        colors = THEMES[name].colors(scheme)
        edges = [colors[edge_role(b)] for b in BINS]
        assert len(set(edges)) == len(BINS)
        assert not set(edges) & {colors[role] for role in colors if not role.startswith("edge-")}


# ---------------------------------------------------------------- the legend


def legends(svg):
    return [g for g in parsed(svg).iter(SVG + "g") if g.get("class") == "legend"]


def signed(svg):
    return any(
        g.get("class", "").startswith(("edge edge-plus", "edge edge-minus")) for g in parsed(svg).iter(SVG + "g")
    )


@settings(max_examples=size(20, 200), deadline=None)
@given(expressions(), st.sampled_from(list(THEMES)), st.sampled_from(list(STYLES)), st.booleans(), st.booleans())
def test_there_is_a_legend_where_edges_have_a_sign_and_only_there(program, theme, style, backward, wanted):
    need_layout()
    root, _ = program.graph()
    if backward:
        root.backward()
    try:
        svg = draw(root, theme=theme, style=style, legend=wanted).svg
    except ValueError:  # too many gates for a circuit
        return
    assert len(legends(svg)) == (wanted and signed(svg))


@pytest.mark.parametrize("rankdir", ["LR", "TB"])
@pytest.mark.parametrize("theme", THEMES)
def test_the_legend_is_one_line_with_samples_inside_of_the_picture(theme, rankdir):
    need_layout()
    x = Value(3.0, label="x")
    y = x.exp()
    y.backward()
    svg = draw(y, theme=theme, rankdir=rankdir).svg
    root = parsed(svg)
    width, height = float(root.get("width")), float(root.get("height"))
    (legend,) = legends(svg)
    texts = list(legend.iter(SVG + "text"))
    names = THEMES[theme]
    assert [t.text for t in texts] == ["contribution:", f"+ {names.positive}", f"− {names.negative}", "wider = larger"]
    assert len({t.get("y") for t in texts}) == 1
    assert all(float(t.get("x")) + text_width(t.text, float(t.get("font-size"))) <= width for t in texts)
    assert all(float(t.get("y")) < height for t in texts)
    shown = [path.get("class") for path in legend.iter(SVG + "path")]
    assert shown == [f"s-{edge_role(sign * i)}" for sign in (1, -1) for i in (1, 2, 3)]
    assert names.negative in legend.find(SVG + "title").text
    assert names.negative in root.find(SVG + "desc").text
    for card in (g for g in root.iter(SVG + "g") if g.get("class").startswith("node")):
        rect = card.find(SVG + "rect")
        assert 0 < float(rect.get("x")) < width - float(rect.get("width"))
        assert float(rect.get("y")) + float(rect.get("height")) < min(float(t.get("y")) for t in texts) - 10


# ---------------------------------------------------------------- wires


def test_the_wires_of_a_circuit_have_no_gap():
    need_layout()
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    f = (a * b + a * 0.05 - 1.5) * b
    f.backward()
    root = parsed(draw(f, style="circuit").svg)
    ways = {
        kind: [g.find(SVG + "path").get("d") for g in root.iter(SVG + "g") if g.get("class").startswith(kind)]
        for kind in ("node", "edge")
    }
    wires_end = {re.search(r"L(\S+ \S+)$", way)[1] for way in ways["node"]}
    curves_start = {re.match(r"M(\S+ [^C]+)C", way)[1] for way in ways["edge"]}
    assert curves_start < wires_end
    assert len(curves_start) == len(wires_end) - 1  # the output's leads to its name
