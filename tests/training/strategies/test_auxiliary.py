"""L(D) + lambda * sum_i L_i."""

import numpy as np
import pytest
from strategy_cases import NAMES, batch, seen, setting

from mmjax.training.strategies.auxiliary import Auxiliary

EVEN, THREE_TO_ONE = [0.0], [np.log(3)]  # log-odds of p = 1/2 and p = 3/4


@pytest.mark.parametrize("modalities", [2, 3])
def test_each_modality_adds_its_loss(modalities):
    """Truth 1: D says 1/2, every head 3/4."""
    goal = Auxiliary(setting(modalities, auxiliary_weight=0.5))
    heads = dict.fromkeys(NAMES[:modalities], [THREE_TO_ONE])
    (loss,), _ = goal.losses(seen(batch([1]), [EVEN], heads=heads))
    np.testing.assert_allclose(loss, [np.log(2) + 0.5 * modalities * np.log(4 / 3)], rtol=1e-6)


def test_an_example_without_a_modality_adds_none():
    goal = Auxiliary(setting())
    heads = {"a": [EVEN, EVEN], "b": [THREE_TO_ONE, [np.nan]]}
    (loss,), _ = goal.losses(seen(batch([1, 1], {"b": [True, False]}), [EVEN, EVEN], heads=heads))
    np.testing.assert_allclose(loss, [2 * np.log(2) + np.log(4 / 3), 2 * np.log(2)], rtol=1e-6)


def test_heads_take_no_part_in_decisions():
    looked = seen(batch([1]), [EVEN], heads={"a": [THREE_TO_ONE]})
    (decision,) = Auxiliary(setting()).decisions(looked.outputs, looked.heads)
    np.testing.assert_array_equal(decision, [EVEN])
