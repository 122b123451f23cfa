"""Prototypes, who lags and who leads, and what that costs."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from strategy_cases import NAMES, batch, seen, setting

from mmjax.training.strategies.prototypes import (
    Prototypes,
    PrototypicalRebalance,
    coefficients,
    log_probabilities,
    refresh,
)
from mmjax.types import TargetSpec

THREE = TargetSpec("multiclass", 3)


def prototypes(centres, known=None, sums=None, counts=None):
    centres = jnp.float32(centres)
    known = jnp.ones(len(centres), bool) if known is None else jnp.array(known)
    sums = jnp.zeros_like(centres) if sums is None else jnp.float32(sums)
    return Prototypes(centres, known, sums, jnp.zeros(len(centres)) if counts is None else jnp.float32(counts))


def entropy(p):
    return -sum(q * np.log(q) for q in p)


def test_probabilities_fall_with_euclidean_distance():
    """Distances 0 and 5; 3 and 4."""
    log_p = log_probabilities(prototypes([[0, 0], [3, 4]]), jnp.float32([[0, 0], [3, 0]]))
    np.testing.assert_allclose(jnp.exp(log_p[:, 0]), 1 / (1 + np.exp([-5.0, -1.0])), rtol=1e-5)


def test_a_class_without_a_prototype_is_no_choice():
    some = prototypes([[0, 0], [0, 0], [3, 4]], known=[True, False, True])
    h = jnp.float32([[3, 0], [0, 0]])
    p = np.exp(log_probabilities(some, h))
    np.testing.assert_allclose(p[0], [1 / (1 + np.exp(-1)), 0, 1 / (1 + np.exp(1))], rtol=1e-5)
    gradient = jax.grad(lambda h: log_probabilities(some, h)[:, 0].sum())(h)
    assert np.isfinite(gradient).all()  # at a distance of 0 too


@pytest.mark.parametrize(
    "scores, weak, strong",
    [
        ([0.6, 0.4], [0, 0.5], [0.5, 0]),  # rho 3/2 and 2/3
        ([0.9, 0.3], [0, 1], [1, 0]),  # rho 3 and 1/3, clipped
        ([0.6, 0.4, 0.2], [0, 0, 1], [1, 0, 0]),  # over the means of the others 0.3, 0.4, 0.5: rho 2, 1, 2/5
        ([0.5, 0.5, 0.5], [0, 0, 0], [0, 0, 0]),
        ([0.0, 0.0], [1, 1], [0, 0]),  # before there are prototypes: nobody leads
    ],
)
def test_who_lags_and_who_leads(scores, weak, strong):
    for place in (1, -1):  # whatever their order
        found = coefficients(jnp.float32(scores[::place]))
        np.testing.assert_allclose(found, [weak[::place], strong[::place]], rtol=1e-5, atol=1e-6)


def test_prototypes_are_joined_to_those_before():
    """Class 0 has one: 0.8 * 5 + 0.2 * 10; class 1 has none; class 2 was not met."""
    old = prototypes([[10, 0], [0, 0], [7, 7]], [True, False, True], [[10, 20], [3, 3], [0, 0]], [2, 3, 0])
    new = refresh(old, momentum=0.2)
    np.testing.assert_allclose(new.centres, [[6, 8], [1, 1], [7, 7]], rtol=1e-6)
    assert new.known.all() and not new.sums.any() and not new.counts.any()


def example_loss(early=True, extra=()):
    """Two classes with prototypes 0 and 4 on a line, for each of two modalities; h is at 1 and at 2."""
    goal = PrototypicalRebalance(setting(prototype_weight=2.0, prototype_entropy=0.5, prototype_entropy_epochs=3))
    memory = {"prototypes": dict.fromkeys("ab", prototypes([[0, 0], [4, 0]])), "refreshed": 3 if early else 4}
    h = {"a": [[1, 0]] + [[row["a"], 0] for row in extra], "b": [[2, 0]] + [[row["b"], 0] for row in extra]}
    present = {name: [True] + [row["present"][name] for row in extra] for name in "ab"}
    weight = [1] + [row.get("weight", 1) for row in extra]
    looked = seen(batch([0] * len(weight), present, weight), [[0.0]] * len(weight), h, memory=memory)
    (loss,), observed = goal.losses(looked)
    return np.float64(loss), observed


P = 1 / (1 + np.exp(-2))  # a's probability of the truth, from distances 1 and 3; b's is 1/2, from 2 and 2
LAGGING, LEADING = min(P / 0.5 - 1, 1), min(P / 0.5 - 1, 1)  # beta of b = 1 / rho_b - 1, gamma of a = rho_a - 1


def test_the_weak_is_drawn_and_the_strong_is_held_back():
    own = np.log(2)  # L(D)
    expected = own + 2.0 * LAGGING * np.log(2) - 0.5 * LEADING * entropy([P, 1 - P])
    np.testing.assert_allclose(example_loss()[0], [expected], rtol=1e-5)
    np.testing.assert_allclose(example_loss(early=False)[0], [own + 2.0 * LAGGING * np.log(2)], rtol=1e-5)


def test_rows_that_weigh_nothing_or_lack_the_modality_do_not_count():
    padding = {"a": 9, "b": -9, "present": {"a": True, "b": True}, "weight": 0}
    lacking = {"a": 9, "b": 0, "present": {"a": False, "b": False}}
    loss, observed = example_loss(extra=[padding, lacking])
    np.testing.assert_allclose(loss[0], example_loss()[0][0], rtol=1e-6)
    assert loss[2] == pytest.approx(np.log(2))  # of D alone
    for name, h in (("a", 1), ("b", 2)):
        np.testing.assert_array_equal(observed[name][0], [[h, 0], [0, 0]])
        np.testing.assert_array_equal(observed[name][1], [1, 0])


@pytest.mark.parametrize("modalities", [2, 3])
def test_an_epoch_without_prototypes_then_with_the_means_of_its_steps(modalities):
    names = NAMES[:modalities]
    goal = PrototypicalRebalance(setting(modalities, THREE))
    h = {name: [[1.0 + place, 0], [3.0 + place, 0], [5, 5]] for place, name in enumerate(names)}
    steps = [batch([0, 0, 1], {"a": [True, False, True]}), batch([0, 0, 1], {"a": [True, False, True]})]
    memory = goal.remember(seen(steps[0], np.zeros((3, 3)), h).outputs, {})
    for step in steps:
        looked = seen(step, np.zeros((3, 3)), h, memory=memory)
        (loss,), observed = goal.losses(looked)
        np.testing.assert_allclose(loss, np.log([3, 3, 3]), rtol=1e-6)  # L(D) alone
        _, memory = goal.combine(({},), observed, memory, None, 0)
    memory = goal.epoch_ended(memory)
    assert memory["refreshed"] == 1
    np.testing.assert_allclose(memory["prototypes"]["a"].centres, [[1, 0], [5, 5], [0, 0]])
    np.testing.assert_allclose(memory["prototypes"]["b"].centres, [[3, 0], [5, 5], [0, 0]])
    for name in names:
        np.testing.assert_array_equal(memory["prototypes"][name].known, [True, True, False])
    loss = goal.losses(seen(batch([2]), np.zeros((1, 3)), {n: v[:1] for n, v in h.items()}, memory=memory))[0][0]
    np.testing.assert_allclose(loss, np.log([3]), rtol=1e-6)  # the truth is a class without a prototype


def test_coefficients_are_not_differentiated():
    """d loss / d h of one example: that of 2 * beta * L_PCE and of the entropy, with beta and gamma held fixed."""
    goal = PrototypicalRebalance(setting(prototype_weight=2.0, prototype_entropy=0.5))
    memory = {"prototypes": dict.fromkeys("ab", prototypes([[0, 0], [4, 0]])), "refreshed": 1}

    def total(a, b):
        return goal.losses(seen(batch([0]), [[0.0]], {"a": [[a, 0.0]], "b": [[b, 0.0]]}, memory=memory))[0][0][0]

    of_a, of_b = jax.grad(total, (0, 1))(jnp.float32(1), jnp.float32(2))
    # On the line between them the log-odds of class 0 are 4 - 2 h, so dp/dh = -2 p (1 - p).
    np.testing.assert_allclose(of_b, 2.0 * LAGGING * 2 * (1 - 0.5), rtol=1e-5)
    log_odds = np.log(P / (1 - P))
    np.testing.assert_allclose(of_a, -0.5 * LEADING * (-log_odds) * (-2 * P * (1 - P)), rtol=1e-5)
