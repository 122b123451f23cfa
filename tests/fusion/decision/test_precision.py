"""The decision level in bfloat16 is that in float32: eight bits are too few for products, and for many classes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.statistics import ties
from mmjax.decoders import DECODERS
from mmjax.fusion import DECISION
from mmjax.fusion.model.mixture_of_experts import MixtureOfExperts
from mmjax.training.losses import (
    dirichlet_cross_entropy,
    dirichlet_divergence,
    evidential_loss,
    score,
    task_loss,
)
from mmjax.training.strategies.alignment import info_nce, total_correlation
from mmjax.training.strategies.functional_entropy import disagreement
from mmjax.training.strategies.prototypes import Prototypes, log_probabilities
from mmjax.types import TargetSpec

B, K, M = 300, 100, 3
# Both sides compute in float32, of the same numbers; programs differ by how they are fused.
SAME = {"rtol": 1e-6, "atol": 1e-6}
REGRESSION = [name for name, rule in DECISION.items() if "regression" in rule.targets]


def drawn(size=K, scale=3.0):
    """Modality -> logits in bfloat16, the same in float32, and who is present."""
    rng = np.random.default_rng(0)
    half = {f"m{i}": jnp.asarray(scale * rng.normal(size=(B, size)), jnp.bfloat16) for i in range(M)}
    present = {name: rng.random(B) < 0.8 for name in half}
    return half, {name: l.astype(jnp.float32) for name, l in half.items()}, present


@pytest.mark.parametrize(
    "name, fields",
    [(name, {}) for name in DECISION] + [(name, {"regression": True}) for name in REGRESSION],
)
def test_every_rule(name, fields):
    half, full, present = drawn()
    rule = DECISION[name](**fields)
    start = jax.eval_shape(rule.init, jax.random.key(0), full).get("params", {})
    rng = np.random.default_rng(1)
    params = {"params": jax.tree.map(lambda leaf: np.float32(0.3 * rng.normal(size=leaf.shape)), start)}
    found, expected = (jax.jit(rule.apply)(params, logits, present) for logits in (half, full))
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, expected, **SAME)


@pytest.mark.parametrize("name", [name for name, rule in DECISION.items() if rule.evidential])
def test_evidence_and_its_penalty(name):
    half, full, present = drawn()
    rule = DECISION[name]()
    found, expected = (rule.evidence(logits, present) for logits in (half, full))
    assert all(e.dtype == jnp.float32 for e in found.values())
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **SAME), found, expected)
    rounded = {n: e.astype(jnp.bfloat16) for n, e in expected.items()}
    whole = {n: e.astype(jnp.float32) for n, e in rounded.items()}
    np.testing.assert_allclose(rule.penalty(rounded, present), rule.penalty(whole, present), **SAME)


@pytest.mark.parametrize("name", [name for name, rule in DECISION.items() if rule.evidential])
def test_two_classes_are_hardly_ever_ahead_together(name):
    """Evidence of some tens in each of 100 classes, as training leaves it, is told apart after the product too."""
    half, _, _ = drawn(scale=10)
    assert ties(np.asarray(DECISION[name]().apply({}, half))) < 0.01
    rounded = np.asarray(DECISION[name]().apply({}, half).astype(jnp.bfloat16).astype(jnp.float32))
    assert ties(rounded) > 0.02  # what it would be


def test_ties_by_hand():
    assert ties(np.array([[1.0, 3, 3], [0, 1, 2], [5, 5, 9], [4, 4, 4]])) == 0.5
    assert ties(np.zeros((3, 1))) == 0


@pytest.mark.parametrize("name", DECODERS)
def test_the_last_layer_of_a_decoder(name):
    """It multiplies in float32 what the layers before hand over: its logits are not rounded to eight bits."""
    decoder = DECODERS[name](K)
    fused = jnp.asarray(np.random.default_rng(0).normal(size=(B, 8)), jnp.bfloat16)
    params = jax.tree.map(lambda x: x.astype(jnp.bfloat16), decoder.init(jax.random.key(0), fused, False))
    logits = decoder.apply(params, fused, False)
    assert logits.dtype == jnp.float32
    assert jnp.any(logits != logits.astype(jnp.bfloat16).astype(jnp.float32))
    if name == "dense":
        full = jax.tree.map(lambda x: x.astype(jnp.float32), params)
        np.testing.assert_allclose(logits, decoder.apply(full, fused.astype(jnp.float32), False), **SAME)


rng = np.random.default_rng(2)
CLASSES, LABELS = rng.integers(0, K, B), np.float32(rng.integers(0, 2, (B, K)))
PROTOTYPES = Prototypes(np.float32(rng.normal(size=(7, K))), np.ones(7, bool), None, None)
LOSSES = {
    "multiclass": lambda l: task_loss(TargetSpec("multiclass", K), l, CLASSES),
    "binary": lambda l: task_loss(TargetSpec("binary"), l[:, :1], CLASSES % 2),
    "multilabel": lambda l: task_loss(TargetSpec("multilabel", K), l, LABELS),
    "regression": lambda l: task_loss(TargetSpec("regression", K), l, np.float32(LABELS * 0.3)),
    "error": lambda l: score(TargetSpec("regression", K), l, np.float32(LABELS * 0.3)),
    "dirichlet_cross_entropy": lambda l: dirichlet_cross_entropy(abs(l), CLASSES),
    "dirichlet_divergence": lambda l: dirichlet_divergence(abs(l), CLASSES),
    "evidential": lambda l: evidential_loss(TargetSpec("multiclass", K), {"a": abs(l)}, CLASSES, 0.5),
    "info_nce": lambda l: info_nce(l[:, :8], l[:, 8:16], 3.0, CLASSES > 5)[None],
    "total_correlation": lambda l: total_correlation(l[:, :8], l[:, 8:16], CLASSES > 5, 1e-3)[None],
    "disagreement": lambda l: disagreement(TargetSpec("multiclass", K), l, l[::-1]),
    "disagreement over labels": lambda l: disagreement(TargetSpec("multilabel", K), l, l[::-1]),
    "prototypes": lambda l: log_probabilities(PROTOTYPES, l),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name):
    half, full, _ = drawn()
    found, expected = jax.jit(LOSSES[name])(half["m0"]), jax.jit(LOSSES[name])(full["m0"])
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_the_balance_of_experts():
    """Gates of bfloat16 are summed over the batch in float32: 300 of them are more than eight bits can count."""
    half, _, present = drawn(size=4)
    g = MixtureOfExperts(width=4)
    params = jax.tree.map(lambda x: x.astype(jnp.bfloat16), g.init(jax.random.key(0), half))
    _, penalty = g.apply(params, half, present, method="with_penalty")
    assert penalty.dtype == jnp.float32
