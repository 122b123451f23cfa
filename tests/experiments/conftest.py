"""A task of twelve examples a split, and a training that only counts how it is called."""

import dataclasses

import numpy as np
import pytest
from small_tasks import small_task

from mmjax.training.checkpoint import load_parameters
from mmjax.training.results import CellResult, Interrupted, Progress, RunResult
from mmjax.types import ModalitySpec, TargetSpec, Task

MODALITIES = (ModalitySpec("sight", "vector", (3,)), ModalitySpec("sound", "vector", (3,)))


def make_task(target: TargetSpec, name: str) -> Task:
    """Two vector modalities, with what a table's notes are made of."""
    task = small_task(MODALITIES, target, sizes=(12, 12, 12))
    notes = {"source": "made up", "bayes": {"all": 0.9, "sight": 0.8}, "fingerprint": "f00d"}
    notes["groups"] = {split: np.arange(12) // 3 for split in task.splits}
    return dataclasses.replace(task, name=name, **notes)


class CountedTraining:
    """Stands in for `train_cell`: logits are a fixed function of fusion and seed, every call is noted.

    Attributes:
      calls: (fusion, seeds) in order.
      completed: (fusion, seeds) of those that were only predicted.
      predicted: splits, in order.
      failures: fusion, or (fusion, seed) -> what its training fails with.
      raises: fusion -> exception its training raises, once.
      asks_to_stop: fusion -> called before its training asks whether it shall stop.
    """

    def __init__(self):
        self.calls, self.failures, self.raises, self.asks_to_stop = [], {}, {}, {}
        self.completed, self.predicted = [], []

    def __call__(self, task, fusion, strategy, config, seeds, placement, keep, on_progress, *, stop, data="auto",
                 splits=("validation", "test"), finished=None):  # fmt: skip
        self.predicted.append(splits)
        if finished is not None:
            assert keep is None
            self.completed.append((fusion, seeds))
            scales = [load_parameters(folder)["params"]["scale"] for folder in finished]
            assert [int(scale[0]) for scale in scales] == list(seeds), (
                "every seed has the parameters that it ended with"
            )
            if fusion in self.raises:
                raise self.raises.pop(fusion)
            return CellResult(tuple(self._run(task, fusion, seed, splits) for seed in seeds), 7, 1.0, 1.0, 0.5)
        self.calls.append((fusion, seeds))
        keep.directory.mkdir(parents=True, exist_ok=True)
        (keep.directory / "state").write_text("half-way")
        if fusion in self.raises:
            raise self.raises.pop(fusion)
        on_progress(Progress(1, 1, strategy, {"train_loss": 1.0}))
        self.asks_to_stop.get(fusion, lambda: None)()
        if stop():
            raise Interrupted
        runs = tuple(self._run(task, fusion, seed, splits) for seed in seeds)
        # A clock's figures: no two calls agree on them, and a failure comes before there are any.
        clock = float("nan") if fusion in self.failures else len(self.calls)
        return CellResult(runs, 7, 100.0 + clock, 1000.0 + clock, 0.5)

    def _run(self, task, fusion, seed, splits):
        failure = self.failures.get(fusion) or self.failures.get((fusion, seed))
        history = [
            {"phase": "joint", "epoch": 1, "train_loss": float("nan") if failure else 0.5, "validation_loss": 0.6}
        ]
        generator = np.random.default_rng([seed, *fusion.encode()])
        logits = {
            split: (
                task.splits[split].target.reshape(-1, 1) * 2 - 1 + generator.normal(size=(task.splits[split].size, 1))
            )
            for split in ("validation", "test")
        }
        logits = {split: logits[split] for split in splits}
        theta = {"params": {"scale": np.float32([seed])}, "batch_stats": {}}
        return RunResult(seed, history, 1, {} if failure else logits, failure, theta, 1)


def average(task, fusion, config, unimodal):
    """Stands in for `combine_decisions`."""
    first = next(iter(unimodal.values()))
    return {split: sum(logits[split] for logits in unimodal.values()) / len(unimodal) for split in first}


@pytest.fixture
def combine():
    return average


@pytest.fixture
def task():
    return make_task(TargetSpec("binary"), "tiny")


@pytest.fixture
def regression_task():
    return make_task(TargetSpec("regression"), "values")


@pytest.fixture
def training():
    return CountedTraining()
