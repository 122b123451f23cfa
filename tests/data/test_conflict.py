"""Views that contradict each other: how many, which, and nothing else."""

import dataclasses

import jax
import numpy as np
import pytest

from mmjax.data import load_task
from mmjax.data.conflict import NOISY, SWAPPED, contradict


@pytest.fixture(scope="module")
def task(dummy, cache_dir):
    """Five views of four hundred test examples."""
    task = load_task("handwritten", str(dummy("handwritten")), str(cache_dir))
    test = jax.tree.map(lambda x: np.tile(x, (20, *[1] * (x.ndim - 1))), task.splits["test"])
    return dataclasses.replace(task, splits={**task.splits, "test": test})


def changed_views(task, other):
    """[n, M] whether a view of a test example is another one."""
    before, after = task.splits["test"].inputs, other.splits["test"].inputs
    return np.stack([(before[name] != after[name]).any(axis=1) for name in after], axis=1)


def test_train_and_validation_are_as_they_were(task):
    other = contradict(task, 0)
    for split in ("train", "validation"):
        assert other.splits[split] is task.splits[split]
    jax.tree.map(np.testing.assert_array_equal, task.splits["test"].target, other.splits["test"].target)


def test_so_many_have_a_view_of_the_next_class(task):
    """Noise on a proper subset of a tenth; of four tenths one view is the first example's of the next class."""
    other = contradict(task, 0)
    test, inputs = task.splits["test"], other.splits["test"].inputs
    first = {label: int(np.argmax(test.target == label)) for label in np.unique(test.target)}
    following = np.array([first[(label + 1) % task.target.classes] for label in test.target])
    swapped = np.stack([(inputs[name] == test.inputs[name][following]).all(axis=1) for name in inputs], axis=1)
    swapped &= changed_views(task, other)
    assert swapped.any(axis=1).sum() == round(SWAPPED * test.size) and swapped.sum(axis=1).max() == 1
    noisy = changed_views(task, other) & ~swapped
    count = noisy.any(axis=1).sum()
    assert 0 < count <= round(NOISY * test.size) and noisy.sum(axis=1).max() < len(inputs)


def test_a_seed_is_a_test_split(task):
    first, again, other = (contradict(task, seed).splits["test"].inputs for seed in (0, 0, 1))
    jax.tree.map(np.testing.assert_array_equal, dict(first), dict(again))
    assert any((first[name] != other[name]).any() for name in first)
