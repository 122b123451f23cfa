"""Rules on evidence, in float64 against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import log_softmax
from small_tasks import SPECS, random_batch

from mmjax.config import Config
from mmjax.fusion import Evidential, EvidentialAverage, EvidentialPseudo
from mmjax.fusion.decision.evidential import combine, log_mean
from mmjax.model import build_model, initialise
from mmjax.training.losses import objective
from mmjax.types import TargetSpec

B, K = 6, 4
VECTORS = tuple(spec for spec in SPECS if spec.name in ("table", "blood"))
CLOSE = {"rtol": 1e-12, "atol": 1e-12}
pytestmark = pytest.mark.usefixtures("float64")


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


@pytest.mark.parametrize("rule", [Evidential(), EvidentialPseudo()], ids=["evidential", "evidential_pseudo"])
def test_evidence_combines_as_dempsters_reduced_rule_pair_by_pair(rule, logits):
    evidences = [np.logaddexp(0, l) for l in logits.values()]
    expected = evidences[0]
    for evidence in evidences[1:]:
        expected = dempster_pair(expected, evidence)
    np.testing.assert_allclose(rule.apply({}, logits, method="evidence")["fused"], expected, rtol=1e-10)
    alpha = expected + 1
    np.testing.assert_allclose(
        rule.apply({}, logits), np.log(alpha / alpha.sum(1, keepdims=True)), rtol=1e-10, atol=1e-12
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


def test_the_pseudo_view_counts_as_a_view_of_the_model():
    """Its head is on all embeddings side by side, and the model's evidence is the rule's of all three views."""
    batch = jax.tree.map(jnp.asarray, random_batch(VECTORS, TargetSpec("multiclass", K), B))
    model = build_model(VECTORS, TargetSpec("multiclass", K), "evidential_pseudo", Config(width=8))
    evidence = jax.jit(lambda: model.apply(initialise(model, jax.random.key(0), batch), batch).evidence)()
    assert set(evidence) == {"blood", "table", "pseudo", "fused"}
    views = [np.asarray(evidence[name], np.float64) for name in ("blood", "table", "pseudo")]
    # The model's numbers are float32: three products of 1 + e / K, times K.
    np.testing.assert_allclose(evidence["fused"], K * (np.prod([1 + e / K for e in views], axis=0) - 1), rtol=1e-5)


def test_evidence_is_averaged_over_the_views_present(logits):
    present = {name: np.arange(B) > i for i, name in enumerate(logits)}
    fused = EvidentialAverage().apply({}, logits, present)
    np.testing.assert_allclose(fused[0], -np.log(K), **CLOSE)
    for row in range(1, B):
        evidence = np.mean([np.logaddexp(0, l[row]) for n, l in logits.items() if present[n][row]], axis=0)
        np.testing.assert_allclose(fused[row], np.log((evidence + 1) / (evidence + 1).sum()), **CLOSE)


def conflict(first, second):
    """Distance of two expected p [K], by how certain both are; from the opinions' own definition."""
    opinions = [(e / (e.sum() + K), K / (e.sum() + K)) for e in (first, second)]
    (p, u), (q, v) = [(belief + doubt / K, doubt) for belief, doubt in opinions]
    return 0.5 * np.abs(p - q).sum() * (1 - u) * (1 - v)


def test_conflict_is_a_mean_over_pairs_of_views_present(logits):
    rule = EvidentialAverage(conflict_weight=0.3)
    present = {name: np.arange(B) != i for i, name in enumerate(logits)}
    evidence = rule.apply({}, logits, present, method="evidence")
    penalty = rule.apply({}, evidence, present, method="penalty")
    for row in range(B):
        seen = [np.logaddexp(0, l[row]) for n, l in logits.items() if present[n][row]]
        pairs = [conflict(a, b) for i, a in enumerate(seen) for b in seen[:i]]
        np.testing.assert_allclose(penalty[row], 0.3 * np.mean(pairs) if pairs else 0, **CLOSE)


def test_conflict_of_views_that_agree_or_know_nothing_is_0_and_of_opposite_certainties_1():
    views = {"a": np.array([[9.0, 0], [0, 0], [1e9, 0]]), "b": np.array([[9.0, 0], [9, 0], [0, 1e9]])}
    penalty = EvidentialAverage(conflict_weight=1.0).apply({}, views, method="penalty")
    # Of certainties 1 - 2e-9.
    np.testing.assert_allclose(penalty, [0, 0, 1], atol=1e-8)


def test_training_adds_gamma_times_the_conflict():
    """At gamma = 0 it is plain averaging; between two gammas the objective differs by the conflict of the views.

    Of an example with two labels, by the mean of the labels' conflicts.
    """
    target, losses = TargetSpec("multilabel", 2), {}
    batch = jax.tree.map(jnp.asarray, random_batch(VECTORS, target, B))
    for gamma in (0.0, 2.0):
        config = Config(width=8, conflict_weight=gamma)
        model = build_model(VECTORS, target, "evidential_average", config)
        outputs = jax.jit(lambda model=model: model.apply(initialise(model, jax.random.key(0), batch), batch))()
        losses[gamma] = objective(target, outputs, batch.target, 0.5, 1.0)
    evidence = {name: np.asarray(e, np.float64) for name, e in outputs.evidence.items()}
    rows = EvidentialAverage(conflict_weight=2.0).apply({}, evidence, method="penalty")
    assert (rows > 0).all()
    # Losses are float32 numbers of order 10: 1e-6.
    np.testing.assert_allclose(losses[2.0] - losses[0.0], rows.reshape(B, -1).mean(1), atol=1e-5)
