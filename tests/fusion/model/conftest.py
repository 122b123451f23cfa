"""Sequences of three modalities with padding and absence, and a transformer block in plain NumPy."""

import jax
import numpy as np
import pytest

LENGTHS = {"audio": [5, 2, 0, 0], "text": [7, 0, 3, 0], "video": [1, 2, 2, 0]}  # of four examples; 0 is absent
WIDTHS = {"audio": 3, "text": 6, "video": 4}
HEADS = 2


class Reference:
    """The layers of one example in NumPy, by loops over heads; nothing is padded, so nothing is masked."""

    @staticmethod
    def dense(p, x):
        return x @ p["kernel"] + p["bias"]

    @staticmethod
    def norm(p, x):
        centred = x - x.mean(-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-6) * p["scale"] + p["bias"]

    @staticmethod
    def attention(p, queries, keys_values, optional):
        if not len(keys_values):
            return np.zeros_like(queries)
        gathered = []
        for h in range(HEADS):
            q = queries @ p["query"]["kernel"][:, h] + p["query"]["bias"][h]
            k = keys_values @ p["key"]["kernel"][:, h]
            v = keys_values @ p["value"]["kernel"][:, h] + p["value"]["bias"][h]
            weights = np.exp(q @ k.T / np.sqrt(q.shape[1]))
            gathered.append(weights / (weights.sum(1, keepdims=True) + optional) @ v)
        return sum(g @ w for g, w in zip(gathered, p["output"]["kernel"], strict=True)) + p["output"]["bias"]

    @classmethod
    def block(cls, p, x, context=None, optional=False):
        """[T, d], attending to itself or to a context [C, d]."""
        queries = cls.norm(p["norm"], x)
        keys_values = queries if context is None else cls.norm(p["context_norm"], context)
        x = x + cls.attention(p["attention"], queries, keys_values, optional)
        hidden = cls.dense(p["expand"], cls.norm(p["mlp_norm"], x))
        gelu = hidden / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (hidden + 0.044715 * hidden**3)))
        return x + cls.dense(p["contract"], gelu)

    @staticmethod
    def of(p, index):
        """The parameters of one of ParallelBlocks."""
        return jax.tree.map(lambda rows: rows[index], p["blocks"])


@pytest.fixture(scope="session")
def reference():
    return Reference


@pytest.fixture
def float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture
def sequences():
    """modality -> [4, T_i, d_i], NaN where nothing is valid, and modality -> [4, T_i]."""
    rng = np.random.default_rng(0)
    values, masks = {}, {}
    for name, lengths in LENGTHS.items():
        masks[name] = np.arange(max(lengths)) < np.array(lengths)[:, None]
        drawn = rng.normal(size=(*masks[name].shape, WIDTHS[name]))
        values[name] = np.where(masks[name][:, :, None], drawn, np.nan)
    return values, masks


@pytest.fixture
def examples(sequences):
    """The same, example by example: modality -> [T, d] of the valid steps alone."""
    values, masks = sequences
    return [{name: values[name][row, masks[name][row]] for name in values} for row in range(4)]


@pytest.fixture
def random_parameters():
    """A module's parameters, all of them random: many begin at zero."""

    def draw(module, *inputs):
        rng = np.random.default_rng(1)
        shapes = jax.eval_shape(module.init, jax.random.key(0), *inputs)["params"]
        return jax.tree.map(lambda leaf: rng.normal(size=leaf.shape) * 0.5, shapes)

    return draw
