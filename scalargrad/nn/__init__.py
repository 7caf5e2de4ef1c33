"""Neural networks of Values: modules, losses, optimizers, schedules, data sets and the training loop.

Gradients come from the graph. (layers, beside this: of plain numbers in batches, with explicit forward and backward.)

- module.py: Module, and how its parameters are found. states.py: their numbers by name; naming.py: their labels.
- neurons.py: Neuron and Layer; networks.py: MLP and Sequential; maxout.py, batchnorm.py, dropout.py: more layers.
  affine.py: Linear; normalisation.py: LayerNorm and RMSNorm; recurrent.py: cells of RNNs; attending.py: attention;
  embedding.py: Embedding;
  vectors.py: lists as vectors and matrices.
  activations.py, initialisers.py, randomness.py, numpy_random.py: what they are made with. inputs.py: their checks.
- convolution.py, pooling.py, response_norm.py, flatten.py: layers of images, which images.py reads.
- A new layer: a subclass of Module with its parameters and `__call__`. If model files shall name it, a KnownModule
  (known_module.py), which says its settings, and a place in architecture.py.
- losses.py, softmaxes.py, targets.py, metrics.py: how wrong the scores are, and how often. predicting.py: scores as
  plain numbers.
- optimizers.py, schedules.py, clipping.py: steps downhill. memories.py: where a compiled training keeps an
  optimizer's numbers; resuming.py: what it remembers, as plain data.
- step_watch.py: what is said of loops by hand that go wrong, run_watch.py of runs of `fit`, with dead_relus.py.
- fitting.py: `fit`, of samples of one structure or several (ragged.py). stepping.py: its steps on Values;
  compiled_stepping.py: compiled, with sample_loss.py, gathering.py, agreement.py and, for Dropout, left_out.py.
  history.py: its epochs; progress.py: how they are shown.
  loss_advice.py: which loss to give. rules_of_thumb.py: its warnings.
- misnamed.py: what PyTorch's names are called here.
- saving.py: models in files; fileformat.py: what is in them. datasets.py, handwriting.py, given_names.py: data to
  learn from. tokens.py: texts as numbers, and sampling.
"""

from typing import TYPE_CHECKING

from scalargrad.nn.activations import Elementwise
from scalargrad.nn.affine import Linear, linear
from scalargrad.nn.attending import MultiHeadAttention, attention, attention_weights
from scalargrad.nn.batchnorm import BatchNorm
from scalargrad.nn.clipping import clip_grad_norm, clip_grad_value
from scalargrad.nn.convolution import Conv2d
from scalargrad.nn.datasets import blobs, circles, moons, spirals, xor
from scalargrad.nn.dead_relus import dead_relus
from scalargrad.nn.dropout import Dropout
from scalargrad.nn.embedding import Embedding
from scalargrad.nn.fitting import DivergenceError, fit
from scalargrad.nn.flatten import Flatten, Unflatten
from scalargrad.nn.given_names import names
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
from scalargrad.nn.normalisation import LayerNorm, RMSNorm, layer_norm, rms_norm
from scalargrad.nn.numpy_random import NumpyRandom
from scalargrad.nn.optimizers import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Optimizer,
    RMSprop,
)
from scalargrad.nn.pooling import AvgPool2d, MaxPool2d
from scalargrad.nn.predicting import predict
from scalargrad.nn.recurrent import GRUCell, LSTMCell, RNNCell
from scalargrad.nn.response_norm import LocalResponseNorm
from scalargrad.nn.rules_of_thumb import RuleOfThumbWarning, hidden_neurons
from scalargrad.nn.saving import ModelFileError, load, save
from scalargrad.nn.schedules import constant_lr, cosine_lr, exponential_lr, inverse_time_lr, linear_lr, step_lr
from scalargrad.nn.softmaxes import log_softmax, softmax
from scalargrad.nn.step_watch import TrainingWarning
from scalargrad.nn.tokens import Tokenizer, sample

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
        from scalargrad.nn.misnamed import meant
        from scalargrad.support.spelling import no_attribute

        raise no_attribute(__name__, name, lambda name: meant(name, __all__))
