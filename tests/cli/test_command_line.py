"""The command line as a user types it: right answers, and one line with status 2 for everything else."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optional import need_layout

from scalargrad.cli import main
from scalargrad.words.expressions import ExpressionError, parse_expression


def run(capsys, *arguments):
    status = main(list(arguments))
    output = capsys.readouterr()
    return status, output.out, output.err


def test_grad_prints_the_value_and_a_table(capsys):
    status, out, err = run(capsys, "grad", "(x + y) * z", "x=-2", "y=5", "z=-4")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "(x + y) * z = -12.0",
        "   value  gradient",
        "x  -2.0   -4.0",
        "y  5.0    -4.0",
        "z  -4.0   3.0",
    ]


def test_alone_it_says_which_commands_there_are(capsys):
    with pytest.raises(SystemExit):
        main([])
    assert (
        ": write one of demo, draw, grad, step, worksheet, playground, check behind it (see " in capsys.readouterr().err
    )


def test_an_expression_may_start_with_a_minus_and_have_no_variables(capsys):
    assert run(capsys, "grad", "-x*y", "x=2", "y=3")[1].startswith("-x*y = -6.0")
    assert run(capsys, "grad", "9**9**9")[1] == "9**9**9 = inf\n"
    assert run(capsys, "grad", "abs(-2) + max(1, 2, 3) + pi*0")[1].endswith("= 5.0\n")


@pytest.mark.parametrize(
    ("text", "number"), [("pi/2", math.pi / 2), ("-1/4", -0.25), ("sqrt(2)", math.sqrt(2)), ("2*e", 2 * math.e)]
)
def test_the_value_of_a_variable_may_be_computed(capsys, text, number):
    assert run(capsys, "grad", "x*x", f"x={text}") == run(capsys, "grad", "x*x", f"x={number!r}")
    assert run(capsys, "check", "x*x", f"x={text}")[0] == 0


@pytest.mark.parametrize("typed", [["x", "=", "2", "y=3"], ["x=", "2", "y", "=3"], ["x=2,", "y=3"], ["x=2,y=3"]])
def test_spaces_and_commas_between_variables_do_no_harm(capsys, typed):
    assert run(capsys, "grad", "x*y", *typed) == run(capsys, "grad", "x*y", "x=2", "y=3")


def test_a_missing_derivative_is_a_note_not_a_failure(capsys):
    status, out, err = run(capsys, "grad", "a**b", "a=-2", "b=3")
    assert (status, out.splitlines()[-1].split()) == (0, ["b", "3.0", "nan"])
    assert err.startswith("scalargrad: note: power has no derivative")


BAD = [
    ("x+", ["x=1"], "not an expression"),
    ("", [], "the expression is empty"),
    ("((((", [], "not an expression"),
    ("\0", [], "not an expression"),
    ("x", [], "x has no value; add x=NUMBER"),
    ("x", ["x=a"], "the value of 'x', 'a', is not a number"),
    ("x", ["x"], "not of the form x=NUMBER"),
    ("x", ["x=1", "x=2"], "'x' is given twice"),
    ("µ", ["µ=1", "μ=2"], "'μ' is given twice"),
    ("x", ["x=1", "y=2"], "y has a value but does not occur"),
    ("x", ["x=1", "tanh=2"], "'tanh' cannot be the name of a variable"),
    ("1/0", [], "division by zero at 1.0, 0.0"),
    ("log(x)", ["x=-2"], "log: domain error at -2.0 (label 'x')"),
    ("__import__('os')", [], "there is no function __import__"),
    ("tan_h(x)", ["x=1"], "near it are tanh"),
    ("x.real", ["x=1"], "only + - * /"),
    ("(lambda: 1)()", [], "only + - * /"),
    ("[i for i in (1, 2)]", [], "only + - * /"),
    ("x if x else 1", ["x=1"], "only + - * /"),
    ("x := 3", [], "not an expression"),
    ("'a' * 9", [], "'a' is not a real number"),
    ("1j", [], "1j is not a real number"),
    ("True", [], "True is not a real number"),
    ("x", ["+", "y", "x=1", "y=2"], 'quotes, as "x + y"'),
    ("x", ["x=2pi"], "write 2*pi"),
    ("x", ["x=2,5"], "write 2.5"),
    ("x", ["x=y+1"], "it may hold numbers, pi and e"),
    ("x", ["x=1/0"], "is not a number: divide: division by zero"),
    ("x", ["x=" + "(" * 990], "is not a number"),
    ("2x", ["x=1"], "write 2*x"),
    ("x^2", ["x=1"], "^ is no power in Python; write x**2"),
    ("tanh", [], "it is a function: call it"),
    ("tanh(x, x)", ["x=1"], "tanh does not take 2 operands"),
    ("tanh(*x)", ["x=1"], "needs its operands listed"),
    ("max()", [], "needs its operands listed"),
    ("dot(x, x)", ["x=1"], "there is no function dot"),
    ("x+" * 300 + "x", ["x=1"], "at most 400"),
    ("x" * 2000, [], "at most 1000 are allowed"),
    ("1if x else 1", ["x=1"], "only + - * /"),
    ("-" * 300 + "x", ["x=1"], "nested deeper than 200 levels"),
    ("1" + "0" * 400, [], "the number is too large"),
]


@pytest.mark.parametrize(("expression", "variables", "message"), BAD, ids=[row[0][:20] for row in BAD])
def test_bad_input_is_one_line_and_status_2(capsys, expression, variables, message):
    status, out, err = run(capsys, "grad", expression, *variables)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("scalargrad grad: ")
    assert message in err


@pytest.mark.parametrize("file", ["f.svg", "f.html"])
def test_a_path_is_shown_whole_and_whatever_else_is_long_is_cut(capsys, tmp_path, file):
    path = str(tmp_path / ("none/" * 500 + file))
    command = ["draw", "x", "x=1", "-o"] if file == "f.svg" else ["step", "x", "x=1", "--html"]
    status, _, err = run(capsys, *command, path)
    assert (status, err.count("\n")) == (2, 1)
    assert str(Path(path).parent) in err
    for arguments in (["grad", "x", "x=" + "a" * 5000], ["grad", "x", "a" * 5000 + "=1", "x=1"]):
        status, _, err = run(capsys, *arguments)
        assert (status, err.count("\n"), len(err) < 900) == (2, 1, True)
    with pytest.raises(SystemExit):
        main(["check", "x", "--style=card", "x=" + "9" * 5000])
    assert len(capsys.readouterr().err) < 900


def test_a_wrong_command_is_one_line_and_status_2(capsys):
    for arguments in ([], ["frob"], ["draw"], ["draw", "x", "x=1", "--style", "cubist"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_draw_writes_the_file_or_prints_the_picture(capsys, tmp_path):
    target = tmp_path / "f.svg"
    status, out, _ = run(capsys, "draw", "(x + y) * z", "x=-2", "y=5", "z=-4", "-o", str(target))
    assert (status, out) == (0, f"wrote {target}\n")
    assert "−12" in target.read_text(encoding="utf-8")
    status, out, _ = run(capsys, "draw", "(x + y) * z", "x=-2", "y=5", "z=-4")
    assert "x + y" in out
    status, _, err = run(capsys, "draw", "x", "x=1", "-o", str(tmp_path / "f.jpeg"))
    assert (status, err.count("\n")) == (2, 1)


def test_step_writes_the_table_where_there_is_no_terminal(capsys):
    status, out, err = run(capsys, "step", "(x + y) * z", "x=-2", "y=5", "z=-4")
    assert (status, err) == (0, "")
    assert out.splitlines()[0].split() == ["step", "phase", "equation"]
    assert out.splitlines()[5] == "   5  forward   f = v1 × z = 3 × (−4) = −12"
    assert len(out.splitlines()) == 11
    assert "f.grad" in run(capsys, "step", "f * 3 + 1", "f=2")[1]  # the name f is taken
    assert len(run(capsys, "step", "-x", "x=2")[1].splitlines()) == 5


def test_step_spells_fused_operations_out(capsys):
    plain, expanded = (run(capsys, "step", "logsumexp(x, y)", "x=1", "y=2", *more)[1] for more in ([], ["--expand"]))
    assert "exp(x)" in expanded
    assert "exp(x)" not in plain.replace("logsumexp(x", "")
    assert len(expanded.splitlines()) > len(plain.splitlines())


def test_step_writes_a_page(capsys, tmp_path):
    target = tmp_path / "walk.html"
    status, out, err = run(capsys, "step", "(x + y) * z", "x=-2", "y=5", "z=-4", "--html", str(target))
    assert (status, out, err) == (0, f"wrote {target}\n", "")
    page = target.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "v1.grad += f.grad × local" in page
    for place in (tmp_path / "walk.pdf", tmp_path / "none" / "walk.html"):
        status, out, err = run(capsys, "step", "x*x", "x=1", f"--html={place}")
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert err.startswith("scalargrad step: cannot save")


def test_step_tells_a_note_once_and_errors_as_the_others_do(capsys):
    status, out, err = run(capsys, "step", "a**b", "a=-2", "b=3")
    assert (status, err.count("\n")) == (0, 1)
    assert err.startswith("scalargrad: note: power has no derivative")
    assert out.rstrip().endswith("nan")
    status, out, err = run(capsys, "step", "log(x)", "x=-2")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("scalargrad step: log: domain error")


def test_the_module_runs_as_a_command():
    done = subprocess.run(
        [sys.executable, "-m", "scalargrad", "grad", "x*x", "x=3"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[0] == "x*x = 9.0"


@given(st.text(alphabet="xy01.e+-*/%()[], \n\\'\"=:@tanhlogsqr_", max_size=40))
def test_any_text_is_an_expression_or_an_error_of_the_documented_kinds(text):
    try:
        root, _ = parse_expression(text, {})
    except (ExpressionError, ValueError, ZeroDivisionError):
        return
    assert isinstance(root.data, float)


def test_worksheets_are_printed_or_written_with_their_keys(capsys, tmp_path):
    expression = ["(x + y) * z", "x=-2", "y=5", "z=-4"]
    status, out, err = run(capsys, "worksheet", *expression)
    assert (status, err) == (0, "")
    assert "grad ① = ____" in out
    assert out.count("①  v1.grad = ?") == 1
    assert run(capsys, "worksheet", *expression, "--variants", "3", "--hide", "values")[1].count("①  v1 = ?") == 3
    need_layout()
    sheets, keys = tmp_path / "s.html", tmp_path / "k.html"
    status, out, err = run(
        capsys,
        "worksheet",
        *expression,
        "--variants",
        "3",
        "-o",
        str(sheets),
        "--key",
        str(keys),
        "--title",
        "-Week 3-",
    )
    assert (status, out, err) == (0, f"wrote {sheets}\nwrote {keys}\n", "")
    assert sheets.read_text("utf-8").count("<section") == 3
    assert "<title>Answer key: -Week 3-</title>" in keys.read_text("utf-8")
    assert run(capsys, "worksheet", *expression, "--fields", f"--output={sheets}")[0] == 0
    assert "sg-asked" in sheets.read_text("utf-8")
    for more, said in [
        (["--key", str(keys)], "say where the sheet goes"),
        (["-o", str(sheets), "--fields", "--variants", "2"], "leave out --variants"),
        (["-o", str(tmp_path / "s.pdf")], "the suffix must be"),
        (["--variants", "0"], "variants must be at least 1"),
    ]:
        status, _, err = run(capsys, "worksheet", *expression, *more)
        assert status == 2
        assert said in err
        assert len(err.splitlines()) == 1
