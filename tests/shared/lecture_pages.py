"""docs/lectures: a page for each document, made of tests/lectures/items: `python tests/shared/lecture_pages.py` writes them.

An item is a few lines: `says`, the document's own words; `at`, the cells and pages where it is here; `gives`, what they
give, every `code` of which a test looks up there; `note`; `erratum`, what the engine found in the document; `rows`, the
numbers of the tests that hold it. A cell is `04#cell-12`: the number of its notebook, or of the notebooks that this one
was split into, and its id.
"""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ITEMS = ROOT / "tests" / "lectures" / "items"
PAGES = ROOT / "docs" / "lectures"
DOCUMENTS = (
    "basics-of-neural-networks",
    "sgd-and-the-linear-class",
    "nn-learning",
    "cs231n-lecture-4",
    "backpropagation",
    "micrograd",
)
INDEX = """\
# The lectures

You hold one of these documents, or you sit in the lecture: here is each of its points, by its own words, with the
notebook cell where it runs and the number that comes out.

| document | points | the engine checks the notes |
|---|---|---|
{rows}

Where a document is wrong, or means something else than it says, the number here is the right one and the row says so,
after the words **The engine checks the notes**. Nobody writes lecture notes without a slip; an engine finds them.

- [Torch's and Caffe's layers](layer-lists.md): the lists on the slides of lecture 4, and what each is here.
- [Words of the lectures](../glossary.md#words-of-the-lectures): what is called what.
- Tasks of the slides, to be solved and checked by the machine: [MultiplyGate with its #todo]({gate}),
  [the SVM in 8 + 5 lines]({svm}), [the two-layer net over a batch]({net}).
- The scores of cat, car and frog are in none of the five documents: they are from **lecture 3** of CS231n, *Loss
  functions and optimization*.

```{{toctree}}
:hidden:

{pages}
layer-lists
```
"""


@dataclass
class Item:
    """One point of a document."""

    says: str
    at: list[str] = field(default_factory=list)
    gives: str = ""
    note: str = ""
    erratum: str = ""
    rows: list[int] = field(default_factory=list)


@dataclass
class Document:
    """A document: its page's name, its title, what it is about, and its items by section."""

    name: str
    title: str = ""
    short: str = ""
    about: str = ""
    sections: dict[str, list[Item]] = field(default_factory=dict)

    @property
    def items(self):
        """All items, in the document's order."""
        return [item for items in self.sections.values() for item in items]


def documents():
    """The documents, read from their files."""
    return [_document(name) for name in DOCUMENTS]


def _document(name):
    document, section = Document(name), ""
    for block in re.split(r"\n\s*\n", (ITEMS / f"{name}.txt").read_text(encoding="utf-8").strip()):
        if block.startswith("# "):
            section = block[2:]
            continue
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if "title" in fields:
            document = Document(name, **fields)
            continue
        rows = [int(row) for row in fields.pop("rows", "").split()]
        item = Item(**{**fields, "at": fields["at"].split(), "rows": rows})
        document.sections.setdefault(section, []).append(item)
    return document


# -------------------------------------------------------------------- where things are


@cache
def notebooks():
    """The cells of every notebook by id: {file name: {id: cell}}."""
    found = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        found[path.name] = {cell["id"]: cell for cell in cells}
    return found


def cell_of(place):
    """The notebook's file and the cell of `04#cell-12`; the cell is None where no notebook of that number has it."""
    number, cell = place.split("#")
    files = [name for name in notebooks() if name.startswith(number)]
    for name in files:
        if cell in notebooks()[name]:
            return name, notebooks()[name][cell]
    return files[0], None


def text_of(cell):
    """A cell's source and the texts that it has put out."""
    texts = ["".join(cell["source"])]
    for output in cell.get("outputs", ()):
        texts.append("".join(output.get("text", "")))
        texts += ["".join(text) for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    return "\n".join(texts)


def target_of(place):
    """Where a place is, from docs/lectures."""
    if "#" in place and not place.startswith("docs/"):
        return f"../../notebooks/{cell_of(place)[0]}#{place.split('#')[1]}"
    path = place.removeprefix("docs/")
    return path.removeprefix("lectures/") if path.startswith("lectures/") else f"../{path}"


# -------------------------------------------------------------------- writing


def page(document):
    """A document's page."""
    lines = [f"# {document.title}", "", document.about, ""]
    for section, items in document.sections.items():
        lines += [f"## {section}", "", '<div class="points">', ""]
        lines += ["| in the document | here | what it gives |", "|---|---|---|"]
        lines += [f"| {item.says} | {_places(item)} | {_result(item)} |" for item in items]
        lines += ["", "</div>", ""]
    return "\n".join(lines)


def _places(item):
    """Links to the cells, a notebook after the other, and to the pages."""
    cells, others = {}, []
    for place in item.at:
        if place.startswith("docs/"):
            name = (ROOT / place).read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
            others.append(f"[{name}]({target_of(place)})")
        else:
            number, cell = place.split("#")
            cells.setdefault(int(number), []).append(f"[{cell}]({target_of(place)})")
    return "; ".join([f"notebook {number}: {', '.join(links)}" for number, links in cells.items()] + others)


def _result(item):
    said = [item.erratum and f"**The engine checks the notes.** {item.erratum}", item.note]
    words = " ".join(text for text in said if text)
    return f"{item.gives}. {words}" if item.gives and words else item.gives or words


def index(all_documents):
    """The first page."""
    rows = []
    for document in all_documents:
        errata = sum(bool(item.erratum) for item in document.items)
        rows.append(f"| [{document.short}]({document.name}.md) | {len(document.items)} | {errata or '–'} |")
    return INDEX.format(
        rows="\n".join(rows),
        pages="\n".join(document.name for document in all_documents),
        gate=target_of("03#lec-multiply-task"),
        svm=target_of("10#lec-svm-task"),
        net=target_of("04#lec-two-layer-task"),
    )


def texts():
    """All pages that are written, by file name."""
    all_documents = documents()
    return {"index.md": index(all_documents)} | {f"{d.name}.md": page(d) for d in all_documents}


if __name__ == "__main__":
    PAGES.mkdir(exist_ok=True)
    for name, text in texts().items():
        (PAGES / name).write_text(text, encoding="utf-8")
    for document in documents():
        for item in document.items:
            for place in item.at:
                if not place.startswith("docs/") and cell_of(place)[1] is None:
                    print(f"{document.name}: no cell {place}")
