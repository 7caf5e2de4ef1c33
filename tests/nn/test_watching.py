"""Training is shown in notebooks and terminals, in place, seldom enough to cost little; nothing shown ends a training."""

import io
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalargrad import nn
from scalargrad.nn.training import progress
from scalargrad.nn.training.progress import BLOCKS, LiveText, sparkline

X, Y = nn.moons(30, noise=0.1, seed=1, labels=(-1, 1))


class Display:
    """What a cell's output holds, and all that it held."""

    def __init__(self):
        self.held = []

    def show(self, bundle):
        self.held.append(bundle)


@pytest.fixture
def notebook(monkeypatch):
    display = Display()
    monkeypatch.setattr(progress, "notebook_output", lambda: display)
    return display


def network(outputs=1, nin=2):
    return nn.MLP(nin, [4, outputs], activation="tanh", seed=1)


def test_in_a_notebook_nothing_goes_to_standard_error(notebook, capsys):
    nn.fit(network(), X, Y, "hinge", epochs=7)
    assert capsys.readouterr() == ("", "")
    assert notebook.held[-1].keys() == {"text/plain"}
    assert notebook.held[-1]["text/plain"].startswith("epoch 7/7 ████████████████ loss ")
    nn.fit(network(), X, Y, "hinge", epochs=2, progress=False)
    assert len(notebook.held) <= 7


@pytest.mark.parametrize("compiled", [False, "python"])
def test_the_last_epoch_is_shown_also_where_training_ends_early(notebook, compiled):
    nn.fit(network(), X, Y, "hinge", epochs=500, callback=lambda epoch, _: epoch == 6, compiled=compiled)
    assert notebook.held[-1]["text/plain"].startswith("epoch 6/500 ")


@pytest.mark.parametrize("compiled", [False, "python"])
def test_the_live_view_shows_the_model_that_there_is(notebook, compiled):
    pytest.importorskip("scalargrad.drawing")
    history = nn.fit(network(), X, Y, "hinge", lr=0.1, epochs=8, watch=True, compiled=compiled)
    assert notebook.held[-1].keys() == {"text/html", "text/plain"}
    assert f"loss {history.loss[-1]:.4g}" in notebook.held[-1]["text/plain"]
    assert len(notebook.held) >= 2
    assert notebook.held[0]["text/html"] != notebook.held[-1]["text/html"]


@pytest.mark.parametrize("watch", [False, True])
@pytest.mark.parametrize("last", [6, 3])
def test_what_is_left_in_the_end_is_the_same_in_every_run(notebook, watch, last):
    for _ in range(2):
        nn.fit(network(), X, Y, "hinge", epochs=6, watch=watch, callback=lambda epoch, _: epoch == last)
        notebook.held.append(notebook.held[-1])
    ends = [bundle for bundle, after in zip(notebook.held, notebook.held[1:], strict=False) if bundle is after]
    assert len(ends) == 2
    assert ends[0] == ends[1]


def test_watching_changes_no_number(notebook):
    runs = [
        nn.fit(network(), X, Y, "hinge", lr=0.1, epochs=6, watch=watch, progress=False, compiled=how)
        for how in (False, "python")
        for watch in (False, True)
    ]
    assert dict(runs[0]) == dict(runs[1])
    assert dict(runs[2]) == dict(runs[3])


def test_showing_takes_a_small_share_of_the_time(notebook, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: clock[0])
    monkeypatch.setattr(progress, "busy", lambda: clock[0])

    def slow(bundle):
        clock[0] += 0.02
        notebook.held.append(bundle)

    notebook.show = slow

    def epoch(*_):
        clock[0] += 0.01

    nn.fit(network(), X, Y, "hinge", epochs=1000, callback=epoch)
    shown = 0.02 * len(notebook.held)
    assert shown < 0.07 * clock[0]
    assert len(notebook.held) > 10


def test_what_cannot_be_shown_ends_no_training(notebook):
    def broken(bundle):
        raise OSError("the page is gone")

    notebook.show = broken
    for watch in (False, True):
        assert nn.fit(network(), X, Y, "hinge", epochs=3, watch=watch).epochs == 3


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_the_live_view_of_a_terminal_is_written_over_in_place(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    nn.fit(network(), X, Y, "hinge", epochs=5, lr=0.1, watch=True, callback=lambda *_: time.sleep(0.06))
    frames = terminal.getvalue().split("\x1b[3F\x1b[J")
    assert len(frames) >= 2
    for frame in frames:
        head, loss, accuracy = frame.splitlines()
        assert head.startswith("epoch ")
        assert loss.startswith("loss     ")
        assert accuracy.startswith("accuracy ")
        assert set(loss) & set(BLOCKS)


def test_in_a_file_the_live_view_stands_once(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    nn.fit(network(), X, Y, "hinge", epochs=5, watch=True)
    assert "\x1b" not in stream.getvalue()
    assert len(stream.getvalue().splitlines()) == 3
    monkeypatch.setattr(sys, "stdout", None)
    assert nn.fit(network(), X, Y, "hinge", epochs=2, watch=True).epochs == 2
    assert LiveText(3, None)._works is False


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300), st.integers(1, 60))
def test_a_curve_of_blocks_is_monotone_in_the_numbers(numbers, width):
    line = sparkline(numbers, width)
    assert len(line) == min(width, len(numbers))
    if len(numbers) <= width:
        for a, b in zip(zip(numbers, line, strict=True), zip(numbers[1:], line[1:], strict=True), strict=False):
            if a[0] < b[0]:
                assert BLOCKS.index(a[1]) <= BLOCKS.index(b[1])
    assert sparkline([1.0, float("nan"), 2.0], 3) == "▁?█"
    assert sparkline([float("inf")], 3) == "?"
