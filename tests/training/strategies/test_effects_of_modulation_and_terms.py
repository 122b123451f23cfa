"""The direction of effect that each strategy's paper reports, over seeds, on a task built to show it; minutes."""

import functools

import jax
import numpy as np
import pytest
from scipy.linalg import subspace_angles
from sklearn.linear_model import Ridge

from benchmarks.statistics import interval
from mmjax.config import Config
from mmjax.model import PARTS, build_model
from mmjax.training.forward import Forward
from mmjax.training.loop import train_cell
from mmjax.training.monitor import contributions, lone_subsets
from mmjax.training.strategies.goal import Goal, Phase, Setting
from mmjax.types import Batch, ModalitySpec, TargetSpec, Task

pytestmark = pytest.mark.slow

SEEDS = tuple(range(8))
CONFIG = Config(width=16, selection="last", evaluate_every=100, batch_size=40, learning_rate=3e-3)


def task_of(draw, train=256, test=2000) -> Task:
    """A binary task of vectors; draw: (generator, truth [n], split) -> modality -> values."""
    rng = np.random.default_rng(0)
    splits = {}
    for split, size in (("train", train), ("validation", 40), ("test", test)):
        truth = rng.integers(0, 2, size).astype(np.int32)
        inputs = {name: np.float32(values) for name, values in draw(rng, truth, split).items()}
        present = {name: np.ones(size, bool) for name in inputs}
        splits[split] = Batch(inputs, {}, present, truth, np.ones(size, np.float32))
    specs = tuple(ModalitySpec(name, "vector", values.shape[1:]) for name, values in inputs.items())
    return Task("generated", specs, TargetSpec("binary"), splits)


def trained(task: Task, strategy: str, config: Config):
    return train_cell(task, "concat", strategy, config, SEEDS)


def accuracies(task: Task, result) -> np.ndarray:
    """Of D on test [seeds]."""
    return np.array([((run.logits["test"][:, 0] > 0) == task.splits["test"].target).mean() for run in result.runs])


def forward(task: Task, config: Config) -> Forward:
    phase = Phase("joint", PARTS, Goal(Setting(task.modalities, task.target, config)), 1)
    return Forward(build_model(task.modalities, task.target, "concat", config), phase, "float32")


def outputs(task: Task, config: Config, run, split: str):
    theta = run.theta["params"], run.theta["batch_stats"]
    return forward(task, config).evaluate(*theta, jax.tree.map(np.asarray, task.splits[split]))


def easy_and_hard(rng, truth, split):
    """The sign of one modality's numbers, or whether two of the other's have the same sign, among as many of noise."""
    sign = 2 * truth[:, None] - 1
    easy = np.concatenate([sign + rng.normal(size=(len(truth), 4)), rng.normal(size=(len(truth), 12))], 1)
    first = rng.choice([-1, 1], size=(len(truth), 1))
    pair = np.concatenate([first, first * sign], 1) + 0.15 * rng.normal(size=(len(truth), 2))
    return {"easy": easy, "hard": np.concatenate([pair, rng.normal(size=(len(truth), 4))], 1)}


IMBALANCED = CONFIG.replace(encoder_layers=2, epochs=30, batch_size=32, optimizer="sgd", learning_rate=2e-2,
                            ogm_alpha=2.0, agm_alpha=4.0)  # fmt: skip


@functools.cache
def accuracies_of_the_hard_one_and_of_d(strategy: str) -> tuple[np.ndarray, np.ndarray]:
    """Of what the hard modality alone adds to D, on test [seeds]; and of D."""
    task = task_of(easy_and_hard)
    result, test, masks = trained(task, strategy, IMBALANCED), task.splits["test"], lone_subsets(2)
    made = forward(task, IMBALANCED)
    alone = [
        contributions(made.subsets(run.theta["params"], run.theta["batch_stats"], test, masks))[1, :, 0]
        for run in result.runs
    ]
    return np.array([((logits > 0) == test.target).mean() for logits in alone]), accuracies(task, result)


def test_joint_training_starves_the_hard_modality():
    """What it adds to D is right far less often than it would be alone."""
    task = task_of(easy_and_hard)
    able = accuracies(task, train_cell(task, "unimodal/hard", "joint", IMBALANCED, SEEDS))
    assert interval(able - accuracies_of_the_hard_one_and_of_d("joint")[0]).low > 0.15


@pytest.mark.parametrize("strategy", ["ogm", "ogm_ge", "agm"])
def test_modulation_feeds_the_hard_modality(strategy):
    for found, joint in zip(
        accuracies_of_the_hard_one_and_of_d(strategy), accuracies_of_the_hard_one_and_of_d("joint"), strict=True
    ):
        assert interval(found - joint).low > 0


def shortcut(rng, truth, split):
    """A colour that tells the truth in training and nothing at test, and a shape that always does, in noise."""
    told = truth if split == "train" else rng.integers(0, 2, len(truth))
    colour = 2 * told[:, None] - 1 + 0.1 * rng.normal(size=(len(truth), 3))
    shape = np.concatenate([2 * truth[:, None] - 1 + rng.normal(size=(len(truth), 4)),
                            rng.normal(size=(len(truth), 8))], 1)  # fmt: skip
    return {"colour": colour, "shape": shape}


def test_functional_entropy_keeps_off_the_shortcut():
    task, config = task_of(shortcut, train=400), CONFIG.replace(encoder_layers=1, epochs=15)
    found, joint = (accuracies(task, trained(task, strategy, config)) for strategy in ("functional_entropy", "joint"))
    assert interval(found - joint).low > 0


def two_views(rng, truth, split):
    """Four numbers that both views have, one of which tells the truth, and as many of each view's own."""
    mixing = np.random.default_rng(1)
    common = np.concatenate([2 * truth[:, None] - 1 + 0.5 * rng.normal(size=(len(truth), 1)),
                             rng.normal(size=(len(truth), 3))], 1)  # fmt: skip
    own = rng.normal(size=(2, len(truth), 4)) * 1.5
    first, second = (np.concatenate([common, each], 1) @ mixing.normal(size=(8, 8)) / 8**0.5 for each in own)
    return {"first": first, "second": second}


@pytest.mark.parametrize("strategy", ["contrastive", "cca"])
def test_alignment_brings_out_what_the_views_have_in_common(strategy):
    """The mean of the four highest canonical correlations of the embeddings on test."""
    task = task_of(two_views, train=1000, test=1000)
    config = CONFIG.replace(width=8, encoder_layers=1, epochs=40, batch_size=100, learning_rate=1e-2, alignment_size=4)

    def in_common(strategy):
        values = []
        for run in trained(task, strategy, config).runs:
            sides = [np.float64(h - h.mean(0)) for h in outputs(task, config, run, "test").embeddings.values()]
            values.append(np.sort(np.cos(subspace_angles(*sides)))[-4:].mean())
        return np.array(values)

    assert interval(in_common(strategy) - in_common("joint")).low > 0


def test_reconstruction_keeps_in_f_what_the_inputs_were():
    """The share of the inputs' variance on test that a linear map of F explains."""
    task = task_of(two_views, train=1000, test=1000)
    config = CONFIG.replace(width=8, encoder_layers=1, epochs=10, learning_rate=1e-2, reconstruction_weight=1.0)

    def explained(strategy):
        values = []
        for run in trained(task, strategy, config).runs:
            fused = [outputs(task, config, run, split).fused for split in ("train", "test")]
            inputs = [np.concatenate(list(task.splits[split].inputs.values()), 1) for split in ("train", "test")]
            values.append(Ridge().fit(fused[0], inputs[0]).score(fused[1], inputs[1]))
        return np.array(values)

    assert interval(explained("reconstruction") - explained("joint")).low > 0
