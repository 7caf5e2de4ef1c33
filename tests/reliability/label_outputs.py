"""Every output that shows labels: pages, texts for the terminal, formulas, messages, each of a graph with the given labels."""

import copy
import io
import re

from drawing_helpers import page_of
from hostile_labels import by_hand, graph, shown
from stepper_helpers import injected, opened

import scalargrad as sg
from scalargrad import Value, draw, trace, worksheet
from scalargrad.circuit import AddGate, ComputationalGraph
from scalargrad.support.labels import clean_label
from scalargrad.tracing import page, terminal


def pages(found):
    """Every output that is HTML, by name."""
    root, other = graph(found), graph(found)
    steps, sheet = trace(root), worksheet(root, title=found[0])
    xs = [1.0 + i for i in range(len(found))]
    return {
        "stepper": steps._repr_mimebundle_()["text/html"],
        "stepper page": page.page(steps.graph),
        "step": steps[-1]._repr_mimebundle_()["text/html"],
        "worksheet": sheet.html,
        "answer key": sheet.key_html,
        "worksheet in a notebook": sheet._repr_mimebundle_()["text/html"],
        "difference": sg.diff(root, other)._repr_mimebundle_()["text/html"],
        "gradient check": sg.check_gradients(lambda *vs: sg.sum(list(vs)), xs, names=found)._repr_html_(),
        "mistakes": sg.mistakes.GALLERY[0].show(root)._repr_mimebundle_()["text/html"],
        "picture": draw(root)._repr_mimebundle_()["text/html"],
        "hand-written operations": trace(by_hand(found)).html,
        "an operation and labels alike": trace(injected(found[0])).html,
    }


CARDS = "() => [...document.querySelectorAll('svg g.node')].map(g => g.querySelector('text').textContent)"
TAGS = "() => { const n = {}; for (const e of document.querySelectorAll('*:not(tspan)')) n[e.tagName] = (n[e.tagName] || 0) + 1; return n; }"


def in_chromium(browser, folder, found):
    """In Chromium: the first text of each card of the stepper, all texts, how many elements each page has, what went wrong."""
    outputs = pages(found)
    whole = [name for name, html in outputs.items() if html.startswith("<!doctype")]
    cards, texts, tags, troubles = [], [], [], []
    for name in whole:
        path = folder / "page.html"
        path.write_text(outputs.pop(name), encoding="utf-8")
        with opened(browser, path) as (page, trouble):
            if page.locator(".sg-live").count():
                page.locator(".sg-live").press("End")
                cards = page.evaluate(CARDS)
            texts.append(page.evaluate("() => document.body.textContent"))
            tags.append(page.evaluate(TAGS))
            troubles += trouble
    with page_of(browser, "".join(outputs.values())) as (page, trouble):
        texts.append(page.evaluate("() => document.body.textContent"))
        tags.append(page.evaluate(TAGS))
        troubles += [line for line in trouble if not line.startswith("request data:image/svg+xml")]
    return cards, texts, tags, troubles


# -------------------------------------------------------------------- terminal


class Terminal(io.StringIO):
    """A terminal of this encoding."""

    def __init__(self, encoding):
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self):
        return self._encoding

    def isatty(self):
        return True


def played(steps, encoding):
    """What the stepper writes to a terminal, through all the steps."""
    screen, keys = Terminal(encoding), Terminal(encoding)
    keys.write("\n" * len(steps))
    keys.seek(0)
    terminal.play(steps, keys, screen)
    assert "\x1b[" in screen.getvalue()
    return re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())  # colours, and nothing else that begins with an escape


def printed(found):
    """Every text for people, by name."""
    root = graph(found)
    steps, sheet, hand = trace(root), worksheet(root, title=found[0]), by_hand(found)
    explanation = sg.explain(root, first(root, found))
    report = sg.check_gradients(lambda *vs: sg.sum(list(vs)), [1.0] * len(found), names=found)
    return {
        "tree": str(draw(root)), "trace": str(steps), "explanation": str(explanation), "summary": sg.summary(hand),
        "worksheet": str(sheet), "key": sheet.key, "difference": str(sg.diff(root, graph(found))), "program": str(sg.record(root)),
        "mistakes": str(sg.mistakes.GALLERY[0].show(root)), "wrong answers": str(sheet.check([12345.0] * len(sheet.blanks))),
        "reprs": "\n".join(map(repr, [draw(root), steps, *steps, explanation, sheet, *sg.topological_order(root), gates(found)])),
        "backward": "\n".join(repr(node._backward) for node in sg.topological_order(root)), "hand-written": str(trace(hand)),
        "gradient check": str(report), "utf-8 terminal": played(steps, "utf-8"), "ascii terminal": played(steps, "ascii"),
    }  # fmt: skip


def first(root, found):
    return next(value for value in sg.topological_order(root) if value.label == found[0])


def gates(found):
    circuit = ComputationalGraph()
    for i, label in enumerate(found):
        circuit.gate(AddGate(), label, found[i - 1] + "'", name=f"out {label}")
    return circuit


def formulas(found):
    """LaTeX; the first has all names but the last."""
    root = graph(found)
    hand = by_hand(found[:4])
    return [
        root.formula("latex"),
        root.formula("latex", lines=True),
        sg.explain(root, first(root, found)).latex,
        hand.formula("latex"),
    ]


# -------------------------------------------------------------------- messages


def provocations(label):
    """Calls that raise or warn about Values of this label: {what is called: (the label that must be told, the call)}."""
    x, zero = Value(-1.0, label=label), Value(0.0, label=label)
    hand = Value(1.0, (x,), label, label=label)
    circuit, other, out = gates([label, label + "2"]), label + "?", f"out {label}"

    def named(value):
        value.label = label
        return value

    def changed():
        y = named(x * 2)
        y.data = 5.0
        return sg.to_python(y)

    def anomaly():
        with sg.detect_anomaly():
            return Value(1e308, label=label) * 1e10

    def backward_anomaly():
        with sg.detect_anomaly():
            (zero**0.5).backward()

    def branches():
        f = sg.compile(lambda v: x * v if x > v else v)
        return f(-5.0), f(5.0)

    return {
        "log": (label, lambda: x.log()),
        "sqrt": (label, lambda: x.sqrt()),
        "division by zero": (label, lambda: 1 / zero),
        "truth": (label, lambda: bool(x)),
        "float": (label, lambda: float(x)),
        "index": (label, lambda: [1, 2][x]),
        "fractional power": (label, lambda: x ** Value(0.5, label=label)),
        "power's second derivative": (label, lambda: (x ** Value(3.0, label=label)).backward()),
        "pickle": (label, lambda: copy.copy(x).__reduce__()),
        "requires_grad of a result": (label, lambda: setattr(named(x * 2), "requires_grad", True)),
        "anomaly": (label, anomaly),
        "anomaly backward": (label, backward_anomaly),
        "graph of gradients by hand": (label, lambda: sg.grad(hand, x, create_graph=True)),
        "complex_step": (label, lambda: sg.complex_step(lambda xs: Value(1.0, (x,), label), [1.0])),
        "to_python by hand": (label, lambda: sg.to_python(hand)),
        "to_python of changed data": (label, changed),
        "to_python's name": (label + "!", lambda: sg.to_python(x * 2, name=label + "!")),
        "record by hand": (label, lambda: sg.record(hand)),
        "record's inputs": (label, lambda: sg.record(x * zero, inputs=[named(x * 3)])),
        "an input that is none": (other, lambda: sg.record(x * zero, inputs=[x]).value_and_grad({other: 1.0})),
        "the inputs that are": (label, lambda: sg.record(x * zero, inputs=[x]).value_and_grad({other: 1.0})),
        "compile, another branch": (label, branches),
        "SGD of a result": (label, lambda: sg.nn.SGD([named(x * 2)])),
        "worksheet's hide": (other, lambda: worksheet(x * 2, hide=[other])),
        "check of a blank": (other.strip(), lambda: worksheet(x * 2).check({other: 1})),
        "check of an answer": (f"no {label}!", lambda: worksheet(x * 2).check({1: f"no {label}!"})),
        "diff": (label, lambda: sg.diff(named(x * 2), named(x + 2))),
        "diff of unequal size": (label, lambda: sg.diff(x * 2, x * 2 * x)),
        "mistakes by hand": (label, lambda: sg.mistakes.GALLERY[0].show(hand)),
        "explain's paths": (label, lambda: sg.explain(named((x + x) * (x + x)), x, max_paths=2)),
        "circuit's output": (out, lambda: circuit.output),
        "circuit without inputs": (out, lambda: circuit.forward({})),
        "circuit with inputs": (out, lambda: circuit.forward({label: 1.0, other: 2.0})),
        "circuit's new output": (other, lambda: setattr(circuit, "output", other)),
        "a wire driven twice": (out, lambda: circuit.gate(AddGate(), label, "b", name=out)),
        "circuit by hand": (label, lambda: ComputationalGraph.from_value(hand)),
        "a cycle of wires": (label, lambda: cycle(label).forward({})),
    }


SHOW_NONE = {
    "pickle": "no single Value can be, whatever its label",
    "diff of unequal size": "it tells how many values there are: no single one is meant",
}
"""The provocations whose messages show no label, and why."""


def told(label):
    """How a message may show a label: as a name or between quotes, both cut if it is long; by its beginning at least."""
    cut = label if len(label) <= 80 else label[:79] + "\N{HORIZONTAL ELLIPSIS}"
    whole = {clean_label(label), shown(label), repr(cut), repr(clean_label(label))}
    return whole | {repr(label)[:13], clean_label(label)[:13]} if len(repr(label)) > 30 else whole


def cycle(label):
    circuit = ComputationalGraph()
    circuit.gate(AddGate(), label, "b", name="a")
    circuit.gate(AddGate(), "a", "c", name=label)
    return circuit
