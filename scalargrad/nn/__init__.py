"""Neural networks of Values: modules, losses, optimizers, schedules, data sets and the training loop."""

from scalargrad.nn.activations import Elementwise
from scalargrad.nn.batchnorm import BatchNorm
from scalargrad.nn.clipping import clip_grad_norm, clip_grad_value
from scalargrad.nn.datasets import blobs, circles, moons, spirals, xor
from scalargrad.nn.dropout import Dropout
from scalargrad.nn.handwriting import digits
from scalargrad.nn.history import History
from scalargrad.nn.initialisers import (
    constant,
    he_normal,
    he_uniform,
    normal,
    uniform,
    xavier_normal,
    xavier_uniform,
    zeros,
)
from scalargrad.nn.losses import (
    bce_with_logits,
    cross_entropy,
    hinge,
    l1_penalty,
    l2_penalty,
    mse,
    multiclass_hinge,
    sse,
)
from scalargrad.nn.maxout import Maxout, MaxoutNeuron
from scalargrad.nn.metrics import accuracy
from scalargrad.nn.module import Module
from scalargrad.nn.naming import Name
from scalargrad.nn.networks import MLP, Sequential
from scalargrad.nn.neurons import Layer, Neuron
from scalargrad.nn.numpy_random import NumpyRandom
from scalargrad.nn.optimizers import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Optimizer,
    RMSprop,
)
from scalargrad.nn.predicting import predict
from scalargrad.nn.rules_of_thumb import RuleOfThumbWarning, hidden_neurons
from scalargrad.nn.saving import ModelFileError, load, save
from scalargrad.nn.schedules import constant_lr, cosine_lr, exponential_lr, inverse_time_lr, linear_lr, step_lr
from scalargrad.nn.training import DivergenceError, fit

__all__ = [
    "MLP",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "BatchNorm",
    "DivergenceError",
    "Dropout",
    "Elementwise",
    "History",
    "Layer",
    "Maxout",
    "MaxoutNeuron",
    "ModelFileError",
    "Module",
    "Name",
    "Neuron",
    "NumpyRandom",
    "Optimizer",
    "RMSprop",
    "RuleOfThumbWarning",
    "Sequential",
    "accuracy",
    "bce_with_logits",
    "blobs",
    "circles",
    "clip_grad_norm",
    "clip_grad_value",
    "constant",
    "constant_lr",
    "cosine_lr",
    "cross_entropy",
    "digits",
    "exponential_lr",
    "fit",
    "he_normal",
    "he_uniform",
    "hidden_neurons",
    "hinge",
    "inverse_time_lr",
    "l1_penalty",
    "l2_penalty",
    "linear_lr",
    "load",
    "moons",
    "mse",
    "multiclass_hinge",
    "normal",
    "predict",
    "save",
    "spirals",
    "sse",
    "step_lr",
    "uniform",
    "xavier_normal",
    "xavier_uniform",
    "xor",
    "zeros",
]
