"""Rules over models trained one by one."""

import dataclasses

import jax
import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp, softmax
from small_tasks import SPECS, small_task

from mmjax.config import Config
from mmjax.fusion import DECISION
from mmjax.registry import build
from mmjax.training import decisions
from mmjax.training.decisions import combine_decisions
from mmjax.training.folds import folds_of
from mmjax.types import TargetSpec

TASK = small_task(SPECS[:2], TargetSpec("multiclass", 3), (24, 200, 10))
RULES = [name for name, rule in DECISION.items() if not rule.trained]
FITTED = [name for name in RULES if hasattr(DECISION[name], "fit")]


def informative_decisions(informative, task=TASK):
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


def random_decisions(task, seed=0):
    rng = np.random.default_rng(seed)
    return {
        spec.name: {
            split: 2 * rng.normal(size=(task.splits[split].size, task.target.outputs)).astype(np.float32)
            for split in ("validation", "test")
        }
        for spec in task.modalities
    }


def test_mean_is_the_mean_of_probabilities():
    given = informative_decisions("speech")
    fused = combine_decisions(TASK, "mean", Config(), given)
    expected = np.mean([softmax(given[name]["test"], axis=1) for name in given], axis=0)
    np.testing.assert_allclose(softmax(fused["test"], axis=1), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("informative", ["speech", "table"])
@pytest.mark.parametrize("rule, simpler", [("weighted_mean", "mean"), ("stacking", "product"), ("confusion", "vote")])
def test_what_is_fitted_follows_the_better_modality(rule, simpler, informative):
    """More likely on folds that it was not fitted on than the rule that it would be without."""
    given, truth = informative_decisions(informative), TASK.splits["validation"].target

    def loss(fusion):
        p = softmax(combine_decisions(TASK, fusion, Config(), given)["validation"], axis=1)
        return -np.log(p[np.arange(len(truth)), truth]).mean()

    assert loss(rule) < loss(simpler) - 0.1


@pytest.mark.parametrize("rule", FITTED)
def test_what_the_fit_does_not_see(rule):
    """Other test decisions leave the fitted rule where it was."""
    given = informative_decisions("speech")
    before = combine_decisions(TASK, rule, Config(), given)["validation"]
    changed = {name: splits | {"test": -splits["test"]} for name, splits in given.items()}
    np.testing.assert_array_equal(combine_decisions(TASK, rule, Config(), changed)["validation"], before)


def in_float64(rule, params, logits, truth):
    """The rule's decision log-probabilities [n, K], and the loss by which most_likely judges, in plain NumPy."""
    stacked = np.stack([np.float64(logits[name]) for name in sorted(logits)], axis=1)
    log_p = log_softmax(stacked, axis=2)
    if rule == "stacking":
        return log_softmax(np.einsum("bmj,mjk->bk", log_p, np.float64(params["kernel"])) + params["bias"], axis=1)
    if rule == "weighted_mean":
        return logsumexp(log_p + log_softmax(np.float64(params["weights"]))[None, :, None], axis=1)
    if rule == "calibrated_mean":
        cooled = log_softmax(stacked * np.exp(-np.float64(params["log_temperatures"]))[None, :, None], axis=2)
        return logsumexp(cooled, axis=1) - np.log(stacked.shape[1])
    if rule == "naive_bayes":
        return log_softmax(stacked.sum(1) + (1 - stacked.shape[1]) * np.float64(params["log_prior"]), axis=1)
    chosen = stacked.argmax(2)
    tables = np.float64(params["log_confusion"])
    total = params["log_prior"] + sum(tables[m].T[chosen[:, m]] for m in range(stacked.shape[1]))
    return log_softmax(total, axis=1)


@pytest.mark.parametrize("rule", FITTED)
def test_validation_is_decided_by_fits_on_other_folds_and_test_by_one_on_all(rule):
    """Of a fit on the rows that are not in a fold, its rows in float64; tolerances are float32's, of sums of logits."""
    given, truth = informative_decisions("speech"), TASK.splits["validation"].target
    fused, folds = combine_decisions(TASK, rule, Config(), given), folds_of(TASK, "validation")
    fit = build(DECISION, "fusion", rule, Config(), regression=False).fit
    for split in ("validation", "test"):
        for fold in range(5) if split == "validation" else (-1,):
            rest = folds != fold
            seen = {name: splits["validation"][rest] for name, splits in given.items()}
            params = fit(seen, {name: np.ones(rest.sum(), bool) for name in seen}, truth[rest])
            rows = folds == fold if split == "validation" else slice(None)
            expected = in_float64(rule, params, {name: splits[split][rows] for name, splits in given.items()}, truth)
            np.testing.assert_allclose(fused[split][rows], expected, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("rule", FITTED)
def test_no_label_of_a_fold_reaches_its_decisions(rule, monkeypatch):
    """With the same folds, which keep the shares of labels and so depend on them."""
    folds, validation = folds_of(TASK, "validation"), TASK.splits["validation"]
    monkeypatch.setattr(decisions, "folds_of", lambda task, split: folds)
    other = np.where(folds == 0, (validation.target + 1) % 3, validation.target)
    changed = dataclasses.replace(TASK, splits=TASK.splits | {"validation": validation._replace(target=other)})
    given = informative_decisions("speech")
    before, after = (combine_decisions(each, rule, Config(), given)["validation"] for each in (TASK, changed))
    np.testing.assert_array_equal(before[folds == 0], after[folds == 0])


@pytest.mark.parametrize("rule", FITTED)
def test_what_memorises_random_labels_is_near_chance_on_validation(rule):
    """20 classes of two examples each, and decisions of two modalities that know nothing of them.

    Stacking has 40 numbers for every class, and all of its own fit right. By chance 2 of 40 are, with a deviation of
    1.4: 10 are as many as never.
    """
    task = small_task(SPECS[:2], TargetSpec("multiclass", 20), (20, 40, 10))
    truth = np.random.default_rng(0).permutation(np.arange(40) % 20).astype(np.int32)
    task = dataclasses.replace(
        task, splits=task.splits | {"validation": task.splits["validation"]._replace(target=truth)}
    )
    given = random_decisions(task)
    fused = combine_decisions(task, rule, Config(), given)
    assert np.mean(fused["validation"].argmax(1) == truth) < 0.25
    if rule == "stacking":
        again = {name: {"validation": s["validation"], "test": s["validation"][:10]} for name, s in given.items()}
        memorised = combine_decisions(task, rule, Config(), again)["test"]
        assert np.mean(memorised.argmax(1) == truth[:10]) > 0.9


@pytest.mark.parametrize("rule", FITTED)
@pytest.mark.parametrize("target", [[0], [2, 2, 1], [0, 1, 2]], ids=str)
def test_few_examples_are_decided_all_the_same(rule, target):
    task = small_task(SPECS[:2], TargetSpec("multiclass", 3), (24, len(target), 10))
    validation = task.splits["validation"]._replace(target=np.int32(target))
    task = dataclasses.replace(task, splits=task.splits | {"validation": validation})
    fused = combine_decisions(task, rule, Config(), random_decisions(task))
    assert {split: values.shape for split, values in fused.items()} == {"validation": (len(target), 3), "test": (10, 3)}
    assert all(np.isfinite(values).all() for values in fused.values())


@pytest.mark.parametrize("rule", RULES)
def test_without_decisions_on_test_validation_is_decided_alike(rule):
    given = informative_decisions("speech")
    alone = combine_decisions(TASK, rule, Config(), {n: {"validation": s["validation"]} for n, s in given.items()})
    assert list(alone) == ["validation"]
    np.testing.assert_array_equal(alone["validation"], combine_decisions(TASK, rule, Config(), given)["validation"])


@pytest.mark.parametrize("rule", RULES)
def test_another_seed_is_not_another_program(rule):
    combine_decisions(TASK, rule, Config(), random_decisions(TASK, seed=0))
    before = decisions._fuse._cache_size()
    combine_decisions(TASK, rule, Config(), random_decisions(TASK, seed=1))
    assert decisions._fuse._cache_size() == before


@pytest.mark.parametrize("rule", RULES)
def test_a_yes_or_no_is_a_choice_of_two_classes(rule):
    """Log-odds l are the logits (-l / 2, l / 2), and come back as log-odds. Some modalities are absent."""
    binary = small_task(SPECS[:3], TargetSpec("binary"), (8, 40, 10), missing=True)
    two = small_task(SPECS[:3], TargetSpec("multiclass", 2), (8, 40, 10), missing=True)
    splits = {split: b._replace(target=binary.splits[split].target) for split, b in two.splits.items()}
    two = dataclasses.replace(two, splits=splits)
    given = random_decisions(binary)
    pairs = {n: {s: np.concatenate([-l / 2, l / 2], axis=1) for s, l in splits.items()} for n, splits in given.items()}
    fused, between = (combine_decisions(task, rule, Config(), d) for task, d in ((binary, given), (two, pairs)))
    for split, log_p in between.items():
        assert fused[split].shape == (len(log_p), 1)
        np.testing.assert_allclose(fused[split][:, 0], log_p[:, 1] - log_p[:, 0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rule", RULES)
def test_yes_and_no_are_treated_alike(rule):
    """Exchanged everywhere, in the truth too, they exchange the fused decision."""
    task = small_task(SPECS[:3], TargetSpec("binary"), (8, 40, 10))
    turned = dataclasses.replace(task, splits={s: b._replace(target=1 - b.target) for s, b in task.splits.items()})
    given = random_decisions(task)
    negated = {name: {s: -l for s, l in splits.items()} for name, splits in given.items()}
    fused = combine_decisions(task, rule, Config(), given)["test"]
    np.testing.assert_allclose(combine_decisions(turned, rule, Config(), negated)["test"], -fused, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("rule", [name for name in RULES if name not in FITTED])
def test_labels_are_decided_one_by_one(rule):
    """What is fitted pools the labels; the other rules see each as a task of its own."""
    task = small_task(SPECS[:3], TargetSpec("multilabel", 3), (8, 20, 10), missing=True)
    alone = small_task(SPECS[:3], TargetSpec("binary"), (8, 20, 10), missing=True)
    given = random_decisions(task)
    fused = combine_decisions(task, rule, Config(), given)["test"]
    for k in range(3):
        label = {name: {s: l[:, k : k + 1] for s, l in splits.items()} for name, splits in given.items()}
        expected = combine_decisions(alone, rule, Config(), label)["test"]
        np.testing.assert_allclose(fused[:, k : k + 1], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rule", FITTED)
def test_fitted_rules_take_labels_with_modalities_absent(rule):
    task = small_task(SPECS[:3], TargetSpec("multilabel", 3), (8, 20, 10), missing=True)
    given = random_decisions(task)
    for name in given:
        for split in ("validation", "test"):
            given[name][split][~task.splits[split].present[name]] = np.nan
    fused = combine_decisions(task, rule, Config(), given)
    assert fused["test"].shape == (10, 3)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(fused))


@pytest.mark.parametrize("rule", ["mean", "weighted_mean", "median"])
def test_values_are_averaged(rule):
    """Of two outputs, between the modalities' least and greatest; the median of three is one of theirs."""
    task = small_task(SPECS[:3], TargetSpec("regression", 2), (8, 20, 10))
    given = random_decisions(task)
    fused = combine_decisions(task, rule, Config(), given)["test"]
    values = np.stack([given[name]["test"] for name in given])
    assert ((fused >= values.min(0) - 1e-5) & (fused <= values.max(0) + 1e-5)).all()
    exact = {"mean": values.mean(0), "median": np.median(values, axis=0)}
    if rule in exact:
        np.testing.assert_allclose(fused, exact[rule], rtol=1e-5, atol=1e-6)
