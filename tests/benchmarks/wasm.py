"""A training step of moons in Pyodide, in a module worker of Chromium and under Node: python tests/benchmarks/wasm.py

2-16-16-1, 100 samples, SGD: forward, gradients and update. Least times of interleaved turns; the package is this
checkout's. With --write the table of docs/compiling.md is written. Needs Pyodide (python docs/_extensions/scalargrad_docs/pyodide.py), Node, and Chromium with playwright.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "_extensions"))
sys.path.insert(0, str(ROOT / "tests" / "shared"))
from page_parts import table, write_part  # noqa: E402
from scalargrad_docs import pyodide  # noqa: E402

CODE = """
import json, sys, time
from array import array

import scalargrad as sg
from scalargrad import nn

X, y = nn.moons(100, noise=0.1, seed=1337, labels=(-1, 1))
least, first = {}, {}


def turn(name, run, n):
    start = time.perf_counter()
    for _ in range(n):
        run()
    least[name] = min(least.get(name, 1e9), (time.perf_counter() - start) / n * 1e6)


turns = []
for activation in ("relu", "tanh"):
    for backend in ("wasm", "python"):
        model = nn.MLP(2, [16, 16, 1], activation=activation, seed=1337)
        loss = sg.compile(lambda x, t, model=model: nn.hinge(model(x), t), parameters=model.parameters(), backend=backend)
        name, start = f"{activation}, {backend}", time.perf_counter()
        step = loss.training(nn.SGD(model.parameters(), lr=0.0)).__enter__()
        step(X, y)
        first[name] = (time.perf_counter() - start) * 1e3
        n = 2 if backend == "python" else 30
        turns.append((f"{name}: step(X, y) of lists", lambda step=step: step(X, y), n))
        if backend == "wasm":
            memory, batches, batch = step._memory, step._batches, step._batch((X, y))
            turns.append((f"{name}: step on samples that lie there", lambda m=memory, a=(batches, batch): m.step(*a), n))
            aimed = memory._last[1][0]
            turns.append((f"{name}: of that the modules", lambda a=aimed: a.step(a.address), n))
for _ in range(30):
    for name, run, n in turns:
        turn(name, run, n)
json.dumps({"least": least, "first": first})
"""
WORKER = """
import { loadPyodide } from "./pyodide.mjs";
const python = await loadPyodide();
const extractDir = python.runPython("import site; site.getsitepackages()[0]");
python.unpackArchive(await (await fetch("python.tar.gz")).arrayBuffer(), "gztar", { extractDir });
postMessage(python.runPython(await (await fetch("code.py")).text()));
"""
PAGE = "<!doctype html><script type=module src=page.js></script>"
SCRIPT = """
const worker = new Worker("worker.js", { type: "module" });
worker.onmessage = (event) => { document.title = event.data; };
worker.onerror = (event) => { document.title = `error: ${event.message}`; };
"""


TYPES = {".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm", "": "text/html"}


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing of each request."""

    extensions_map = TYPES

    def log_message(self, *arguments):
        pass


def in_chromium(folder):
    """What the code says in a worker."""
    from playwright.sync_api import sync_playwright

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    executable = "/usr/bin/chromium" if os.path.exists("/usr/bin/chromium") else None
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable)
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_address[1]}/page.html")
            page.wait_for_function("document.title", timeout=240_000, polling=1000)
            return page.title()
    finally:
        server.shutdown()


def in_node(folder):
    """What it says under Node."""
    command = [
        shutil.which("node"),
        ROOT / "tests" / "pyodide" / "in_page.mjs",
        pyodide.place(),
        folder / "python.tar.gz",
    ]
    return subprocess.run([*command, folder / "code.py"], check=True, capture_output=True, text=True).stdout


TOLD = {
    "{}, wasm: step(X, y) of lists": "{}: `step(X, y)`",
    "{}, wasm: of that the modules": "of that the modules",
    "{}, python: step(X, y) of lists": "the same with `python`",
}
"""Lines of the table by what is measured, for each activation."""


def shown(microseconds):
    return f"{microseconds:.0f} µs" if microseconds < 1000 else f"{microseconds / 1000:.1f} ms"


def main():
    """Print both."""
    if reason := pyodide.missing():
        sys.exit(reason)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pyodide.write_archive(folder / "python.tar.gz")
        for name in pyodide.FILES:
            (folder / name).symlink_to(pyodide.place() / name)
        (folder / "pyodide-lock.json").unlink()
        (folder / "pyodide-lock.json").write_text(pyodide.lock({}))
        for name, text in {"code.py": CODE, "worker.js": WORKER, "page.html": PAGE, "page.js": SCRIPT}.items():
            (folder / name).write_text(text)
        rows = [["", "relu", "tanh"]]
        for where, run in {"Chromium, module worker": in_chromium, "Node": in_node}.items():
            said = run(folder)
            if not said.startswith("{"):
                sys.exit(f"{where}: {said}")
            found = json.loads(said)
            for key, told in TOLD.items():
                times = [found["least"][key.format(name)] for name in rows[0][1:]]
                rows.append([told.format(where.partition(",")[0]), *(shown(x) for x in times)])
            print(where)
            for name, microseconds in found["least"].items():
                print(f"  {name}: {microseconds:.1f} us")
            for name, milliseconds in found["first"].items():
                print(f"  {name}: ready and first step in {milliseconds:.0f} ms")
    if "--write" in sys.argv[1:]:
        write_part("docs/compiling.md", "wasm.py", table(rows))


if __name__ == "__main__":
    main()
