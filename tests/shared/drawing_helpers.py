"""Graphs, hostile labels and a Chromium for the tests of the drawings."""

import os
import random
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

import scalargrad as sg
from scalargrad import Value

SVG = "{http://www.w3.org/2000/svg}"
CHROMIUM = os.environ.get("SCALARGRAD_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()

HOSTILE = [
    'say "hi"', "it's", "{a|b}", "a|b|c", "}{", "back\\slash", "ends in \\", "\\N", "\\G and \\E", "<f0> port", "a:b:n",
    "<b>bold</b>", "<script>alert(1)</script>", "javascript:alert(1)", "<img src=x onerror=alert(1)>", "]]>", "&amp;",
    "&lt;script&gt;", "<!-- comment", "two\nlines", "cr\r\nlf", "tab\there", "nul\x00byte", "esc\x1b[31m", "lone\ud800surrogate",
    "\u202egnp.exe", "line\u2028separator", "😀 emoji 👩‍👧", "e\u0301 combining", "权重", "وزن", "%s %d %(x)s", "${7*7} {{7*7}}",
    "node", "graph", "digraph { a -> b }", "subgraph", "strict", "   ", "  padded  ", "a]; b [label=evil", "\\\"] ; x -> y",
    "label=\"x\" URL=\"http://evil\"", "; DROP", "-->", "%%{init: {}}%%", "#34; #quot;", "<style>*{display:none}</style>",
    "x" * 10_000, "\ufeffbom", "\x7f\x80\x9f", "\U000e0041tag", "0", "-1", "'", "`", "\\\\", '"', "\uffff",
]  # fmt: skip


class Name(str):
    __slots__ = ("scope",)

    def __new__(cls, text, scope=()):
        name = super().__new__(cls, text)
        name.scope = scope
        return name


def sigmoid_neuron():
    """f = 1 / (1 + exp(-(w0*x0 + w1*x1 + w2))), the CS231n lecture's neuron, after backward()."""
    w0, w1, w2 = (Value(x, label=n, parameter=True) for x, n in ((2.0, "w0"), (-3.0, "w1"), (-3.0, "w2")))
    x0, x1 = Value(-1.0, label="x0"), Value(-2.0, label="x1")
    s = w0 * x0 + w1 * x1 + w2
    s.label = "s"
    f = 1 / (1 + (-s).exp())
    f.label = "f"
    f.backward()
    return f


def mlp_loss(sizes=(2, 2, 1), samples=1, fused=False, seed=0, python_sum=False):
    """The loss of a network whose labels carry scopes as those of nn do, after backward()."""
    rng = random.Random(seed)
    layers = []
    for i, (nin, nout) in enumerate(pairwise(sizes)):
        kind = "tanh" if i < len(sizes) - 2 else "linear"
        neurons = []
        for j in range(nout):
            scope = (f"layer {i}", f"neuron {j} ({kind})")
            ws = [Value(rng.uniform(-1, 1), label=Name(f"w{k}", scope), parameter=True) for k in range(nin)]
            neurons.append((scope, ws, Value(rng.uniform(-1, 1), label=Name("b", scope), parameter=True)))
        layers.append((kind, neurons))
    losses = []
    for _ in range(samples):
        xs = [Value(rng.uniform(-2, 2), label=f"x{k}" if samples == 1 else "") for k in range(sizes[0])]
        for kind, neurons in layers:
            outputs = []
            for scope, ws, b in neurons:
                if fused:
                    out = sg.dot(ws, xs, b)
                else:
                    out = ws[0] * xs[0]
                    for w, x in zip(ws[1:], xs[1:], strict=True):
                        out = out + w * x
                    out = out + b
                out = out.tanh() if kind == "tanh" else out
                out.label = Name("", scope)
                outputs.append(out)
            xs = outputs
        losses.append((xs[0] - rng.choice([-1, 1])) ** 2)
    mean = sum(losses) * (1.0 / samples) if python_sum else sg.mean(losses)
    loss = losses[0] if samples == 1 else mean
    loss.label = "L"
    loss.backward()
    return loss


def parsed(svg):
    return ElementTree.fromstring(svg)  # noqa: S314


def cards(svg):
    """Each node's texts, in document order; the lines of a wrapped one are lines."""
    groups = [g for g in parsed(svg).iter(SVG + "g") if "node" in g.get("class", "").split()]
    return [["\n".join(text.itertext()) for text in group.iter(SVG + "text")] for group in groups]


def hexed(rgb):
    """A colour as Chromium tells it, rgb(0, 90, 156), as themes write it."""
    return "#" + "".join(f"{int(float(c)):02x}" for c in rgb[rgb.index("(") + 1 : -1].split(",")[:3])


@contextmanager
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: set SCALARGRAD_CHROMIUM")
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page_of(browser, body, scheme="light", background=None):
    """A page with this body, and a list of everything that went wrong on it: requests, messages, dialogs."""
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1400, "height": 900})
    trouble = []
    page.on("request", lambda request: trouble.append(f"request {request.url}"))
    page.on("console", lambda message: trouble.append(f"console {message.text}"))
    page.on("pageerror", lambda error: trouble.append(f"error {error}"))
    page.on("dialog", lambda dialog: (trouble.append(f"dialog {dialog.message}"), dialog.dismiss()))
    color = background or ("#ffffff" if scheme == "light" else "#111111")
    page.set_content(f'<!doctype html><meta charset="utf-8"><body style="margin:0;background:{color}">{body}')
    try:
        yield page, trouble
    finally:
        page.close()
