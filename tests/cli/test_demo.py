"""The demo writes a page with all its pictures and a stepper, prints commands that work as printed, and opens nothing."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
pytest.importorskip("tqdm", reason="the extra `train` is not installed")

from scalargrad.cli import demo, invocation, main


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What the demo prints, and where it was run."""
    here = tmp_path_factory.mktemp("here")
    command = [sys.executable, "-m", "scalargrad", "demo", "-o", "out"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, encoding="utf-8", check=True)
    return done.stdout, here


def test_every_file_that_it_names_is_there_and_on_the_page(shown):
    text, here = shown
    named = re.findall(r"(?m)^  ([\w-]+\.\w+) ", text)
    assert set(named) == {path.name for path in (here / "out").iterdir()}
    page = (here / "out" / "index.html").read_text(encoding="utf-8")
    assert all(f'"{name}' in page for name in named if name != "index.html")
    assert "http:" not in page
    assert "https:" not in page


@pytest.mark.skipif(
    sys.platform == "win32", reason="what is printed there is for cmd and PowerShell, not for a POSIX shell"
)
def test_the_commands_that_it_prints_work_as_printed(shown):
    text, here = shown
    commands = re.findall(r"(?m)^  (\S+ -m scalargrad .*?)  ", text)
    assert len(commands) == 2
    for command in commands:
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd=here, capture_output=True, text=True, check=False, input=""
        )
        assert done.returncode == 0, done.stderr


def test_the_neuron_that_is_shown_has_no_gradient_of_the_training(shown):
    _, here = shown
    picture = (here / "out" / "neuron.svg").read_text(encoding="utf-8")
    assert picture.count(">grad 1<") >= 3  # the bias gets exactly what the sum gets


def test_it_says_how_it_was_called(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["/x/scalargrad/__main__.py", "demo"])
    monkeypatch.setattr(sys, "orig_argv", ["my python/bin/python3", "-m", "scalargrad", "demo"])
    assert shlex.split(invocation.called_as()) == ["my python/bin/python3", "-m", "scalargrad"]
    script = tmp_path / "bin" / "scalargrad"
    script.parent.mkdir()
    script.touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)
    monkeypatch.setattr(sys, "argv", [str(script), "demo"])
    assert invocation.called_as() == str(script.relative_to(tmp_path))
    monkeypatch.setenv("PATH", str(script.parent))
    assert invocation.called_as() == "scalargrad"
    monkeypatch.setenv("UV_RUN_RECURSION_DEPTH", "1")
    assert invocation.called_as() == "uv run scalargrad"


def test_the_lesson_is_a_command_of_the_same_interpreter(monkeypatch, tmp_path, capsys):
    lesson = tmp_path / demo.LESSON
    lesson.parent.mkdir()
    lesson.touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["/x/scalargrad/__main__.py", "demo"])
    monkeypatch.setattr(sys, "orig_argv", [".venv/bin/python", "-m", "scalargrad", "demo"])
    path = invocation.quoted(str(demo.LESSON))
    for there in (True, False):
        monkeypatch.setattr(demo, "find_spec", lambda name, there=there: there or None)
        demo._print_next(tmp_path / "index.html")
        printed = capsys.readouterr().out
        assert f"\n  .venv/bin/python -m jupyterlab {path} " in printed
        assert (".venv/bin/python -m pip install -q jupyterlab " in printed) is not there
    script = tmp_path / "bin" / "scalargrad"
    script.parent.mkdir()
    for name in ("scalargrad", "python"):
        (script.parent / name).touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(script), "demo"])
    monkeypatch.setattr(sys, "executable", str(script.parent / "python"))
    monkeypatch.setenv("PATH", str(script.parent))
    if sys.platform != "win32":  # where a file's suffix makes it a command
        assert invocation.python_as() == "python"
    monkeypatch.setenv("PATH", "")
    assert invocation.python_as() == invocation.quoted(str(Path("bin") / "python"))
    monkeypatch.setenv("UV_RUN_RECURSION_DEPTH", "1")
    demo._print_next(tmp_path / "index.html")
    assert f"uv run --extra demo --with jupyterlab jupyter lab {path} " in capsys.readouterr().out


def test_a_browser_opens_on_request_only(monkeypatch, tmp_path, capsys):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr(demo, "EPOCHS", 2)
    monkeypatch.setattr(demo, "_written", lambda exhibits, folder: [])
    monkeypatch.setattr("scalargrad.nn.accuracy", lambda *_: 1.0)
    assert main(["demo", "-o", str(tmp_path / "a")]) == 0
    assert opened == []
    assert main(["demo", "-o", str(tmp_path / "b"), "--open"]) == 0
    assert opened == [(tmp_path / "b" / "index.html").as_uri()]
    assert "opens" not in capsys.readouterr().err
