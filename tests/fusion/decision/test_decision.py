"""Each decision-level fusion is its equation, in float64 against NumPy and SciPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from mmjax.fusion import Evidential, Mean, Product, WeightedMean
from mmjax.fusion.decision.evidential import combine, log_mean

B, K = 6, 4
CLOSE = {"rtol": 1e-12, "atol": 1e-12}


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture(params=[2, 3, 6])
def logits(request):
    rng = np.random.default_rng(request.param)
    return {f"m{i}": rng.normal(size=(B, K)) * 3 for i in range(request.param)}


def test_mean(logits):
    p = np.mean([softmax(l, axis=1) for l in logits.values()], axis=0)
    np.testing.assert_allclose(Mean().apply({}, logits), np.log(p), **CLOSE)


def test_weighted_mean(logits):
    weights = np.random.default_rng(0).normal(size=len(logits))
    w = softmax(weights)
    p = sum(w[i] * softmax(l, axis=1) for i, l in enumerate(logits.values()))
    variables = {"params": {"weights": jnp.asarray(weights)}}
    np.testing.assert_allclose(WeightedMean().apply(variables, logits), np.log(p), **CLOSE)


def test_equal_weights_are_the_mean(logits):
    rule = WeightedMean()
    np.testing.assert_allclose(
        rule.apply(rule.init(jax.random.key(0), logits), logits), Mean().apply({}, logits), **CLOSE
    )


def test_mean_of_values_for_regression(logits):
    expected = np.mean(list(logits.values()), axis=0)
    np.testing.assert_allclose(Mean(regression=True).apply({}, logits), expected, **CLOSE)


def test_product_is_the_product_of_experts(logits):
    p = np.prod([softmax(l, axis=1) for l in logits.values()], axis=0)
    np.testing.assert_allclose(Product().apply({}, logits), np.log(p / p.sum(1, keepdims=True)), **CLOSE)


def test_a_flat_expert_changes_no_product(logits):
    flat = logits | {"another": np.full((B, K), 7.0)}
    np.testing.assert_allclose(Product().apply({}, flat), Product().apply({}, logits), **CLOSE)


@pytest.mark.parametrize("rule", [Mean(), Product(), Evidential()])
def test_symmetric_rules_do_not_know_the_modalities_names(rule, logits):
    turned = dict(zip(logits, reversed(list(logits.values())), strict=True))
    np.testing.assert_allclose(rule.apply({}, turned), rule.apply({}, logits), **CLOSE)


@pytest.mark.parametrize("rule", [Mean(), Product(), Evidential()])
def test_an_absent_modality_is_as_none(rule, logits):
    name, *others = logits
    present = {n: jnp.full(B, n != name) for n in logits}
    without = {n: logits[n] for n in others}
    np.testing.assert_allclose(rule.apply({}, logits, present), rule.apply({}, without), **CLOSE)


def dempster_pair(first, second):
    """Definition 4 of Han et al., ICLR 2021: opinions (b, u) and (b', u') with their conflict C divided out."""
    opinions = []
    for evidence in (first, second):
        strength = evidence.sum(1, keepdims=True) + K
        opinions.append((evidence / strength, K / strength))
    (b, u), (c, v) = opinions
    conflict = np.einsum("bi,bj->b", b, c)[:, None] - (b * c).sum(1, keepdims=True)
    belief = (b * c + b * v + c * u) / (1 - conflict)
    uncertainty = u * v / (1 - conflict)
    np.testing.assert_allclose(belief.sum(1, keepdims=True) + uncertainty, 1, **CLOSE)
    return belief * K / uncertainty


def test_evidence_combines_as_dempsters_reduced_rule_pair_by_pair(logits):
    evidences = [np.logaddexp(0, l) for l in logits.values()]
    expected = evidences[0]
    for evidence in evidences[1:]:
        expected = dempster_pair(expected, evidence)
    np.testing.assert_allclose(combine([jnp.asarray(e) for e in evidences]), expected, rtol=1e-10)
    alpha = expected + 1
    np.testing.assert_allclose(
        Evidential().apply({}, logits), np.log(alpha / alpha.sum(1, keepdims=True)), rtol=1e-10, atol=1e-12
    )


def test_the_closed_form_has_no_trouble_with_total_conflict():
    """Two certain and opposite opinions: 1 - C is 4e-8 in float64, and nothing in float32."""
    certain = [np.float32([[1e8, 0, 0, 0]]), np.float32([[0, 1e8, 0, 0]])]
    fused = np.asarray(combine([jnp.asarray(e) for e in certain]))
    assert np.isfinite(fused).all()
    # Rounding of log1p and expm1 at 1e8: the logarithm is 18 to within 1e-6, so its exponential to 2e-6.
    np.testing.assert_allclose(fused[0, :2], 1e8, rtol=1e-5)


def test_log_mean_of_no_evidence_is_uniform():
    np.testing.assert_allclose(log_mean(jnp.zeros((2, K))), log_softmax(np.zeros((2, K)), axis=1), **CLOSE)
