"""How two gradients of an encoder become one."""

import jax.numpy as jnp
import numpy as np
import pytest
from strategy_cases import NAMES, setting

from mmjax.training.strategies.pareto import Pareto, join

ROOT5 = np.sqrt(5)
# first, second, joined. In conflict: share 3/5 of the first, shortest (0.2, 0.4), as long as the sum (0, 1); and, with
# unequal lengths, share 1/5 (all second would be too much), shortest (0.4, 0.8), as long as the sum (1, 1) is.
BY_HAND = [
    ([1.0, 0.0], [1.0, 2.0], [2.0, 2.0]),
    ([1.0, 0.0], [0.0, 2.0], [1.0, 2.0]),
    ([1.0, 0.0], [-1.0, 1.0], [1 / ROOT5, 2 / ROOT5]),
    ([2.0, 0.0], [0.0, 0.0], [2.0, 0.0]),
    ([1.0, 2.0], [-3.0, -6.0], [0.0, 0.0]),
]


@pytest.mark.parametrize("first, second, expected", BY_HAND)
def test_worked_by_hand(first, second, expected):
    np.testing.assert_allclose(join(jnp.float32(first), jnp.float32(second)), expected, rtol=1e-6, atol=1e-6)


def test_joined_gradients_are_as_long_as_their_sum_and_against_neither():
    """Tolerances: float32 sums of some ten products."""
    rng = np.random.default_rng(0)
    conflicts = 0
    for _ in range(50):
        first, second = rng.normal(size=(2, 9)) * [[rng.uniform(0.1, 10)], [1.0]]
        first, second = ({"w": jnp.float32(g[:6].reshape(2, 3)), "b": jnp.float32(g[6:])} for g in (first, second))
        flat = [np.concatenate([np.ravel(tree["b"]), np.ravel(tree["w"])]).astype(np.float64)
                for tree in (first, second, join(first, second))]  # fmt: skip
        np.testing.assert_allclose(np.linalg.norm(flat[2]), np.linalg.norm(flat[0] + flat[1]), rtol=1e-5)
        if flat[0] @ flat[1] < 0:
            conflicts += 1
            assert flat[2] @ flat[0] == pytest.approx(flat[2] @ flat[1], rel=1e-3)
            assert flat[2] @ flat[0] > 0
        else:
            np.testing.assert_allclose(flat[2], flat[0] + flat[1], rtol=1e-6)
    assert 10 < conflicts < 40


@pytest.mark.parametrize("modalities", [2, 3])
def test_only_encoders_are_turned_and_lengthened(modalities):
    """One encoder in conflict, the others not; gamma = 2 lengthens them, the rest is the plain sum."""
    encoders = [f"encoders_{name}" for name in NAMES[:modalities]]
    conflict, agreement = ([1.0, 0.0], [-1.0, 1.0]), ([1.0, 0.0], [1.0, 2.0])
    pairs = [conflict] + [agreement] * (modalities - 1)
    gradients = tuple(
        {"model": {name: {"kernel": jnp.float32(pair[k])} for name, pair in zip(encoders, pairs, strict=True)}
         | {"h": jnp.float32(conflict[k])}, "heads": jnp.float32(conflict[k])}
        for k in (0, 1)
    )  # fmt: skip
    goal = Pareto(setting(modalities, pareto_gamma=2.0))
    combined, _ = goal.combine(gradients, {}, {}, None, 0)
    expected = [[2 / ROOT5, 4 / ROOT5]] + [[4.0, 4.0]] * (modalities - 1)
    for name, gradient in zip(encoders, expected, strict=True):
        np.testing.assert_allclose(combined["model"][name]["kernel"], gradient, rtol=1e-6)
    np.testing.assert_array_equal(combined["model"]["h"], [0.0, 1.0])
    np.testing.assert_array_equal(combined["heads"], [0.0, 1.0])
