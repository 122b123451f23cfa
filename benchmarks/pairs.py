"""Pairs of programs that do the same work, and their turns."""

import contextlib
import statistics
import time
from collections.abc import Callable, Sequence

import jax

from benchmarks.workload import workload
from mmjax.config import DEFAULTS, Config, config_for
from mmjax.data import load_task
from mmjax.errors import InputError
from mmjax.training.loop import train_cell
from mmjax.types import Task

# A round of a contestant: it works, and says how many samples a second it trained on.
Contestants = dict[str, Callable[[], float]]


def in_turns(contestants: Contestants, rounds: int) -> dict:
    """Samples a second by contestant and round, and the first one's median ratio to each other within a round."""
    rates = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            rates[name].append(work())
    ours, *others = rates
    ratio = {
        name: statistics.median(mine / theirs for mine, theirs in zip(rates[ours], rates[name], strict=True))
        for name in others
    }
    return {"samples_per_second": rates, "ratio": ratio}


def tmc(data_dir: str | None, seeds: int = 30, epochs: int = 40) -> Contestants:
    """TMC's own protocol, in both."""
    with _extra_needed():
        from benchmarks.peers import torch_tmc

    task = load_task("handwritten/tmc", data_dir)
    config = DEFAULTS.replace(
        encoders={"vector": "identity"}, batch_size=200, learning_rate=3e-4, weight_decay=1e-5, epochs=epochs,
        evaluate_every=max(1, epochs // 4), selection="last",
    )  # fmt: skip
    train = task.splits["train"]
    views = [train.inputs[spec.name] for spec in task.modalities]
    return {
        "ours": lambda: _ours(task, "evidential", config, range(seeds)),
        "PyTorch": lambda: torch_tmc.train(views, train.target, epochs, config.batch_size, 0).samples_per_second,
    }


def article(data_dir: str | None, seeds: int = 1, epochs: int = 4) -> Contestants:
    """The article's worked example, in all three."""
    with _extra_needed():
        from benchmarks.peers import keras_article, torch_article

    task = load_task("trimodal", data_dir)
    config = config_for("trimodal").replace(epochs=epochs, selection="last")
    train = task.splits["train"]
    inputs = [train.inputs[spec.name] for spec in task.modalities]
    arguments = (inputs, train.target, epochs, config.batch_size, 0)
    return {
        "ours": lambda: _ours(task, "concat", config, range(seeds)),
        "Keras": lambda: keras_article.train(*arguments).samples_per_second,
        "PyTorch": lambda: torch_article.train(*arguments).samples_per_second,
    }


def pmap(data_dir: str | None, seeds: int = 3, epochs: int = 2) -> Contestants:
    """One program, mapped over one device in two ways, and not mapped."""
    task = load_task("trimodal", data_dir)
    samples = seeds * epochs * task.splits["train"].size

    def contestant(parallel: str) -> Callable[[], float]:
        work = workload(task, "concat", config_for("trimodal"), range(seeds), parallel)
        epoch = work.train.lower(*work.train_arguments).compile()

        def train() -> float:
            started = time.perf_counter()
            for _ in range(epochs):
                jax.block_until_ready(epoch(*work.train_arguments))
            return samples / (time.perf_counter() - started)

        train()  # warms up
        return train

    return {parallel: contestant(parallel) for parallel in ("pmap", "jit", "shard_map")}


PAIRS = {"tmc": tmc, "article": article, "pmap": pmap}


def _ours(task: Task, fusion: str, config: Config, seeds: Sequence[int]) -> float:
    return train_cell(task, fusion, "joint", config, tuple(seeds)).train_samples_per_second


@contextlib.contextmanager
def _extra_needed():
    """Says what to install when a peer's framework is missing."""
    try:
        yield
    except ImportError as error:
        raise InputError(f"this pair needs {error.name}: install it with pip install 'mmjax[peers]'") from error
