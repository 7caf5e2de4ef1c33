"""The GPT's training step by engines that work on whole arrays: C and numpy by hand, PyTorch, JAX."""

from __future__ import annotations

import ctypes
import math
from typing import Any

from .ckernels import compiled, pointer
from .gpt_data import BETA1, BETA2, BLOCK, EPS, HEADS, SHAPES, WIDTH, Steps, documents, rate, start
from .harness import one_blas_thread

SIZE = WIDTH // HEADS


def matrices(flat: Any) -> dict[str, Any]:
    """Views of the matrices in an array of all weights."""
    found, at = {}, 0
    for name, (rows, columns) in SHAPES.items():
        found[name] = flat[at : at + rows * columns].reshape(rows, columns)
        at += rows * columns
    return found


def c_by_hand() -> Steps:
    """gpt.c: one call from Python for each step."""
    import numpy as np

    step = compiled("gpt.c").step
    double_pointer = ctypes.POINTER(ctypes.c_double)
    step.restype = ctypes.c_double
    step.argtypes = [
        *[double_pointer] * 3,
        ctypes.POINTER(ctypes.c_long),
        ctypes.c_long,
        ctypes.c_double,
        ctypes.c_long,
    ]
    p = np.array(start())
    m, v = np.zeros_like(p), np.zeros_like(p)
    at = [pointer(a) for a in (p, m, v)]
    given = [((ctypes.c_long * len(tokens))(*tokens), len(tokens) - 1) for tokens in documents()]

    def one(document: Any, number: int) -> float:
        return float(step(*at, *document, rate(number), number + 1))

    return Steps(one, given, p.tolist, holds=(p, m, v))


def numpy_by_hand() -> Steps:
    """Forward and backward by hand over all positions of a document at once."""
    import numpy as np

    p = np.array(start())
    g, m, v = np.zeros_like(p), np.zeros_like(p), np.zeros_like(p)
    W, G = matrices(p), matrices(g)
    masks = [np.where(np.tri(n, dtype=bool), 0.0, -np.inf) for n in range(BLOCK + 1)]

    def norm(x: Any) -> Any:
        scale = ((x * x).sum(1, keepdims=True) / WIDTH + 1e-5) ** -0.5
        return x * scale, scale

    def norm_back(d: Any, x: Any, scale: Any) -> Any:
        return scale * d - x * (scale**3 * ((d * x).sum(1, keepdims=True) / WIDTH))

    def in_heads(a: Any) -> Any:
        return a.reshape(len(a), HEADS, SIZE).transpose(1, 0, 2)

    def joined(a: Any) -> Any:
        return a.transpose(1, 0, 2).reshape(-1, WIDTH)

    def step(tokens: Any, number: int) -> float:
        given, wanted = tokens[:-1], tokens[1:]
        n = len(given)
        x0 = W["wte"][given] + W["wpe"][:n]
        x1, s0 = norm(x0)
        x2, s1 = norm(x1)
        q, k, value = (in_heads(x2 @ W[name].T) for name in ("attn_wq", "attn_wk", "attn_wv"))
        scores = q @ k.transpose(0, 2, 1) * 0.5 + masks[n]
        shares = np.exp(scores - scores.max(2, keepdims=True))
        shares /= shares.sum(2, keepdims=True)
        heads = joined(shares @ value)
        y = heads @ W["attn_wo"].T + x1
        x3, s3 = norm(y)
        h = np.maximum(x3 @ W["mlp_fc1"].T, 0.0)
        z = h @ W["mlp_fc2"].T + y
        logits = z @ W["lm_head"].T
        logits -= logits.max(1, keepdims=True)
        d = np.exp(logits)
        sums = d.sum(1, keepdims=True)
        rows = np.arange(n)
        loss = float((np.log(sums[:, 0]) - logits[rows, wanted]).sum()) / n

        d /= sums
        d[rows, wanted] -= 1.0
        d /= n
        np.dot(d.T, z, out=G["lm_head"])
        dz = d @ W["lm_head"]
        np.dot(dz.T, h, out=G["mlp_fc2"])
        dh = dz @ W["mlp_fc2"] * (h > 0.0)
        np.dot(dh.T, x3, out=G["mlp_fc1"])
        dy = dz + norm_back(dh @ W["mlp_fc1"], y, s3)
        np.dot(dy.T, heads, out=G["attn_wo"])
        dheads = in_heads(dy @ W["attn_wo"])
        dshares = dheads @ value.transpose(0, 2, 1)
        dscores = shares * (dshares - (dshares * shares).sum(2, keepdims=True)) * 0.5
        dq, dk = joined(dscores @ k), joined(dscores.transpose(0, 2, 1) @ q)
        dv = joined(shares.transpose(0, 2, 1) @ dheads)
        for name, part in (("attn_wq", dq), ("attn_wk", dk), ("attn_wv", dv)):
            np.dot(part.T, x2, out=G[name])
        dx2 = dq @ W["attn_wq"] + dk @ W["attn_wk"] + dv @ W["attn_wv"]
        dx0 = norm_back(dy + norm_back(dx2, x1, s1), x0, s0)
        G["wte"][:] = 0.0
        np.add.at(G["wte"], given, dx0)
        G["wpe"][:n], G["wpe"][n:] = dx0, 0.0

        m[:] = BETA1 * m + (1 - BETA1) * g
        v[:] = BETA2 * v + (1 - BETA2) * g * g
        m_hat, v_hat = m / (1 - BETA1 ** (number + 1)), v / (1 - BETA2 ** (number + 1))
        p[:] -= rate(number) * m_hat / (np.sqrt(v_hat) + EPS)
        return loss

    return Steps(step, [np.array(tokens) for tokens in documents()], p.tolist, around=one_blas_thread)


def torch_eager() -> Steps:
    """The customary functions, all positions at once, and the fused Adam; one thread, which is fastest here."""
    import torch

    torch.set_num_threads(1)
    flat = torch.tensor(start(), dtype=torch.float64)
    W = {name: view.clone().requires_grad_() for name, view in matrices(flat).items()}
    optimizer = torch.optim.Adam(list(W.values()), lr=0.01, betas=(BETA1, BETA2), eps=EPS, fused=True)
    masks = [torch.triu(torch.full((n, n), -math.inf, dtype=torch.float64), 1) for n in range(BLOCK + 1)]
    linear = torch.nn.functional.linear

    def norm(x: Any) -> Any:
        return x * (x.square().mean(-1, keepdim=True) + 1e-5).rsqrt()

    def loss(tokens: Any) -> Any:
        n = len(tokens) - 1
        residual = norm(W["wte"][tokens[:-1]] + W["wpe"][:n])
        x = norm(residual)
        q, k, v = (
            linear(x, W[name]).view(n, HEADS, SIZE).transpose(0, 1) for name in ("attn_wq", "attn_wk", "attn_wv")
        )
        shares = torch.softmax(q @ k.transpose(1, 2) * 0.5 + masks[n], -1)
        residual = linear((shares @ v).transpose(0, 1).reshape(n, WIDTH), W["attn_wo"]) + residual
        x = linear(linear(norm(residual), W["mlp_fc1"]).relu(), W["mlp_fc2"]) + residual
        return torch.nn.functional.cross_entropy(linear(x, W["lm_head"]), tokens[1:])

    def step(tokens: Any, number: int) -> float:
        optimizer.param_groups[0]["lr"] = rate(number)
        value = loss(tokens)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return float(value.item())

    def state() -> list[float]:
        return [x for w in W.values() for x in w.detach().ravel().tolist()]

    return Steps(step, [torch.tensor(tokens) for tokens in documents()], state)


def jax_jit(padded: bool) -> Steps:
    """The whole step in one jit: documents padded to 16 positions, or a program for each length."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def norm(x: Any) -> Any:
        return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5)

    def loss(W: Any, tokens: Any, wanted: Any, shares_of_loss: Any) -> Any:
        n = tokens.shape[0]
        residual = norm(W["wte"][tokens] + W["wpe"][:n])
        x = norm(residual)
        q, k, v = (
            (x @ W[name].T).reshape(n, HEADS, SIZE).transpose(1, 0, 2) for name in ("attn_wq", "attn_wk", "attn_wv")
        )
        scores = jnp.where(jnp.tri(n, dtype=bool), q @ k.transpose(0, 2, 1) * 0.5, -jnp.inf)
        residual = (jax.nn.softmax(scores, -1) @ v).transpose(1, 0, 2).reshape(n, WIDTH) @ W["attn_wo"].T + residual
        z = jax.nn.relu(norm(residual) @ W["mlp_fc1"].T) @ W["mlp_fc2"].T + residual
        logits = z @ W["lm_head"].T
        right = jnp.take_along_axis(logits, wanted[:, None], 1)[:, 0]
        return (shares_of_loss * (jax.scipy.special.logsumexp(logits, axis=1) - right)).sum()

    def step(W: Any, m: Any, v: Any, lr: Any, number: Any, *given: Any) -> Any:
        value, g = jax.value_and_grad(loss)(W, *given)
        m = jax.tree.map(lambda a, b: BETA1 * a + (1 - BETA1) * b, m, g)
        v = jax.tree.map(lambda a, b: BETA2 * a + (1 - BETA2) * b * b, v, g)
        one, two = 1 - BETA1**number, 1 - BETA2**number
        W = jax.tree.map(lambda w, a, b: w - lr * (a / one) / (jnp.sqrt(b / two) + EPS), W, m, v)
        return W, m, v, value

    jitted = jax.jit(step, donate_argnums=(0, 1, 2))
    W = {name: jnp.array(view) for name, view in matrices(jnp.array(start())).items()}
    state = [W, jax.tree.map(jnp.zeros_like, W), jax.tree.map(jnp.zeros_like, W)]

    def one(given: Any, number: int) -> float:
        *state[:], value = jitted(*state, rate(number), number + 1.0, *given)
        return float(value)

    given = []
    for tokens in documents():
        n = len(tokens) - 1
        rest = BLOCK - n if padded else 0
        columns = (tokens[:-1] + [0] * rest, tokens[1:] + [0] * rest, [1 / n] * n + [0.0] * rest)
        given.append([jnp.array(column) for column in columns])
    return Steps(one, given, lambda: [x for name in SHAPES for x in state[0][name].ravel().tolist()])
