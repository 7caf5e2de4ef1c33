"""Layers of numbers and of sequences, and what they are made with; those of images have a room of their own.

- neurons.py: Neuron and Layer; maxout.py: their kin of several pieces; networks.py: MLP and Sequential.
- affine.py: Linear; normalisation.py: LayerNorm and RMSNorm; batchnorm.py, dropout.py.
- Of sequences: embedding.py, recurrent.py: cells of RNNs; attending.py: attention.
- Made with activations.py, initialisers.py, softmaxes.py. rules_of_thumb.py: what is warned of when they are combined.
- A new layer: a subclass of Module with its parameters and `__call__`. If model files shall name it, a KnownModule,
  which says its settings, and a place in the list of nn/files/ that says which modules a model file may name.
"""
