"""The mixture of experts is its equation, and its loss keeps experts in use."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from feature_cases import CLOSE, NAMES, WIDTH, B, count, embeddings, total
from small_tasks import SPECS, random_batch

from mmjax.config import Config
from mmjax.fusion import MixtureOfExperts
from mmjax.fusion.model.mixture_of_experts import squared_variation, top_gates
from mmjax.model import build_model, initialise
from mmjax.types import TargetSpec

EXPERTS = 4


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


def random_params(g, h):
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda p: rng.normal(size=p.shape), g.init(jax.random.key(0), h)["params"])


def experts_of(x, params):
    """[E, B, width], expert by expert."""
    for e in range(EXPERTS):
        hidden = np.maximum(x @ params["hidden_kernel"][e] + params["hidden_bias"][e], 0)
        yield hidden @ params["output_kernel"][e] + params["output_bias"][e]


@pytest.mark.parametrize("names", NAMES, ids=len)
@pytest.mark.parametrize("active", [1, 2, EXPERTS])
def test_it_is_its_equation(names, active):
    """A softmax over the largest router logits of each example; with all experts active the dense mixture."""
    h = embeddings(names)
    g = MixtureOfExperts(WIDTH, EXPERTS, active, load_balance=0.5)
    params = random_params(g, h)
    x = np.concatenate([h[n] for n in names], axis=1)
    logits, expected, gates = x @ params["router"]["kernel"], np.zeros((B, WIDTH)), np.zeros((B, EXPERTS))
    outputs = list(experts_of(x, params))
    for b in range(B):
        best = np.argsort(logits[b])[-active:]
        gates[b, best] = np.exp(logits[b, best]) / np.exp(logits[b, best]).sum()
        expected[b] = sum(gates[b, e] * outputs[e][b] for e in best)
    F, penalty = g.apply({"params": params}, h, method="with_penalty")
    np.testing.assert_allclose(F, expected, **CLOSE)
    np.testing.assert_allclose(g.apply({"params": params}, h), F, **CLOSE)
    importance = gates.sum(0)
    np.testing.assert_allclose(penalty, 0.5 * importance.var() / importance.mean() ** 2, **CLOSE)
    d = total(h)
    assert count(params) == d * EXPERTS + EXPERTS * (d * WIDTH + WIDTH + WIDTH * WIDTH + WIDTH)


def test_gates_are_zero_but_for_the_active():
    gates = np.asarray(top_gates(jnp.asarray([[1.0, 3.0, 2.0], [0.0, -1.0, 0.5]]), 2))
    np.testing.assert_allclose(gates.sum(1), 1, **CLOSE)
    np.testing.assert_array_equal(gates == 0, [[True, False, False], [False, True, False]])


def test_experts_in_equal_use_cost_nothing():
    assert squared_variation(jnp.ones(4)) == 0 and squared_variation(jnp.zeros(4)) == 0
    np.testing.assert_allclose(squared_variation(jnp.asarray([4.0, 0, 0, 0])), 3, **CLOSE)
    assert np.isfinite(jax.grad(squared_variation)(jnp.zeros(4))).all()


def test_rows_that_only_fill_the_batch_up_have_no_importance():
    specs, target = SPECS[:2], TargetSpec("multiclass", 3)
    model = build_model(specs, target, "mixture_of_experts", Config(width=8, encoder_layers=1))
    batch = jax.tree.map(jnp.asarray, random_batch(specs, target, 6))
    variables = initialise(model, jax.random.key(0), batch)
    doubled = jax.tree.map(lambda x: jnp.concatenate([x, x[::-1] * 0 + x[:1]]), batch)
    doubled = doubled._replace(weight=doubled.weight.at[6:].set(0))
    penalty = model.apply(variables, batch).penalty
    assert penalty > 0
    np.testing.assert_allclose(model.apply(variables, doubled).penalty, penalty, rtol=1e-5)


def test_devices_that_split_the_batch_share_one_loss():
    """Importance is that of the whole batch, however many devices it is split over."""
    h = {n: np.concatenate([v, v[:3] ** 2]) for n, v in embeddings(NAMES[0]).items()}
    whole, split = MixtureOfExperts(WIDTH), MixtureOfExperts(WIDTH, axis_name="device")
    params = random_params(whole, h)
    parts = jax.tree.map(lambda x: x.reshape(4, 2, -1), h)
    apply = jax.vmap(lambda part: split.apply({"params": params}, part, method="with_penalty"), axis_name="device")
    F, penalty = apply(parts)
    expected, whole_penalty = whole.apply({"params": params}, h, method="with_penalty")
    np.testing.assert_allclose(F.reshape(8, WIDTH), expected, **CLOSE)
    np.testing.assert_allclose(penalty, np.full(4, whole_penalty), **CLOSE)
