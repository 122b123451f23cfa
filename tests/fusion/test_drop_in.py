"""Fusions in anybody's Flax code, without the harness; and for any shapes and presence."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmjax.fusion import FEATURE, LowRankTensor
from mmjax.fusion.presence import masked_softmax, mean_of_present, settle


class Classifier(nn.Module):
    """The README's example."""

    @nn.compact
    def __call__(self, image, text, has_text):
        embeddings = {"image": nn.relu(nn.Dense(16)(image)), "text": nn.relu(nn.Dense(16)(text))}
        present = {"image": jnp.ones(len(image), bool), "text": has_text}
        return nn.Dense(3)(LowRankTensor(width=8)(embeddings, present))


def test_a_fusion_learns_in_a_module_of_ones_own():
    """The truth is the sign of a product of the two, which no sum of them tells; half of the loss goes in 200 steps."""
    rng = np.random.default_rng(0)
    image, text = rng.normal(size=(2, 64, 4)).astype(np.float32)
    truth = (image[:, 0] * text[:, 0] > 0).astype(np.int32)
    has_text = np.ones(64, bool)
    model = Classifier()
    params = model.init(jax.random.key(0), image, text, has_text)
    optimizer = optax.adam(1e-2)

    def loss(params):
        logits = model.apply(params, image, text, has_text)
        return optax.softmax_cross_entropy_with_integer_labels(logits, truth).mean()

    @jax.jit
    def step(_, carry):
        params, state = carry
        updates, state = optimizer.update(jax.grad(loss)(params), state)
        return optax.apply_updates(params, updates), state

    trained, _ = jax.lax.fori_loop(0, 200, step, (params, optimizer.init(params)))
    assert loss(trained) < loss(params) / 2
    without = model.apply(trained, image, np.full_like(text, np.nan), np.zeros(64, bool))
    assert np.isfinite(without).all()


@st.composite
def embeddings_and_presence(draw):
    """Embeddings of drawn widths and numbers, with NaN where they are absent, and which are there."""
    B, *widths = draw(st.sampled_from([(1, 3, 2), (4, 2, 5), (3, 4, 1, 2)]))
    seed = draw(st.integers(0, 2**16))
    scale = draw(st.sampled_from([0.0, 1.0, 100.0]))
    rows = draw(st.lists(st.lists(st.booleans(), min_size=len(widths), max_size=len(widths)), min_size=B, max_size=B))
    rng, present = np.random.default_rng(seed), np.array(rows)
    h = {f"m{i}": np.float32(scale * rng.normal(size=(B, d))) for i, d in enumerate(widths)}
    poisoned = {n: np.where(present[:, i, None], v, np.float32(np.nan)) for i, (n, v) in enumerate(h.items())}
    return poisoned, {n: present[:, i] for i, n in enumerate(h)}


@pytest.mark.parametrize("fusion", sorted(set(FEATURE) - {"early"}))
@settings(max_examples=12, deadline=None, database=None, derandomize=True)
@given(drawn=embeddings_and_presence())
def test_any_shapes_and_presence(fusion, drawn):
    """F is [B, d], finite, and what stands in an absent place is not read; rows do not see each other."""
    h, present = drawn
    fields = {"width": 4} if "width" in FEATURE[fusion].__dataclass_fields__ else {}
    g = FEATURE[fusion](**fields)
    variables = g.init(jax.random.key(0), {n: np.nan_to_num(v) for n, v in h.items()})
    F = np.asarray(g.apply(variables, h, present))
    assert F.ndim == 2 and len(F) == len(present["m0"]) and np.isfinite(F).all()
    np.testing.assert_array_equal(F, g.apply(variables, {n: np.nan_to_num(v, nan=7.0) for n, v in h.items()}, present))


@settings(max_examples=50, deadline=None, database=None, derandomize=True)
@given(drawn=embeddings_and_presence())
def test_settle_drops_what_is_absent_and_sorts_the_rest(drawn):
    h, present = drawn
    settled, there = settle(dict(reversed(h.items())), present)
    assert list(settled) == sorted(h)
    for i, name in enumerate(sorted(h)):
        np.testing.assert_array_equal(there[:, i], present[name])
        np.testing.assert_array_equal(settled[name], np.where(present[name][:, None], h[name], 0))


@settings(max_examples=50, deadline=None, database=None, derandomize=True)
@given(drawn=embeddings_and_presence(), scale=st.sampled_from([0, 1, 1e4, 1e38]))
def test_masked_weights_sum_to_one_over_those_present_however_large_the_scores(drawn, scale):
    _, present = drawn
    allowed = np.stack(list(present.values()), axis=1)
    scores = np.float32(scale * np.linspace(-1, 1, allowed.size).reshape(allowed.shape))
    weights = np.asarray(masked_softmax(jnp.asarray(scores), allowed))
    np.testing.assert_allclose(weights.sum(1), allowed.any(1), atol=1e-6)
    assert (weights[~allowed] == 0).all()
    mean = mean_of_present(jnp.asarray(allowed, jnp.float32)[:, :, None], jnp.asarray(allowed))
    np.testing.assert_array_equal(mean[:, 0], allowed.any(1))
