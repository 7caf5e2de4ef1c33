"""Traces to step through, script injections, JupyterLab's sanitiser and pages opened from files, for the tests of the stepper."""

import base64
from contextlib import contextmanager
from html import escape
from html.parser import HTMLParser

from optional import need_layout

from scalargrad import Value

INJECTIONS = [
    "<script>alert(1)</script>", "</script><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)",
    "${alert(1)} `${alert(1)}`", "{{7*7}} {{constructor.constructor('alert(1)')()}}", "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<svg onload=alert(1)>", "]]><script>alert(1)</script>", "<!--<script>", "line\u2028alert(1)\u2029", "');alert(1);//",
    '\\"};alert(1);//', "</title><style>*{display:none}</style>", "</tbody></table></details><iframe src=x>",
]  # fmt: skip


def injected(text):
    """A graph with this text as the label of a leaf and of the output, and as the op of a hand-written node."""
    x = Value(2.0, label=text)
    out = Value(6.0, (x,), text)

    def _backward():
        x.grad += 3.0 * out.grad

    out._backward = _backward
    root = out * x
    root.label = text + "!"
    return root


def accumulating():
    """y = a·b + a·a - a: a gradient of five parts, with running sums wider than the last, and a constant."""
    a, b, c = Value(2.6, label="a"), Value(-4.0, label="b", parameter=True), Value(3.0, label="c", requires_grad=False)
    y = (a * b + a * a - a) * 1000.1234 + (a * 1000.1234) * 0.0 + c
    y.label = "y"
    return y


class Sanitiser(HTMLParser):
    """What JupyterLab leaves of an output that is not trusted.

    JupyterLab 4.6 (@jupyterlab/apputils, sanitizer.ts) hands it to sanitize-html with lists of allowed tags and
    attributes; here are those that the stepper could meet. Other tags are dropped and their content kept, but script,
    style, textarea and option are dropped with their content; schemes are checked on href and cite, not on src.
    """

    TAGS = frozenset(
        "a abbr b blockquote br button code details div em figure figcaption form h1 h2 h3 h4 h5 h6 hr i img input label "
        "li ol p pre progress section select small span strong sub summary sup table tbody td tfoot th thead tr ul".split()
    )
    EVERYWHERE = frozenset(
        "class data-jupyter-id dir draggable hidden id inert itemprop lang spellcheck style title".split()
    )
    IMAGE = frozenset("align alt border height hspace ismap src usemap vspace width".split())
    EMPTIED = frozenset({"script", "style", "textarea", "option"})

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.out, self.inside = [], None

    def handle_starttag(self, tag, attributes):
        if self.inside is None and tag in self.EMPTIED:
            self.inside = tag
        if self.inside is None and tag in self.TAGS:
            allowed = self.EVERYWHERE | {"img": self.IMAGE, "details": {"open"}}.get(tag, set())
            kept = "".join(f' {name}="{escape(value or "")}"' for name, value in attributes if name in allowed)
            self.out.append(f"<{tag}{kept}>")

    def handle_endtag(self, tag):
        if self.inside == tag:
            self.inside = None
        elif self.inside is None and tag in self.TAGS:
            self.out.append(f"</{tag}>")

    def handle_data(self, data):
        if self.inside is None:
            self.out.append(escape(data, quote=False))


def sanitised(html):
    parser = Sanitiser()
    parser.feed(html)
    parser.close()
    return "".join(parser.out)


class Contents(HTMLParser):
    """The elements, the images and the cells of the table of a piece of HTML."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.images, self.rows, self.text = [], [], [], []
        self._cell = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "img":
            self.images.append(dict(attributes))
        if tag == "tr":
            self.rows.append([])
        self._cell = tag == "td"
        if self._cell:
            self.rows[-1].append("")

    def handle_data(self, data):
        self.text.append(data)
        if self._cell:
            self.rows[-1][-1] += data

    def handle_endtag(self, tag):
        if tag == "td":
            self._cell = False

    @property
    def table(self):
        return [row for row in self.rows if row]

    def svg(self, i=0):
        need_layout()
        return base64.b64decode(self.images[i]["src"].removeprefix("data:image/svg+xml;base64,")).decode()


@contextmanager
def opened(browser, path, scheme="light", width=1400, **options):
    """A page from a file, offline, and everything that went wrong on it; the file itself and data: are no requests."""
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce", offline=True, **options
    )
    page = context.new_page()
    trouble = []
    page.on("console", lambda message: trouble.append(f"console {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error {error}"))
    page.on("dialog", lambda dialog: (trouble.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on(
        "request",
        lambda request: request.url.startswith(("data:", path.as_uri())) or trouble.append(f"request {request.url}"),
    )
    page.goto(path.as_uri())
    try:
        yield page, trouble
    finally:
        context.close()
