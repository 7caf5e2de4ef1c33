"""`scalargrad playground` serves until Ctrl-C, and `live(...).show()` while the program goes on."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from optional import need_layout

import scalargrad
from scalargrad import live
from scalargrad.support import browser


def asked(url, message):
    """The reply to a message, sent as the page does."""
    address, token = url.split("#")
    headers = {"Content-Type": "application/json", "X-Scalargrad": token, "X-Scalargrad-Client": "a" * 32}
    with contextlib.closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)) as line:
        line.request("POST", "/api", json.dumps(message), headers)
        return json.loads(line.getresponse().read())


@pytest.mark.skipif(sys.platform == "win32", reason="a signal to a process alone")
def test_the_command_serves_until_ctrl_c():
    need_layout()
    started = (
        "import signal, sys; from scalargrad.cli import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # what a script has put into the background ignores it\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", started, "playground", "x*y", "x=2", "y=3", "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(Path(scalargrad.__file__).parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        url = process.stdout.readline().rsplit(" ", 1)[1].strip()
        assert asked(url, {"id": 1, "do": "open"})["frame"]["values"] == ["2", "3", "6"]
        assert asked(url, {"id": 2, "do": "views"})["views"] == ["graph", "network"]
        process.send_signal(signal.SIGINT)
        try:
            rest = process.communicate(timeout=60)[0]
        finally:
            process.kill()
    assert process.returncode == 0
    assert rest.endswith("the playground has ended\n")


@pytest.mark.parametrize("given", [["x*"], ["x*y", "z=1"], ["x", "x=fast"], ["--port", "99999"]])
def test_bad_input_is_one_line_and_status_2(given, capsys):
    from scalargrad.cli import main

    try:
        status = main(["playground", "--no-browser", *given])
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_show_opens_a_page_that_leads_there_and_answers_while_the_program_goes_on(monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(browser, "_opened", lambda path: opened.append(path) or True)
    page = live("x*y", x=2.0, y=3.0)
    try:
        url = page.show()
        (path,) = opened
        assert url in path.read_text()
        assert path.stat().st_mode & 0o077 == 0 or sys.platform == "win32"  # nobody else reads the token
        assert asked(url, {"id": 1, "do": "views"})["views"] == ["graph"]
        assert page.show() == url
        assert capsys.readouterr().out == ""
        monkeypatch.setattr(browser, "_opened", lambda path: False)
        page.show()
        assert url in capsys.readouterr().out
    finally:
        page.close()
        for path in opened:
            path.unlink(missing_ok=True)
    with pytest.raises(OSError, match=r"."):
        asked(url, {"id": 2, "do": "views"})


def test_importing_the_package_brings_no_server():
    code = "import sys, scalargrad; print([n for n in sys.modules if 'http.server' in n or 'playground' in n])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(scalargrad.__file__).parents[1])  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_a_port_that_is_taken_is_said_in_words(capsys):
    from scalargrad.cli import main
    from scalargrad.playground.server import PlaygroundServer

    with PlaygroundServer(live("x").session()) as taken:
        assert main(["playground", "x", "--no-browser", "--port", str(taken.server_port)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"scalargrad playground: cannot listen on port {taken.server_port}: ")
