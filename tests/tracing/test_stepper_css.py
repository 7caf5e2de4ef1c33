"""The stepper's look is the same in browsers that name the parts of a slider each in its own way."""

import re
from pathlib import Path

import pytest

import scalargrad

CSS = (Path(scalargrad.__file__).parent / "tracing" / "stepper.css").read_text(encoding="utf-8")
NAMES = {"-webkit-slider-thumb": "-moz-range-thumb", "-webkit-slider-runnable-track": "-moz-range-track"}


def rules():
    """Selector to properties; a selector that comes twice has those of both."""
    found = {}
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", CSS, flags=re.S)):
        for selector in selectors.split(","):
            properties = dict(re.findall(r"([\w-]+)\s*:\s*([^;]+?)\s*(?:;|$)", body))
            found.setdefault(" ".join(selector.split()), {}).update(properties)
    return found


@pytest.mark.parametrize("webkit", NAMES)
def test_what_one_browser_is_told_the_other_is_told(webkit):
    mine = {selector: properties for selector, properties in rules().items() if webkit in selector}
    assert mine
    for selector, properties in mine.items():
        other = rules()[selector.replace(webkit, NAMES[webkit])]
        common = {name.replace("-webkit-", "-moz-"): value for name, value in properties.items()}
        assert other == common


def test_no_rule_names_two_browsers_as_each_would_drop_it():
    for selectors in re.findall(r"([^{}]+)\{", re.sub(r"/\*.*?\*/", "", CSS, flags=re.S)):
        assert not ("-webkit-" in selectors and "-moz-" in selectors)


def test_the_thumb_has_the_colour_of_the_phase_and_the_focus_shows_whatever_moved_it():
    found = rules()
    for name in ("-webkit-slider-thumb", "-moz-range-thumb"):
        assert found[f".sg-slider::{name}"]["background"] == "var(--phase)"
    assert found[".sg-live:focus"]["outline"] == found[".sg-live :focus"]["outline"] == "2px solid var(--value)"
    assert ":focus-visible" not in re.sub(r"/\*.*?\*/", "", CSS, flags=re.S)
