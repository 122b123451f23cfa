"""What holds for every rule at the decision level: a new one is tested by being registered."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import logsumexp

from mmjax.fusion import DECISION

NAMES, K = ("m0", "m1", "m2"), 4
PER_MODALITY = ("weights", "log_temperatures", "log_confusion")  # parameters whose first axis is the modalities'
LEARNS_WHO_IS_WHO = ("weighted_mean", "stacking", "calibrated_mean", "confusion")
FITTED = [name for name, rule in DECISION.items() if hasattr(rule, "fit")]

every_rule = pytest.mark.parametrize("rule", DECISION)


def variables_of(rule, logits):
    """The rule's parameters, moved off their start."""
    rng = np.random.default_rng(0)
    return jax.tree.map(lambda leaf: leaf + 0.5 * rng.normal(size=leaf.shape), rule.init(jax.random.key(0), logits))


def random_logits(rows):
    rng = np.random.default_rng(1)
    return {name: 3 * rng.normal(size=(rows, K)) for name in NAMES}


@pytest.mark.parametrize("modalities", [2, 3, 6])
@every_rule
def test_parameters(rule, modalities):
    """A weight or a temperature for each of M modalities; a prior of K classes; K x K numbers for each modality."""
    expected = {
        "weighted_mean": modalities,
        "calibrated_mean": modalities,
        "naive_bayes": K,
        "stacking": modalities * K * K + K,
        "confusion": modalities * K * K + K,
    }
    logits = {f"m{i}": jnp.zeros((1, K)) for i in range(modalities)}
    shapes = jax.eval_shape(DECISION[rule]().init, jax.random.key(0), logits)
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == expected.get(rule, 0)


@pytest.mark.parametrize("rule", [name for name in DECISION if name != "stacking"])
@pytest.mark.usefixtures("float64")
def test_an_absent_modality_is_as_none(rule):
    """Every pattern of presence, NaN where absent, against the rule of those present alone. Stacking has its own."""
    patterns = [p for p in itertools.product([True, False], repeat=len(NAMES)) if any(p)]
    logits, module = random_logits(len(patterns)), DECISION[rule]()
    variables = variables_of(module, logits)
    present = dict(zip(NAMES, np.array(patterns).T, strict=True))
    poisoned = {name: np.where(present[name][:, None], logits[name], np.nan) for name in NAMES}
    fused = module.apply(variables, poisoned, present)
    for row, pattern in enumerate(patterns):
        kept = np.flatnonzero(pattern)
        params = {
            name: leaf[kept] if name in PER_MODALITY else leaf for name, leaf in variables.get("params", {}).items()
        }
        alone = module.apply({"params": params}, {NAMES[i]: logits[NAMES[i]][row : row + 1] for i in kept})
        np.testing.assert_allclose(fused[row], alone[0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("rule", [name for name in DECISION if name not in LEARNS_WHO_IS_WHO])
@pytest.mark.usefixtures("float64")
def test_symmetric_rules_do_not_know_the_modalities_names(rule):
    logits, module = random_logits(5), DECISION[rule]()
    variables = variables_of(module, logits)
    for order in itertools.permutations(NAMES):
        turned = {name: logits[other] for name, other in zip(NAMES, order, strict=True)}
        np.testing.assert_allclose(
            module.apply(variables, turned), module.apply(variables, logits), rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize("rule", FITTED)
def test_a_fit_reads_no_absent_value(rule):
    rng = np.random.default_rng(0)
    logits, truth = random_logits(30), rng.integers(0, K, 30)
    present = {name: rng.random(30) > 0.3 for name in NAMES}
    poisoned = {name: np.where(present[name][:, None], logits[name], np.nan) for name in NAMES}
    fits = [DECISION[rule]().fit(decisions, present, truth) for decisions in (logits, poisoned)]
    assert jax.tree.all(jax.tree.map(lambda leaf: np.isfinite(leaf).all(), fits))
    jax.tree.map(np.testing.assert_array_equal, *fits)


@functools.cache
def compiled(rule, modalities, rows):
    """Log p and the logits' gradients, in one program for all examples of a shape."""
    module, names = DECISION[rule](), [f"m{i}" for i in range(modalities)]
    variables = variables_of(module, {name: jnp.zeros((rows, K)) for name in names})

    def fused(logits, present):
        log_p = module.apply(variables, logits, present)
        return (log_p * jnp.arange(1, K + 1)).sum(), log_p

    return names, jax.jit(jax.value_and_grad(fused, has_aux=True))


EXTREMES = st.sampled_from([-1e4, -50.0, 0.0, 1e-6, 50.0, 1e4]) | st.floats(-1e4, 1e4, width=32)


@every_rule
@settings(max_examples=15, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_logits_and_presence_give_finite_normalised_logarithms(rule, data):
    """And finite gradients, 0 of what is absent.

    The logarithm of a sum of float32 exponentials is right to 1e-6, that of evidences' products, up to e^70, to 1e-5.
    """
    modalities, rows = data.draw(st.sampled_from([(2, 1), (3, 3)]))
    names, program = compiled(rule, modalities, rows)
    shape = (modalities, rows, K)
    logits = dict(zip(names, data.draw(arrays.arrays(np.float32, shape, elements=EXTREMES)), strict=True))
    present = dict(zip(names, data.draw(arrays.arrays(bool, shape[:2])), strict=True))
    poisoned = {name: np.where(present[name][:, None], l, np.nan) for name, l in logits.items()}
    (_, log_p), gradients = program(poisoned, present)
    assert np.isfinite(log_p).all()
    np.testing.assert_allclose(logsumexp(np.float64(log_p), axis=1), 0, atol=3e-5)
    for name, gradient in gradients.items():
        assert np.isfinite(gradient).all()
        assert (np.asarray(gradient)[~present[name]] == 0).all()
