"""The documentation site: built without a network and without a warning, whole, and right in a real Chromium."""

import base64
import functools
import json
import os
import re
import subprocess
import sys
import threading
import time
import zlib
from contextlib import contextmanager
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from drawing_helpers import hexed

import scalargrad
from scalargrad import Value, trace
from scalargrad.drawing.theme import contrast
from scalargrad.table import functions

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WRITTEN_BY_A_BENCHMARK = "docs/performance.md"
PACKAGES = (
    "checking circuit compiling drawing exercises functional layers mistakes nn playground strategies tracing".split()
)

BUILD = """
import socket, sys
def refuse(*arguments, **options):
    raise OSError("the documentation must be built without a network")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from sphinx.cmd.build import main
sys.exit(main(sys.argv[1:]))
"""


def need_sphinx():
    for module in ("sphinx", "myst_nb", "furo", "latex2mathml"):
        pytest.importorskip(module, reason="the extra `docs` is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder that `python -m sphinx -W -b html docs OUT` fills; the workers of pytest-xdist share it."""
    need_sphinx()
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    out, result = folder / "site", folder / "site.txt"
    try:
        out.mkdir()
    except FileExistsError:  # another worker builds it
        while not result.exists():
            time.sleep(0.2)
    else:
        arguments = ["-W", "-q", "-b", "html", "-d", str(folder / "doctrees"), str(ROOT / "docs"), str(out)]
        done = subprocess.run(
            [sys.executable, "-c", BUILD, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        written = folder / "site.part"
        written.write_text(done.stdout + done.stderr if done.returncode else "", encoding="utf-8")
        written.replace(result)
    assert result.read_text(encoding="utf-8") == ""
    return out


@pytest.fixture(scope="module")
def extension():
    """A module of docs/_extensions by its name."""
    need_sphinx()
    sys.path.insert(0, str(ROOT / "docs" / "_extensions"))
    yield lambda name: import_module(f"scalargrad_docs.{name}")
    sys.path.pop(0)


LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "object": "data"}


class Page(HTMLParser):
    """What a page links to, what it loads, and where it can be linked to."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.ids, self.classes, self.images = [], [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.classes += (given.get("class") or "").split()
        if given.get("id"):
            self.ids.append(given["id"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "img":
            self.images.append(given)
        if given.get(LOADED.get(tag, "")):
            self.loaded.append(given[LOADED[tag]])
        self.loaded += re.findall(r"url\((.*?)\)", given.get("style") or "")
        assert "srcset" not in given


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path) for path in sorted(site.rglob("*.html"))}


# -------------------------------------------------------------------- the built files


def test_every_link_leads_somewhere(site, pages):
    wrong = []
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages[target].ids if target in pages else []
            asks = target == site / "playground" / "index.html"  # what the page is to open, and no place in it
            if not target.is_file() or (parts.fragment and not asks and unquote(parts.fragment) not in known):
                wrong.append(f"{path.relative_to(site)}: {link}")
    assert wrong == []
    assert sum(len(page.links) for page in pages.values()) > 1000


def test_nothing_is_loaded_from_elsewhere(site, pages):
    for path, page in pages.items():
        assert [link for link in page.loaded if urlsplit(link).scheme not in ("", "data")] == [], path
        assert {urlsplit(link).scheme for link in page.links} <= {"", "https"}, path
    for path in site.rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        assert "@import" not in text
        assert [url for url in re.findall(r"url\((.*?)\)", text) if not url.strip("'\"").startswith(("data:", "#"))
                and not (path.parent / url.strip("'\"")).is_file()] == []  # fmt: skip


def test_no_id_twice_and_every_image_has_a_text(pages):
    for path, page in pages.items():
        assert len(set(page.ids)) == len(page.ids), path
        assert all(image.get("alt") and not image["alt"].startswith("_") for image in page.images), path


def test_every_exported_name_is_in_the_reference(site):
    head, packed = (site / "objects.inv").read_bytes().split(b"zlib.\n", 1)
    assert b"scalargrad" in head
    known = {line.split(" ")[0] for line in zlib.decompress(packed).decode().splitlines()}
    modules = {f"scalargrad.{name}" for name in PACKAGES}
    ops = [name for name, function in functions().items() if not function.op.is_users]
    top = {f"scalargrad.{name}" for name in (*scalargrad.__all__, *ops, "compile", "strategies")}
    assert top | modules <= known
    for package in PACKAGES:
        exported = import_module(f"scalargrad.{package}").__all__
        missing = [n for n in exported if f"scalargrad.{package}.{n}" not in known and f"scalargrad.{n}" not in top]
        assert missing == [], f"list them in docs/reference/{package}.rst"


def test_names_that_only_say_what_to_write_are_not_in_the_reference(site, pages):
    assert site / "reference" / "nn.html" in pages
    assert not [path.name for path in pages if "No such name: " in path.read_text(encoding="utf-8")]


def _drawings(data):
    """How many pictures of an output stand in the page: all drawings but those of steppers, whose scripts put them there."""
    html = "".join(data.get("text/html", ""))
    images = [] if 'class="sg-trace"' in html else re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", html)
    drawn = [image for image in images if re.match(r'<svg [^>]*\bid="sg', base64.b64decode(image).decode())]
    return ("image/svg+xml" in data) + len(drawn)


def test_every_notebook_is_a_page_with_all_its_pictures_and_steppers(site, pages):
    for notebook in NOTEBOOKS:
        page = pages[site / "notebooks" / f"{notebook.stem}.html"]
        outputs = [
            o.get("data", {}) for c in json.loads(notebook.read_text("utf-8"))["cells"] for o in c.get("outputs", [])
        ]
        steppers = sum("".join(data.get("text/html", "")).count('<div class="sg-trace"') for data in outputs)
        assert page.classes.count("sg-trace") == steppers
        drawn = sum(_drawings(data) for data in outputs)
        assert page.classes.count("picture") == drawn
        assert len(page.images) >= sum("image/png" in data for data in outputs)
    lessons = [link for link in pages[site / "notebooks.html"].links if re.fullmatch(r"notebooks/[\w.-]+\.html", link)]
    assert list(dict.fromkeys(lessons)) == [f"notebooks/{notebook.stem}.html" for notebook in NOTEBOOKS]


def test_formulas_are_mathml(site, pages):
    text = "".join(path.read_text(encoding="utf-8") for path in pages)
    assert text.count("<math ") > 10
    assert "MathJax" not in text
    assert not re.search(r"<m[ion][^>]*>\\", text)
    assert (site / "notebooks").is_dir()


def test_links_between_files_of_the_repository():
    """README, pages and notebooks are read on code hosts too."""
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *NOTEBOOKS]
    wrong, seen = [], 0
    for file in files:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".ipynb":
            cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
            text = "\n".join("".join(cell["source"]) for cell in cells)
        text = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            path = file.parent / target.partition("#")[0]
            if urlsplit(target).scheme:
                continue
            seen += 1
            path = path.resolve()
            if path.is_relative_to(ROOT / "scalargrad"):  # outside the checkout it is where it was installed
                path = Path(scalargrad.__file__).parent / path.relative_to(ROOT / "scalargrad")
            if not path.exists() and path != ROOT / WRITTEN_BY_A_BENCHMARK:
                wrong.append(f"{file.name}: {target}")
    assert wrong == []
    assert seen > 40


# -------------------------------------------------------------------- what makes the pages


@pytest.mark.parametrize(
    ("text", "file", "wanted"),
    [
        ("[a](../docs/compiling.md)", "notebooks/01.ipynb", "[a](../compiling.md)"),
        ("[a](02.ipynb#x)", "notebooks/01.ipynb", "[a](02.ipynb#x)"),
        ("[a](../LICENSE)", "notebooks/01.ipynb", "a"),
        ("[a](../README.md)", "notebooks/01.ipynb", "[a](../index.md)"),
        ("[a](../notebooks/01.ipynb)", "docs/tour.md", "[a](notebooks/01.ipynb)"),
        ("[a](../notebooks)", "docs/tour.md", "[a](notebooks.md)"),
        ("[a](../scalargrad/ops.py)", "docs/tour.md", "[a](reference/source.rst)"),
        ("[a](../tests/table/test_ops.py)", "docs/tour.md", "a"),
        ("[a](compiling.md)", "docs/tour.md", "[a](compiling.md)"),
        ("[a](https://x.org/a.md) fs[0](x) ![p](../docs/p.svg)", "docs/tour.md", "[a](https://x.org/a.md) fs[0](x) ![p](../docs/p.svg)"),
    ],
)  # fmt: skip
def test_links_of_files_become_links_of_pages(extension, text, file, wanted):
    assert extension("links").relinked(text, file) == wanted


def test_a_cell_is_linked_to_by_its_id_as_long_as_it_is_there(extension):
    path = NOTEBOOKS[-1]
    cell = json.loads(path.read_text(encoding="utf-8"))["cells"][-1]["id"]
    there, gone = (f"[cell](../../notebooks/{path.name}#{name})" for name in (cell, "cell-that-is-gone"))
    relinked = extension("links").relinked
    assert relinked(there, "docs/lectures/page.md") == f"[cell](../notebooks/{path.name}#{cell})"
    assert relinked(gone, "docs/lectures/page.md") == f"[cell](../notebooks/{path.name})"


def test_each_cell_of_a_notebook_has_its_place(pages):
    for path in NOTEBOOKS:
        page = next(page for built, page in pages.items() if built.stem == path.stem)
        cells = [cell["id"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
        assert set(cells) <= set(page.ids), path.name


def test_an_unknown_command_in_a_formula_is_refused(extension):
    formulas = extension("formulas")
    assert "<mfrac>" in formulas.mathml(r"\displaystyle \frac{a}{b}", "inline")
    assert formulas.mathml(r"\begin{aligned}a &= b \\ &= c\end{aligned}", "block").count("<mtr>") == 2
    with pytest.raises(ValueError, match=r"does not know .nosuchcommand"):
        formulas.mathml(r"\nosuchcommand{a}", "inline")


def test_a_drawing_inside_a_page_follows_the_page(extension):
    pictures = extension("pictures")
    x = Value(2.0, label="x")
    inside = pictures.inline((x * x).draw().svg)
    assert 'body[data-theme="dark"] #sg' in inside
    assert 'body:not([data-theme="light"]) #sg' in inside
    assert "@media (prefers-color-scheme: dark){#" not in inside
    assert pictures.inline("<svg><style>*{fill: red}</style></svg>") == ""


def test_the_picture_of_the_home_page_is_what_draw_gives_today():
    w, x, b = Value(-3.0, label="w", parameter=True), Value(2.0, label="x"), Value(6.88, label="b", parameter=True)
    s = w * x + b
    s.label = "s"
    y = s.tanh()
    y.label = "y"
    y.backward()
    shown = (ROOT / "docs" / "pictures" / "neuron.svg").read_text(encoding="utf-8")
    said = re.compile(r"<style>.*?</style>|<(?:text|title|desc)[^>]*>[^<]*", re.DOTALL)
    plain = re.compile(r"sg[0-9a-f]{10}|[xy]=\"[^\"]*\"")  # engines place alike, but not to the digit
    assert sorted(plain.sub("", t) for t in said.findall(shown)) == sorted(
        plain.sub("", t) for t in said.findall(y.draw().svg)
    )


def test_what_is_shown_is_what_the_examples_above_give(extension):
    shown = extension("shown")
    page = ">>> from scalargrad import Value\n>>> y = Value(2.0) * 3\n>>> 1 / 0\nTraceback (most recent call last):\nZeroDivisionError\n"
    value = shown.evaluated("y + 1", page)
    assert value.data == 7.0
    assert "sg-trace" in shown.html_of(trace(value))
    assert 'class="wide picture"' in shown.html_of(value.draw())


def test_a_picture_made_live_is_the_graph_that_is_shown(extension):
    address_of = extension("shown").address_of
    x, y = Value(0.1, label="x"), Value(-2.0, label="y")
    assert address_of((x * y + x**2).tanh() / 2 - x.exp()) == (
        "playground/index.html#f=tanh(x * y + x %2A%2A 2) / 2 - exp(x)&x=0.1&y=-2.0".replace("%2A", "*")
    )
    with pytest.raises(ValueError, match="is not the graph"):
        address_of(x * Value(3.0, label="x"))  # two inputs, one name


# -------------------------------------------------------------------- in a browser

SHOWN = "() => [...document.querySelectorAll('.sg-live')].map(live => live.querySelector('.sg-number').textContent)"
FILLS = """() => [...document.querySelectorAll('.picture .node rect, .sg-live .node rect')].map(e => getComputedStyle(e).fill)"""
# Text and what is behind it, where the contrast is too low; text in pictures has tests of its own.
PALE = """() => { const rgb = s => (s.match(/[\\d.]+/g) || []).map(Number), found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility() || element.closest('script, style, svg')) continue;
    let behind = element;
    const opaque = e => { const c = rgb(getComputedStyle(e).backgroundColor); return c.length === 3 || c[3] === 1; };
    while (behind.parentElement && !opaque(behind)) behind = behind.parentElement;
    found.push([text.slice(0, 30), getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]);
  }
  return found; }"""


@contextmanager
def opened(browser, path, width, scheme):
    """A page from its file, offline, and everything that went wrong on it."""
    viewport = {"width": width, "height": 900}
    context = browser.new_context(color_scheme=scheme, viewport=viewport, reduced_motion="reduce", offline=True)
    page, trouble = context.new_page(), []
    page.on("console", lambda message: trouble.append(f"console {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error {error}"))
    page.on("request", lambda r: r.url.startswith(("file:", "data:")) or trouble.append(f"request {r.url}"))
    page.on("requestfailed", lambda request: trouble.append(f"failed {request.url[:200]}"))
    page.goto(path.as_uri())
    try:
        yield page, trouble
    finally:
        context.close()


PAGES = [
    "index.html",
    "tour.html",
    "notebooks/02-backpropagation-step-by-step.html",
    "reference/operations.html",
    "hard-points.html",
    "design.html",
]


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_chromium(browser, site, name, width, scheme):
    with opened(browser, site / name, width, scheme) as (page, trouble):
        steppers = page.evaluate(SHOWN)
        for i, number in enumerate(steppers):
            live = page.locator(".sg-live").nth(i)
            live.press("End")
            live.press("Home")
            live.press("ArrowRight")
            assert page.evaluate(SHOWN)[i] == number.replace("1 /", "2 /", 1)
        assert bool(steppers) == (name in PAGES[1:3])
        page.evaluate("() => document.querySelectorAll('details').forEach(e => { e.open = true; })")
        assert page.evaluate("() => document.documentElement.scrollWidth") == width
        page.evaluate("() => window.scrollTo(1000, 0)")
        assert page.evaluate("() => window.scrollX") == 0
        dark = [contrast(hexed(fill), "#000000") < 4 for fill in page.evaluate(FILLS)]
        assert all(dark) if scheme == "dark" else not any(dark)
        painted = page.evaluate(PALE)
        assert len(painted) > 50
        for text, color, behind in painted:
            assert contrast(hexed(color), hexed(behind)) >= 4.5, text
        assert trouble == []


@pytest.mark.browser
def test_what_is_wide_scrolls_in_its_own_box(browser, site):
    code = """(selector) => [...document.querySelectorAll(selector)].map(e => { e.scrollLeft = 10_000;
      return [e.scrollLeft, e.scrollWidth - e.clientWidth, e.getBoundingClientRect().right]; })"""
    for name, selector in (("drawing.html", ".picture.full"), ("mutants.html", ".table-wrapper"), ("tour.html", ".highlight pre"),
                           ("reference/source.html", ".highlight pre"), ("tour.html", ".sg-view")):  # fmt: skip
        with opened(browser, site / name, 390, "light") as (page, _):
            for button in page.locator(".picture .size").all():
                button.click()
            boxes = page.evaluate(code, selector)
            assert any(hidden > 20 for _, hidden, _ in boxes), name
            assert all(abs(scrolled - hidden) < 2 and right <= 390 for scrolled, hidden, right in boxes), name


# Every picture that is not seen whole: what sticks out of it, or how far it sticks out of what it stands in. What scrolls
# by itself, with cues of its own, is the stepper's graph and code.
CLIPPED = """() => [...document.querySelectorAll('article img, article svg')].flatMap(picture => {
  if (!picture.checkVisibility() || picture.closest('.sg-live, button, a.headerlink, .copybtn')) return [];
  const whole = picture.getBoundingClientRect(), troubles = [];
  if (picture.tagName === 'IMG' && !picture.naturalWidth) troubles.push('not loaded');
  if (whole.left < -1 || whole.right > document.documentElement.clientWidth + 1) troubles.push('leaves the page');
  for (let box = picture.parentElement; box.tagName !== 'ARTICLE'; box = box.parentElement) {
    const around = box.getBoundingClientRect();
    if (getComputedStyle(box).overflowX !== 'visible' && (whole.left < around.left - 1 || whole.right > around.right + 1))
      troubles.push(`cut off by ${box.className}`);
  }
  for (const part of picture.querySelectorAll('text, rect, path, polygon, ellipse, circle')) {
    const box = part.getBoundingClientRect();
    if (box.width && Math.max(whole.left - box.left, box.right - whole.right, whole.top - box.top, box.bottom - whole.bottom) > 1)
      troubles.push(`${part.tagName} ${part.textContent.trim()} leaves the picture`);
  }
  return troubles.map(trouble => [trouble, Math.round(whole.width)]);
})"""


@pytest.mark.browser
def test_no_picture_on_any_page_is_clipped(browser, site, pages):
    clipped, seen = {}, 0
    for path in sorted(pages):
        if path.name in ("search.html", "genindex.html") or "_modules" in path.parts:
            continue
        with opened(browser, path, 390, "light") as (page, _):
            page.evaluate("() => Promise.all([...document.images].map(image => image.decode().catch(() => 0)))")
            seen += page.locator("article img, article svg").count()
            for width in (390, 1366, 1920):
                page.set_viewport_size({"width": width, "height": 900})
                found = page.evaluate(CLIPPED)
                if page.evaluate("() => document.documentElement.scrollWidth") > width:
                    found.append("the page scrolls sideways")
                if found:
                    clipped[str(path.relative_to(site)), width] = found[:5]
    assert clipped == {}
    assert seen > 50


@pytest.mark.browser
def test_a_picture_too_small_to_read_has_a_button_for_its_full_size(browser, site):
    scale = "() => [...document.querySelectorAll('.picture svg')].map(s => s.clientWidth / s.viewBox.baseVal.width)"
    with opened(browser, site / "drawing.html", 390, "light") as (page, trouble):
        small = [shown < 0.75 for shown in page.evaluate(scale)]
        assert any(small)
        assert page.locator(".picture .size").count() == sum(small)
        for button in page.locator(".picture .size").all():
            button.press("Enter")
        assert min(page.evaluate(scale)) >= 0.75
        assert page.evaluate("() => document.documentElement.scrollWidth") == 390
        for button in page.locator(".picture .size").all():
            button.press("Enter")
        assert [shown < 0.75 for shown in page.evaluate(scale)] == small
        page.set_viewport_size({"width": 1920, "height": 900})
        assert page.locator(".picture .size").count() <= sum(small)
        assert trouble == []


@contextmanager
def served(browser, site):
    """A page of the site from a web server, and its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    try:
        yield context.new_page(), f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        context.close()
        server.shutdown()
        server.server_close()


@pytest.mark.browser
def test_search_results_have_excerpts(browser, site):
    with served(browser, site) as (page, address):
        page.goto(f"{address}search.html?q=check_gradients")
        page.locator("#search-results li p.context").first.wait_for(timeout=10_000)
        assert "check_gradients" in page.locator("#search-results li p.context").first.text_content()


@pytest.mark.browser
def test_code_is_copied_without_its_prompts_and_what_it_printed(browser, site):
    with served(browser, site) as (page, address):
        page.goto(f"{address}tour.html")
        block = page.locator("div.highlight", has_text=">>> ").first
        block.hover()
        block.locator("button.copybtn").click()
        copied = page.evaluate("() => navigator.clipboard.readText()")
        lines = [line for line in block.locator("pre").text_content().splitlines() if line[:4] in (">>> ", "... ")]
        assert [line for line in copied.splitlines() if line] == [line[4:] for line in lines]


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_switch_for_light_and_dark_reaches_pictures_and_steppers(browser, site, scheme):
    with opened(browser, site / "tour.html", 1280, scheme) as (page, trouble):
        assert len(page.evaluate(FILLS)) > 15
        for wanted in ("light", "dark"):
            for _ in range(3):
                if page.evaluate("() => document.body.dataset.theme") != wanted:
                    page.locator(".theme-toggle:visible").first.click()
            assert page.evaluate("() => document.body.dataset.theme") == wanted
            dark = [contrast(hexed(fill), "#000000") < 4 for fill in page.evaluate(FILLS)]
            assert all(dark) if wanted == "dark" else not any(dark)
        assert [line for line in trouble if not line.startswith("console Changed to ")] == []  # furo says so


@pytest.mark.browser
def test_the_search_finds(browser, site):
    with opened(browser, site / "search.html", 1280, "light") as (page, trouble):
        page.goto((site / "search.html").as_uri() + "?q=check_gradients")
        page.locator("#search-results li a").first.wait_for(timeout=10_000)
        assert page.locator("#search-results li a").count() > 2
        assert trouble == []
