"""One launch: from what was asked for to the table."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import jax
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from benchmarks.tables import terminal_table
from experiments.budget import match_budgets
from experiments.cell_runs import EVALUATIONS, Keeping
from experiments.execute import execute, forget, without_parameters
from experiments.grid import Cell, cells_of, check_encoders, code_version, is_trained, runs_of
from experiments.kept_preprocessing import keep_preprocessing
from experiments.launches import keep_launch
from experiments.leading import follow, leading
from experiments.progress import Reporter
from experiments.results import Row, notes_of, records_of, rows_of, write_outputs
from experiments.search import FIELDS, Tuned, Tuning, check_tunable
from experiments.store import Store
from experiments.tune import forget_trials, search_plan, tuned_plan
from mmjax.config import MOST_SEEDS
from mmjax.data import defaults_of, load_task, load_tasks, tasks_of
from mmjax.disk import writing
from mmjax.errors import InputError
from mmjax.training.decisions import combine_decisions
from mmjax.training.loop import check_cell, train_cell
from mmjax.training.parallel import Placement
from mmjax.training.processes import check_agreement, is_first
from mmjax.types import Task


@dataclasses.dataclass(frozen=True)
class Request:
    """What the launcher's flags say; each attribute is the flag of its name, `overrides` all fields of Config."""

    tasks: Sequence[str]
    fusions: Sequence[str]
    strategies: Sequence[str] = ("joint",)
    seeds: int = 3
    overrides: Mapping[str, object] = dataclasses.field(default_factory=dict)
    match: str | None = None
    tune: int | None = None
    tune_seeds: int = 1
    devices: int | None = None
    parallel: str = "pmap"
    split_devices: str = "auto"
    data: str = "auto"
    data_dir: str | None = None
    workdir: str = "./workdir"
    dry_run: bool = False
    resume: bool = True
    keep_checkpoints: int = Keeping.checkpoints
    checkpoint_seconds: float = Keeping.seconds_between
    keep_parameters: bool = False
    evaluate: str = "test"

    def __post_init__(self):
        for name in ("tasks", "fusions", "strategies"):
            names = getattr(self, name)
            if isinstance(names, str) or not isinstance(names, Sequence) or not names:
                raise InputError(f"{name} = {names!r} is not accepted: give a list of one or more names")
        if not isinstance(self.seeds, int) or not 1 <= self.seeds <= MOST_SEEDS:
            raise InputError(f"seeds = {self.seeds!r} is not accepted: give how many, from 1 to {MOST_SEEDS:,}")
        if not 0 <= self.checkpoint_seconds < math.inf:
            raise InputError(
                f"--checkpoint_seconds={self.checkpoint_seconds} is not accepted: give a finite number, 0 or more"
            )
        if self.evaluate not in EVALUATIONS:
            raise InputError(f"--evaluate={self.evaluate} is not accepted: give {' or '.join(EVALUATIONS)}")


def run_grid(
    request: Request,
    load: Callable = load_task,
    train: Callable = train_cell,
    combine: Callable = combine_decisions,
    stop: Callable[[], bool] = lambda: False,
) -> list[dict]:
    """Train what is missing, write the tables, and print them.

    Everything that can be wrong with a request is found before anything is trained or written.

    Args:
      request: what to run.
      load, train, combine: as `load_task`, `train_cell` and `combine_decisions` of mmjax.
      stop: as `train_cell` takes it.

    Returns:
      The records of the table, as `benchmarks.tables` takes them.

    Raises:
      InputError: for a request that cannot be run.
      Interrupted: because of `stop`.
    """
    workdir = Path(request.workdir)
    check_writable(workdir)
    several = jax.process_count() > 1
    devices = request.devices or (jax.device_count() if several else 1)
    placement = Placement(devices, request.parallel, request.split_devices)
    train = partial(train, data=request.data)
    fields = [name for name in FIELDS if not (request.match and name == "width")]
    tuning = None if request.tune is None else Tuning(request.tune, request.tune_seeds, tuple(fields))
    configs = {name: defaults_of(name).replace(**request.overrides) for name in tasks_of(request.tasks)}
    tasks = load_tasks(list(configs), request.data_dir, load)
    check_encoders(request.overrides, tasks.values())
    plan, budgets = [], []
    for name, task in tasks.items():
        if tuning:
            check_tunable(task)
        cells = cells_of(task, request.fusions, request.strategies, configs[name])
        budgets += [None] * len(cells)
        if request.match:
            cells, ratios = match_budgets(task, cells, request.match)
            budgets[-len(cells) :] = [(request.match, ratio) for ratio in ratios]
        plan += [(task, cell) for cell in cells]
    for task, cell in plan:
        if is_trained(task, cell):
            check_cell(task, cell.fusion, cell.strategy, cell.config)
    content = [(task.title, task.fingerprint) for task in tasks.values()]
    check_agreement([code_version(), *content], "code and data")
    if not is_first():
        follow(list(tasks.values()), placement, train, stop)
        return []
    with leading(train) as train:
        return _run(request, plan, budgets, tuning, placement, train, combine, stop)


def _run(request: Request, plan, budgets, tuning, placement, train, combine, stop) -> list[dict]:
    """The rest of `run_grid`, of the process that decides and writes."""
    workdir = Path(request.workdir)
    seeds, console, tuned = range(request.seeds), Console(emoji=False), None
    if tuning:
        if not (request.resume or request.dry_run):
            forget_trials(plan, tuning, workdir)
        if not request.dry_run:
            searches = sum(is_trained(task, cell) for task, cell in plan)
            with Reporter(searches, Console(stderr=True)) as reporter:
                search_plan(plan, tuning, workdir, placement, reporter, train, stop)
        plan, tuned = tuned_plan(plan, tuning, workdir)
    if request.dry_run:
        rows = rows_of(plan, seeds, Store(workdir), {}, budgets, tuned, request.evaluate)
        console.print(_overview(rows))
        console.print(_evaluation(rows, seeds, Store(workdir)), highlight=False)
        if tuning:
            missing = sum(each.tuning.trials - each.trials for each in tuned if each)
            console.print(f"{missing} trials would be run first, {tuning.trials} of every cell that is trained.")
        return records_of(rows)
    if not request.resume:
        forget(plan, seeds, Store(workdir))
    keeping = Keeping(request.keep_checkpoints, request.checkpoint_seconds, request.keep_parameters)
    rows = run_plan(
        plan, seeds, workdir, placement, train, combine, budgets, tuned,
        keeping=keeping, stop=stop, evaluate=request.evaluate,
    )  # fmt: skip
    print_results(rows, workdir)
    if request.keep_parameters and (bare := without_parameters(plan, seeds, Store(workdir))):
        console.print(
            f"Runs that were finished before without --keep_parameters have none still: {bare}. The same command with "
            "--noresume trains their cells again, and keeps them.", markup=False, highlight=False,
        )  # fmt: skip
    return records_of(rows)


def run_plan(
    plan: Sequence[tuple[Task, Cell]],
    seeds: Sequence[int],
    workdir: Path,
    placement: Placement,
    train: Callable = train_cell,
    combine: Callable = combine_decisions,
    budgets: Sequence | None = None,
    tuned: Sequence[Tuned | None] | None = None,
    *,
    keeping: Keeping = Keeping(),
    stop: Callable[[], bool] = lambda: False,
    evaluate: str = "test",
) -> list[Row]:
    """Train what is missing of cells that are known and checked, evaluate it, and write their tables."""
    try:
        workdir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--workdir={workdir} cannot be made: {error.strerror}; give another one") from error
    store = Store(workdir)
    with writing(workdir):
        keep_preprocessing([task for task, _ in plan], workdir)
        keep_launch(rows_of(plan, seeds, store, {}, budgets, tuned, evaluate), seeds, workdir)
    with Reporter(len(plan), Console(stderr=True)) as reporter:
        reasons = execute(
            plan, seeds, store, placement, reporter, train, combine, keeping=keeping, stop=stop, evaluate=evaluate
        )
    rows = rows_of(plan, seeds, store, reasons, budgets, tuned, evaluate)
    with writing(workdir):
        keep_launch(rows, seeds, workdir)
        write_outputs(rows, workdir)
    return rows


def print_results(rows: Sequence[Row], workdir: Path):
    """The table, the lines below it, and where the files are."""
    console = Console(emoji=False)
    console.print(terminal_table(records_of(rows)))
    for title, notes in notes_of(rows).items():
        console.print(f"{title}: " + "\n".join(notes), markup=False, highlight=False)
    console.print(f"Tables, report and curves: {workdir}", markup=False, highlight=False, soft_wrap=True)


def check_writable(workdir: Path):
    """Refuse a workdir that cannot be written, without making it.

    Raises:
      InputError: if it, or the nearest folder above it that exists, is no folder or is closed to writing.
    """
    nearest = next(path for path in (workdir.absolute(), *workdir.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError(
            f"--workdir={workdir} cannot be written: {nearest} is no folder open to writing; give another one"
        )


def keep_compiled_programs():
    """Let JAX keep compiled programs in MMJAX_CACHE_DIR (~/.cache/mmjax), for the next launch."""
    cache = Path(os.environ.get("MMJAX_CACHE_DIR", "~/.cache/mmjax")).expanduser()
    jax.config.update("jax_compilation_cache_dir", str(cache / "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)


def _evaluation(rows: Sequence[Row], seeds: Sequence[int], store: Store) -> str:
    """What of a plan would be read of test, and what it would take."""
    if rows[0].split != "test":
        return f"Runs would be evaluated on {rows[0].split}, and test would not be predicted."
    waiting = [
        (is_trained(row.task, row.cell), run)
        for row in rows
        for run, stored in zip(runs_of(row.cell, row.task, seeds), row.runs, strict=True)
        if stored is not None and not stored.is_complete("test")
    ]
    parameters = [store.parameters(run) for trained, run in waiting if trained]
    lost = parameters.count(None)
    told = [
        f"Runs would be evaluated on test; {len(parameters) - lost} of them lack nothing else, and would not be "
        f"trained again; {len(waiting) - len(parameters)} of baselines and decision rules would be fitted again"
    ]
    if lost:
        told.append(f"{lost} whose parameters are gone or damaged would be trained again")
    return "; ".join(told) + "."


def _overview(rows: Sequence[Row]) -> Table:
    """The cells, how wide they are, how many of their trials are made, and how many of their runs are done.

    Which runs there will be is not known before the last trial.
    """
    open_searches = any(row.tuned and not row.tuned.chosen for row in rows)
    overview = Table(Column("task", overflow="fold"), "fusion", "strategy", "width", "budget", "trials", "done", "of")
    for row in rows:
        cell, done = row.cell, "?" if open_searches else sum(run is not None for run in row.complete)
        budget = f"{row.budget[1]:.2f}" if row.budget and row.budget[1] else ""
        trials = str(row.tuned.trials) if row.tuned else ""
        figures = (str(cell.config.width), budget, trials, str(done), str(len(row.runs)))
        overview.add_row(*map(Text, (row.task.title, cell.fusion, cell.strategy)), *figures)
    return overview
