"""The network view while 2-8-8-1 learns, in Chromium over the local server.

`python tests/benchmarks/network_view.py` needs the extra `browser`. Run is pressed; counted are the frames that were
shown and the steps of training between. What Python takes for a frame is measured by itself. Quote the best of several
turns: times depend on the machine and on who else uses it.
"""

import json
import statistics
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))

from drawing_helpers import chromium

from scalargrad.playground import Live
from scalargrad.playground.network.view import NetworkView
from scalargrad.playground.server import PlaygroundServer

TURNS, SECONDS = 4, 3.0
STEPS = "() => Number(document.querySelector('.nw-count').textContent.match(/step ([\\d ]+)/)[1].replace(/ /g, ''))"
COUNT = """async (seconds) => {
  let screen = 0, shown = 0;
  const watch = new MutationObserver(() => shown++), begun = performance.now();
  watch.observe(document.querySelector('.nw-count'), { childList: true });
  await new Promise(done => {
    const tick = () => { screen++; performance.now() - begun > seconds * 1000 ? done() : requestAnimationFrame(tick); };
    requestAnimationFrame(tick);
  });
  watch.disconnect();
  const passed = (performance.now() - begun) / 1000;
  return { screen: screen / passed, shown: shown / passed, passed };
}"""


def networks():
    """A page of networks alone."""
    return Live("networks", lambda: [NetworkView()])


def python_times():
    """What Python takes for a new network and for a frame of no step, and how many bytes a frame has."""
    session = networks().session()
    begun = time.perf_counter()
    session.handle({"id": 1, "do": "net", "seed": 2})
    opened = time.perf_counter() - begun
    session.handle({"id": 2, "do": "train", "steps": 1})
    frames = []
    for _ in range(200):
        begun = time.perf_counter()
        reply = session.handle({"id": 1, "do": "train", "steps": 0})
        frames.append(time.perf_counter() - begun)
    return opened * 1e3, min(frames) * 1e3, statistics.median(frames) * 1e3, len(json.dumps(reply))


def main():
    opened, least, middle, size = python_times()
    print(
        f"Python: a network {opened:.0f} ms, a frame {least:.2f} ms at least, {middle:.2f} in the middle, {size} bytes"
    )
    with PlaygroundServer(networks().session()) as server, chromium() as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(server.url)
        page.wait_for_selector(".nw-neuron canvas[width='40']")
        for _ in range(TURNS):
            page.get_by_role("button", name="Run", exact=True).click()
            page.wait_for_timeout(500)
            before = page.evaluate(STEPS)
            found = page.evaluate(COUNT, SECONDS)
            steps = (page.evaluate(STEPS) - before) / found["passed"]
            print(f"screen {found['screen']:.0f} frames/s, shown {found['shown']:.0f} /s, {steps:.0f} steps/s")
            page.get_by_role("button", name="Pause", exact=True).click()
            page.get_by_role("button", name="Reset", exact=True).click()
            page.wait_for_selector(".nw-live:not([aria-busy])")
        server.shutdown()


if __name__ == "__main__":
    main()
