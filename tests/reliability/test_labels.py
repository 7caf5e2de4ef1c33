"""Hostile labels

A label is a text that may come from anywhere. It is cleaned once (`scalargrad.support.labels.clean_label`: one line of at most 80
characters, no control character, no turning of the text direction), and every output then shows that text as text and does
nothing else with it. The labels here try to be markup, scripts, entities, DOT, Mermaid, TeX, escape sequences of
terminals, Python, spreadsheet formulas, or too much: every one goes through every output, and each output is read back by
a parser that owes the package nothing: Graphviz, XML, HTML, JSON and Python parsers, in the full run Mermaid and KaTeX
themselves, and Chromium.
"""  # fmt: skip

import ast
import json
import re
import shutil
import unicodedata
import warnings

import hostile_labels
import pytest
from drawing_helpers import Name, chromium, page_of
from hostile_labels import batches, by_hand, graph, shown, unsafe
from hypothesis import given
from hypothesis import strategies as st
from label_outputs import SHOW_NONE, formulas, in_chromium, pages, printed, provocations, told
from label_readers import (
    MERMAID,
    Skeleton,
    as_typeset,
    check_latex,
    dot_attributes,
    dot_texts,
    katex_texts,
    latex_texts,
    mermaid_texts,
    npm,
    spaced,
    svg_cards,
    without_joiners,
)
from sizes import only_long, size

import scalargrad as sg
from scalargrad import Value, draw
from scalargrad.drawing import engines
from scalargrad.drawing.wrapping import shortened, wrap
from scalargrad.support.labels import clean_label

LABELS = hostile_labels.labels(size(63, 405))
BATCHES = batches(LABELS)
NAMES = [[shown(label) for label in found] for found in BATCHES]
STYLES = ("card", "circuit", "micrograd")


def plain(found):
    """As many labels that harm nobody."""
    return [f"name{i}" for i in range(len(found))]


def leaf_names(found):
    return set(map(shown, found[:-1]))


# -------------------------------------------------------------------- the promise


@given(st.text(max_size=120), st.integers(2, 100))
def test_cleaning_keeps_its_promise(text, limit):
    cleaned = clean_label(text, limit)
    assert clean_label(cleaned, limit) == cleaned
    assert len(cleaned) <= limit
    assert not unsafe(cleaned, "")
    assert not set(cleaned) & set("\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
    assert not any(unicodedata.category(c) == "Cn" for c in cleaned)
    assert bool(cleaned) == bool(text)
    if len(text) <= limit and text.isprintable() and text.strip():
        assert cleaned == text


def test_cleaning_the_labels(figure):
    for label in hostile_labels.labels(500):
        cleaned = clean_label(label)
        assert clean_label(cleaned) == cleaned
        assert not unsafe(cleaned, "")
        cleaned.encode("utf-8")
    figure("500 labels cleaned, and cleaned again", "the same 500 texts, at most 80 characters, no control character")


# -------------------------------------------------------------------- pictures


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed on this system")
def test_dot(figure):
    for i, found in enumerate(BATCHES):
        styles = STYLES if size(i == 0, True) else ("card",)

        def drawn(labels, styles=styles):
            return [
                *(draw(graph(labels), style=style) for style in styles),
                draw(by_hand(labels), style="micrograd", max_nodes=500),
            ]

        plain = drawn([f"plain{k}" for k in range(len(found))])
        drawings = drawn(found)
        for drawing, other in zip(drawings, plain, strict=True):
            texts, edges = dot_texts(drawing.dot, dot_attributes(other.dot))
            written = {
                shape.key: [spaced(text).replace("\n", "") for text in shape.fields] for shape in drawing._sketch.shapes
            }
            assert {key: "".join(lines) for key, lines in texts.items()} == {
                key: "".join(lines) for key, lines in written.items()
            }
            assert edges == len(drawing._sketch.links)
            if drawing is drawings[0]:
                shown_names = {"".join(wrap(spaced(name)).split("\n")) for name in NAMES[i][:-1]}
                assert all(any("".join(lines).startswith(name) for lines in texts.values()) for name in shown_names)
    figure(
        f"DOT, {len(LABELS)} labels, read back by Graphviz (`dot -Tjson`)",
        "every text equal, no other node, edge or attribute",
    )


@pytest.mark.parametrize("engine", ["wasi", "dot"])
def test_svg(figure, engine):
    try:
        engines.available(engine)
    except engines.EngineError as error:
        pytest.skip(str(error))
    for i, found in enumerate(BATCHES):
        for style in STYLES if size(i == 0, True) else ("card",):
            svg = draw(graph(found), style=style, engine=engine).svg
            texts = {text for card in svg_cards(svg) for text in card}
            names = map(clean_label if style == "micrograd" else shown, found[:-1])
            assert set(map(wrap if style == "card" else shortened, names)) <= texts
            assert Skeleton(svg).shape == Skeleton(draw(graph(plain(found)), style=style, engine=engine).svg).shape
            assert not unsafe(svg)
    figure(f"SVG by {engine}, {len(LABELS)} labels, read back as XML and as HTML",
           "every text equal; elements and attributes as with plain labels")  # fmt: skip


def test_scopes_and_groups():
    """Names of modules and of groups, which come from the user too."""

    def in_a_scope(text):
        w, x = Value(2.0, label=Name("w0", (text,)), parameter=True), Value(3.0, label="x")
        out = w * x
        out.label = Name("", (text,))
        return w, out

    plainly = draw(in_a_scope("plain")[1] + 1).dot
    for found in BATCHES[: size(2, None)]:
        for text in found:
            w, out = in_a_scope(text)
            drawing = draw(out + 1)
            mermaid_texts(drawing.mermaid)
            title = spaced(clean_label(text))
            if shutil.which("dot"):
                assert dot_texts(drawing.dot, dot_attributes(plainly))[0]["cluster_0"] == [title]
            assert title in map(spaced, Skeleton(drawing.svg).texts)
            assert not unsafe(sg.summary(out) + drawing.json + drawing.text)
            grouped = draw(out + 1, collapse=lambda value, w=w, text=text: text if value is w else None)
            assert wrap(title) in {spaced(rows[0]) for rows in svg_cards(grouped.svg)}


def test_mermaid(figure):
    for i, found in enumerate(BATCHES):
        rows = mermaid_texts(draw(graph(found)).mermaid)
        assert {without_joiners(name) for name in NAMES[i][:-1]} <= {row[0] for row in rows}
        assert len(rows) == len(mermaid_texts(draw(graph(plain(found))).mermaid))
    figure(f"Mermaid, {len(LABELS)} labels, read back by a strict grammar", "every text equal, no other line")


def test_json(figure):
    for i, found in enumerate(BATCHES):
        text = draw(graph(found)).json
        assert text.isascii()
        nodes = json.loads(text)["nodes"]
        assert set(NAMES[i]) <= {node["name"] for node in nodes}
        assert {clean_label(label, 1000) for label in found} <= {node["label"] for node in nodes}
    figure(f"JSON, {len(LABELS)} labels", "every name and label equal")


# -------------------------------------------------------------------- pages


def test_html(figure):
    """Elements and attributes are those of the same output with plain labels, and the texts are the labels."""
    count, usual = 0, {len(found): pages(plain(found)) for found in BATCHES[-2:]}
    for found in BATCHES:
        for what, html in pages(found).items():
            page, wanted = Skeleton(html), Skeleton(usual[len(found)][what])
            assert page.shape == wanted.shape, what
            assert not unsafe(html), what
            texts = page.texts
            for picture, ordinary in zip(page.pictures, wanted.pictures, strict=True):
                assert Skeleton(picture).shape == Skeleton(ordinary).shape
                texts = texts + [text for card in svg_cards(picture) for text in card]
            show = clean_label if what == "gradient check" else shown
            missing = [
                label
                for label in (found[:1] if "alike" in what else found[:-1])
                if not any(show(label) in text or wrap(show(label)) in text for text in texts)
            ]
            assert not missing, what
            count += 1
    figure(f"{count} HTML outputs with {len(LABELS)} labels: stepper pages, notebooks, worksheets, tables",
           "every text there; elements and attributes as with plain labels")  # fmt: skip


@pytest.mark.browser
def test_pages_in_chromium(tmp_path, figure):
    """In a real browser, scripts on: the text is the label, nothing asks, nothing is fetched, nothing is added."""
    chosen = BATCHES[:: size(len(BATCHES), 1)]
    with chromium() as browser:
        usual = {len(found): in_chromium(browser, tmp_path, plain(found))[2] for found in (chosen[0], chosen[-1])}
        for found in chosen:
            cards, texts, tags, trouble = in_chromium(browser, tmp_path, found)
            in_a_row = {"".join(card.split()) for card in cards}  # a long label has lines, which textContent joins
            assert {"".join(shown(label).split()) for label in found[:-1]} <= in_a_row
            assert all(shown(label) in text for text in texts for label in found[:-1])
            assert tags == usual[len(found)]
            assert trouble == []
    figure(f"{sum(map(len, chosen))} labels in Chromium: all those HTML outputs, the stepper played to its end",
           "0 dialogs, 0 requests, 0 messages, 0 elements more than with plain labels; every text equal")  # fmt: skip


# -------------------------------------------------------------------- terminal


def test_terminal(figure, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    count = 0
    for found in BATCHES:
        outputs = printed(found)
        for what, text in outputs.items():
            assert not unsafe(text), what
            assert text.encode("utf-8").decode("utf-8") == text, what
            count += 1
        assert all(
            shown(label) in outputs[what] for label in found for what in ("tree", "trace", "program", "difference")
        )
        assert outputs["ascii terminal"].isascii()
    figure(f"{count} texts for the terminal with {len(LABELS)} labels: print, repr, stepper, explain, summary",
           "no control character but the line breaks and colours of the package")  # fmt: skip


# -------------------------------------------------------------------- code and formulas


def test_python(figure):
    """The code has no name but variables, nothing is called but functions of mathematics, and it computes the gradients."""
    harmless = {"tanh", "float", "exp", "log", "sqrt"}
    count = 0
    for found in BATCHES:
        root = graph(found)
        code = sg.to_python(root)
        kinds = ast.walk(ast.parse(code))
        for node in kinds:
            assert not isinstance(node, (ast.Attribute, ast.Import, ast.Global, ast.Lambda)), code
            if isinstance(node, ast.Call):
                assert node.func.id in harmless, node.func.id
            if isinstance(node, ast.ImportFrom):
                assert node.module == "math"
        names = {}
        exec(compile(code, "<staged>", "exec"), names)  # noqa: S102
        value, gradients = names["f"]()
        leaves = [node for node in sg.topological_order(root) if node.is_leaf]
        assert value == root.data
        assert list(gradients.values()) == [leaf.grad for leaf in leaves]
        names = {
            node.id for node in ast.walk(ast.parse(root.formula("python"), mode="eval")) if isinstance(node, ast.Name)
        }
        assert len(names - {"tanh"}) == len(leaves)
        assert not unsafe(code + root.formula("text") + root.formula("text", lines=True))
        assert all(shown(label) in root.formula("text") for label in found[:-1])
        count += len(leaves)
    figure(
        f"Python code, {len(LABELS)} labels, parsed and run",
        f"{count} variables, each a name of its own; results as backward()'s",
    )


def test_latex(figure):
    count = 0
    for found in BATCHES:
        latex = formulas(found)
        for source in latex:
            check_latex(source)
            assert not unsafe(source)
            count += 1
        texts = "\0".join(latex_texts(latex[0]))
        assert all(shown(label) in texts for label in found[:-1] if not re.fullmatch(r"\w+", clean_label(label)))
    figure(
        f"{count} formulas in LaTeX with {len(LABELS)} labels",
        "no command but the package's, nothing active unescaped, every text equal",
    )


# -------------------------------------------------------------------- messages


def test_messages(figure):
    count = 0
    for label in LABELS:
        for what, (expected, provoke) in provocations(label).items():
            with warnings.catch_warnings(record=True) as noted:
                warnings.simplefilter("always")
                try:
                    provoke()
                    texts = []
                except (ValueError, TypeError, ArithmeticError, KeyError) as error:
                    texts = [str(error)]
            texts += [str(warning.message) for warning in noted]
            assert texts, (what, label)
            for text in texts:
                assert not unsafe(text), (what, text)
                assert text.encode("utf-8")
                assert len(text) < 4000, (what, text[:200])
                count += 1
            is_told = any(form in text for text in texts for form in told(expected))
            assert is_told or what in SHOW_NONE, (what, expected[:200], [text[:300] for text in texts])
    kinds = len(provocations("x"))
    figure(
        f"{count} messages of {kinds} errors and warnings about {len(LABELS)} labels",
        f"printable, at most 4000 characters; the label stands in those of {kinds - len(SHOW_NONE)}, the others name no value",
    )


def test_provocations_that_show_no_label_show_none():
    for what in SHOW_NONE:
        with pytest.raises((ValueError, TypeError)) as refusal:
            provocations("hostile")[what][1]()
        assert "hostile" not in str(refusal.value)


# -------------------------------------------------------------------- the programs themselves


@only_long
@pytest.mark.browser
def test_mermaid_itself(tmp_path, figure):
    """Mermaid's own parser and renderer, strict and loose, in Chromium."""
    script = npm(tmp_path, "mermaid@11", "dist/mermaid.min.js")
    with chromium() as browser, page_of(browser, "") as (page, trouble):
        page.add_script_tag(path=script)
        for level in ("strict", "loose"):
            page.evaluate("(securityLevel) => mermaid.initialize({startOnLoad: false, securityLevel})", level)
            usual = page.evaluate(MERMAID, ["usual", draw(graph(plain(BATCHES[0]))).mermaid])[1]
            for i, found in enumerate(BATCHES):
                rows, tags = page.evaluate(MERMAID, [f"{level}{i}", draw(graph(found)).mermaid])
                assert set(map(without_joiners, NAMES[i][:-1])) <= set(map(without_joiners, rows))
                assert set(tags) <= set(usual)
        assert trouble == []
    figure(
        f"{len(LABELS)} labels drawn by Mermaid 11, strict and loose, in Chromium",
        "every text equal, no element, dialog or request more",
    )


@only_long
def test_katex_itself(tmp_path, figure):
    """KaTeX, with everything allowed; it sets accents its own way, and nothing where it lacks a character."""
    script = npm(tmp_path, "katex@0.16", "dist/katex.min.js")
    texts, accents, refused = 0, 0, 0
    harmless = {
        "span",
        "math",
        "semantics",
        "mrow",
        "mtext",
        "mi",
        "mn",
        "mo",
        "msub",
        "mspace",
        "mstyle",
        "mover",
        "munder",
    }
    sources = [(Value(1.0, label=label) * 2).formula("latex") for label in LABELS]
    for label, typeset in zip(LABELS, katex_texts(script, sources), strict=True):
        name = clean_label(label)
        accented = any(unicodedata.combining(c) for c in unicodedata.normalize("NFD", name))
        if typeset is None:
            assert accented or any(unicodedata.category(c) == "Co" for c in name), label
            refused += 1
            continue
        tags, text = typeset
        assert tags <= harmless, (label, tags)
        accents += accented
        if not accented and not re.fullmatch(r"\w+", name):
            assert as_typeset(" ".join(shown(label).split())) in as_typeset(" ".join(text.split())), label
            texts += 1
    figure(f"{len(LABELS)} labels typeset by KaTeX, everything allowed",
           f"no link, no command; {texts} texts equal; the others are names with indices, {accents} with accents, and {refused} with characters that "
           "KaTeX lacks")  # fmt: skip
