"""Labels that try to be something else than text in one output or another, and graphs that carry them."""

import random
import unicodedata

from drawing_helpers import HOSTILE
from stepper_helpers import INJECTIONS

from scalargrad import Value
from scalargrad.node.naming import isolated
from scalargrad.support.labels import clean_label

MARKUP = [
    "<svg/onload=alert(1)>", "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>", "<a href=javascript:alert(1)>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'>", "' onmouseover='alert(1)", '" onload="alert(1)', "</text><script>alert(1)</script>",
    "</style><script>alert(1)</script>", "<![CDATA[x]]>", "]]]]><![CDATA[>", "<?xml version='1.0'?>", "<!DOCTYPE x [<!ENTITY e 'x'>]>&e;",
    "&#60;script&#62;", "&#x3c;b&#x3e;", "&amp;amp;lt;", "&nbsp;&copy;&#0;", "&AMP", "<use href='#x'/>", "url(javascript:alert(1))",
    "<template><b></template>", "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<plaintext>", "<base href=//evil>",
    "<meta http-equiv=refresh content=0;url=//evil>", "</svg><img src=x onerror=alert(1)>", "<textarea><!--", "`onclick=alert(1)//",
]  # fmt: skip
GRAPHS = [
    r"\l\r\n", r"\N\G\E\T\H\L", "<<B>html</B>>", "<table><tr><td>", 'a" shape="none', "n0:n", "x\\", 'x\\"', "{{{|}}}", "a->b;", "/* c */",
    "// c", "# c", "A{5}|<p>", "\\{\\}", "&#92;N", "%%{init: {'securityLevel': 'loose'}}%%", 'click n0 "javascript:alert(1)"', "%% comment",
    "end", "subgraph x", "classDef root fill:#000", "n0 --> n1", '"]; n9["', "`**bold**`", "1. item", "- list", "# head", "fa:fa-camera",
    "fab:fa-github", "$$x^2$$", "$$\\href{javascript:alert(1)}{x}$$", "ﬂ°°60¶ßscriptﬂ°°62¶ß", "#9829;", "#lt;b#gt;", "x:::root", "x@{shape: rect}",
    "a\\nb", "|pipe|", "~~~", "style n0 fill:red", "linkStyle 0 stroke:red", "---\ntitle: x\n---", "accTitle: x", "https://evil.example/x",
]  # fmt: skip
TEX = [
    r"\input{/etc/passwd}", r"\immediate\write18{ls}", r"\def\x{\x\x}\x", r"\href{javascript:alert(1)}{x}", "^^5cinput", "^^M", "% x", "$x$", r"\$",
    "a_b^c", "#1", "a & b", "~", "}{", r"\end{aligned}", r"\\", r"\csname x\endcsname", r"\text{x", "{", "}", r"\)", r"\]", "$$", r"\unicode{60}",
    r"\html@x", r"\begin{verbatim}", r"\begingroup\catcode`\%=12", "e^{x}", "x_1^2", r"\_", "|", r"\(",
]  # fmt: skip
TERMINAL = [
    "\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "\x1bP+q\x1b\\", "\x9b31mred", "\x07\x07", "\x08\x08\x08",
    "a\rb", "a\x0bb\x0cc", "\x1b[31m", "\x1b[6n", "\x1b]52;c;AAAA\x07", "\x00\x01\x02", "\x85next", "\x1f\x1e\x1d\x1c", "\x7f", "\r\n\r\n", "\n",
]  # fmt: skip
UNICODE = [
    "\u202eabc\u202c", "\u2066x\u2069\u2067y", "\u200e\u200f\u061c", "a\u200bb", "\u200d", "\u2060", "\ufeff", "\u00ad", "\ud83d", "\udc00\ud800", "\ufffe",
    "\U000e0001\U000e0041", "z\u0338\u0330\u0317\u035b\u0313" * 9, "\u0301", "x" + "\u0300" * 300, "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "مرحبا", "שלום 123", "वाक्", "ไทย", "한국어",
    "İıſK", "ﷺ", "ǆ", "ﬁ", "\u3000", "\xa0", "\u2028\u2029", "𝒳", "\ue000", "\U0010fffd", "ａｂｃ", "x" * 100_000, "<script>" * 20_000,
    "\n" * 100_000, "\u0301" * 100_000, "é" * 79 + "e\u0301" * 5, "\ufff9a\ufffab\ufffb", "٣", "µ", "μ", "K",
]  # fmt: skip
NAMES = [
    "__proto__", "constructor", "__class__", "toString", "hasOwnProperty", "=cmd|' /C calc'!A0", "+1+1", "@SUM(1)", "None", "True", "lambda", "class",
    "print", "__import__('os').system('x')", "float", "exp", "max", "v1", "t1", "dx", "f", "inf", "nan", "0", "1e5", "-1", "x=1", "a.b", "a,b", "a b",
    "*args", "x\\", "'''", '"""', "#", "x; import os", "\\u0041", "${x}", "{x}", "%s", "{0.__class__}", "$(id)", "`id`", "../../x", "data", "grad",
]  # fmt: skip
BY_HAND = list(dict.fromkeys([*HOSTILE, *INJECTIONS, *MARKUP, *GRAPHS, *TEX, *TERMINAL, *UNICODE, *NAMES]))

_PIECES = [
    *"<>&\"'`\\/{}[]()|:;=#%$^_~*+-!?@., \t\n\r\x00\x07\x1b\x7f\x9b", "alert(1)", "script", "</", "/>", "<!--", "-->", "]]>", "&#", "&lt;", "\\n", "\\N", "\\text{",
    "^^5c", "$$", "%%{", "}%%", "fa:fa-", "end", "click ", "javascript:", "onload=", "\x1b[", "\x1b]8;;", "\u202e", "\u2066", "\u200d", "\u200b", "\ufeff", "\ud800",
    "\u0301", "é", "ß", "ﬂ°°", "¶ß", "א", "ع", "權", "😀", "👩‍👧", "₁", "x", "w0", "1", "  ", "\xa0", "\u2028", "\U000e0041", "__",
]  # fmt: skip


def labels(count, seed=0):
    """So many labels that look different once they are cleaned: every one made by hand, and mixtures of dangerous pieces.

    Of fewer than were made by hand, a choice from all of them.
    """
    rng = random.Random(seed)
    found = {clean_label(label): label for label in BY_HAND if clean_label(label)}
    if count < len(found):
        step = len(found) / count
        return [list(found.values())[int(i * step)] for i in range(count)]
    while len(found) < count:
        label = "".join(rng.choices(_PIECES, k=rng.randrange(1, 13)))
        found.setdefault(clean_label(label), label)
    return list(found.values())


def batches(found, size=9):
    """The labels in groups, each for one graph."""
    return [found[i : i + size] for i in range(0, len(found), size)]


def graph(found):
    """A graph whose leaves have these labels, but for the last one, which is the root's; after backward()."""
    root = Value(0.5, label=found[0])
    for i, label in enumerate(found[1:-1]):
        leaf = Value(1.0 + i / 8, label=label, parameter=i % 3 == 0)
        root = root * leaf if i % 2 else root + leaf
    root = root.tanh()
    if len(found) > 1:
        root.label = found[-1]
    root.backward()
    return root


def by_hand(found):
    """A graph in which the same texts are the operations of hand-written nodes as well."""
    x = Value(2.0, label="plain")
    for label in found:
        out = Value(x.data + 1.0, (x,), label, label=label)

        def _backward(x=x, out=out):
            x.grad += out.grad

        out._backward = _backward
        x = out
    x.backward()
    return x


def shown(label):
    """How a label is shown as a name: cleaned, and isolated if it is written from right to left."""
    return isolated(clean_label(label))


def unsafe(text, allowed="\n"):
    """The characters of a text that a terminal or a page must not be given."""
    return {
        c
        for c in text
        if c not in allowed
        and (unicodedata.category(c) in ("Cc", "Cs") or c in "\u202a\u202b\u202c\u202d\u202e\u2028\u2029")
    }
