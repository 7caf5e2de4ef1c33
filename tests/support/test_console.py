"""Printing never raises, whatever characters standard output has; texts themselves are whole."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value
from scalargrad.support.console import Text, in_encoding, printable

PROGRAM = """
import sys
import scalargrad as sg
from scalargrad import Value, nn
a, b = Value(-2.0, label='a'), Value(3.0, label='\\u03b2')
twins = [Value(0.5, label='w'), Value(0.5, label='w')]
y = (a * b - 1 / b).tanh() + sg.sum(twins)
y.backward()
model = nn.MLP(2, [2, 1], seed=1)
shown = [
    a, b, y, y.draw(), y.draw().text, sg.trace(y), sg.trace(y).table(), sg.trace(y)[0], sg.trace(y)[-1].text,
    sg.trace(y)[-1].why, sg.explain(y, wrt=a), sg.explain(y, wrt=a).text, y.formula(), y.formula(lines=True),
    sg.worksheet(y), sg.worksheet(y).text, sg.check_gradients(lambda x: x * x, [-3.0]), sg.summary(y),
    sg.record(y, inputs=[a, b]), sg.diff(y, (a * b - 1 / b).tanh() + sg.sum(twins)), model, y._backward,
    sg.worksheet(y).check({}), sg.draw_dot(y), sg.mistakes.GALLERY[0].show(),
]
for one in shown:
    print(one)
    print(one, file=sys.stdout)
sys.stdout.write("\\nall shown\\n")
"""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp437", "utf-8"])
def test_everything_that_a_program_prints_can_be_printed(encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr.decode()
    text = done.stdout.decode(encoding).replace("\r", "")
    assert text.endswith("all shown\n")
    if encoding == "utf-8":
        assert "−2" in text
        assert "→" in text
        assert "β" in text
    else:
        assert "-2" in text
        assert "?2" not in text  # a minus sign is no question mark
        assert "w_1" in text  # w₁ is not w1


@given(st.text(), st.sampled_from(["ascii", "latin-1", "cp1252", "cp437", "koi8-r", "shift_jis", "utf-8"]))
def test_every_text_fits_every_encoding(text, encoding):
    shown = in_encoding(text, encoding)
    shown.encode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        pass
    else:
        assert shown == text


def test_texts_are_whole_but_for_print():
    x = Value(-3.0, label="x")
    text = (x * 2).draw().text
    assert "−6" in text
    assert text == Text(text) == str.__str__(text)
    assert type(printable(Text("∂"))) is type(str(Text("∂"))) is str
    assert [line for line in text.splitlines() if "−3" in line]
    assert in_encoding("−1 → ±2 … ├─ x₁₂", "ascii") == "-1 -> +-2 ... |- x_12"
    assert sg.check_gradients(lambda x: x * x, [1.0]).text.startswith("ok: 1 derivative checked")
