"""Parts of pages that programs write: what stands between two comments, which name the program."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def part_of(page, program):
    """What stands on a page between `<!-- program -->` and `<!-- end -->`."""
    return _found((ROOT / page).read_text(encoding="utf-8"), page, program)[1]


def write_part(page, program, text):
    """Put this text there in its place."""
    path = ROOT / page
    whole = path.read_text(encoding="utf-8")
    start, end = _found(whole, page, program).span(1)
    path.write_text(whole[:start] + text.strip("\n") + whole[end:], encoding="utf-8")
    print(f"wrote {page}, the part of {program}")


def table(rows, align="---:"):
    """A table in Markdown: the first row is its heads, all columns but the first to the right."""
    heads, *lines = rows
    rule = ["---", *[align] * (len(heads) - 1)]
    return "\n".join(f"| {' | '.join(row)} |".replace("|  |", "| |") for row in (heads, rule, *lines))


def _found(whole, page, program):
    found = re.search(rf"<!-- {re.escape(program)} -->\n\n(.*?)\n\n<!-- end -->", whole, re.DOTALL)
    if not found:
        raise LookupError(f"{page} has no part <!-- {program} -->")
    return found
