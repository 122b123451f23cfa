"""What is odd about a task is in its report, and a reader of results is warned of it, and of nothing else."""

import dataclasses
import json

import numpy as np
import pytest
from small_tasks import SPECS, small_task

from mmjax.data.cleaning import cleaning_report
from mmjax.types import SPLITS, ModalitySpec, TargetSpec

SIZES = (200, 60, 80)


@pytest.fixture
def task():
    """Nothing is odd about it."""
    return small_task(SPECS[:4], TargetSpec("binary"), SIZES)


def warned(task):
    return cleaning_report(task).warnings


def with_split(task, split, **fields):
    return dataclasses.replace(task, splits=task.splits | {split: task.splits[split]._replace(**fields)})


def copy_rows(task, split, count, names):
    """The first examples of train in another split, in some modalities."""
    for name in names:
        for field in ("inputs", "lengths"):
            source, place = (getattr(task.splits[each], field) for each in ("train", split))
            if name in place:
                place[name][:count] = source[name][:count]


def test_a_clean_task_has_no_warning(task):
    report = cleaning_report(task)
    assert report.warnings == ()
    assert set(report.repeated.values()) == set(report.shared.values()) == set(report.contradicted.values()) == {0.0}
    assert set(report.constant.values()) == {0.0}


def test_the_report_is_plain_json_and_a_table(task):
    report = cleaning_report(task)
    assert json.loads(json.dumps(report.to_dict()))["shares"]["train"] == report.shares["train"]
    assert all(len(values) == len(SPLITS) for _, values in report.rows())
    assert {f"{name} absent" for name in report.absent} <= {what for what, _ in report.rows()}


@pytest.mark.parametrize("split, effect", [("test", "scores are too good"), ("validation", "favours what fits train")])
def test_examples_of_train_in_another_split_are_warned_of(task, split, effect):
    copy_rows(task, split, 6, [spec.name for spec in SPECS[:4]])
    report = cleaning_report(task)
    assert report.shared[split] == pytest.approx(6 / task.splits[split].size)
    assert any(effect in warning for warning in report.warnings) and len(report.warnings) == 1


def test_two_of_them_may_be_chance(task):
    copy_rows(task, "test", 2, [spec.name for spec in SPECS[:4]])
    assert warned(task) == ()


def test_a_photograph_of_train_with_other_words_is_warned_of(task):
    copy_rows(task, "test", 8, ["scan"])
    (warning,) = warned(task)
    assert warning == "10.0% of test have scan in common with an example of train"


def test_equal_values_of_a_short_vector_or_text_are_not(task):
    copy_rows(task, "test", 8, ["table", "words"])
    report = cleaning_report(task)
    assert report.shared_alone["table"]["test"] == pytest.approx(0.1) and report.warnings == ()


def test_a_long_text_of_train_is_warned_of():
    task = small_task((SPECS[1], ModalitySpec("report", "tokens", (30,), vocabulary=11)), TargetSpec("binary"), SIZES)
    copy_rows(task, "test", 80, ["report"])
    (warning,) = warned(task)
    assert warning == "100.0% of test have report in common with an example of train"


def test_recordings_that_train_itself_uses_again_and_again_are_not_examples(task):
    for split in ("train", "test"):
        task.splits[split].inputs["scan"][:] = task.splits["train"].inputs["scan"][:1]
        task.splits[split].inputs["scan"][::2] += 1
    assert not any("in common" in warning for warning in warned(task))


def test_the_same_inputs_with_another_target_are_warned_of(task):
    train = task.splits["train"]
    rows = np.flatnonzero(train.target == 1)[:5], np.flatnonzero(train.target == 0)[:5]
    for field in (train.inputs, train.lengths):
        for values in field.values():
            values[rows[0]] = values[rows[1]]
    report = cleaning_report(task)
    assert report.contradicted["train"] == pytest.approx(10 / train.size)
    assert report.repeated["train"] == pytest.approx(5 / train.size)
    assert [warning.split("%")[0] for warning in report.warnings] == ["5.0"]


def test_absence_is_warned_of_and_that_it_tells(task):
    train = task.splits["train"]
    train.present["table"][:20] = False
    assert warned(task) == ("table is absent in 10% of train and 0% of test",)
    train.present["table"][:] = train.target == 0
    assert any("its absence alone tells of the target" in warning for warning in warned(task))


def test_constant_numbers_are_reported_and_a_constant_modality_is_warned_of(task):
    train = task.splits["train"]
    train.inputs["table"][:, :2] = 4
    assert cleaning_report(task).constant["table"] == pytest.approx(2 / 5) and warned(task) == ()
    train.inputs["table"][:] = 4
    assert warned(task) == ("table is the same in all of train",)


def test_groups_on_both_sides_are_warned_of(task):
    groups = {split: np.arange(size) + 1000 * place for place, (split, size) in enumerate(zip(SPLITS, SIZES))}
    assert warned(dataclasses.replace(task, groups=groups)) == ()
    groups["test"][:3] = groups["train"][:3]
    assert warned(dataclasses.replace(task, groups=groups))[0].startswith("3 groups have examples in two splits")


def test_a_class_of_nearly_all_is_warned_of(task):
    for split in SPLITS:
        target = (np.arange(task.splits[split].size) % 10 == 0).astype(np.int32)
        task = with_split(task, split, target=target)
    assert warned(task) == ("90% of train are of one class: read balanced accuracy and macro F1, not accuracy",)


def test_a_class_of_nearly_none_is_warned_of():
    task = small_task(SPECS[:2], TargetSpec("multiclass", 3), SIZES)
    for split in SPLITS:
        target = (np.arange(task.splits[split].size) % 2).astype(np.int32)
        target[7] = 2
        task = with_split(task, split, target=target)
    assert warned(task) == ("a class has 0.5% of train: macro F1 says more than accuracy",)


def test_a_shift_of_the_classes_is_warned_of(task):
    test = (np.arange(80) % 4 == 0).astype(np.int32)
    assert warned(with_split(task, "test", target=test)) == (
        "the classes' shares differ between train and test by 25%",
    )


def test_small_splits_differ_by_chance():
    """As often as the test is small: shares of 20 draws of 10 classes are far from even."""
    task = small_task(SPECS[:2], TargetSpec("multiclass", 10), (200, 20, 20))
    for seed in range(20):
        drawn = np.random.default_rng(seed).integers(0, 10, 20).astype(np.int32)
        assert not any("shares differ" in warning for warning in warned(with_split(task, "test", target=drawn)))


def test_a_leak_is_warned_of(task):
    task.splits["train"].inputs["table"][:, 3] = task.splits["train"].target
    (warning,) = warned(task)
    assert warning.startswith("number 3 of table tells the target of train almost alone (1.000)")


@pytest.mark.parametrize("target", [TargetSpec("regression", 2), TargetSpec("multilabel", 3)])
def test_targets_without_classes_have_a_report_too(target):
    task = small_task(SPECS[:3], target, SIZES, missing=True)
    report = cleaning_report(task)
    assert report.shares == {} and len(report.telling) == 3 * target.size
    task.splits["train"].inputs["scan"][:, 1, 2, 0] = task.splits["train"].target[:, 1]
    assert any("number 8 of scan tells value 1 of the target" in warning for warning in warned(task))


def test_the_task_itself_is_left_alone(task):
    before = {name: values.copy() for name, values in task.splits["train"].inputs.items()}
    cleaning_report(task)
    for name, values in task.splits["train"].inputs.items():
        np.testing.assert_array_equal(values, before[name])
