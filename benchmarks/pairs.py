"""Pairs of programs that do the same work, and their turns."""

import contextlib
import inspect
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax

from benchmarks.workload import workload
from mmjax.config import DEFAULTS, Config, config_for
from mmjax.data import load_task
from mmjax.errors import InputError
from mmjax.training.loop import train_cell
from mmjax.types import Task


class Contestant(NamedTuple):
    """A program that takes part.

    Attributes:
      work: one round; says how many samples a second it trained on, of all its seeds together.
      seeds: that it trains side by side.
    """

    work: Callable[[], float]
    seeds: int


Contestants = dict[str, Contestant]


def in_turns(contestants: Contestants, rounds: int) -> dict:
    """Seeds side by side and samples a second by contestant and round, and the first one's median ratio to each other.

    A ratio is taken within a round.
    """
    rates = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            rates[name].append(contestant.work())
    ours, *others = rates
    ratio = {
        name: statistics.median(mine / theirs for mine, theirs in zip(rates[ours], rates[name], strict=True))
        for name in others
    }
    side_by_side = {name: contestant.seeds for name, contestant in contestants.items()}
    return {"seeds_side_by_side": side_by_side, "samples_per_second": rates, "ratio": ratio}


def sentences(result: dict) -> list[str]:
    """What the ratios of `in_turns` compare, in words."""
    seeds = result["seeds_side_by_side"]
    ours = next(iter(seeds))
    return [
        f"{ours}, {_side_by_side(seeds[ours])}, is {ratio:.2f} x {name}, {_side_by_side(seeds[name])}"
        for name, ratio in result["ratio"].items()
    ]


def options_of(pair: str, given: dict) -> dict:
    """Seeds and epochs of a pair: those that were given, and the pair's own defaults for the others."""
    parameters = inspect.signature(PAIRS[pair]).parameters
    return {name: p.default for name, p in parameters.items() if p.default is not p.empty} | given


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
        "ours": Contestant(lambda: _ours(task, "evidential", config, range(seeds)), seeds),
        "PyTorch": Contestant(
            lambda: torch_tmc.train(views, train.target, epochs, config.batch_size, 0).samples_per_second, 1
        ),
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
        "ours": Contestant(lambda: _ours(task, "concat", config, range(seeds)), seeds),
        "Keras": Contestant(lambda: keras_article.train(*arguments).samples_per_second, 1),
        "PyTorch": Contestant(lambda: torch_article.train(*arguments).samples_per_second, 1),
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

    return {parallel: Contestant(contestant(parallel), seeds) for parallel in ("pmap", "jit", "shard_map")}


PAIRS = {"tmc": tmc, "article": article, "pmap": pmap}


def _side_by_side(seeds: int) -> str:
    return "one seed" if seeds == 1 else f"{seeds} seeds side by side"


def _ours(task: Task, fusion: str, config: Config, seeds: Sequence[int]) -> float:
    return train_cell(task, fusion, "joint", config, tuple(seeds)).train_samples_per_second


@contextlib.contextmanager
def _extra_needed():
    """Says what to install when a peer's framework is missing."""
    try:
        yield
    except ImportError as error:
        raise InputError(f"this pair needs {error.name}: install it with pip install 'mmjax[peers]'") from error
