"""Classical baselines: right where the data let them, blind to test and to what is absent."""

import dataclasses

import numpy as np
import pytest
from small_tasks import SPECS, small_task

from mmjax.errors import InputError
from mmjax.evaluation import classical
from mmjax.evaluation.classical import CLASSICAL, fit_classical
from mmjax.evaluation.features import fit_features
from mmjax.evaluation.metrics import evaluate
from mmjax.training.folds import folds_of
from mmjax.types import Batch, ModalitySpec, TargetSpec, Task

VECTORS = (SPECS[1], SPECS[4])
every_baseline = pytest.mark.parametrize("name", CLASSICAL)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Forests of few trees: their number is no law."""
    monkeypatch.setattr(classical, "TREES", 20)
    monkeypatch.setattr(classical, "ROUNDS", (5, 20))


def separable(target, sizes=(120, 40, 40)):
    """Each of two modalities tells the target."""
    splits = {}
    for seed, (split, n) in enumerate(zip(("train", "validation", "test"), sizes, strict=True)):
        rng = np.random.default_rng(seed)
        truth = (np.arange(n) % max(target.classes, 3)) % max(target.classes, 2)
        centres = 4.0 * truth[:, None] + rng.normal(size=(n, 2))
        inputs = {"a": centres.astype(np.float32), "b": (-centres + rng.normal(size=(n, 2))).astype(np.float32)}
        label = truth.astype(np.int32)
        if target.kind == "regression":
            label = truth[:, None].astype(np.float32)
        elif target.kind == "multilabel":
            label = np.stack([truth == 0, truth == 1], axis=1).astype(np.float32)
        present = {m: np.ones(n, bool) for m in inputs}
        splits[split] = Batch(inputs, {}, present, label, np.ones(n, np.float32))
    return Task("separable", tuple(ModalitySpec(m, "vector", (2,)) for m in "ab"), target, splits)


@every_baseline
@pytest.mark.parametrize(
    "target",
    [TargetSpec("binary"), TargetSpec("multiclass", 3), TargetSpec("multilabel", 2), TargetSpec("regression")],
    ids=lambda target: target.kind,
)
def test_what_is_separable_is_separated(name, target):
    task = separable(target)
    metrics = evaluate(target, fit_classical(name, task, 0)["test"], task.splits["test"].target)
    assert metrics["mae"] < 0.25 if target.kind == "regression" else metrics["accuracy"] > 0.9


@every_baseline
def test_test_is_never_read(name):
    task = small_task(VECTORS)
    test = task.splits["test"]
    other = {m: values + 1 for m, values in test.inputs.items()}
    changed = dataclasses.replace(
        task, splits={**task.splits, "test": test._replace(inputs=other, target=(test.target + 1) % 3)}
    )
    before, after = (fit_classical(name, each, 0) for each in (task, changed))
    np.testing.assert_array_equal(before["validation"], after["validation"])


@every_baseline
def test_of_splits_that_are_not_asked_for_nothing_is_said(name):
    task = small_task(VECTORS)
    alone = dataclasses.replace(task, splits={split: task.splits[split] for split in ("train", "validation")})
    said = fit_classical(name, alone, 0, ("validation",))
    assert list(said) == ["validation"]
    np.testing.assert_array_equal(said["validation"], fit_classical(name, task, 0)["validation"])


@pytest.mark.parametrize("name", ["logistic_regression", "late_logistic", "late_forest"])
def test_a_contaminated_validation_chooses_no_strength(name):
    """Whatever its labels are, test is decided alike."""
    task = dataclasses.replace(small_task(VECTORS, sizes=(24, 12, 10)), contaminated="its examples are in train too")
    validation = task.splits["validation"]
    other = dataclasses.replace(
        task, splits=task.splits | {"validation": validation._replace(target=(validation.target + 1) % 3)}
    )
    before, after = (fit_classical(name, each, 0)["test"] for each in (task, other))
    np.testing.assert_array_equal(before, after)


def test_strengths_are_those_that_folds_of_train_choose():
    """Noise beside one feature that tells: of all strengths the one with the least loss over folds, by scikit-learn."""
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    task = dataclasses.replace(separable(TargetSpec("regression"), (40, 20, 20)), contaminated="seen")
    train = task.splits["train"]
    inputs = {m: rng.normal(size=(40, 2)).astype(np.float32) for m in "ab"}
    target = (0.1 * inputs["a"][:, :1] + rng.normal(size=(40, 1))).astype(np.float32)
    task = dataclasses.replace(task, splits=task.splits | {"train": train._replace(inputs=inputs, target=target)})
    x = np.concatenate([fit_features(task, m)(task.splits["train"]) for m in "ab"], axis=1)
    y, folds = target[:, 0], folds_of(task, "train")
    rests = [folds != fold for fold in range(5)]
    losses = [
        sum(np.sum((Ridge(alpha=1 / strength).fit(x[r], y[r]).predict(x[~r]) - y[~r]) ** 2) for r in rests)
        for strength in classical.STRENGTHS
    ]
    best = Ridge(alpha=1 / classical.STRENGTHS[int(np.argmin(losses))]).fit(x, y)
    x_test = np.concatenate([fit_features(task, m)(task.splits["test"]) for m in "ab"], axis=1)
    said = fit_classical("logistic_regression", task, 0)["test"]
    np.testing.assert_allclose(said[:, 0], best.predict(x_test), rtol=1e-5, atol=1e-6)
    assert 0 < int(np.argmin(losses)) or losses[0] < losses[-1], "some strength is better than another"


@every_baseline
def test_what_is_absent_is_never_read(name):
    task = small_task(VECTORS, missing=True)
    splits = {}
    for split, batch in task.splits.items():
        inputs = {m: np.where(batch.present[m][:, None], values, np.nan) for m, values in batch.inputs.items()}
        splits[split] = batch._replace(inputs=inputs)
    before, after = (fit_classical(name, each, 0) for each in (task, dataclasses.replace(task, splits=splits)))
    for split in before:
        assert np.isfinite(before[split]).all()
        np.testing.assert_array_equal(before[split], after[split])


def test_an_average_counts_only_who_is_there():
    """An example with one modality is decided by that modality's model alone."""
    task = separable(TargetSpec("binary"))
    test = task.splits["test"]
    alone = {"a": np.ones(40, bool), "b": np.zeros(40, bool)}
    task = dataclasses.replace(task, splits={**task.splits, "test": test._replace(present=alone)})
    only = dataclasses.replace(
        task,
        modalities=task.modalities[:1],
        splits={s: b._replace(inputs={"a": b.inputs["a"]}, present={"a": np.ones(b.size, bool)})
                for s, b in task.splits.items()},
    )  # fmt: skip
    joint = fit_classical("late_logistic", task, 0)["test"]
    np.testing.assert_allclose(joint, fit_classical("late_logistic", only, 0)["test"], rtol=1e-6)


@every_baseline
def test_only_forests_draw(name):
    task = small_task(VECTORS)
    first, same, other = (fit_classical(name, task, seed)["test"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert np.array_equal(first, other) != CLASSICAL[name].seeded


def test_a_class_that_train_lacks_has_a_finite_logit():
    task = small_task(VECTORS)
    train = task.splits["train"]
    task = dataclasses.replace(task, splits={**task.splits, "train": train._replace(target=train.target % 2)})
    for name in CLASSICAL:
        logits = fit_classical(name, task, 0)["test"]
        assert logits.shape == (10, 3) and np.isfinite(logits).all()


def test_an_unknown_baseline_is_named():
    with pytest.raises(InputError, match="forest.*late_forest"):
        fit_classical("forest", small_task(VECTORS), 0)
