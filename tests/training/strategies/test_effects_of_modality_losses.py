"""What each paper says its strategy does, on tasks made to show it."""

import functools

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.statistics import interval
from mmjax.config import Config
from mmjax.training.loop import train_cell
from mmjax.types import SPLITS, Batch, ModalitySpec, TargetSpec, Task

pytestmark = pytest.mark.slow
SEEDS = tuple(range(8))


def rule(rng, signs, noise, turn):
    """A vector whose class is the product of the signs of two of its directions, which `turn` hides among eight."""
    first = rng.choice([-1, 1], len(signs))
    pair = np.stack([first, first * signs], axis=1) + noise * rng.normal(size=(len(signs), 2))
    return np.concatenate([pair, 0.5 * rng.normal(size=(len(signs), 6))], axis=1) @ turn


def yes_or_no(name, make, sizes, modalities, lacking=()) -> Task:
    """A task of two vectors, made by `make(rng, signs)`; every other test row lacks the modalities in `lacking`."""
    rng, splits = np.random.default_rng(0), {}
    for split, rows in zip(SPLITS, sizes, strict=True):
        truth = rng.integers(0, 2, rows)
        inputs = {key: x.astype(np.float32) for key, x in make(rng, 2 * truth - 1).items()}
        has = {key: ~((split == "test") & (key in lacking) & (np.arange(rows) % 2 == 1)) for key in inputs}
        splits[split] = Batch(inputs, {}, has, truth.astype(np.int32), np.ones(rows, np.float32))
    specs = tuple(ModalitySpec(key, "vector", (width,)) for key, width in modalities.items())
    return Task(name, specs, TargetSpec("binary"), splits)


@functools.cache
def easy_and_hard() -> Task:
    """Either modality suffices; one is a line, the other a rule. Half of the test rows have the hard one alone."""
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0]

    def make(rng, signs):
        line = np.concatenate([signs[:, None] + 0.4 * rng.normal(size=(len(signs), 1)),
                               rng.normal(size=(len(signs), 3))], axis=1)  # fmt: skip
        return {"easy": line, "hard": rule(rng, signs, 0.4, turn)}

    return yes_or_no("easy and hard", make, (400, 100, 1000), {"easy": 4, "hard": 8}, lacking=("easy",))


@functools.cache
def by_the_hard_one_alone(strategy) -> np.ndarray:
    """Area under the curve, of each seed, on the test rows that have the hard modality alone."""
    config = Config(width=16, epochs=12, evaluate_every=12, selection="last", batch_size=40, optimizer="sgd",
                    learning_rate=2e-2)  # fmt: skip
    task = easy_and_hard()
    alone = ~task.splits["test"].present["easy"]
    runs = train_cell(task, "concat", strategy, config, SEEDS, splits=("test",)).runs
    truth = task.splits["test"].target[alone]
    return np.array([roc_auc_score(truth, run.logits["test"][alone, 0]) for run in runs])


@pytest.mark.parametrize("strategy", ["auxiliary", "mmpareto", "pmr", "modality_dropout"])
def test_the_hard_modality_is_not_starved(strategy):
    """Under joint training the easy one takes the loss to 0 before the hard one's encoder has learned its rule.

    So, for modality_dropout, predictions suffer less where the easy one is missing.
    """
    gain = interval(by_the_hard_one_alone(strategy) - by_the_hard_one_alone("joint"))
    assert gain.low > 0, gain


def memorised_and_ruled() -> Task:
    """Either modality tells something; one has so many numbers that 500 examples are soon known by heart."""
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0]

    def make(rng, signs):
        many = rng.normal(size=(len(signs), 400))
        many[:, 0] += 1.2 * signs
        return {"memorised": many, "ruled": rule(rng, signs, 0.7, turn)}

    return yes_or_no("memorised and ruled", make, (500, 100, 1000), {"memorised": 400, "ruled": 8})


def test_blending_mends_what_overfitting_did():
    """Joint training is worse than the better modality alone, although it knows more; blended, it is not."""
    config = Config(width=16, epochs=25, evaluate_every=25, selection="last", batch_size=50, optimizer="sgd",
                    learning_rate=3e-2, held_out=0.2)  # fmt: skip
    task = memorised_and_ruled()

    def accuracy(fusion, strategy):
        runs = train_cell(task, fusion, strategy, config, SEEDS, splits=("test",)).runs
        return np.array([((run.logits["test"][:, 0] > 0) == task.splits["test"].target).mean() for run in runs])

    alone, joint = accuracy("unimodal/ruled", "joint"), accuracy("concat", "joint")
    blended = accuracy("concat", "gradient_blend")
    assert interval(alone - joint).low > 0, interval(alone - joint)
    assert interval(blended - joint).low > 0, interval(blended - joint)
