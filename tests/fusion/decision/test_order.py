"""Order statistics, in float64 against NumPy."""

import numpy as np
import pytest
from scipy.special import softmax

from mmjax.fusion import Max, Median, Min

CLOSE = {"rtol": 1e-12, "atol": 1e-12}
pytestmark = pytest.mark.usefixtures("float64")


@pytest.mark.parametrize("rule, statistic", [(Max(), np.max), (Min(), np.min), (Median(), np.median)],
                         ids=["max", "min", "median"])  # fmt: skip
def test_each_class_by_its_own_statistic_renormalised(rule, statistic, logits):
    p = statistic([softmax(l, axis=1) for l in logits.values()], axis=0)
    np.testing.assert_allclose(rule.apply({}, logits), np.log(p / p.sum(1, keepdims=True)), **CLOSE)


def test_median_of_values(logits):
    """Of those present: one, two, ... of them; 0 of none."""
    names = list(logits)
    present = {name: np.arange(6) > i for i, name in enumerate(names)}
    fused = Median(regression=True).apply({}, logits, present)
    np.testing.assert_array_equal(fused[0], 0)
    for row in range(1, 6):
        values = [logits[name][row] for name in names if present[name][row]]
        np.testing.assert_allclose(fused[row], np.median(values, axis=0), **CLOSE)


@pytest.mark.parametrize("rule", [Min(), Median()], ids=["min", "median"])
def test_certainties_that_exclude_each_other_leave_an_answer(rule):
    """Every p_k is 0 in floating point; their logarithms still say which class is the least excluded."""
    certain = {f"m{i}": 2000.0 * np.eye(4)[[i]] + np.array([[0, 0, 0, 1.0]]) for i in range(3)}
    fused = np.asarray(rule.apply({}, certain))
    assert np.isfinite(fused).all()
    assert fused.argmax() == 3
