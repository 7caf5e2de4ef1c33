"""The stepper in a terminal: the table, the keys in a real pseudo terminal, and what is written where there is none."""

import io
import os
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from drawing_helpers import HOSTILE
from helpers import random_graph, readme_example
from hypothesis import given
from hypothesis import strategies as st

from scalargrad import Value, trace
from scalargrad.tracing import terminal

termios = pytest.importorskip("termios", reason="the settings of a terminal are a thing of Unix")
pty = pytest.importorskip("pty", reason="pseudo terminals are a thing of Unix")

PROGRAM = """
import signal
from scalargrad import Value, trace
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it, and so do its children
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup makes them deaf to it
x, y, z = Value(-2.0, label='x'), Value(5.0, label='x'), Value(-4.0, label='z\\x1b[2J')
f = (x + y) * z
f.label = 'f'
trace(f).play()
print('left quietly')
"""
PROMPT = " > "


def lecture():
    x, y, z = (Value(n, label=name) for n, name in ((-2.0, "x"), (5.0, "y"), (-4.0, "z")))
    f = (x + y) * z
    f.label = "f"
    return f


class Terminal:
    """A program at the other end of a pseudo terminal."""

    def __init__(self, process, fd):
        self.process, self.fd = process, fd

    def until(self, text):
        """Everything that is shown until this text comes."""
        shown = b""
        end = time.monotonic() + 20
        while not shown.endswith(text.encode()):
            ready, _, _ = select.select([self.fd], [], [], max(end - time.monotonic(), 0))
            assert ready, f"{text!r} did not come, but {shown!r}"
            try:
                shown += os.read(self.fd, 1)
            except OSError:  # Linux says so when the program has gone
                break
        return shown.decode().replace("\r\n", "\n")

    def type(self, keys):
        os.write(self.fd, keys.encode())
        return self.until(PROMPT)

    def end(self, keys):
        os.write(self.fd, keys.encode())
        return self.until("left quietly\n")


@contextmanager
def playing(program=PROGRAM, arguments=None, **environment):
    main, other = pty.openpty()
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES", "PYTHONIOENCODING")}
    env = kept | {"PYTHONUTF8": "1", "TERM": "xterm", "COLUMNS": "80"} | environment
    process = subprocess.Popen(
        [sys.executable, *(arguments or ["-c", program])], stdin=other, stdout=other, stderr=other, env=env, close_fds=True,
        start_new_session=True,
    )  # fmt: skip
    os.close(other)
    try:
        yield Terminal(process, main)
    finally:
        process.kill()
        process.wait()
        os.close(main)


def plain(text):
    return re.sub(r"\x1b\[\d+m", "", text)


# ------------------------------------------------------------------ the table


def test_print_shows_every_step_in_columns():
    assert str(trace(lecture())).splitlines() == [
        "step  phase     equation",
        "   1  forward   x = −2",
        "   2  forward   y = 5",
        "   3  forward   v1 = x + y = −2 + 5 = 3",
        "   4  forward   z = −4",
        "   5  forward   f = v1 × z = 3 × (−4) = −12",
        "   6  seed      f.grad = 1",
        "   7  backward  v1.grad += f.grad × local = 1 × (−4) = −4",
        "   8  backward  z.grad += f.grad × local = 1 × 3 = 3",
        "   9  backward  x.grad += v1.grad × local = −4 × 1 = −4",
        "  10  backward  y.grad += v1.grad × local = −4 × 1 = −4",
    ]


def test_a_long_table_is_cut_and_says_so_and_makes_no_text_it_does_not_show():
    root, _ = random_graph(Value, 5000, 1)
    steps = trace(root)
    lines = str(steps).splitlines()
    assert len(lines) == 1002
    assert lines[-1].strip() == f"… {len(steps) - 1000:,} more: trace.table(limit=None) shows every step".replace(
        ",", " "
    )
    assert sum("text" in vars(step) for step in steps) == 1000
    whole = steps.table(limit=None).splitlines()
    assert len(whole) == len(steps) + 1
    assert len({line.find("forward ") for line in whole[1:100]}) == 1
    assert len(steps.table(3).splitlines()) == 5
    with pytest.raises(ValueError, match="limit must be at least 1, or None for every step, not 0"):
        steps.table(0)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_control_character_leaves_a_label_or_an_operation(hostile):
    a = Value(2.0, label=hostile)
    out = Value(4.0, (a,), hostile, label=hostile)

    def _backward():
        a.grad += 3.0 * out.grad

    out._backward = _backward
    steps = trace(out * a)
    texts = [str(steps), *(step.why for step in steps), *(step.text for step in steps)]
    stream = Fake("utf-8")
    for position in range(len(steps)):
        terminal._Screen(stream).show(steps, position)
    for text in [*texts, stream.getvalue()]:
        assert all(c == "\n" or c.isprintable() or c in "\u3000\xa0" or c > "\x9f" for c in text), text
        assert "\u202e" not in text


# ------------------------------------------------------------------ the numbers after a step


@given(n=st.integers(1, 30), seed=st.integers(0, 999), data=st.data())
def test_the_state_is_what_the_steps_so_far_have_added_up(n, seed, data):
    root, _ = random_graph(Value, n, seed)
    steps = trace(root)
    position = data.draw(st.integers(0, len(steps) - 1))
    most = data.draw(st.integers(2, 60))
    known, sums = [], {}
    for step in steps[: position + 1]:
        if step.phase == "forward":
            known.append(step.node)
        else:
            sums[step.node] = sums.get(step.node, 0.0) + (
                step.contribution or step.after if step.source is None else step.contribution
            )
    shown, hidden = terminal.state(steps, position, most)
    assert len(shown) == min(most, len(known))
    assert len(shown) + hidden == len(known)
    assert list(shown) == [node for node in known if node in shown]
    assert steps[position].node in shown
    for node, gradient in shown.items():
        assert (gradient is None) == (node not in sums)
        assert gradient is None or gradient == pytest.approx(sums[node])


# ------------------------------------------------------------------ in a terminal


def test_the_keys():
    with playing() as t:
        first = plain(t.until(PROMPT))
        assert "step 1 of 10, forward\n  x₁ = −2\n" in first
        assert "x₁ is an input" in first
        assert "value" in first
        assert "grad " not in first  # nothing has a gradient yet
        assert "step 2 of 10" in t.type("\n")
        assert "step 3 of 10" in t.type("n")
        assert "step 2 of 10" in t.type("b")
        seventh = plain(t.type("7\n"))
        assert "step 7 of 10, backward\n  v1.grad += f.grad × local = 1 × (−4) = −4\n" in seventh
        assert "× switches" in seventh
        names, values, gradients = seventh.split("\n\n")[-1].splitlines()[:3]
        assert names.split() == ["x₁", "x₂", "v1", "z�[2J", "f"]
        assert values.split() == ["value", "−2", "5", "3", "−4", "−12"]
        assert gradients.split() == ["grad", "−4", "1"]
        assert {names.index(name) + len(name) for name in ("v1", "f")} == {
            len(gradients.rstrip()),
            gradients.index("−4") + 2,
        }
        for keys, answer in [("11\n", "the steps are numbered 1 to 10"), ("0\n", "numbered 1 to 10"), ("9" * 500 + "\n", "numbered"),
                             ("w", "no such key"), ("٣\n", "numbered"), ("\x1b[Z", "no such key"), ("é", "no such key")]:  # fmt: skip
            shown = t.type(keys)
            assert answer in shown
            assert "step 7" not in shown
        assert "this is the first step" in (t.type("1\n"), t.type("b"))[1]
        assert "Enter finish" in t.type("10\n")
        t.end("\n")
        assert t.process.wait(10) == 0


def test_the_arrow_keys_whatever_the_terminal_sends_for_them():
    with playing() as t:
        t.until(PROMPT)
        for keys, step in [("\x1b[C", 2), ("\x1bOC", 3), (" ", 4), ("\x1b[D", 3), ("\x1bOD", 2), ("\x1b[F", 10), ("\x1b[H", 1),
                           ("\x1b[6~", 2), ("\x1b[5~", 1), ("\x1bOF", 10), ("\x1b[1~", 1), ("\x1b[4~", 10)]:  # fmt: skip
            assert f"step {step} of 10" in t.type(keys), keys
        assert "this is the last step" in t.type("\x1b[C")
        assert "step 2 of 10" in t.type("72\x7f\x7f2\n")
        t.end("q")


def settings_of(fd):
    return termios.tcgetattr(fd)[:4]


@pytest.mark.parametrize("end", ["q", "\x04", "TERM", "HUP", "INT"])
def test_the_terminal_is_as_it_was_however_it_ends(end):
    with playing() as t:
        before = settings_of(t.fd)
        t.until(PROMPT)
        assert settings_of(t.fd) != before
        if len(end) == 1:
            os.write(t.fd, end.encode())
        else:
            t.process.send_signal(getattr(signal, f"SIG{end}"))
        deadline = time.monotonic() + 20
        while settings_of(t.fd) != before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert settings_of(t.fd) == before
        if end in ("TERM", "HUP"):
            assert t.process.wait(10) == -getattr(signal, f"SIG{end}")


def test_where_no_single_keys_come_lines_do():
    stream = Fake(terminal=True)
    lines = Fake(terminal=True)
    lines.write("\nb\nb\n3\nw\nq\n")
    lines.seek(0)
    terminal.play(trace(lecture()), lines, stream)
    shown = plain(stream.getvalue())
    assert [int(n) for n in re.findall(r"step (\d+) of 10", shown)] == [1, 2, 1, 3]
    assert "[Enter] next" in shown
    assert "this is the first step" in shown
    assert "no such key" in shown


@pytest.mark.parametrize("way", ["q", "Q", "\x04"])
def test_q_and_the_end_of_the_input_leave_quietly(way):
    with playing() as t:
        t.until(PROMPT)
        assert "Traceback" not in t.end(way)
        assert t.process.wait(10) == 0


def test_ctrl_c_leaves_quietly():
    with playing() as t:
        t.until(PROMPT)
        t.process.send_signal(signal.SIGINT)
        assert "Traceback" not in t.end("")
        assert t.process.wait(10) == 0


def test_colours_unless_they_are_unwanted():
    with playing() as t:
        assert "\x1b[1m" in t.until(PROMPT)
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        with playing(**environment) as t:
            assert "\x1b" not in t.until(PROMPT)
            assert "\x1b" not in t.type("7\n")


def test_ascii_where_the_encoding_is_not_utf_8():
    with playing(PYTHONIOENCODING="latin-1", NO_COLOR="1") as t:
        assert t.until(PROMPT).isascii()
        shown = t.type("9\n")
        assert shown.isascii()
        assert "x_1.grad += v1.grad * local = -4 * 1 = -4" in shown
        assert "grad " in shown


def test_narrow_terminals_wrap_the_numbers():
    with playing(NO_COLOR="1", COLUMNS="40") as t:
        t.until(PROMPT)
        shown = t.type("10\n")
        assert max(len(line) for line in shown.splitlines() if "=" not in line and "quits" not in line) <= 40


def test_the_command_steps_in_a_terminal():
    with playing(arguments=["-m", "scalargrad", "step", "(x + y) * z", "x=-2", "y=5", "z=-4"], NO_COLOR="1") as t:
        assert "step 1 of 10" in t.until(PROMPT)
        assert "f = v1 × z = 3 × (−4) = −12" in t.type("5\n")
        os.write(t.fd, b"q")
        assert t.process.wait(20) == 0


# ------------------------------------------------------------------ elsewhere


class Fake(io.StringIO):
    def __init__(self, encoding="utf-8", terminal=False):
        super().__init__()
        self._encoding, self._terminal = encoding, terminal

    @property
    def encoding(self):
        return self._encoding

    def isatty(self):
        return self._terminal


@pytest.mark.parametrize(("stdin", "stdout"), [(False, False), (True, False), (False, True)])
def test_without_a_terminal_the_table_is_written(stdin, stdout):
    steps = trace(lecture())
    stream = Fake(terminal=stdout)
    terminal.play(steps, Fake(terminal=stdin), stream)
    assert stream.getvalue() == str(steps) + "\n"


def test_without_a_terminal_and_without_utf_8_the_table_is_ascii():
    g, _, _ = readme_example(Value)
    stream = Fake("cp1252")
    terminal.play(trace(g, names=False), Fake(), stream)
    assert stream.getvalue().isascii()
    assert "v24.grad += v25.grad * local = 1 * 1 = 1" in stream.getvalue()
    wide = Value(1.0, label="权重") * 2.0
    stream = Fake("ascii")
    terminal.play(trace(wide), Fake(), stream)
    assert "?? = 1" in stream.getvalue()


def test_without_any_stream(monkeypatch):
    steps = trace(lecture())
    closed = Fake()
    closed.close()
    stream = Fake()
    terminal.play(steps, closed, stream)
    assert stream.getvalue() == str(steps) + "\n"
    monkeypatch.setattr(sys, "stdin", None)
    terminal.play(steps, None, stream)
    monkeypatch.setattr(sys, "stdout", None)
    steps.play()


def test_wide_characters_keep_the_columns_straight():
    a, b = Value(1.0, label="权重"), Value(2.0, label="e\u0301")
    stream = Fake()
    steps = trace(a * b)
    terminal._Screen(stream).show(steps, len(steps) - 1)
    names, values, _ = stream.getvalue().rstrip("\n").splitlines()[-3:]
    assert [terminal._columns_of(line) for line in (names, values)] == [len(values)] * 2
    assert terminal._columns_of("权重e\u0301") == 5
