"""`show()` writes a page that outlives the program and opens it, or says where it is; tests open nothing."""

import webbrowser
from pathlib import Path

import pytest

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.support import browser


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """The addresses that would have been opened."""
    addresses = []
    monkeypatch.setattr(webbrowser, "open", lambda address: addresses.append(address) is None)
    monkeypatch.setattr(browser.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("DISPLAY", ":0")
    return addresses


def example():
    x = Value(2.0, label="</title><script>alert(1)</script>")
    y = x * x
    y.backward()
    return y


@pytest.mark.parametrize(
    "show",
    [
        lambda y: y.show(), lambda y: sg.draw(y).show(), lambda y: sg.trace(y).show(), lambda y: y.show(engine="text"),
        lambda y: nn.MLP(2, [2, 1]).draw().show(),
    ],
    ids=["value", "drawing", "trace", "text", "network"],
)  # fmt: skip
def test_a_page_is_written_and_opened(opened, capsys, show):
    path = show(example())
    assert isinstance(path, Path)
    assert opened == [path.as_uri()]
    assert capsys.readouterr().out == ""
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "<script>alert(1)" not in page


def test_without_a_display_it_says_where_the_page_is(opened, capsys, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(browser.sys, "platform", "linux")
    path = example().show()
    assert opened == []
    assert str(path) in capsys.readouterr().out
    monkeypatch.setenv("BROWSER", "whatever")
    monkeypatch.setattr(webbrowser, "open", lambda _address: False)
    path = example().show()
    assert str(path) in capsys.readouterr().out
