"""Elections: their equations, their ties, and that no tie-break overturns a vote."""

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import rankdata

from mmjax.fusion import Borda, Vote

CLOSE = {"rtol": 1e-12, "atol": 1e-12}
pytestmark = pytest.mark.usefixtures("float64")


def votes(p):
    return np.eye(p.shape[-1])[p.argmax(-1)].sum(0)


def points(p):
    return (rankdata(p, axis=-1) - 1).sum(0)


both = pytest.mark.parametrize("rule, count, least", [(Vote(), votes, 1), (Borda(), points, 0.5)],
                               ids=["vote", "borda"])  # fmt: skip


@both
def test_equation(rule, count, least, logits):
    p = softmax(list(logits.values()), axis=-1)
    scores = count(p) + least * p.sum(0) / (len(p) + 1)
    np.testing.assert_allclose(rule.apply({}, logits), np.log(scores / scores.sum(1, keepdims=True)), **CLOSE)


@both
def test_more_points_win_whatever_the_probabilities(rule, count, least):
    """2,000 elections of 3 and 4 classes, with ties within and between ballots."""
    rng = np.random.default_rng(0)
    ballots = {f"m{i}": rng.integers(-3, 4, (2000, 4)) * 5.0 for i in range(3)}
    fused = np.asarray(rule.apply({}, ballots))
    totals = count(softmax(list(ballots.values()), axis=-1))
    more = totals[:, :, None] > totals[:, None]
    assert more.any() and (fused[:, :, None] > fused[:, None])[more].all()


@both
def test_ties_go_to_the_summed_probability(rule, count, least):
    """Two against two: the pair that is surer of it wins."""
    p = np.array([[0.6, 0.3, 0.1], [0.6, 0.3, 0.1], [0.1, 0.85, 0.05], [0.1, 0.85, 0.05]])
    totals = count(p[:, None])[0]
    fused = np.asarray(rule.apply({}, {f"m{i}": np.log(row)[None] for i, row in enumerate(p)}))[0]
    assert totals[0] == totals[1]
    assert fused[1] > fused[0]


def test_borda_gives_equals_half_a_point():
    tied = {"m0": np.array([[2.0, 2.0, 0.0, -1.0]])}
    scores = np.array([2.5, 2.5, 1, 0]) + softmax(tied["m0"][0]) / 4
    np.testing.assert_allclose(Borda().apply({}, tied)[0], np.log(scores / scores.sum()), **CLOSE)


def test_borda_can_choose_who_is_nobodys_first():
    """The second choice of all beats the first of two camps, each of which the other puts last."""
    ballots = {"m0": np.array([[2.0, 1.5, 0.0]]), "m1": np.array([[0.0, 1.5, 2.0]]), "m2": np.array([[0.0, 2.0, 1.5]])}
    assert Borda().apply({}, ballots).argmax() == 1
