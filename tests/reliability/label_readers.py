"""Parsers that owe the package nothing, for what it writes: DOT, HTML, SVG, Mermaid, LaTeX, and Mermaid and KaTeX themselves."""

import base64
import json
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

SVG = "{http://www.w3.org/2000/svg}"


def spaced(text):
    """Spaces that hold their place are spaces."""
    return text.replace("\xa0", " ")


# -------------------------------------------------------------------- DOT


def dot_document(source):
    """What Graphviz makes of it, as JSON: nodes and clusters, and edges."""
    done = subprocess.run(
        [shutil.which("dot"), "-Tjson"], input=source.encode(), capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    document = json.loads(done.stdout)
    return document.get("objects", []), document.get("edges", [])


def dot_attributes(source):
    """The names of all attributes: Graphviz adds some, each version others, which must not depend on the labels."""
    return {name for items in dot_document(source) for item in items for name in item}


def dot_texts(source, attributes):
    """By the name of each node and cluster, the lines of text that Graphviz draws for it; and how many edges there are.

    No other attributes than these may be there.
    """
    objects, edges = dot_document(source)
    for item in [*objects, *edges]:
        assert set(item) <= attributes, set(item) - attributes
        assert re.fullmatch(r"[a-z0-9_]+", item.get("id", "")), item["id"]
    texts = {item["name"]: [op["text"] for op in item.get("_ldraw_", []) if op["op"] == "T"] for item in objects}
    return {name: list(map(spaced, lines)) for name, lines in texts.items()}, len(edges)


# -------------------------------------------------------------------- HTML and SVG


FITTED = {"textlength", "lengthadjust", "xml:space"}
"""What a text gets in a picture whose characters may be of any width."""


class Skeleton(HTMLParser):
    """The elements, the names of attributes, the texts and the pictures of a piece of HTML, or of an SVG read as such."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.values, self.texts, self.pictures, self.open = (
            Counter(),
            set(),
            [],
            [""],
            [],
            [],
        )
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        self.attributes |= {f"{tag} {name}" for name, _ in attributes if name not in FITTED}
        self.values += [value or "" for name, value in attributes if name not in FITTED]
        if tag not in ("img", "meta", "br", "input"):
            self.open.append(tag)
        source = dict(attributes).get("src", "")
        if source:
            assert source.startswith("data:image/svg+xml;base64,"), source[:60]
            self.pictures.append(base64.b64decode(source.partition(",")[2]).decode())
        self.texts.append("")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if self.open and self.open[-1] == tag:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.texts.append("")

    def handle_data(self, data):
        self.texts[-1] += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data):
        raise AssertionError(f"a declaration: {data}")

    handle_pi = unknown_decl

    @property
    def shape(self):
        """What must not depend on the labels; lines of a wrapped text do, and hold nothing but text."""
        tags = Counter({tag: n for tag, n in self.tags.items() if tag != "tspan"})
        attributes = {name for name in self.attributes if not name.startswith("tspan ")}
        assert self.attributes - attributes <= {"tspan x", "tspan y"}
        return tags, attributes


def svg_cards(svg):
    """The texts of each card of an SVG, read as XML; the lines of a wrapped one are lines."""
    root = ElementTree.fromstring(svg)  # noqa: S314
    groups = [g for g in root.iter(SVG + "g") if "node" in g.get("class", "").split()]
    return [["\n".join(text.itertext()) for text in group.iter(SVG + "text")] for group in groups]


# -------------------------------------------------------------------- Mermaid


_MERMAID = [
    r"flowchart (?:TB|LR)", r' *n\d+\["(?P<text>[^"]*)"\]:::[a-z]+', r' *subgraph c\d+\["(?P<title>[^"]*)"\]', r" *end",
    r' *n\d+ (?:-->|-\.->)(?:\|"(?P<edge>[^"]*)"\|)? n\d+', r" *classDef [a-z]+ [a-z0-9#:,. -]+",
]  # fmt: skip
# In quotes: entities, the line break of the package, letters and digits, what means nothing to Mermaid, all of Unicode.
_MERMAID_TEXT = re.compile(r"(?:#\d+;|<br/>|[A-Za-z0-9 .,=()\u0080-\U0010ffff])*")


def mermaid_texts(source):
    """The rows of each node, after a check that every line is of the few kinds that the package writes."""
    rows = []
    for line in source.rstrip("\n").split("\n"):
        found = next(filter(None, (re.fullmatch(pattern, line) for pattern in _MERMAID)), None)
        assert found, line
        text = next(filter(None, found.groupdict().values()), "")
        assert _MERMAID_TEXT.fullmatch(text), line
        if "text" in found.groupdict():
            rows.append(
                [without_joiners(re.sub(r"#(\d+);", lambda m: chr(int(m[1])), row)) for row in text.split("<br/>")]
            )
    return rows


def without_joiners(text):
    """As it was before Mermaid's own patterns were parted, which is invisible."""
    return text.replace("\u2060", "")


def npm(folder, package, file):
    """The path of a file of an npm package, unpacked into the folder; a skip if the registry cannot be reached."""
    if not shutil.which("npm"):
        pytest.skip("there is no npm")
    command = ["npm", "pack", "--silent", package]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        pytest.skip(f"{' '.join(command)}: {done.stderr.strip()[-200:]}")
    subprocess.run(["tar", "xzf", done.stdout.strip().splitlines()[-1], f"package/{file}"], cwd=folder, check=True)  # noqa: S607
    return folder / "package" / file


# [id, source] -> the first row of each node, and the tags of the page.
MERMAID = """async ([id, source]) => { const {svg} = await mermaid.render(id, source);
  const page = new DOMParser().parseFromString('<body>' + svg, 'text/html'), labels = [...page.querySelectorAll('.nodeLabel')];
  const rows = labels.map(l => { l.querySelectorAll('br').forEach(b => b.replaceWith('\\0')); return l.textContent.split('\\0')[0]; });
  return [rows, [...new Set([...page.body.querySelectorAll('*')].map(e => e.tagName.toLowerCase()))].sort()]; }"""

KATEX = """
const katex = require(process.argv[1]), options = {throwOnError: false, strict: false, trust: true, output: "mathml"};
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(texts.map((text) => katex.renderToString(text, options))));
"""


def katex_texts(path, sources):
    """The tags and the text of each formula, typeset by KaTeX with everything allowed that it can do; None if it cannot."""
    done = subprocess.run(
        [shutil.which("node"), "-e", KATEX, str(path)],
        input=json.dumps(sources),
        capture_output=True,
        text=True,
        check=True,
    )
    for html in json.loads(done.stdout):
        if "katex-error" in html:
            yield None
            continue
        math = re.sub(r"<annotation.*?</annotation>", "", html, flags=re.DOTALL)
        root = ElementTree.fromstring(math.replace("&nbsp;", " "))  # noqa: S314
        yield {element.tag.rpartition("}")[2] for element in root.iter()}, spaced("".join(root.itertext()))


LIGATURES = [("--", "–"), ("–-", "—"), ("``", "“"), ("''", "”"), ("'", "’"), ("`", "‘"), ("^", "∧"), ("~", "∼")]


def as_typeset(label):
    """A label as TeX sets it in text: with its quotation marks and dashes, ^ and ~ as the signs of mathematics."""
    for typed, set_ in LIGATURES:
        label = label.replace(typed, set_)
    return label


# -------------------------------------------------------------------- LaTeX


ALLOWED = set(
    "backslash text mathrm wedge sim frac cdot to left right quad operatorname infty cdots log sin cos tan tanh exp max min sigma sqrt bmod".split()
)


def check_latex(source):
    """No command but those the package uses, nothing active unescaped, every brace closed; by TeX's own tokens."""
    depth = 0
    source = source.replace(r"\begin{aligned}", "\\quad ").replace(r"\end{aligned}", "\\quad ")
    for piece in re.findall(r"\\[A-Za-z]+|\\.|.", source, re.DOTALL):
        if piece[0] == "\\":
            assert piece[1:] in ALLOWED or piece[1] in "{}$&#_%\\", piece
            assert piece not in (r"\begin", r"\end")
        depth += (piece == "{") - (piece == "}")
        assert depth >= 0, source
        assert piece not in ("%", "#", "~", "$"), source
    assert depth == 0, source
    assert "^^" not in source
    for found in re.findall(r"\\text\{((?:[^{}\\]|\\[^A-Za-z])*)\}", source):  # a group of text: no mathematics in it
        assert not re.search(r"(?<!\\)[\^_&]", found), found


def latex_texts(source):
    """The names in text groups, as they were before they were escaped."""
    plain = (
        source.replace(r"}\backslash\text{", r"\\").replace(r"}{\wedge}\text{", r"\^").replace(r"}{\sim}\text{", r"\~")
    )
    return [re.sub(r"\\(.)", r"\1", text) for text in re.findall(r"\\text\{((?:[^{}\\]|\\.)*)\}", plain)]
