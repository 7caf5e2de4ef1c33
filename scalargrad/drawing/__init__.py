"""Pictures of computation graphs, and plots of what a network learned.

From a Value to a picture, file by file:

- build.py: `draw` and `draw_dot`, which call the others in this order and refuse what is too large.
- snapshot.py: the graph read once, as lists. units.py: what becomes one card; scopes.py knows neurons and layers.
- assemble.py: the texts of cards, and edges.py those of edges; picture.py: the Picture that they make.
- cards.py, circuit.py, micrograd.py: the three styles, listed in styles.py. Each makes a sketch (sketch.py: sizes), has
  it laid out (dot.py writes it, engines.py runs Graphviz, in Pyodide by in_page.py; graphs of networks are laid out by
  blocks.py and ways.py),
  and paints a scene (scene.py: shapes, theme.py: colours). wrapping.py: long titles in lines.
- legend.py: the line that says which hue is which sign.
- svg.py, raster.py: a scene as SVG, PNG or PDF; image.py: an SVG in HTML.
- exports.py: a Picture as Mermaid, JSON or text.
- A Module is drawn as a network, without Graphviz: columns.py reads it, answers.py asks what its neurons answer,
  layered.py places and paints columns of neurons, heat_map.py those answers, and network.py, `draw_network`, makes a
  Drawing of them. A network with layers of images is read by stages.py and drawn by maps.py.
- found.py, `draw_layers`, draws a compiled loss: the graph of a sample above the dense layers that are found in it;
  found_scene.py places and paints them.
- result.py: the Drawing, which shows and saves all of these. digraph.py: what `draw_dot` gives back.

Beside pictures: summary.py counts a graph of any size; plots.py plots what a network learned, asked on a grid by
field.py; training_view.py shows it while it learns.
"""

from typing import TYPE_CHECKING, Any

from scalargrad.drawing.build import GraphTooLargeError, draw, draw_dot
from scalargrad.drawing.engines import EngineError
from scalargrad.drawing.plots import decision_boundary, loss_curve
from scalargrad.drawing.result import Drawing
from scalargrad.drawing.summary import summary

if TYPE_CHECKING:
    from scalargrad.drawing.found import draw_layers
    from scalargrad.drawing.network import draw_network


def __getattr__(name: str) -> Any:
    if name == "draw_network":
        from scalargrad.drawing import network  # with all of nn, which pictures of graphs do without

        return network.draw_network
    if name == "draw_layers":
        from scalargrad.drawing import found  # with all that compiles

        return found.draw_layers
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Drawing",
    "EngineError",
    "GraphTooLargeError",
    "decision_boundary",
    "draw",
    "draw_dot",
    "draw_layers",
    "draw_network",
    "loss_curve",
    "summary",
]
