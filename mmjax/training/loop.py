"""A cell from its task to its runs: compiles the phases' programs, calls them, and chooses nothing by test."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from mmjax.config import Config
from mmjax.errors import InputError, lookup
from mmjax.model import MultimodalModel, build_model, part_of
from mmjax.training.checkpoint import Checkpoints
from mmjax.training.parallel import AXIS, Layout, Placement, lay_out, spread
from mmjax.training.results import CellResult, Progress, RunResult
from mmjax.training.step import PhasePrograms, Sums
from mmjax.training.strategies import STRATEGIES, Phase
from mmjax.types import Batch, Task

SECONDS_BETWEEN_CHECKPOINTS = 15.0
TIMED_PREDICTIONS = 3


def train_cell(
    task: Task,
    fusion: str,
    strategy: str,
    config: Config,
    seeds: tuple[int, ...],
    placement: Placement | None = None,
    checkpoint_dir: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    seconds_between_checkpoints: float = SECONDS_BETWEEN_CHECKPOINTS,
) -> CellResult:
    """Trains all seeds of a cell in one program, and predicts validation and test with each seed's best epoch.

    Args:
      fusion: a name in FUSIONS whose model is trained as a whole, or "unimodal/<modality>".
      strategy: a name in STRATEGIES.
      seeds: any distinct non-negative integers.
      placement: one device by default.
      checkpoint_dir: where training goes on from, and keeps its place; removed by whoever keeps the results.
      on_progress: called after every evaluation.

    Raises:
      InputError: for a name that is unknown, a pair that is not defined, or a batch larger than the training split.
    """
    placement = placement or Placement()
    examples = task.splits["train"].size
    if config.batch_size > examples:
        raise InputError(
            f"batch_size = {config.batch_size} is larger than the training split of task {task.name!r}: "
            f"give at most {examples}"
        )
    layout = lay_out(tuple(seeds), placement)
    axis = AXIS if layout.splits_batch else None
    model = build_model(task.modalities, task.target, fusion, config, axis)
    cell = _Cell(task, model, lookup(STRATEGIES, "strategy", strategy), config, tuple(seeds), layout)
    checkpoints = Checkpoints(checkpoint_dir, seconds_between_checkpoints) if checkpoint_dir else None
    try:
        return cell.run(checkpoints, on_progress or (lambda progress: None))
    finally:
        if checkpoints:
            checkpoints.close()


class _Cell:
    """The host's side of a cell: what is on the devices, how far it is, and what was seen."""

    def __init__(self, task: Task, model: MultimodalModel, strategy, config: Config, seeds, layout: Layout):
        self.task, self.model, self.config, self.seeds, self.layout = task, model, config, seeds, layout
        self.splits = {name: layout.replicate(_of_model(task.splits[name], model)) for name in ("train", "validation")}
        self.example = jax.tree.map(lambda x: jnp.asarray(x[:1]), _of_model(task.splits["train"], model))
        theta = jax.eval_shape(self._programs(Phase("shapes", (), "decoder", 1)).initial_theta, 0, self.example)
        self.parameters = sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(theta.params))
        self.phases = strategy(frozenset(part_of(name) for name in theta.params), config)
        self.total_epochs = sum(phase.epochs for phase in self.phases)
        self.histories: list[list[dict]] = [[] for _ in seeds]
        self.failures: list[str | None] = [None for _ in seeds]
        self.epoch_seconds: list[float] = []
        self.predict_seconds: list[float] = []
        self.compile_seconds = 0.0

    def run(self, checkpoints: Checkpoints | None, on_progress: Callable) -> CellResult:
        """All phases, each from the best theta of the one before, then the predictions."""
        seeds = self.layout.put(self.layout.seeds)
        # Where to begin. The order is important: a checkpoint's progress says in which phase its state was, and only
        # then is the state's tree known; if either cannot be read, the cell starts from its seeds.
        first, done, state = self._resume(checkpoints, seeds) or (0, 0, None)
        for index in range(first, len(self.phases)):
            programs = self._programs(self.phases[index])
            if index > first or done == 0:
                begin = programs.begin if index == 0 else programs.follow
                state = seeds if index == 0 else state
                state = self._compile(begin, state, self.example, once=True)(state, self.example)
                done = 0
            state = self._train_phase(index, programs, state, done, checkpoints, on_progress)
            if any(self.failures):
                return self._result({}, self._host(state.best_epoch))
        return self._result(self._predict(programs, state.best), self._host(state.best_epoch))

    def _train_phase(self, index: int, programs: PhasePrograms, state, done: int, checkpoints, on_progress):
        phase = self.phases[index]
        before = sum(phase.epochs for phase in self.phases[:index])
        compiled = {}
        validate = None
        while done < phase.epochs and not self._host(state.stopped).all():
            count = min(self.config.evaluate_every, phase.epochs - done)
            inputs = (self.splits["train"], jnp.int32(before), jnp.int32(done + 1))
            if count not in compiled:
                compiled[count] = self._compile(partial(programs.train, count=count), state, *inputs, donate=True)
            stopped = self._host(state.stopped)
            started = time.perf_counter()
            state, sums = jax.block_until_ready(compiled[count](state, *inputs))
            self.epoch_seconds.append((time.perf_counter() - started) / count)
            done += count
            inputs = (self.splits["validation"], jnp.int32(before + done))
            validate = validate or self._compile(programs.validate, state, *inputs, donate=True)
            state, validation = validate(state, *inputs)
            metrics = self._record(phase, before + done, self._host(sums), self._host(validation), stopped)
            on_progress(Progress(before + done, self.total_epochs, phase.name, metrics))
            if any(self.failures):
                break
            if checkpoints:
                progress = {"phase": index, "done": done, "histories": self.histories, "seeds": list(self.seeds)}
                checkpoints.save_if_due(before + done, lambda state=state: self._host(state), progress)
        return state

    def _resume(self, checkpoints: Checkpoints | None, seeds):
        """The phase, the epochs done in it and its state, from a checkpoint of these seeds; None without one."""
        progress = checkpoints and checkpoints.progress()
        if not progress or progress["seeds"] != list(self.seeds):
            return None
        programs = self._programs(self.phases[progress["phase"]])
        one = jax.eval_shape(programs.begin, jnp.int32(0), self.example)
        like = jax.tree.map(lambda x: jax.ShapeDtypeStruct((len(self.seeds), *x.shape), x.dtype), one)
        state = checkpoints.state(like)
        if state is None:
            return None
        self.histories = progress["histories"]
        return progress["phase"], progress["done"], self.layout.arrange(state)

    def _record(self, phase: Phase, epoch: int, train: Sums, validation: Sums, stopped) -> dict[str, float]:
        """Adds an evaluation to the history of every seed that still trains; their mean."""
        lines = []
        for seed, history in enumerate(self.histories):
            if stopped[seed]:
                continue
            line = {"phase": phase.name, "epoch": epoch}
            line["train_objective"] = float(train.objective[seed] / train.weight[seed])
            for split, sums in (("train", train), ("validation", validation)):
                value = float(sums.score[seed] / sums.weight[seed])
                line[f"{split}_loss"] = float(sums.loss[seed] / sums.weight[seed])
                regression = self.task.target.kind == "regression"
                line[f"{split}_error" if regression else f"{split}_accuracy"] = -value if regression else value
            history.append(line)
            lines.append(line)
            if not np.isfinite(line["train_objective"]):
                self.failures[seed] = f"the training loss of seed {self.seeds[seed]} is not finite at epoch {epoch}"
        return {key: float(np.mean([line[key] for line in lines])) for key in lines[0] if key not in ("phase", "epoch")}

    def _predict(self, programs: PhasePrograms, theta) -> dict[str, np.ndarray]:
        """Logits [S, n, K] of the splits that are reported; the last line of a run, the only one that reads test."""
        predict = self._compile(programs.predict, theta, self.splits["validation"])
        logits = {"validation": self._examples(predict(theta, self.splits["validation"]), "validation")}
        for _ in range(TIMED_PREDICTIONS):
            started = time.perf_counter()
            jax.block_until_ready(predict(theta, self.splits["validation"]))
            self.predict_seconds.append(time.perf_counter() - started)
        test = self.layout.replicate(_of_model(self.task.splits["test"], self.model))
        return logits | {"test": self._examples(self._compile(programs.predict, theta, test)(theta, test), "test")}

    def _examples(self, logits, split: str) -> np.ndarray:
        """Predictions by device, seed and chunk as [S, n, K]."""
        logits = self.layout.gather_examples(logits, len(self.seeds))
        return logits[:, : self.task.splits[split].size]

    def _result(self, logits: dict[str, np.ndarray], best_epochs) -> CellResult:
        count = len(self.seeds)
        runs = tuple(
            RunResult(
                seed,
                self.histories[i],
                int(best_epochs[i]),
                {name: l[i] for name, l in logits.items()},
                self.failures[i],
            )
            for i, seed in enumerate(self.seeds)
        )
        return CellResult(
            runs,
            self.parameters,
            _rate(count * self.task.splits["train"].size, self.epoch_seconds),
            _rate(count * self.task.splits["validation"].size, self.predict_seconds),
            self.compile_seconds,
        )

    def _programs(self, phase: Phase) -> PhasePrograms:
        devices = self.layout.devices if self.layout.splits_batch else 1
        return PhasePrograms(self.model, phase, self.config, self.task.splits["train"].size, devices)

    def _compile(self, function, *arguments, donate=False, once=False):
        """A function of one seed and what all seeds share, compiled for all seeds on all devices.

        What runs once is not worth optimising: LLVM takes seven times longer over the initialisers than they run.
        """
        started = time.perf_counter()
        shared = len(arguments) - 1
        over_seeds = jax.vmap(function, in_axes=(0, *(None,) * shared))
        options = {"xla_backend_optimization_level": 0} if once else {}
        compiled = spread(over_seeds, self.layout, shared, donate).lower(*arguments).compile(compiler_options=options)
        self.compile_seconds += time.perf_counter() - started
        return compiled

    def _host(self, tree):
        return self.layout.per_seed(tree, len(self.seeds))


def _of_model(split: Batch, model: MultimodalModel) -> Batch:
    """A split without the modalities that the model does not read."""
    names = [spec.name for spec in model.modalities]
    kept = {key: {n: values[n] for n in names if n in values}
            for key, values in zip(("inputs", "lengths", "present"), split, strict=False)}  # fmt: skip
    return split._replace(**kept)


def _rate(samples: int, seconds: list[float]) -> float:
    return samples / float(np.median(seconds)) if seconds else float("nan")
