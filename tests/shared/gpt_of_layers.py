"""The GPT of gpt_of_scalars.py, written with scalargrad's layers: the same weights in the same order, and losses."""

from __future__ import annotations

from gpt_of_scalars import BLOCK, GPT, HEADS, STEPS

import scalargrad
from scalargrad import Value, nn

BETAS = (0.85, 0.99)


def added(xs, ys):
    return [[a + b for a, b in zip(x, y, strict=True)] for x, y in zip(xs, ys, strict=True)]


class LayeredGPT(GPT):
    """A dot product, a logsumexp, a mean is one node each: 7 000 nodes for a name."""

    def __init__(self, docs, seed=42):
        super().__init__(lambda x: Value(x, parameter=True), docs, seed)
        self.optimizer = nn.Adam(self.params, lr=0.01, betas=BETAS)
        self.rate = nn.linear_lr(0.01, 0.0, STEPS)

    def documents(self, count):
        """The tokens of the first names, each for at most 16 predictions."""
        return [self.tokens(doc)[: BLOCK + 1] for doc in self.docs[:count]]

    def logits(self, tokens):
        """The scores of the next token at each position."""
        w = self.weights
        x = nn.rms_norm(added([scalargrad.take(w["wte"], token) for token in tokens], w["wpe"][: len(tokens)]))
        normed = nn.rms_norm(x)
        q, k, v = (nn.linear(normed, w[name]) for name in ("attn_wq", "attn_wk", "attn_wv"))
        x = added(nn.linear(nn.attention(q, k, v, heads=HEADS, causal=True), w["attn_wo"]), x)
        hidden = [[scalargrad.relu(h) for h in row] for row in nn.linear(nn.rms_norm(x), w["mlp_fc1"])]
        return nn.linear(added(nn.linear(hidden, w["mlp_fc2"]), x), w["lm_head"])

    def loss_of(self, tokens):
        """The mean of -log of the probability of each next token."""
        return nn.cross_entropy(self.logits(tokens[:-1]), tokens[1:])

    def eager_step(self, tokens, number):
        """Forward, backward() and Adam; returns the loss before the step."""
        self.optimizer.lr = self.rate(number)
        loss = self.loss_of(tokens)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.data

    def compiled(self, **options):
        """The loss as a compiled function; each length of a document has a program."""
        return scalargrad.compile(self.loss_of, parameters=self.params, **options)
