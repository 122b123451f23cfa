"""Plain features: fitted on train, blind to what is absent, one row a row."""

import dataclasses

import numpy as np
import pytest
from small_tasks import small_task

from mmjax.evaluation.features import fit_features
from mmjax.types import ModalitySpec

KINDS = (
    ModalitySpec("table", "vector", (5,)),
    ModalitySpec("scan", "image", (20, 30, 3)),
    ModalitySpec("speech", "sequence", (12, 4)),
    ModalitySpec("words", "tokens", (7,), vocabulary=11),
    ModalitySpec("film", "video", (3, 6, 6, 1)),
    ModalitySpec("cloud", "points", (9, 3)),
    ModalitySpec("sound", "waveform", (800,), rate=4000.0),
)

every_kind = pytest.mark.parametrize("spec", KINDS, ids=lambda spec: spec.kind)


def task_of(spec, missing=False):
    return small_task((spec, ModalitySpec("other", "vector", (3,))), missing=missing)


@every_kind
def test_train_is_standard(spec):
    """Sums of float32 over 24 rows: exact to 1e-6, asked for to 1e-4; a constant feature has deviation 0."""
    task = task_of(spec)
    values = fit_features(task, spec.name)(task.splits["train"]).astype(np.float64)
    assert values.shape[0] == 24 and values.shape[1] > 1
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-4)
    deviations = values.std(axis=0)
    assert np.all((np.abs(deviations - 1) < 1e-3) | (deviations < 1e-3)) and (deviations > 0.5).any()


@every_kind
def test_what_is_absent_is_never_read(spec):
    task = task_of(spec, missing=True)
    features = fit_features(task, spec.name)
    before = features(task.splits["train"])
    splits = {}
    for split, batch in task.splits.items():
        values = batch.inputs[spec.name].copy()
        values[~batch.present[spec.name]] = 3 if spec.kind == "tokens" else np.nan
        splits[split] = batch._replace(inputs={**batch.inputs, spec.name: values})
    other = dataclasses.replace(task, splits=splits)
    np.testing.assert_array_equal(fit_features(other, spec.name)(other.splits["train"]), before)
    absent = ~task.splits["train"].present[spec.name]
    assert absent.any() and not before[absent].any() and before[~absent, -1].all()


@every_kind
def test_a_row_does_not_depend_on_the_others(spec):
    task = task_of(spec)
    features, test = fit_features(task, spec.name), task.splits["test"]
    take = lambda values: {name: value[3:5] for name, value in values.items()}  # noqa: E731
    some = test._replace(inputs=take(test.inputs), lengths=take(test.lengths), present=take(test.present),
                         target=test.target[3:5], weight=test.weight[3:5])  # fmt: skip
    np.testing.assert_allclose(features(some), features(test)[3:5], rtol=1e-5, atol=1e-5)


def test_padding_does_not_count():
    """Steps after the length may hold anything that is finite."""
    for spec in (KINDS[2], KINDS[3], KINDS[5]):
        task = task_of(spec)
        train = task.splits["train"]
        padding = np.arange(spec.shape[0]) >= train.lengths[spec.name][:, None]
        values = train.inputs[spec.name].copy()
        values[padding] = 5
        features = fit_features(task, spec.name)
        changed = train._replace(inputs={**train.inputs, spec.name: values})
        np.testing.assert_array_equal(features(changed), features(train))
