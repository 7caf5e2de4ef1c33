"""The playground as a static folder: from any web server, with Python in the page, nothing loaded from elsewhere, the stepper there before Python is."""

import functools
import html
import json
import re
import shutil
import threading
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from pyodide_here import ROOT, need_archive, need_pyodide, pyodide
from scalargrad_docs import playground

import scalargrad as sg
from scalargrad import Value
from scalargrad.playground.examples import EXAMPLES
from scalargrad.playground.in_worker import answering
from scalargrad.playground.network.view import NetworkView
from scalargrad.playground.whole import whole
from scalargrad.words.texts import number_text

STRICT = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'unsafe-inline' 'self'"
)
NUMBERS = """() => [...document.querySelectorAll('.lv-view g.node')].map(g => [...g.querySelectorAll('text')].map(t => t.textContent).slice(-2))"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    need_pyodide()
    need_archive(tmp_path_factory.mktemp("archive"))
    made = tmp_path_factory.mktemp("site") / "playground"
    playground.build(made)
    return made


class Files(SimpleHTTPRequestHandler):
    """Any web server: files with their types, here with a policy for scripts, which a worker takes from its own answer."""

    extensions_map: ClassVar = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }

    def log_message(self, *arguments):
        pass

    def end_headers(self):
        if self.path.startswith("/worker.js"):
            self.send_header("Content-Security-Policy", STRICT)
        super().end_headers()


@contextmanager
def opened(browser, folder, fragment="", hold=()):
    """The page, what went wrong on it, and a function that lets the requests for these files go on."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home, trouble, held = f"http://127.0.0.1:{server.server_port}/", [], []
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(300_000)  # Python starts in three seconds, on a machine that does nothing else
        page.on("console", lambda message: trouble.append(f"console {message.text}"))
        page.on("pageerror", lambda error: trouble.append(f"error {error}"))
        context.on(
            "request", lambda r: r.url.startswith((home, "data:", "blob:")) or trouble.append(f"request {r.url}")
        )
        for name in hold:
            context.route(f"**/{name}", lambda route: held.append(route))
        page.goto(f"{home}index.html{fragment}")

        def go_on():
            while held:
                held.pop().continue_()

        yield page, trouble, go_on
    finally:
        context.close()
        server.shutdown()
        server.server_close()


def live(page):
    page.wait_for_selector(".lv-view g.node")
    page.wait_for_function("() => !document.querySelector('#stepper')")


def test_all_of_it_is_there_and_small(folder):
    plain, packed = playground.size(folder)
    assert packed < 8e6, f"{plain} bytes, {packed} gzipped"
    assert json.loads((folder / "pyodide" / "pyodide-lock.json").read_text("utf-8"))["packages"] == {}
    for name in ("index.html", "page.js", "live.js", "worker.js", "live.css"):
        text = (folder / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "//cdn" not in text
        assert not re.search(r"https?://", text), name
    assert "unsafe-eval'" not in (folder / "index.html").read_text("utf-8").replace("wasm-unsafe-eval", "")


def test_the_same_checkout_gives_the_same_archive(folder, tmp_path):
    again = need_archive(tmp_path)
    assert again.read_bytes() == (folder / again.name).read_bytes()


def test_the_worker_answers_as_a_session_with_all_views_does(monkeypatch):
    session, answer, made = whole().session(), answering(), []
    monkeypatch.setattr(NetworkView, "__init__", lambda self, made_by=NetworkView.__init__: made.append(made_by(self)))

    def both(message):
        return json.loads(answer(json.dumps(message))), json.loads(json.dumps(session.handle(message)))

    messages = [
        {"id": 1, "do": "views"}, {"id": 2, "do": "open"}, {"id": 3, "do": "set", "inputs": {"x": 0.25}},
        {"id": 4, "do": "views", "more": 1}, {"id": 5, "do": "steps", "step": 3},
    ]  # fmt: skip
    for message in messages:
        one, other = both(message)
        assert one == other
    assert made == []  # not for a graph
    one, other = both({"id": 6, "do": "net"})
    assert one.keys() == other.keys()
    assert "error" not in one
    for message in ([], 3, None, {"id": 7, "do": "nothing"}, {"id": 8, "do": [1]}, {"do": "open"}, {"id": 9}):
        assert "error" in json.loads(answer(json.dumps(message)))
    assert made == [None]  # once


def test_without_pyodide_the_page_has_the_stepper_and_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("SCALARGRAD_PYODIDE", str(tmp_path / "nowhere"))
    playground.build(tmp_path / "playground")
    text = (tmp_path / "playground" / "index.html").read_text(encoding="utf-8")
    assert pyodide.COMMAND in text
    assert "<script" not in text
    assert 'src="stepper.html?embed"' in text
    assert "sg-trace" in (tmp_path / "playground" / "stepper.html").read_text(encoding="utf-8")
    assert not (tmp_path / "playground" / "worker.js").exists()
    monkeypatch.setattr(pyodide, "missing", lambda: "")
    monkeypatch.setattr(pyodide, "DISTRIBUTIONS", ("no-such-distribution",))
    assert playground.build(tmp_path / "playground").startswith("no-such-distribution is not installed")


def test_a_folder_with_half_of_pyodide_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("SCALARGRAD_PYODIDE", str(tmp_path))
    for name in pyodide.FILES[:-1]:
        (tmp_path / name).write_bytes(b"")
    assert pyodide.COMMAND in pyodide.missing()
    (tmp_path / pyodide.FILES[-1]).write_bytes(b"")
    assert pyodide.missing() == ""
    monkeypatch.setattr(pyodide.shutil, "which", lambda _: None)
    (tmp_path / pyodide.FILES[0]).unlink()
    with pytest.raises(FileNotFoundError, match="npm is not installed"):
        pyodide.fetch()
    assert pyodide.main() == 1


@pytest.mark.browser
def test_the_stepper_is_there_before_python_and_stays_while_it_is_used(browser, folder):
    with opened(browser, folder, hold=["pyodide.asm.wasm"]) as (page, trouble, go_on):
        stepper = page.frame_locator("#stepper")
        stepper.get_by_role("button", name="Next step").click()
        assert stepper.locator(".sg-number").inner_text() == "2 / 12"
        assert "Python" in page.locator(".lv-waiting").inner_text()
        go_on()
        page.get_by_role("button", name="Make it live").click()
        live(page)
        assert page.locator(".lv-expression").input_value() == EXAMPLES[0].expression
        assert trouble == []


@pytest.mark.browser
def test_the_numbers_are_the_engines_and_links_lead_back_to_them(browser, folder):
    def numbers(x, y):
        x, y = Value(x, label="x"), Value(y, label="y")
        root = (x * y + x).sigmoid()
        root.backward()
        return [[number_text(v.data), "grad " + number_text(v.grad)] for v in sg.topological_order(root)]

    with opened(browser, folder, "#f=sigmoid(x*y+x)&x=0.5&y=-1.25") as (page, trouble, _):
        live(page)
        assert page.evaluate(NUMBERS) == numbers(0.5, -1.25)
        page.locator("input[aria-label='Number for x']").fill("2")
        page.keyboard.press("Enter")
        page.wait_for_function(
            "() => document.querySelector('.lv-view g.node text:nth-of-type(2)').textContent === '2'"
        )
        assert page.evaluate(NUMBERS) == numbers(2.0, -1.25)
        page.get_by_role("button", name="Copy link").click()
        page.wait_for_function("() => location.hash.includes('x=2')")
        assert page.evaluate("location.hash") == "#f=sigmoid(x*y+x)&x=2.0&y=-1.25"
        # a link to another expression, without a new start of Python
        page.evaluate("location.hash = '#f=x%252B' + '1'")
        page.wait_for_function("() => document.querySelector('.lv-graph .lv-trouble').textContent")
        assert page.evaluate(NUMBERS) == numbers(2.0, -1.25)
        page.evaluate("location.hash = '#f=x%1&x=2.5'")
        page.wait_for_function("() => document.querySelector('.lv-expression').value === 'x%1'")
        # and to the other tab, whose Python comes with it
        page.evaluate("location.hash = '#view=network'")
        page.wait_for_selector(".nw-live")
        page.wait_for_function("() => document.querySelector('.nw-live').clientHeight > 100")
        page.get_by_role("button", name="Copy link").click()
        assert page.evaluate("location.hash") == "#view=network"
        assert trouble == []


LINK = re.compile(r'href="playground/index\.html(#[^"]*)"')


@pytest.mark.browser
def test_every_link_of_the_documentation_opens_what_it_says(browser, folder):
    pages = sorted((ROOT / "docs").glob("*.md"))
    links = [html.unescape(link) for page in pages for link in LINK.findall(page.read_text(encoding="utf-8"))]
    assert len(links) > 5
    with opened(browser, folder) as (page, trouble, _):
        live(page)
        for link in links:
            given = dict(part.split("=", 1) for part in link[1:].split("&"))
            page.evaluate("link => { location.hash = link; }", link)
            if "view" in given:
                page.wait_for_selector(f"#view-{given['view']}:not([hidden])")
                continue
            page.wait_for_function("f => document.querySelector('.lv-expression').value === f", arg=given.pop("f"))
            for name, number in given.items():
                shown = page.locator(f"input[aria-label='Number for {name}']").get_attribute("title")
                assert float(shown.replace("−", "-")) == float(number), link
            assert page.locator(".lv-graph .lv-trouble").inner_text() == "", link
        assert trouble == []


@pytest.mark.browser
@pytest.mark.parametrize(
    "fragment", ["#f=__import__('os')", "#f=%3Cscript%3Ealert(1)%3C/script%3E", "#f=x*", "#f=%E0%A4%A"]
)
def test_a_link_that_is_no_expression_is_said_and_the_page_lives(browser, folder, fragment):
    with opened(browser, folder, fragment) as (page, trouble, _):
        live(page)
        page.wait_for_function("() => document.querySelector('.lv-graph .lv-trouble').textContent")
        assert page.locator(".lv-expression").input_value() == EXAMPLES[0].expression
        assert trouble == []


@pytest.mark.browser
def test_a_file_that_is_missing_is_named(browser, folder, tmp_path):
    half = shutil.copytree(folder, tmp_path / "half", ignore=shutil.ignore_patterns("python.tar.gz"))
    with opened(browser, half) as (page, _, _):
        page.wait_for_selector(".lv-waiting[role=alert]")
        assert "python.tar.gz could not be loaded (404)" in page.locator(".lv-waiting").inner_text()
