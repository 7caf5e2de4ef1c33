"""Neural networks of Values: modules, losses, optimizers, schedules, data sets and the training loop.

Gradients come from the graph. (layers, beside this: of plain numbers in batches, with explicit forward and backward.)

The rooms, from the ground up; each has a map in its `__init__`, and imports those before it only:

- arguments/: what is given, read and checked: sizes, rows, tables of samples, seeds.
- modules/: what a module is, its parameters, their numbers and names.
- layers/: neurons, networks, normalisation, dropout, recurrent cells, attention. images/: layers of images.
- scores/: losses, what they are told is right, accuracy, predictions.
- descent/: optimizers, schedules, clipping.
- training/: `fit`, in eager and compiled steps, its history, progress and warnings.
- data/: data sets, and texts as numbers. files/: models saved and loaded.
"""

from typing import TYPE_CHECKING

from scalargrad.nn.arguments.numpy_random import NumpyRandom
from scalargrad.nn.data.datasets import blobs, circles, moons, spirals, xor
from scalargrad.nn.data.given_names import names
from scalargrad.nn.data.handwriting import digits
from scalargrad.nn.data.tokens import Tokenizer, sample
from scalargrad.nn.descent.clipping import clip_grad_norm, clip_grad_value
from scalargrad.nn.descent.optimizers import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Optimizer,
    RMSprop,
)
from scalargrad.nn.descent.schedules import constant_lr, cosine_lr, exponential_lr, inverse_time_lr, linear_lr, step_lr
from scalargrad.nn.descent.step_watch import TrainingWarning
from scalargrad.nn.files.saving import ModelFileError, load, save
from scalargrad.nn.images.convolution import Conv2d
from scalargrad.nn.images.flatten import Flatten, Unflatten
from scalargrad.nn.images.pooling import AvgPool2d, MaxPool2d
from scalargrad.nn.images.response_norm import LocalResponseNorm
from scalargrad.nn.layers.activations import Elementwise
from scalargrad.nn.layers.affine import Linear, linear
from scalargrad.nn.layers.attending import MultiHeadAttention, attention, attention_weights
from scalargrad.nn.layers.batchnorm import BatchNorm
from scalargrad.nn.layers.dropout import Dropout
from scalargrad.nn.layers.embedding import Embedding
from scalargrad.nn.layers.initialisers import (
    constant,
    he_normal,
    he_uniform,
    normal,
    uniform,
    xavier_normal,
    xavier_uniform,
    zeros,
)
from scalargrad.nn.layers.maxout import Maxout, MaxoutNeuron
from scalargrad.nn.layers.networks import MLP, Sequential
from scalargrad.nn.layers.neurons import Layer, Neuron
from scalargrad.nn.layers.normalisation import LayerNorm, RMSNorm, layer_norm, rms_norm
from scalargrad.nn.layers.recurrent import GRUCell, LSTMCell, RNNCell
from scalargrad.nn.layers.rules_of_thumb import RuleOfThumbWarning, hidden_neurons
from scalargrad.nn.layers.softmaxes import log_softmax, softmax
from scalargrad.nn.modules.module import Module
from scalargrad.nn.modules.naming import Name
from scalargrad.nn.scores.losses import (
    bce_with_logits,
    cross_entropy,
    hinge,
    l1_penalty,
    l2_penalty,
    mse,
    multiclass_hinge,
    sse,
)
from scalargrad.nn.scores.metrics import accuracy
from scalargrad.nn.scores.predicting import predict
from scalargrad.nn.training.dead_relus import dead_relus
from scalargrad.nn.training.fitting import DivergenceError, fit
from scalargrad.nn.training.history import History

__all__ = [
    "MLP",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "AvgPool2d",
    "BatchNorm",
    "Conv2d",
    "DivergenceError",
    "Dropout",
    "Elementwise",
    "Embedding",
    "Flatten",
    "GRUCell",
    "History",
    "LSTMCell",
    "Layer",
    "LayerNorm",
    "Linear",
    "LocalResponseNorm",
    "MaxPool2d",
    "Maxout",
    "MaxoutNeuron",
    "ModelFileError",
    "Module",
    "MultiHeadAttention",
    "Name",
    "Neuron",
    "NumpyRandom",
    "Optimizer",
    "RMSNorm",
    "RMSprop",
    "RNNCell",
    "RuleOfThumbWarning",
    "Sequential",
    "Tokenizer",
    "TrainingWarning",
    "Unflatten",
    "accuracy",
    "attention",
    "attention_weights",
    "bce_with_logits",
    "blobs",
    "circles",
    "clip_grad_norm",
    "clip_grad_value",
    "constant",
    "constant_lr",
    "cosine_lr",
    "cross_entropy",
    "dead_relus",
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
    "layer_norm",
    "linear",
    "linear_lr",
    "load",
    "log_softmax",
    "moons",
    "mse",
    "multiclass_hinge",
    "names",
    "normal",
    "predict",
    "rms_norm",
    "sample",
    "save",
    "softmax",
    "spirals",
    "sse",
    "step_lr",
    "uniform",
    "xavier_normal",
    "xavier_uniform",
    "xor",
    "zeros",
]

if not TYPE_CHECKING:  # to a type checker it would say that nn has every name

    def __getattr__(name):
        from scalargrad.nn.modules.misnamed import meant
        from scalargrad.support.spelling import no_attribute

        raise no_attribute(__name__, name, lambda name: meant(name, __all__))
