"""Means weighted by each example's own certainty, in float64 against NumPy."""

import numpy as np
import pytest
from scipy.special import logsumexp, softmax
from scipy.stats import entropy

from mmjax.fusion import Confidence, Energy, Entropy, Mean

CLOSE = {"rtol": 1e-12, "atol": 1e-12}
pytestmark = pytest.mark.usefixtures("float64")

RULES = {
    "confidence": (Confidence(), lambda l: softmax(l, axis=-1).max(-1)),
    "entropy": (Entropy(temperature=0.7), lambda l: np.exp(-entropy(softmax(l, axis=-1), axis=-1) / 0.7)),
    "energy": (Energy(), lambda l: np.maximum(logsumexp(l, axis=-1), 0)),
}
every_rule = pytest.mark.parametrize("rule, weight", RULES.values(), ids=RULES)


@every_rule
def test_equation(rule, weight, logits):
    l = np.stack(list(logits.values()))
    w = weight(l)[:, :, None]
    assert (w > 0).any(0).all()
    p = (w * softmax(l, axis=-1)).sum(0) / w.sum(0)
    np.testing.assert_allclose(rule.apply({}, logits), np.log(p), **CLOSE)


@every_rule
def test_equal_evidence_is_the_mean(rule, weight, logits):
    """Every modality's logits the same, its classes turned: confidence, entropy and energy are too."""
    turned = {name: np.roll(logits["m0"], i, axis=1) for i, name in enumerate(logits)}
    np.testing.assert_allclose(rule.apply({}, turned), Mean().apply({}, turned), **CLOSE)


def test_entropy_between_the_mean_and_the_most_certain():
    decisions = {"flat": np.array([[0.1, 0.0, 0.0]]), "certain": np.array([[0.0, 0.0, 5.0]])}
    # Weights differ by H / tau < 2e-6 from 1 for the one, and by exp(-H / tau) < exp(-500) from 0 for the other.
    np.testing.assert_allclose(Entropy(temperature=1e6).apply({}, decisions), Mean().apply({}, decisions), atol=1e-5)
    alone = Mean().apply({}, {"certain": decisions["certain"]})
    np.testing.assert_allclose(Entropy(temperature=1e-3).apply({}, decisions), alone, **CLOSE)


def test_energy_below_0_has_no_say_unless_all_are():
    above, below = np.array([[2.0, 0.0]]), np.array([[-9.0, -5.0]])
    np.testing.assert_allclose(Energy().apply({}, {"a": above, "b": below}), Mean().apply({}, {"a": above}), **CLOSE)
    both = {"a": below, "b": below[:, ::-1]}
    np.testing.assert_allclose(Energy().apply({}, both), Mean().apply({}, both), **CLOSE)
