"""Mutual information and the best rule's accuracy, against their definitions and the laws they obey."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmjax.data.synthetic import latents
from mmjax.data.synthetic.information import bayes_accuracy, mutual_information, subsets

weights = hnp.arrays(float, (3, 2, 3), elements=st.floats(0, 1)).filter(lambda table: table.sum() > 0.1)
tables = weights.map(lambda table: table / table.sum())


def entropy(probabilities):
    there = probabilities[probabilities > 0]
    return -np.sum(there * np.log2(there))


@given(tables)
@settings(max_examples=50, deadline=None)
def test_information_is_entropies_difference(table):
    joint = table.reshape(3, 6)
    expected = entropy(joint.sum(1)) + entropy(joint.sum(0)) - entropy(joint.ravel())
    assert mutual_information(table, (0, 1)) == pytest.approx(expected, abs=1e-10)


@given(tables)
@settings(max_examples=50, deadline=None)
def test_seeing_more_never_tells_less(table):
    for seen in ((0,), (1,)):
        assert mutual_information(table, seen) <= mutual_information(table, (0, 1)) + 1e-10
        assert bayes_accuracy(table, seen) <= bayes_accuracy(table, (0, 1)) + 1e-10
        assert bayes_accuracy(table, seen) >= table.sum((1, 2)).max() - 1e-10


@given(tables)
@settings(max_examples=25, deadline=None)
def test_no_deterministic_rule_is_better(table):
    joint = table.reshape(3, 6)
    best = max(
        sum(joint[label, cell] for cell, label in enumerate(rule)) for rule in itertools.product(range(3), repeat=6)
    )
    assert bayes_accuracy(table, (0, 1)) == pytest.approx(best)


def test_a_rule_is_judged_where_it_is_told_to_be():
    train, test = latents.agreeing(0.8, 0.9), latents.agreeing(0.8, 0.1)
    assert bayes_accuracy(train, (1,), test) == pytest.approx(0.1)
    assert bayes_accuracy(train, (0,), test) == pytest.approx(0.8)


def test_who_is_indifferent_guesses():
    assert bayes_accuracy(latents.parity(2), (0,)) == pytest.approx(0.5)
    assert bayes_accuracy(latents.modular_sum(2), (1,)) == pytest.approx(0.25)


def test_subsets_are_all_but_the_empty_one():
    found = list(subsets(3))
    assert found[:3] == [(0,), (1,), (2,)] and found[-1] == (0, 1, 2) and len(set(found)) == 7
