"""A playground that is served and opened in Chromium, with all that went wrong on its page, for the tests of it."""

import threading
from contextlib import contextmanager

from optional import need_layout

from scalargrad.playground.server import PlaygroundServer


@contextmanager
def served(made):
    """The server of a Live, running."""
    need_layout()
    with PlaygroundServer(made.session()) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def playing(browser, made, width=1366, height=768, scheme="light", drawn=".lv-view svg", **options):
    """(page, trouble): its page, once the graph, or what else is `drawn`, is there; trouble is filled with whatever goes wrong there."""
    with served(made) as server:
        options = {"reduced_motion": "reduce", **options}
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height}, **options)
        page, trouble, home = context.new_page(), [], f"http://127.0.0.1:{server.server_port}/"
        page.on("console", lambda message: trouble.append(f"console {message.text}"))
        page.on("pageerror", lambda error: trouble.append(f"error {error}"))
        page.on("dialog", lambda dialog: (trouble.append(f"dialog {dialog.message}"), dialog.dismiss()))
        context.on(
            "request",
            lambda request: request.url.startswith((home, "data:")) or trouble.append(f"request {request.url}"),
        )
        page.server = server
        page.add_init_script(COUNTED)
        page.goto(server.url)
        page.wait_for_selector(drawn)
        try:
            yield page, trouble
        finally:
            context.close()


COUNTED = """const ask = window.fetch;
window.unanswered = 0;
window.fetch = async (...given) => {
  window.unanswered++;
  try { return await ask(...given); } finally { setTimeout(() => window.unanswered--); }
};"""
SETTLED = """() => new Promise(done => {
  let still = 0;
  const look = () => { still = window.unanswered ? 0 : still + 1; if (still > 2) done(); else requestAnimationFrame(look); };
  look();
})"""


def settled(page):
    """Wait until nothing that the page has asked is unanswered, and the answers are shown."""
    page.evaluate(SETTLED)
