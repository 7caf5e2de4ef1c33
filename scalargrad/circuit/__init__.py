"""The gate API of the lectures: gates with forward(x, y) and backward(dz), and graphs of them (CS231n, lecture 4).

gates.py makes a gate from a row of the op table, graph.py wires gates together, and node.py is a gate at its place.

>>> from scalargrad.circuit import AddGate, ComputationalGraph, MultiplyGate
>>> graph = ComputationalGraph()
>>> q = graph.gate(AddGate(), "x", "y", name="q")
>>> f = graph.gate(MultiplyGate(), q, "z", name="f")
>>> graph.forward({"x": -2, "y": 5, "z": -4})
-12.0
>>> graph.backward()
{'x': -4.0, 'y': -4.0, 'z': 3.0}
>>> graph.gradients["q"]
-4.0
"""

from scalargrad.circuit.gates import (
    AddConstantGate,
    AddGate,
    DivideGate,
    ExpGate,
    Gate,
    LogGate,
    MaxGate,
    MinGate,
    MulConstantGate,
    MultiplyGate,
    NegativeGate,
    ReciprocalGate,
    ReluGate,
    SigmoidGate,
    SquareGate,
    SubtractGate,
    TanhGate,
    gate_class,
)
from scalargrad.circuit.graph import ComputationalGraph
from scalargrad.circuit.node import Node

__all__ = [
    "AddConstantGate",
    "AddGate",
    "ComputationalGraph",
    "DivideGate",
    "ExpGate",
    "Gate",
    "LogGate",
    "MaxGate",
    "MinGate",
    "MulConstantGate",
    "MultiplyGate",
    "NegativeGate",
    "Node",
    "ReciprocalGate",
    "ReluGate",
    "SigmoidGate",
    "SquareGate",
    "SubtractGate",
    "TanhGate",
    "gate_class",
]
