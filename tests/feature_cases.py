"""What the tests of feature-level fusions share."""

import jax
import jax.numpy as jnp
import numpy as np

B, WIDTH = 5, 4
SIZES = {"audio": 3, "image": 6, "text": 2, "touch": 4, "trace": 5, "voice": 3}
NAMES = [("audio", "text"), ("audio", "image", "text"), tuple(SIZES)]
# Float64 throughout: sums of a few dozen terms of order 1.
CLOSE = {"rtol": 1e-11, "atol": 1e-11}


def embeddings(names, seed=0):
    """Modality -> [B, d_i]."""
    rng = np.random.default_rng(seed)
    return {name: rng.normal(size=(B, SIZES[name])) for name in names}


def fused(g, h, present=None, seed=0):
    """g applied with random float64 parameters, and these parameters."""
    rng = np.random.default_rng(seed)
    h = {name: jnp.asarray(value) for name, value in h.items()}
    variables = g.init(jax.random.key(0), h)
    params = jax.tree.map(lambda p: jnp.asarray(rng.normal(size=p.shape)), variables.get("params", {}))
    return np.asarray(g.apply(variables | {"params": params}, h, present)), jax.tree.map(np.asarray, params)


def without(name, h):
    """Presence [B] of all but one modality."""
    return {n: jnp.full(B, n != name) for n in h}


def total(h):
    """The sum of the embeddings' widths."""
    return sum(value.shape[1] for value in h.values())


def count(params):
    """The number of parameters."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def starting_variance(g, modalities, width=16, examples=400):
    """The variance of F over embeddings of variance 1, with the parameters of three starts."""
    rng = np.random.default_rng(0)
    h = {f"m{i}": np.float32(rng.normal(size=(examples, width))) for i in range(modalities)}
    start = jax.jit(lambda key: g.apply(g.init(key, h), h))
    return np.var([start(jax.random.key(seed)) for seed in range(3)])
