"""student's variants: what each knows of a pupil, and that courses are not mixed."""

import os

import numpy as np
import pytest

from mmjax.data import load_task
from mmjax.data.student.task import RECIPE


@pytest.mark.parametrize("variant", RECIPE.variants)
def test_no_view_holds_a_grade_that_is_not_known(variant):
    """G3, of which the target is made, is in none; G2 in setup a alone; no grade in c."""
    known = [column for spec in RECIPE.variants[variant].modalities.values() for column in spec.columns]
    setup = next((part for part in variant.split("-") if part in ("b", "c")), "a")
    expected = {"a": ["G1", "G2"], "b": ["G1"], "c": []}[setup]
    assert [column for column in known if column.startswith("G")] == expected


@pytest.mark.parametrize("course", ["mathematics", "portuguese"])
def test_a_task_has_the_pupils_of_one_course(course):
    variant = RECIPE.variants["" if course == "mathematics" else course]
    columns = {"course": np.array(["mathematics", "portuguese", "mathematics"], object)}
    np.testing.assert_array_equal(variant.rows(columns), columns["course"] == course)


def test_categories_become_one_of_several(dummy, cache_dir):
    """Beside standardised numbers, first, every view has a 1 for each category of each pupil of train."""
    task = load_task("student", str(dummy("student")), str(cache_dir))
    for name, spec in RECIPE.variants[""].modalities.items():
        numbers = len(spec.steps[0].numbers)
        hot = task.splits["train"].inputs[name][:, numbers:]
        np.testing.assert_array_equal(np.unique(hot), [0, 1] if hot.size else [])
        np.testing.assert_array_equal(hot.sum(1), np.full(len(hot), len(spec.columns) - numbers))


@pytest.mark.parametrize(("name", "pupils", "passed"), [("student", 395, 265), ("student/portuguese", 649, 549)])
def test_real_files_have_their_sizes(cache_dir, name, pupils, passed):
    if not os.environ.get("MMJAX_DATA_DIR"):
        pytest.skip("MMJAX_DATA_DIR names no folder of real files")
    labels = np.concatenate([batch.target for batch in load_task(name, cache_dir=str(cache_dir)).splits.values()])
    assert (len(labels), int(labels.sum())) == (pupils, passed)
