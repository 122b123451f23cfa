"""A cell from its task to its runs: compiles the phases' programs, calls them, and chooses nothing by test."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from mmjax.config import Config
from mmjax.errors import InputError, lookup
from mmjax.interrupts import deferred, interrupted
from mmjax.model import MultimodalModel, build_model, initialise, part_of
from mmjax.training.checkpoint import Checkpoints, Keep, load_parameters
from mmjax.training.feed import make_feed
from mmjax.training.parallel import AXIS, Compiler, Placement, lay_out
from mmjax.training.processes import any_process, check_agreement
from mmjax.training.results import CellResult, Interrupted, Progress, RunResult
from mmjax.training.rows import measured_rows, watched_rows
from mmjax.training.state import Sums, Theta, Trace
from mmjax.training.step import PhasePrograms
from mmjax.training.strategies import STRATEGIES, undefined
from mmjax.training.strategies.goal import Phase, Setting
from mmjax.types import Batch, Task

TIMED_PREDICTIONS = 3
KEPT = ("histories", "failures", "epochs_trained")  # what a checkpoint has of the host's side


@contextlib.contextmanager
def _computing() -> Iterator[None]:
    """Ctrl-C waits until programs are through; numbers are of the config's precision, whatever JAX_ENABLE_X64 says."""
    with deferred(), jax.enable_x64(False):
        yield


@_computing()
def train_cell(
    task: Task,
    fusion: str,
    strategy: str,
    config: Config,
    seeds: tuple[int, ...],
    placement: Placement | None = None,
    keep: Keep | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    *,
    stop: Callable[[], bool] = lambda: False,
    learning_rates: tuple[float, ...] | None = None,
    splits: tuple[str, ...] = ("validation", "test"),
    data: str = "auto",
    finished: tuple[str, ...] | None = None,
) -> CellResult:
    """Trains all seeds of a cell in one program, and predicts some splits with each seed's best epoch.

    A seed that diverges has failed; the others are what they would be without it, bit for bit.
    Of seeds that are finished nothing is trained: the programs that training would have ended with predict.

    Args:
      fusion: a name in FUSIONS whose model is trained as a whole, or "unimodal/<modality>".
      strategy: a name in STRATEGIES.
      seeds: non-negative integers, distinct unless learning rates are given.
      placement: one device by default.
      keep: where training goes on from, and keeps its place; removed by whoever keeps the results.
      on_progress: called after every evaluation.
      stop: asked after every evaluation; once it says so, the place is kept and Interrupted raised. So it is after
        Ctrl-C, which raises KeyboardInterrupt.
      learning_rates: one a seed, in place of the config's.
      splits: which are predicted; no other but train and validation is read.
      data: a name in FEEDS: whether splits lie on the devices or are streamed to them.
      finished: folders of the parameters that were kept of these seeds, one a seed, in place of `keep`.

    Raises:
      InputError: for a name that is unknown, a pair that is not defined, or a batch larger than the training split.
      Interrupted: because of `stop`.
    """
    _check_names_and_sizes(task, fusion, strategy, config)
    layout = lay_out(tuple(seeds), placement or Placement())
    axis = AXIS if layout.splits_batch else None
    model = build_model(task.modalities, task.target, fusion, config, axis)
    read = {name: _of_model(task.splits[name], model) for name in {"train", "validation", *splits}}
    cell = _Cell(
        dataclasses.replace(task, splits=read), model, strategy, config, tuple(seeds), learning_rates, layout, data
    )
    if finished is not None:
        return cell.predict_finished([load_parameters(Path(folder)) for folder in finished], splits)
    checkpoints = Checkpoints(keep) if keep else None
    try:
        return cell.run(checkpoints, on_progress or (lambda progress: None), stop, splits)
    finally:
        if checkpoints:
            checkpoints.close()


def check_cell(task: Task, fusion: str, strategy: str, config: Config):
    """Refuses a cell that is not defined or cannot be built, before anything is computed.

    Raises:
      InputError: as `train_cell`.
    """
    _check_names_and_sizes(task, fusion, strategy, config)
    model = build_model(task.modalities, task.target, fusion, config)
    example = jax.tree.map(lambda x: x[:1], task.splits["train"])
    jax.eval_shape(lambda: initialise(model, jax.random.key(0), example))


def _check_names_and_sizes(task: Task, fusion: str, strategy: str, config: Config):
    examples = task.splits["train"].size
    if config.batch_size > examples:
        raise InputError(
            f"batch_size = {config.batch_size} is larger than the training split of task {task.name!r}: "
            f"give at most {examples}"
        )
    if not task.chooses and (config.selection != "last" or config.patience):
        raise InputError(
            f"config.selection = {config.selection!r} with config.patience = {config.patience} is not accepted for "
            f"task {task.name!r}: validation does not choose there ({task.contaminated}); give selection 'last' and "
            "patience 0"
        )
    lookup(STRATEGIES, "strategy", strategy)
    if reason := undefined(strategy, fusion, task.modalities, task.target, config):
        raise InputError(reason)


class _Cell:
    """The host's side of a cell: how far it is, and what was seen."""

    def __init__(self, task: Task, model: MultimodalModel, strategy, config: Config, seeds, rates, layout, data):
        self.task, self.model, self.config, self.seeds, self.layout = task, model, config, seeds, layout
        self.run_program = Compiler(layout)
        self.feed = make_feed(data, task.splits, layout, self.run_program)
        self.rates = np.float32(rates or [config.learning_rate] * len(seeds)) / np.float32(config.learning_rate)
        train = task.splits["train"]
        self.example = jax.tree.map(lambda x: jnp.asarray(x[:1]), train)
        self.watched = layout.replicate(_rows(train, watched_rows(train.size)))
        theta = jax.eval_shape(lambda: initialise(model, jax.random.key(0), self.example))
        self.parameters = sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(theta["params"]))
        setting = Setting(model.modalities, model.target, config, model.axis_name)
        self.phases = STRATEGIES[strategy].phases(setting, frozenset(part_of(name) for name in theta["params"]))
        self.total_epochs = sum(phase.epochs for phase in self.phases)
        self.histories: list[list[dict]] = [[] for _ in seeds]
        self.failures: list[str | None] = [None for _ in seeds]
        self.epochs_trained = [0 for _ in seeds]
        self.epoch_seconds: list[float] = []
        self.predict_seconds: list[float] = []
        self.train_seconds = 0.0

    @property
    def given_up(self) -> bool:
        """Whether no further step is worth it."""
        return all(self.failures)

    def run(self, checkpoints: Checkpoints | None, on_progress: Callable, stop: Callable, splits) -> CellResult:
        """All phases, then the predictions."""
        # A checkpoint's progress says in which phase its state was, and only then is the state's tree known; if there
        # is none, the cell starts from its seeds.
        first, done, state = self._resume(checkpoints) or (0, 0, None)
        for index in range(first, len(self.phases)):
            programs = self._programs(self.phases[index])
            if index > first or done == 0:
                state = self._begin(index, programs, state)
                done = 0
            state = self._train_phase(index, programs, state, done, checkpoints, on_progress, stop)
            if self.given_up:
                return self._result({}, state)
        return self._result({split: self._predict(programs, state.best, split) for split in splits}, state)

    def predict_finished(self, thetas: list[dict], splits) -> CellResult:
        """The predictions of parameters that were kept, one a seed, and no history."""
        programs = self._programs(self.phases[-1])
        begun = jax.eval_shape(programs.begin, jnp.int32(0), jnp.float32(1), self.example)
        stacked = {part: _stack([theta[part] for theta in thetas], getattr(begun.best, part))
                   for part in ("params", "batch_stats")}  # fmt: skip
        # Heads are not kept: what is predicted does not depend on them, and the compiler leaves them out.
        heads = jax.tree.map(lambda x: np.zeros((len(thetas), *x.shape), x.dtype), begun.best.heads)
        best = self.layout.arrange(Theta(**stacked, heads=heads))
        logits = {split: self._predict(programs, best, split) for split in splits}
        runs = tuple(
            RunResult(seed, [], 0, {split: values[i] for split, values in logits.items()}, None, theta)
            for i, (seed, theta) in enumerate(zip(self.seeds, thetas, strict=True))
        )
        rate = _rate(len(runs) * self.task.splits["validation"].size, self.predict_seconds)
        return CellResult(runs, self.parameters, float("nan"), rate, self.run_program.seconds)

    def _begin(self, index: int, programs: PhasePrograms, state):
        if index:
            state = self.run_program(programs.follow, state, self.example, axes="sa", once=True)
        else:
            seeds, rates = self.layout.put(self.layout.seeds), self.layout.arrange(self.rates)
            state = self.run_program(programs.begin, seeds, rates, self.example, axes="ssa", once=True)
        return self._measure(programs, state, after=False)

    def _measure(self, programs: PhasePrograms, state, after: bool):
        if not programs.goal.measures:
            return state
        slices = measured_rows(self.task.splits["train"].size, self.config.held_out)
        losses = [self.layout.put(self.feed.measure(programs, state.theta, rows)) for rows in slices]
        return self.run_program(programs.note, state, *losses, axes="sss", after=after)

    def _train_phase(self, index: int, programs: PhasePrograms, state, done: int, checkpoints, on_progress, stop):
        phase = self.phases[index]
        before = sum(phase.epochs for phase in self.phases[:index])
        while done < phase.epochs:
            stopped = self._host(state.stopped)
            if all(ended or failed for ended, failed in zip(stopped, self.failures, strict=True)):
                break
            count = min(self.config.evaluate_every, phase.epochs - done)
            started, compiling = time.perf_counter(), self.run_program.seconds
            state, trace = jax.block_until_ready(self.feed.train(programs, state, before, done, count))
            compiling -= self.run_program.seconds
            seconds = time.perf_counter() - started + compiling
            self.train_seconds += seconds
            self.epoch_seconds.append(seconds / count)
            done += count
            for seed in self._training(stopped):
                self.epochs_trained[seed] += count
            state, ratios, validation = self.feed.validate(programs, state, self.watched, before + done)
            lines = self._lines(phase, before + done, programs.steps, *map(self._host, (trace, ratios, validation)))
            metrics = self._record(lines, stopped)
            on_progress(Progress(before + done, self.total_epochs, phase.name, metrics))
            if self.given_up:
                break
            asked = any_process(stop() or interrupted())
            if checkpoints and (asked or any_process(checkpoints.due)):
                progress = {"phase": index, "done": done} | {name: getattr(self, name) for name in KEPT}
                checkpoints.save(before + done, self._host(state), progress)
            if asked:
                raise Interrupted
        return self._measure(programs, state, after=True)

    def _resume(self, checkpoints: Checkpoints | None):
        """The phase, the epochs done in it and its state, from a checkpoint; None without one."""

        def like(progress):
            programs = self._programs(self.phases[progress["phase"]])
            state = jax.eval_shape(programs.begin, jnp.int32(0), jnp.float32(1), self.example)
            return jax.tree.map(lambda x: jax.ShapeDtypeStruct((len(self.seeds), *x.shape), x.dtype), state)

        restored = checkpoints and checkpoints.restore(like)
        check_agreement(restored[0] if restored else None, "the checkpoint that training goes on from")
        if not restored:
            return None
        progress, state = restored
        for name in KEPT:
            setattr(self, name, progress[name])
        return progress["phase"], progress["done"], self.layout.arrange(state)

    def _lines(self, phase: Phase, epoch: int, steps: int, trace: Trace, ratios: dict, validation: Sums) -> list[dict]:
        """What the history of each seed gets of an evaluation."""
        regression = self.task.target.kind == "regression"
        lines = []
        for seed in range(len(self.seeds)):
            line = {"phase": phase.name, "epoch": epoch}
            line["train_objective"] = float(trace.objective[seed] / trace.sums.weight[seed])
            for split, sums in (("train", trace.sums), ("validation", validation)):
                value = float(sums.score[seed] / sums.weight[seed])
                line[f"{split}_loss"] = float(sums.loss[seed] / sums.weight[seed])
                line[f"{split}_error" if regression else f"{split}_accuracy"] = -value if regression else value
            line |= {f"gradient_norm/{name}": float(norm[seed] / steps) for name, norm in trace.norms.items()}
            line |= {f"discrepancy/{name}": float(ratio[seed]) for name, ratio in ratios.items()}
            lines.append(line)
        return lines

    def _record(self, lines: list[dict], stopped) -> dict[str, float]:
        """Adds an evaluation to the history of every seed that still trains; their mean."""
        training = self._training(stopped)
        for seed in training:
            self.histories[seed].append(lines[seed])
            if not np.isfinite(lines[seed]["train_objective"]):
                epoch = lines[seed]["epoch"]
                self.failures[seed] = f"the training loss of seed {self.seeds[seed]} is not finite at epoch {epoch}"
        names = [name for name in lines[0] if name not in ("phase", "epoch")]
        return {name: float(np.mean([lines[seed][name] for seed in training])) for name in names}

    def _training(self, stopped) -> list[int]:
        """Places of the seeds that still train, of which `stopped` says who has had enough."""
        return [seed for seed in range(len(self.seeds)) if not (stopped[seed] or self.failures[seed])]

    def _predict(self, programs: PhasePrograms, theta, split: str) -> np.ndarray:
        """Logits [S, n, K] of a split; of test by the last line of a run, the only one that reads it."""
        logits = self.feed.predict(programs, theta, split)
        for _ in range(TIMED_PREDICTIONS if split == "validation" else 0):
            started = time.perf_counter()
            self.feed.predict(programs, theta, split)
            self.predict_seconds.append(time.perf_counter() - started)
        return self.layout.gather_examples(logits, len(self.seeds))[:, : self.task.splits[split].size]

    def _result(self, logits: dict[str, np.ndarray], state) -> CellResult:
        count = len(self.seeds)
        best, best_epochs = self._host((state.best, state.best_epoch))
        runs = []
        for i, seed in enumerate(self.seeds):
            judged = [values for split, values in logits.items() if split != "test"]  # test decides on no run
            if not self.failures[i] and not all(np.isfinite(values[i]).all() for values in judged):
                self.failures[i] = f"what seed {seed} predicts is not finite"
            theta = {"params": best.params, "batch_stats": best.batch_stats}
            runs.append(
                RunResult(
                    seed,
                    self.histories[i],
                    int(best_epochs[i]),
                    {} if self.failures[i] else {name: values[i] for name, values in logits.items()},
                    self.failures[i],
                    jax.tree.map(lambda x, i=i: x[i], theta),
                    self.epochs_trained[i],
                )
            )
        return CellResult(
            tuple(runs),
            self.parameters,
            _rate(count * self.task.splits["train"].size, self.epoch_seconds),
            _rate(count * self.task.splits["validation"].size, self.predict_seconds),
            self.run_program.seconds,
            self.train_seconds,
        )

    def _programs(self, phase: Phase) -> PhasePrograms:
        devices = self.layout.devices if self.layout.splits_batch else 1
        return PhasePrograms(self.model, phase, self.config, self.task.splits["train"].size, devices)

    def _host(self, tree):
        return self.layout.per_seed(tree, len(self.seeds))


def _stack(trees: list, like):
    """Trees as one with a leading axis, in the form of another, whose nodes may be of other types."""
    leaves = [np.stack(leaf) for leaf in zip(*map(jax.tree.leaves, trees), strict=True)]
    if [leaf.shape[1:] for leaf in leaves] != [leaf.shape for leaf in jax.tree.leaves(like)]:
        raise ValueError("the parameters that were kept are not those of the cell's model")
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def _rows(split: Batch, rows: np.ndarray) -> Batch:
    return jax.tree.map(lambda x: np.asarray(x[rows]), split)


def _of_model(split: Batch, model: MultimodalModel) -> Batch:
    """A split without the modalities that the model does not read."""
    names = [spec.name for spec in model.modalities]
    kept = {key: {n: values[n] for n in names if n in values}
            for key, values in zip(("inputs", "lengths", "present"), split, strict=False)}  # fmt: skip
    return split._replace(**kept)


def _rate(samples: int, seconds: list[float]) -> float:
    return samples / float(np.median(seconds)) if seconds else float("nan")
