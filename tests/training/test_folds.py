"""Folds keep classes' shares and groups whole, whatever the sizes."""

import dataclasses

import numpy as np
import pytest
from small_tasks import SPECS, small_task

from mmjax.training.folds import FOLDS, folds_of
from mmjax.types import TargetSpec

KINDS = [TargetSpec("binary"), TargetSpec("multiclass", 3), TargetSpec("multilabel", 2), TargetSpec("regression")]


def of_validation(target, groups=None, spec=TargetSpec("multiclass", 3)):
    """A task whose validation has these targets and groups."""
    task = small_task(SPECS[1:2], spec, (6, len(target), 6))
    splits = task.splits | {"validation": task.splits["validation"]._replace(target=np.asarray(target))}
    return dataclasses.replace(task, splits=splits, groups={} if groups is None else {"validation": np.asarray(groups)})


@pytest.mark.parametrize("spec", KINDS, ids=lambda spec: spec.kind)
@pytest.mark.parametrize("grouped", [False, True])
def test_every_fold_has_its_part_and_no_group_is_in_two(spec, grouped):
    task = small_task(SPECS[1:2], spec, (6, 60, 6))
    if grouped:
        task = dataclasses.replace(task, groups={"validation": np.arange(60) // 4})
    folds = folds_of(task, "validation")
    counts = np.bincount(folds)
    assert len(counts) == FOLDS and counts.max() - counts.min() <= (4 if grouped else 1 + (spec.classes > 2))
    if grouped:
        assert all(len(np.unique(folds[i : i + 4])) == 1 for i in range(0, 60, 4))
    np.testing.assert_array_equal(folds, folds_of(task, "validation"))


def test_classes_keep_their_shares():
    truth = np.repeat([0, 1, 2], [30, 20, 10])
    folds = folds_of(of_validation(truth), "validation")
    for fold in range(FOLDS):
        assert np.bincount(truth[folds == fold]).tolist() == [6, 4, 2]


@pytest.mark.parametrize(
    "target, groups, count",
    [
        ([0], None, 1),  # one example
        ([0, 1, 2, 1], [7, 7, 7, 7], 1),  # one group
        ([0, 1, 2], None, 3),  # of no class are there two
        ([0, 0, 0, 1, 1, 2], None, 3),  # as many as the commonest class has
        ([0] * 8 + [1], None, 5),  # a class that is in one fold alone
        ([0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 1, 1], 2),  # two groups
    ],
)
def test_what_is_too_few_for_five_folds_has_fewer(target, groups, count):
    folds = folds_of(of_validation(target, groups), "validation")
    assert sorted(set(folds.tolist())) == list(range(count))
