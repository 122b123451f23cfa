"""Rules over models trained one by one."""

import numpy as np
import pytest
from scipy.special import softmax
from small_tasks import SPECS, small_task

from mmjax.config import Config
from mmjax.training.decisions import combine_decisions
from mmjax.types import TargetSpec

TASK = small_task(SPECS[:2], TargetSpec("multiclass", 3), (24, 200, 10))


def decisions(informative, task=TASK):
    """One modality knows the truth fairly well, the other says the opposite with as much confidence."""
    out = {}
    for spec in task.modalities:
        out[spec.name] = {}
        for split in ("validation", "test"):
            truth = task.splits[split].target
            rng = np.random.default_rng(len(spec.name))
            shown = np.eye(3)[truth if spec.name == informative else rng.integers(0, 3, len(truth))]
            out[spec.name][split] = (2 * shown + 0.5 * rng.normal(size=shown.shape)).astype(np.float32)
    return out


def test_mean_is_the_mean_of_probabilities():
    given = decisions("speech")
    fused = combine_decisions(TASK, "mean", Config(), given)
    expected = np.mean([softmax(given[name]["test"], axis=1) for name in given], axis=0)
    np.testing.assert_allclose(softmax(fused["test"], axis=1), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("informative", ["speech", "table"])
def test_weights_are_fitted_on_validation_towards_the_better_modality(informative):
    """At least as likely as equal weights on validation, where they were fitted, and better than them."""
    given, truth = decisions(informative), TASK.splits["validation"].target

    def loss(fusion):
        p = softmax(combine_decisions(TASK, fusion, Config(), given)["validation"], axis=1)
        return -np.log(p[np.arange(len(truth)), truth]).mean()

    assert loss("weighted_mean") < loss("mean") - 0.1


def test_what_the_fit_does_not_see():
    """Other test decisions and other test labels leave the fitted rule where it was."""
    given = decisions("speech")
    before = combine_decisions(TASK, "weighted_mean", Config(), given)["validation"]
    changed = {name: splits | {"test": -splits["test"]} for name, splits in given.items()}
    np.testing.assert_array_equal(combine_decisions(TASK, "weighted_mean", Config(), changed)["validation"], before)


@pytest.mark.parametrize("target", [TargetSpec("binary"), TargetSpec("multilabel", 2), TargetSpec("regression", 2)],
                         ids=lambda target: target.kind)  # fmt: skip
def test_every_kind_of_target(target):
    task = small_task(SPECS[:3], target, (8, 20, 10))
    rng = np.random.default_rng(0)
    given = {
        spec.name: {split: rng.normal(size=(task.splits[split].size, target.outputs)).astype(np.float32)
                    for split in ("validation", "test")} for spec in task.modalities}  # fmt: skip
    fused = combine_decisions(task, "mean", Config(), given)["test"]
    values = np.stack([given[name]["test"] for name in given])
    if target.kind == "regression":
        np.testing.assert_allclose(fused, values.mean(0), rtol=1e-5, atol=1e-6)
    else:
        p = (1 / (1 + np.exp(-values))).mean(0)
        np.testing.assert_allclose(1 / (1 + np.exp(-fused)), p, rtol=1e-4)
