"""Neural networks made of Values."""
from scalargrad.nn.networks import MLP, Sequential
from scalargrad.nn.neurons import Layer, Maxout, MaxoutNeuron, Neuron
from scalargrad.nn.module import Module
from scalargrad.nn.losses import *
from scalargrad.nn.optimizers import *
from scalargrad.nn.datasets import *
