"""The playground while a slider of a graph of 32 nodes is dragged, in Chromium over the local server.

`python tests/benchmarks/live.py` needs the extra `browser`. A slider is moved once per frame of the screen; counted are
the frames of the screen, the pictures that came back, and how long an answer took on its way. What Python took is
measured by itself. Then the same with Python in the page, from the static folder, if Pyodide is there: how large that is,
when its stepper and its first graph are there. `--python` measures Python only, `--write` writes that to
docs/playground.md. Quote the least of several turns: times depend on the machine and on who
else uses it.
"""

import functools
import json
import statistics
import sys
import tempfile
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))

from drawing_helpers import chromium
from page_parts import write_part
from pyodide_here import pyodide
from scalargrad_docs import playground

from scalargrad import live
from scalargrad.playground.graph import GraphView
from scalargrad.playground.server import PlaygroundServer

EXPRESSION = "tanh(w1*x1+w2*x2+b)*v1 + sigmoid(w3*x1+w4*x2+c)*v2 + exp(-(x1-x2)**2)/(1+relu(w1*w3))"
INPUTS = {"w1": 0.5, "x1": 1, "w2": -1, "x2": 2, "b": 0.3, "v1": 1, "w3": 0.2, "w4": 0.7, "c": 0.1, "v2": -1}
PAGE = "docs/playground.md"
TURNS, SECONDS = 4, 3.0
TIMED = """(() => {
  const ask = window.fetch, times = window.times = [];
  window.fetch = async (...given) => {
    const begun = performance.now(), answer = await ask(...given);
    times.push(performance.now() - begun);
    return answer;
  };
})()"""
DRAG = """async ({ name, seconds }) => {
  const slider = document.querySelector(`input[type=range][aria-label='${name}']`);
  const card = [...document.querySelectorAll('.lv-view g.node')].find(g => g.querySelector('text').textContent === name);
  const root = card.querySelectorAll('text')[1];
  let frames = 0, shown = 0, before = root.textContent;
  window.times.length = 0;
  const begun = performance.now();
  await new Promise(done => {
    const tick = () => {
      frames++;
      if (root.textContent !== before) { shown++; before = root.textContent; }
      if (performance.now() - begun > seconds * 1000) return done();
      slider.value = 2 * Math.sin(frames / 20);
      slider.dispatchEvent(new Event('input'));
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  const passed = (performance.now() - begun) / 1000;
  return { screen: frames / passed, pictures: shown / passed, times: window.times.slice() };
}"""


def python_times():
    """What Python takes for a frame and for a picture, and how many bytes a frame has."""
    session = live(EXPRESSION, **INPUTS).session()
    opened, frames = [], []
    for _ in range(8):
        begun = time.perf_counter()
        session.handle({"id": 1, "do": "open"})
        opened.append(time.perf_counter() - begun)
    for i in range(300):
        begun = time.perf_counter()
        reply = session.handle({"id": 1, "do": "set", "inputs": {"x1": i / 100}})
        frames.append(time.perf_counter() - begun)
    size = len(json.dumps(reply, ensure_ascii=False, separators=(",", ":")).encode())
    return min(frames) * 1e3, statistics.median(frames) * 1e3, min(opened) * 1e3, size


class Files(SimpleHTTPRequestHandler):
    extensions_map: ClassVar = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

    def log_message(self, *arguments):
        pass


def in_page(browser):
    """The static folder: its size, when what is there, and the same slider."""
    if reason := pyodide.missing():
        print(f"in the page: not measured. {reason}")
        return
    with tempfile.TemporaryDirectory() as temporary:
        playground.build(Path(temporary))
        plain, packed = playground.size(Path(temporary))
        print(f"in the page: {plain / 1e6:.2f} MB, {packed / 1e6:.2f} MB gzipped")
        server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=temporary))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        given = "".join(f"&{name}={number}" for name, number in INPUTS.items())
        url = f"http://127.0.0.1:{server.server_port}/index.html#f={quote(EXPRESSION)}{given}"
        for _ in range(TURNS):
            context = browser.new_context(viewport={"width": 1366, "height": 768})
            page = context.new_page()
            page.add_init_script("window.times = [0]")
            begun = time.perf_counter()
            page.goto(url)
            page.frame_locator("#stepper").locator(".sg-number").wait_for()
            stepper = time.perf_counter() - begun
            page.wait_for_selector(".lv-view g.node", timeout=300_000)
            graph = time.perf_counter() - begun
            found = page.evaluate(DRAG, {"name": "x1", "seconds": SECONDS})
            print(
                f"in the page: stepper after {stepper:.2f} s, first graph after {graph:.2f} s; screen "
                f"{found['screen']:.0f} frames/s, pictures {found['pictures']:.0f} /s"
            )
            context.close()
        server.shutdown()
        server.server_close()


def main():
    least, middle, opened, size = python_times()
    print(
        f"Python: a frame {least:.2f} ms at least, {middle:.2f} in the middle, {size} bytes; a picture {opened:.1f} ms"
    )
    neuron, graph = (
        f"{len(GraphView(text).still().encode()) / 1e3:.0f} kB" for text in ("tanh(w1*x1+w2*x2+b)", EXPRESSION)
    )
    print(f"The stepper of a neuron {neuron}, of the graph {graph}")
    if "--write" in sys.argv[1:]:
        frame = f"A frame of a graph of 32 nodes takes {least:.1f} ms in Python and {size / 1e3:.1f} kB."
        write_part(PAGE, "live.py", frame)
        write_part(PAGE, "live.py, stepper", f"{neuron} for a neuron, {graph} for a graph of 32 nodes.")
    if "--python" in sys.argv[1:]:
        return
    with PlaygroundServer(live(EXPRESSION, **INPUTS).session()) as server, chromium() as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.add_init_script(TIMED)
        page.goto(server.url)
        page.wait_for_selector(".lv-view svg")
        for stepping in (False, True):
            if stepping:
                page.locator(".lv-graph").focus()
                page.keyboard.press("ArrowLeft")
                page.wait_for_selector("g.node.sg-now")
            for _ in range(TURNS):
                found = page.evaluate(DRAG, {"name": "x1", "seconds": SECONDS})
                times = sorted(found["times"])
                print(
                    f"{'in a step' if stepping else 'all steps'}: screen {found['screen']:.0f} frames/s, pictures "
                    f"{found['pictures']:.0f} /s, an answer {times[0]:.1f} ms at least, {statistics.median(times):.1f} in "
                    f"the middle, {times[int(len(times) * 0.95)]:.1f} for 95 of 100"
                )
        in_page(browser)
        server.shutdown()


if __name__ == "__main__":
    main()
