"""A number that gives the target away is found wherever it is, and an honest one is left alone."""

import dataclasses

import numpy as np
import pytest
from small_tasks import SPECS, small_task

from mmjax.data.suspects import CHANCE, absence_tells, suspects_of
from mmjax.types import ModalitySpec, TargetSpec

SIZES = (400, 20, 20)
TARGETS = (
    TargetSpec("binary"),
    TargetSpec("multiclass", 3),
    TargetSpec("multiclass", 10),
    TargetSpec("multilabel", 2),
    TargetSpec("regression", 2),
)


def noise_task(target, modalities=SPECS[:4], seed=0):
    """A task in which nothing tells of the target."""
    task = small_task(modalities, target, SIZES)
    train = task.splits["train"]
    shuffled = np.random.default_rng(seed).permutation(train.target)
    return dataclasses.replace(task, splits=task.splits | {"train": train._replace(target=shuffled)})


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.kind}{target.size}")
def test_noise_is_no_suspect(target):
    suspects = suspects_of(noise_task(target))
    columns = target.size if target.kind in ("multilabel", "regression") else 1
    assert [(each.modality, each.target) for each in suspects] == [
        (spec.name, told) for spec in SPECS[:4] for told in range(columns)
    ]
    assert not any(each.alone for each in suspects)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target.kind}{target.size}")
@pytest.mark.parametrize("place", [0, 4])
def test_a_copy_of_the_target_is_found_in_a_vector(target, place):
    task = noise_task(target)
    train = task.splits["train"]
    told = train.target.reshape(train.size, -1)
    train.inputs["table"][:, place] = -3 * told[:, -1] + 5
    found = [each for each in suspects_of(task) if each.alone]
    assert [(each.modality, each.number, each.target) for each in found] == [("table", place, told.shape[1] - 1)]


def test_a_rule_that_no_line_draws_is_found():
    task = noise_task(TargetSpec("binary"))
    train = task.splits["train"]
    train.inputs["table"][:, 2] = np.where(train.target == 1, 0, np.random.default_rng(0).choice([-1, 1], train.size))
    assert [each.number for each in suspects_of(task) if each.alone] == [2]


def test_a_word_that_gives_the_class_away_is_found():
    task = noise_task(TargetSpec("binary"))
    train = task.splits["train"]
    words = train.inputs["words"]
    words[words == 7] = 3
    words[train.target == 1, 1] = 7
    assert [(each.modality, each.number) for each in suspects_of(task) if each.alone] == [("words", 7)]


def test_the_mean_of_a_sequence_is_over_its_valid_steps():
    task = noise_task(TargetSpec("binary"))
    train = task.splits["train"]
    valid = np.arange(6) < train.lengths["speech"][:, None]
    train.inputs["speech"][..., 3] = np.where(valid, train.target[:, None], 0)
    (found,) = [each for each in suspects_of(task) if each.alone]
    assert (found.modality, found.number, found.score) == ("speech", 3, 1.0)


def test_a_class_that_is_nearly_all_makes_nobody_a_suspect():
    task = noise_task(TargetSpec("binary"))
    target = (np.arange(400) % 100 == 0).astype(np.int32)
    train = task.splits["train"]._replace(target=target)
    suspects = suspects_of(dataclasses.replace(task, splits=task.splits | {"train": train}))
    assert max(each.score for each in suspects) >= 0.98 and not any(each.alone for each in suspects)


def test_order_of_the_examples_says_nothing():
    task = noise_task(TargetSpec("multiclass", 10))
    target = (np.arange(400) % 10).astype(np.int32)  # of two examples in a row, each has classes of its own
    train = task.splits["train"]._replace(target=target)
    train.inputs["table"][:, 1] = target
    found = suspects_of(dataclasses.replace(task, splits=task.splits | {"train": train}))
    assert [(each.modality, each.number) for each in found if each.alone] == [("table", 1)]


def test_of_a_large_modality_numbers_all_over_it_are_looked_at():
    task = noise_task(TargetSpec("binary"), (ModalitySpec("genes", "vector", (5000,)), SPECS[1]))
    train = task.splits["train"]
    train.inputs["genes"][:, -1] = train.target
    assert [each.number for each in suspects_of(task) if each.alone] == [4999]


def test_of_few_examples_nothing_is_said():
    assert suspects_of(small_task(sizes=(99, 5, 5))) == []


def test_absence_that_goes_with_the_class_is_found():
    task = noise_task(TargetSpec("multiclass", 3))
    train = task.splits["train"]
    train.present["table"][:] = train.target != 2
    train.present["scan"][:] = np.random.default_rng(0).random(train.size) < 0.5
    found = dict(absence_tells(task))
    there = np.bincount(train.target[train.target != 2], minlength=3) / (train.target != 2).sum()
    assert list(found) == ["table"]
    assert found["table"] == pytest.approx((there[0] + there[1] + 1) / 2)  # who lacks it is of class 2, always


def test_absence_by_chance_tells_nothing():
    said = 0
    for seed in range(60):
        task = noise_task(TargetSpec("multiclass", 10), seed=seed)
        task.splits["train"].present["table"][:12] = False
        said += bool(dict(absence_tells(task)))
    assert said <= 1  # of 60 draws, at a chance of 1e-3 each, two or more have 2 in 1,000
    assert CHANCE == 1e-3


def test_absence_of_values_that_are_predicted_is_left_out():
    task = noise_task(TargetSpec("regression"))
    task.splits["train"].present["table"][:100] = False
    assert list(absence_tells(task)) == []
