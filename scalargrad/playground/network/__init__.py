"""The network view: watch a scalar network learn, stop it, step through it, and take it home.

- live.py: `live_network`, the door for a model of one's own.
- view.py: the messages. plan.py: the network that is asked for; own.py: one that is given in Python.
- points.py: its data; tables.py: a pasted table.
- trained.py: its steps. shown.py: its columns, maps and lines.
- walk.py: one sample's graph, neuron by neuron. weight.py: one weight in words.
- in_python.py: the same as Python code.
"""

from scalargrad.playground.network.live import live_network

__all__ = ["live_network"]
