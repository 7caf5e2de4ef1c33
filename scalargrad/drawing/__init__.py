"""Pictures of computation graphs, and plots of what a network learned."""

from scalargrad.drawing.build import GraphTooLargeError, draw, draw_dot
from scalargrad.drawing.engines import EngineError
from scalargrad.drawing.plots import decision_boundary, loss_curve
from scalargrad.drawing.result import Drawing
from scalargrad.drawing.summary import summary

__all__ = [
    "Drawing",
    "EngineError",
    "GraphTooLargeError",
    "decision_boundary",
    "draw",
    "draw_dot",
    "loss_curve",
    "summary",
]
