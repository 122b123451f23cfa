"""Whatever has classes and groups: every fold has its part, by the seed alone."""

import numpy as np
import pytest

from mmjax.data.splitters import folds_by


@pytest.mark.parametrize("with_strata", [False, True])
@pytest.mark.parametrize("with_groups", [False, True])
def test_folds_are_even_and_groups_whole(with_strata, with_groups):
    strata = np.arange(60) // 4 % 3 if with_strata else None
    groups = np.arange(60) // 4 if with_groups else None
    folds = folds_by(60, 5, 0, strata, groups)
    np.testing.assert_array_equal(np.bincount(folds), [12] * 5)
    if with_strata:
        assert all(np.bincount(strata[folds == fold]).tolist() == [4] * 3 for fold in range(5))
    if with_groups:
        assert all(len(np.unique(folds[groups == group])) == 1 for group in range(15))
    np.testing.assert_array_equal(folds, folds_by(60, 5, 0, strata, groups))
    assert (folds != folds_by(60, 5, 1, strata, groups)).any()


def test_a_class_of_fewer_members_than_folds_is_in_some_and_without_a_warning(recwarn):
    strata = np.repeat([0, 1], [18, 2])
    folds = folds_by(20, 5, 0, strata, None)
    assert len(np.unique(folds[strata == 1])) == 2 and not recwarn.list


def test_too_few_are_refused():
    for strata in (None, np.array([0, 1, 2])):
        with pytest.raises(ValueError):
            folds_by(3, 5, 0, strata, None)
