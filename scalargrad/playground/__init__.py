"""The playground: graphs that move while an input is dragged, in a page that asks Python for every number.

- messages.py: what a page may say, as tables, and View, a part of a session that answers some messages.
- session.py: Session, `handle(dict) -> dict`, one for each page, whatever lies between: HTTP, a notebook, a worker.
- graph.py: the graph of an expression. running.py: the expression, function or graph that is run anew with each
  position of a slider; inputs.py: those sliders. frames.py: what a picture shows for one run, as texts.
  picture.py: the picture, laid out once for each graph.
- network/: the view of a network in training, a room of its own.
- assets.py: the files of the page: live.js, live.css, network.js, network.css, index.html, page.js.
- server.py: the page on this computer. worker.js, in_worker.py: the page with Python in it, for any web server.
- widget.py, widget.js: the page as a notebook's widget, with a still output for whoever has no Python behind it.
- live.py: `live`, the door to all of this. whole.py: graph and network on one page, with the expressions of examples.py
  to begin with.

A page holds no rule of calculus and computes no number: it lays out, paints and asks.
"""

from scalargrad.playground.live import Live, live
from scalargrad.playground.session import Session

__all__ = ["Live", "Session", "live"]
