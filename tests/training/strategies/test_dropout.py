"""Which modalities are left out, and how often."""

import itertools

import jax
import numpy as np
import pytest
from small_tasks import SPECS, small_task
from strategy_cases import NAMES, batch, setting

from mmjax.config import Config
from mmjax.training.loop import train_cell
from mmjax.training.strategies.dropout import ModalityDropout

ROWS = 20_000
WITHIN = 5 * 0.5 / np.sqrt(ROWS)  # five standard deviations of a share, at most


def kept(modalities, p, present=None):
    """[ROWS, modalities] bool, after dropout."""
    goal = ModalityDropout(setting(modalities, modality_dropout=p))
    before = batch(np.zeros(ROWS), present)
    after = goal.see(before, jax.random.split(jax.random.key(0), ROWS))
    return np.stack([after.present[name] for name in NAMES[:modalities]], axis=1)


@pytest.mark.parametrize("modalities", [2, 3])
def test_every_combination_is_as_frequent_as_defined(modalities):
    """Each modality stays with 0.7; where none would, one of them does, and so adds 0.3^M / M to its lot."""
    rows, p = kept(modalities, 0.3), 0.3
    for wanted in itertools.product([False, True], repeat=modalities):
        count = sum(wanted)
        expected = (1 - p) ** count * p ** (modalities - count) if count else 0
        expected += p**modalities / modalities if count == 1 else 0
        assert (rows == wanted).all(1).mean() == pytest.approx(expected, abs=WITHIN)


def test_one_stays_however_many_are_left_out():
    rows = kept(3, 0.999)
    assert rows.any(1).all() and rows.mean() == pytest.approx(1 / 3, abs=WITHIN)


def test_what_is_absent_stays_absent_and_is_never_the_one_that_stays():
    some = np.arange(ROWS) % 2 == 0
    rows = kept(2, 0.999, {"a": some})
    assert not rows[~some, 0].any() and rows[~some, 1].all()
    nothing = kept(2, 0.5, {"a": np.zeros(ROWS, bool), "b": np.zeros(ROWS, bool)})
    assert not nothing.any()


def test_draws_belong_to_names():
    """The order in which a task lists its modalities changes nothing."""
    one = setting(2, modality_dropout=0.5)
    other = one._replace(modalities=one.modalities[::-1])
    keys = jax.random.split(jax.random.key(1), 50)
    first, second = (ModalityDropout(s).see(batch(np.zeros(50)), keys).present for s in (one, other))
    for name in ("a", "b"):
        np.testing.assert_array_equal(first[name], second[name])


def test_without_dropout_it_is_joint_bit_for_bit():
    config = Config(width=8, encoder_layers=1, epochs=2, batch_size=10, modality_dropout=0.0)
    task = small_task((SPECS[1], SPECS[4]), missing=True)
    plain, dropped = (train_cell(task, "concat", name, config, (0,)).runs[0] for name in ("joint", "modality_dropout"))
    np.testing.assert_array_equal(dropped.logits["test"], plain.logits["test"])
