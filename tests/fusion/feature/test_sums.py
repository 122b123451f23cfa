"""Sums of projected embeddings are their equations, in float64 against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from feature_cases import CLOSE, NAMES, WIDTH, B, count, embeddings, fused, total, without

from mmjax.fusion import Attention, Concat, Sum, Weighted

every_number = pytest.mark.parametrize("names", NAMES, ids=len)


@every_number
def test_concat(names):
    h = embeddings(names)
    F, params = fused(Concat(), h)
    np.testing.assert_array_equal(F, np.concatenate([h[n] for n in names], axis=1))
    assert count(params) == 0


@every_number
def test_sum_is_concat_and_one_linear_map(names):
    h = embeddings(names)
    F, params = fused(Sum(WIDTH), h)
    row = np.concatenate([params[f"project_{n}"]["kernel"] for n in names])
    np.testing.assert_allclose(F, np.concatenate([h[n] for n in names], axis=1) @ row, **CLOSE)
    assert count(params) == total(h) * WIDTH


@every_number
def test_weighted(names):
    h = embeddings(names)
    F, params = fused(Weighted(WIDTH), h)
    a = np.exp(params["weights"]) / np.exp(params["weights"]).sum()
    expected = sum(a[i] * h[n] @ params[f"project_{n}"]["kernel"] for i, n in enumerate(names))
    np.testing.assert_allclose(F, expected, **CLOSE)
    assert count(params) == len(names) + total(h) * WIDTH


def test_weighted_with_equal_weights_is_the_mean_of_those_present():
    h = embeddings(("audio", "image"))
    g = Weighted(WIDTH)
    params = g.init(jax.random.key(0), h)
    present = {"audio": jnp.ones(B, bool), "image": jnp.arange(B) > 1}
    projected = [h[n] @ params["params"][f"project_{n}"]["kernel"] for n in h]
    expected = np.where(np.arange(B)[:, None] > 1, (projected[0] + projected[1]) / 2, projected[0])
    np.testing.assert_allclose(g.apply(params, h, present), expected, **CLOSE)


def attended(h, params, names):
    """The weights [B, M] and the projected embeddings [B, M, width]."""
    projected = np.stack([h[n] @ params[f"project_{n}"]["kernel"] for n in names], axis=1)
    scores = np.tanh(projected @ params["hidden"]["kernel"]) @ params["score"]["kernel"][:, 0]
    weights = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    return weights, projected


@every_number
def test_attention(names):
    h = embeddings(names)
    F, params = fused(Attention(WIDTH), h)
    weights, projected = attended(h, params, names)
    np.testing.assert_allclose(F, np.einsum("bm,bmd->bd", weights, projected), **CLOSE)
    assert count(params) == total(h) * WIDTH + WIDTH * WIDTH + WIDTH


def test_attention_weighs_those_present_to_one():
    h = embeddings(NAMES[1])
    F, params = fused(Attention(WIDTH), h, without("image", h))
    weights, projected = attended(h, params, ("audio", "text"))
    np.testing.assert_allclose(F, np.einsum("bm,bmd->bd", weights, projected), **CLOSE)
