"""Losses are their equations, in NumPy and SciPy's float64."""

from decimal import Decimal, localcontext

import jax
import jax.numpy as jnp
import numpy as np
import precise
import pytest
from scipy.special import digamma, gammaln, log_softmax

from mmjax.training.losses import (
    dirichlet_cross_entropy,
    dirichlet_divergence,
    evidential_loss,
    objective,
    score,
    task_loss,
)
from mmjax.types import Outputs, TargetSpec

B, K = 7, 4
# Float32 against float64: sums of some 10 terms.
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_multiclass_is_the_negative_log_likelihood(rng):
    logits, truth = rng.normal(size=(B, K)), rng.integers(0, K, B)
    expected = -log_softmax(logits, axis=1)[np.arange(B), truth]
    np.testing.assert_allclose(task_loss(TargetSpec("multiclass", K), logits, truth), expected, **CLOSE)


def test_binary_is_bernoullis(rng):
    logits, truth = rng.normal(size=(B, 1)), rng.integers(0, 2, B)
    p = 1 / (1 + np.exp(-logits[:, 0]))
    expected = -np.log(np.where(truth == 1, p, 1 - p))
    np.testing.assert_allclose(task_loss(TargetSpec("binary"), logits, truth), expected, **CLOSE)


def test_multilabel_and_regression_are_means_over_outputs(rng):
    logits, labels, values = rng.normal(size=(B, K)), rng.integers(0, 2, (B, K)), rng.normal(size=(B, K))
    p = 1 / (1 + np.exp(-logits))
    expected = -np.log(np.where(labels == 1, p, 1 - p)).mean(1)
    np.testing.assert_allclose(task_loss(TargetSpec("multilabel", K), logits, labels), expected, **CLOSE)
    expected = ((logits - values) ** 2).mean(1)
    np.testing.assert_allclose(task_loss(TargetSpec("regression", K), logits, values), expected, **CLOSE)


def test_scores_by_hand():
    assert score(TargetSpec("multiclass", 3), jnp.float32([[0, 2, 1], [3, 2, 1]]), jnp.int32([1, 2])).tolist() == [1, 0]
    assert score(TargetSpec("binary"), jnp.float32([[0.1], [-0.1]]), jnp.int32([1, 1])).tolist() == [1, 0]
    assert score(TargetSpec("multilabel", 2), jnp.float32([[1, 1]]), jnp.float32([[1, 0]])).tolist() == [0.5]
    assert score(TargetSpec("regression", 2), jnp.float32([[1, 1]]), jnp.float32([[2, 4]])).tolist() == [-2]


def kl_to_uniform(alpha):
    """KL(Dir(alpha) || Dir(1)), the textbook's."""
    total = alpha.sum(-1, keepdims=True)
    normaliser = gammaln(total[:, 0]) - gammaln(alpha).sum(-1) - gammaln(alpha.shape[-1])
    return normaliser + ((alpha - 1) * (digamma(alpha) - digamma(total))).sum(-1)


def test_dirichlet_terms(rng):
    evidence, truth = rng.gamma(1, 10, (B, K)), rng.integers(0, K, B)
    alpha = evidence + 1
    expected = digamma(alpha.sum(1)) - digamma(alpha[np.arange(B), truth])
    np.testing.assert_allclose(dirichlet_cross_entropy(jnp.float32(evidence), truth), expected, **CLOSE)
    without_true = alpha.copy()
    without_true[np.arange(B), truth] = 1
    np.testing.assert_allclose(dirichlet_divergence(jnp.float32(evidence), truth), kl_to_uniform(without_true), **CLOSE)


def to_forty_digits(evidence, truth):
    """The cross-entropy, the divergence, its gradient by the wrong classes' evidence, and sum log alpha of these."""
    with localcontext(prec=precise.DIGITS):
        alpha = [Decimal(float(e)) + 1 for e in evidence]
        total = sum(alpha)
        entropy = precise.digamma(total) - precise.digamma(alpha[truth])
        wrong = [a for k, a in enumerate(alpha) if k != truth]
        total = sum(wrong) + 1
        loss = precise.log_gamma(total) - precise.log_gamma(Decimal(len(alpha))) - sum(map(precise.log_gamma, wrong))
        loss += sum((a - 1) * (precise.digamma(a) - precise.digamma(total)) for a in wrong)
        of_total = (total - len(alpha)) * precise.trigamma(total)
        gradient = np.float64([(a - 1) * precise.trigamma(a) - of_total for a in wrong])
        return float(entropy), float(loss), gradient, float(sum(a.ln() for a in wrong))


@pytest.mark.parametrize("classes", [2, 3, 10, 1000])
def test_evidence_of_any_size(classes, rng):
    """From 0 to 1e12, in one wrong class, in all, and in some more than in others; the gradient too.

    The divergence is a difference of terms that add up to itself and twice sum log alpha, each good to 1e-6; the
    gradient one of terms of the same size as its largest entry.
    """
    value, entropy = jax.jit(dirichlet_divergence), jax.jit(dirichlet_cross_entropy)
    slope = jax.jit(jax.grad(lambda evidence, truth: dirichlet_divergence(evidence, truth).sum()))
    for most in (0, 0.1, 1, 10, 1e3, 1e5, 1e7, 1e9, 1e12):
        one = np.zeros(classes)
        one[-1], one[0] = most, most / 3
        some = most ** rng.choice([0.25, 0.5, 1], classes)
        for evidence in map(np.float32, (one, np.full(classes, most), some)):
            given = evidence[None], np.zeros(1, np.int32)
            expected_entropy, expected, gradient, logarithms = to_forty_digits(evidence, 0)
            assert abs(value(*given)[0] - expected) <= 1e-6 * (expected + 2 * logarithms) + 5e-7
            assert entropy(*given)[0] == pytest.approx(expected_entropy, rel=1e-6)
            found = np.asarray(slope(*given))[0]
            assert found[0] == 0 and np.abs(found[1:] - gradient).max() <= 5e-6 * np.abs(gradient).max() + 1e-7 * (
                most < 1
            )


def test_the_divergence_of_no_wrong_evidence_is_zero():
    evidence = jnp.float32([[0, 50, 0], [0, 0, 0]])
    np.testing.assert_allclose(dirichlet_divergence(evidence, jnp.int32([1, 0])), 0, atol=1e-5)


def test_evidential_loss_adds_up_the_views_and_their_fusion(rng):
    evidence = {name: jnp.float32(rng.gamma(1, 3, (B, K))) for name in ("a", "b", "fused")}
    truth = rng.integers(0, K, B)
    for annealing in (0.0, 0.3, 1.0):
        expected = sum(
            dirichlet_cross_entropy(e, truth) + annealing * dirichlet_divergence(e, truth) for e in evidence.values()
        )
        actual = evidential_loss(TargetSpec("multiclass", K), evidence, jnp.asarray(truth), annealing)
        np.testing.assert_allclose(actual, expected, **CLOSE)


def test_a_heads_own_losses_are_weighed(rng):
    target, truth = TargetSpec("multiclass", K), rng.integers(0, K, B)
    logits, own = (jnp.float32(rng.normal(size=(B, K))) for _ in range(2))
    outputs = Outputs(logits, None, {}, {"a": own, "b": own}, {}, jnp.float32(0.25))
    expected = task_loss(target, logits, truth) + 0.5 * 2 * task_loss(target, own, truth) + 0.25
    np.testing.assert_allclose(objective(target, outputs, truth, jnp.float32(1), 0.5), expected, **CLOSE)
