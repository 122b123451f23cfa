"""From the store to what is read: records of cells, notes below their tables, files under the workdir."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks import plots, tables
from benchmarks.report import report
from benchmarks.statistics import clustered, interval
from experiments.budget import REFERENCE, TOLERANCE, is_matched
from experiments.cell_runs import COSTS, diverged, logits_of, metrics_of
from experiments.grid import Cell, code_version, runs_of, unimodal_names
from experiments.run_records import environments_of, measured_alike, told_rates
from experiments.search import Tuned
from experiments.store import Store, Stored
from mmjax.evaluation.baselines import oracle
from mmjax.evaluation.classical import CLASSICAL
from mmjax.evaluation.metrics import decisions, higher_is_better, primary_metric
from mmjax.file_names import file_names
from mmjax.fusion import FUSIONS
from mmjax.training.decisions import is_fitted
from mmjax.types import SPLITS, Task

SAME = "Every cell of a task has the same splits, batches and seeds, {}."
CHOSEN = "What is fitted or chosen (the epoch, decisions' weights, scalers) sees training and validation splits alone."
READ = {
    "test": "The test split is read once, when all that is fitted or chosen is.",
    "validation": "The test split was not predicted: no figure is of it.",
}
FIGURES = "Figures are of the {} split: the mean over seeds, and Student's 95% interval of that mean."
FLATTERED = "Figures of validation flatter whatever was chosen by it, as epochs are and the best of a table."
CROSS_FITTED = (
    "{} fitted on validation. There each fold is decided by a fit on the others, so that comparisons on validation are "
    "of decisions that were not fitted on; for test all of it is fitted on."
)


@dataclasses.dataclass(frozen=True)
class Row:
    """A cell and what is stored of it.

    Attributes:
      task, cell: what was asked for.
      runs: as stored, in the order of the seeds; None for what is not there.
      reason: why the cell has no result, if the launcher knows it.
      budget: which budget was matched and the cell's over the reference's (None for a baseline), if any was.
      tuned: the search for the cell's hyper-parameters, if there was one.
      code: version of the code that made the runs.
      records: of each run what it came about by, as `experiments.run_records` has it; None where that is not known.
      split: of which figures are.
    """

    task: Task
    cell: Cell
    runs: tuple[Stored | None, ...]
    reason: str | None = None
    budget: tuple[str, float | None] | None = None
    tuned: Tuned | None = None
    code: str = dataclasses.field(default_factory=code_version)
    records: tuple[dict | None, ...] = ()
    split: str = "test"

    @property
    def complete(self) -> tuple[Stored | None, ...]:
        """The runs, None also for what is stored and lacks the split."""
        return tuple(run if run and run.is_complete(self.split) else None for run in self.runs)

    @property
    def status(self) -> str:
        """ "done", how many seeds diverged, or why the row has no figures."""
        if None in self.complete:
            return self.reason or f"{sum(run is not None for run in self.complete)} of {len(self.runs)} runs done"
        failures = [failure for run in self.runs if (failure := run.failure(self.split))]
        if len(failures) == len(self.runs):
            return f"failed: {failures[0]}"
        return diverged(self.runs, self.split) if failures else "done"

    @property
    def has_figures(self) -> bool:
        """Whether all seeds are there and one or more of them did not diverge."""
        return None not in self.complete and not all(run.failure(self.split) for run in self.runs)

    @property
    def bayes(self) -> float | None:
        """The accuracy of the best rule that sees what the cell sees, where the task knows it."""
        seen = self.cell.fusion.partition("/")[2] if self.cell.fusion in unimodal_names(self.task) else "all"
        return self.task.bayes.get(seen)

    def scores(self, split: str) -> np.ndarray:
        """[S] primary metric of a row that has figures; a seed that diverged has the majority's."""
        metric = primary_metric(self.task.target)
        return np.array([metrics_of(self.task, run, split)[metric] for run in self.runs])

    def logits(self, split: str) -> list[np.ndarray]:
        """What each seed of a row that has figures says of a split [n, K]; one that diverged says what is usual."""
        return [logits_of(self.task, run, split) for run in self.runs]

    @property
    def kept_records(self) -> list[dict | None]:
        """Of the runs that are there."""
        return [record for record, run in zip(self.records, self.runs, strict=False) if run]

    @property
    def _matched_width(self) -> int | None:
        """Of a cell that is trained, or a rule of those that are; None for a baseline."""
        return self.cell.config.width if self.cell.strategy else None

    def record(self) -> dict:
        """The row as `benchmarks.tables` takes it."""
        done = self.has_figures
        metrics = [metrics_of(self.task, run, self.split) for run in self.runs] if done else []
        costs = {name: _median([run.result[name] for run in self.runs if run]) for name in COSTS}
        if not measured_alike(self.kept_records):
            costs |= dict.fromkeys(tables.RATES)
        if epochs := [run.result["epochs_trained"] for run in self.runs if run and run.result.get("epochs_trained")]:
            costs["epochs_trained"] = _median(epochs)
        if self.budget:
            costs |= {"width": self._matched_width, "budget": self.budget[1]}
        if (bayes := self.bayes) is not None:
            costs["gap_to_bayes"] = 100 * float(bayes - self.scores(self.split).mean()) if done else None
        if self.tuned:
            costs["tuned"] = self.tuned.chosen
        return {
            "task": self.task.title,
            "level": self.cell.level,
            "fusion": self.cell.fusion,
            "strategy": self.cell.strategy,
            "split": self.split,
            "seeds": len(self.runs),
            "metrics": {name: [values[name] for values in metrics] for name in (metrics[0] if done else ())},
            "status": self.status,
        } | costs


def rows_of(
    plan: Sequence[tuple[Task, Cell]],
    seeds: Sequence[int],
    store: Store,
    reasons: Mapping[int, str],
    budgets: Sequence[tuple[str, float | None] | None] | None = None,
    tuned: Sequence[Tuned | None] | None = None,
    split: str = "test",
) -> list[Row]:
    """What the store has of a plan: task by task, fusions in the registry's order.

    Args:
      plan, seeds: what was asked for.
      store: is only read.
      reasons: as `experiments.execute.execute` gives them.
      budgets: of each place in the plan, as a Row has it; None where none was matched.
      tuned: of each place in the plan, as a Row has it; None where nothing was tuned.
      split: of which figures are, "validation" or "test".
    """
    budgets, tuned = budgets or [None] * len(plan), tuned or [None] * len(plan)
    rows = [
        Row(
            task, cell, tuple(map(store.read, runs)), reasons.get(place), budget, search,
            records=tuple(map(store.record, runs)), split=split,
        )
        for place, ((task, cell), budget, search) in enumerate(zip(plan, budgets, tuned, strict=True))
        for runs in [runs_of(cell, task, seeds)]
    ]  # fmt: skip
    tasks = list(dict.fromkeys(task.title for task, _ in plan))
    order = {name: place for place, name in enumerate(FUSIONS)}
    return sorted(rows, key=lambda row: (tasks.index(row.task.title), order.get(row.cell.fusion, -1)))


def records_of(rows: Sequence[Row]) -> list[dict]:
    """A record a row; and the oracle's, for every task and strategy whose unimodal runs are all there."""
    records = [row.record() for row in rows]
    if len({row.cell.strategy for row in rows if row.cell.strategy}) == 1:  # then all may train the same number
        for record in records:
            record.pop("epochs_trained", None)
    for task in _tasks(rows):
        single = [
            row for row in rows if row.task is task and row.cell.fusion in unimodal_names(task) and row.has_figures
        ]
        for strategy in dict.fromkeys(row.cell.strategy for row in single):
            of_strategy = [row for row in single if row.cell.strategy == strategy]
            if len(of_strategy) == len(task.modalities):
                records.append(_oracle(task, of_strategy))
    return records


def notes_of(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Task's title -> lines below its table: what can be reached, what fusing gains, and where the data come from."""
    notes = {}
    for task in _tasks(rows):
        of_task = [row for row in rows if row.task is task]
        done = [row for row in of_task if row.has_figures]
        sizes = ", ".join(f"{task.splits[split].size:,} {split}" for split in SPLITS)
        notes[task.title] = [
            *_evaluated(rows[0].split),
            *_contaminated(task, of_task),
            *_known(task),
            *_gain(task, done),
            *_groups(task, done),
            *_cross_fitted(done),
            *_budget(of_task),
            *_tuned(of_task),
            *_rates(of_task),
            *_diverged(done),
            *(f"Data: {warning}." for warning in task.warnings),
            f"Examples: {sizes}." + (f" Source: {task.source}." if task.source else ""),
            f"Seeds: {len(of_task[0].runs)}. Data {task.fingerprint}, code {of_task[0].code}.",
        ]
    return notes


def write_outputs(rows: Sequence[Row], workdir: Path):
    """table.md, table.csv, table.tex, report.html and curves/*.png under the workdir."""
    records, notes = records_of(rows), notes_of(rows)
    tables.write(records, workdir, notes)
    curves = workdir / "curves"
    curves.mkdir(exist_ok=True)
    titles = {task.title: f"{task.title}.throughput" for task in _tasks(rows)}
    names = file_names([*titles.values(), *(row.cell.title for row in rows)])
    figures = {title: {} for title in titles}
    for title in titles:
        path = curves / f"{names[titles[title]]}.png"
        plots.accuracy_against_throughput(
            [record for record in records if record["task"] == title], title, path, rows[0].split
        )
        figures[title]["Score against throughput"] = path
    for row in rows:
        history = [run.history for run in row.runs if run and run.history]
        if history:
            path = curves / f"{names[row.cell.title]}.png"
            plots.learning_curves(history, row.cell.title, path)
            figures[row.task.title][row.cell.title] = path
    # The first row is the majority's, whose config is as it was asked for, neither matched nor tuned.
    config = {row.task.title: row.cell.config.to_dict() for row in reversed(rows)}
    heading = "mmjax" if rows[0].split == "test" else f"mmjax, {rows[0].split} split"
    origins = environments_of({row.cell.title: row.kept_records for row in rows})
    page = report(heading, tables.sections(records, notes), figures, protocol_of(rows), origins, config)
    (workdir / "report.html").write_text(page, encoding="utf-8")


def protocol_of(rows: Sequence[Row]) -> list[str]:
    """Sentences that say how the rows' figures came about."""
    split = rows[0].split
    same = "and the same hyper-parameters"
    if any(row.budget for row in rows):
        same += " but the width, by which budgets are matched"
    if any(row.tuned for row in rows):
        same = "and the same number of trials to choose hyper-parameters by"
        same += ", but the width, by which budgets are matched" if any(row.budget for row in rows) else ""
    flattered = [FLATTERED] if split == "validation" else []
    return [SAME.format(same), CHOSEN, READ[split], FIGURES.format(split), *flattered]


def _oracle(task: Task, single: Sequence[Row]) -> dict:
    """The oracle's record, seed by seed."""
    names = [spec.name for spec in task.modalities]
    split = single[0].split
    truth = task.splits[split].target
    values = [
        oracle(task.target, dict(zip(names, logits, strict=True)), truth)
        for logits in zip(*(row.logits(split) for row in single), strict=True)
    ]
    metrics = {name: [value[name] for value in values] for name in values[0]}
    record = {"task": task.title, "level": "baseline", "fusion": "oracle", "strategy": single[0].cell.strategy}
    return record | {"split": split, "seeds": len(values), "metrics": metrics, "status": "done"} | dict.fromkeys(COSTS)


def _evaluated(split: str) -> list[str]:
    """That figures are not of test."""
    return [] if split == "test" else [f"Figures are of the {split} split. {READ[split]} {FLATTERED}"]


def _contaminated(task: Task, rows: Sequence[Row]) -> list[str]:
    """That validation chose nothing, and what did instead."""
    if task.chooses:
        return []
    sentence = f"Validation does not choose here: {task.contaminated}. The last epoch counts"
    if any(row.cell.fusion in CLASSICAL for row in rows):
        sentence += ", strengths of classical baselines are chosen on folds of train"
    return [f"{sentence}, and no best fusion is named."]


def _cross_fitted(done: Sequence[Row]) -> list[str]:
    """How rules that are fitted on validation are compared on it."""
    names = list(dict.fromkeys(row.cell.fusion for row in done if is_fitted(row.cell.fusion)))
    return [CROSS_FITTED.format(", ".join(names) + (" is" if len(names) == 1 else " are"))] if names else []


def _known(task: Task) -> list[str]:
    """What can be reached, and what there is to tell, where the joint distribution is known."""
    lines = []
    if task.bayes:
        rates = ", ".join(f"{name} {100 * rate:.1f}%" for name, rate in task.bayes.items())
        lines.append(f"Bayes-optimal accuracy: {rates}. The gap to it, in points, is from that of what a row sees.")
    if task.information:
        bits = ", ".join(f"{name} {value:.3f}" for name, value in task.information.items())
        lines.append(f"Bits told of the class: {bits}.")
    return lines


def _budget(rows: Sequence[Row]) -> list[str]:
    """What was matched, and which cells no width could match."""
    ratios = {row.cell.fusion: row.budget[1] for row in rows if row.budget and row.budget[1] is not None}
    if not ratios:
        return []
    (kind,) = {row.budget[0] for row in rows if row.budget}
    missed = ", ".join(f"{name} ({ratio:.2f})" for name, ratio in ratios.items() if not is_matched(ratio))
    matched = f"Widths are such that the {kind} of each cell are within {TOLERANCE:.0%} of those of {REFERENCE}"
    return [matched + (f"; not matched: {missed}." if missed else ".")]


def _tuned(rows: Sequence[Row]) -> list[str]:
    """How the hyper-parameters came about."""
    tunings = [row.tuned.tuning for row in rows if row.tuned]
    if not tunings:
        return []
    names = ", ".join(name.replace("_", " ") for name in tunings[0].fields)
    return [f"Tuned: {tunings[0].trials} trials a cell on validation ({names}); rules combine tuned unimodal models."]


def _rates(rows: Sequence[Row]) -> list[str]:
    """The rates that stand in no column, since a cell's runs were not measured alike."""
    told = []
    for row in rows:
        results = [run.result for run in row.runs if run]
        if not measured_alike(row.kept_records) and any(result[name] for result in results for name in tables.RATES):
            rates = told_rates(row.kept_records, results)
            told.append(f"Rates of {row.cell.fusion} are not put together, training and inference: {rates}.")
    return told


def _diverged(done: Sequence[Row]) -> list[str]:
    """Which figures are not of all seeds' models."""
    names = [f"{row.cell.fusion} ({row.status})" for row in done if row.status != "done"]
    return [f"A seed that diverged has the majority's figures: {', '.join(names)}."] if names else []


def _groups(task: Task, done: Sequence[Row]) -> list[str]:
    """How far the best fusion's accuracy would move had the split other groups (patients, videos)."""
    if not done or not task.chooses:
        return []
    split = done[0].split
    fused = [row for row in done if row.cell.level != "baseline"]
    count = len(np.unique(task.groups.get(split, [])))
    if primary_metric(task.target) != "accuracy" or not fused or count < 2:
        return []
    best = _best(fused)
    truth = task.splits[split].target
    right = [decisions(task.target, logits) == truth for logits in best.logits(split)]
    right = np.mean(right, axis=0).reshape(len(truth), -1).mean(axis=1)
    mean, low, high = (100 * value for value in clustered(right, task.groups[split]))
    return [
        f"{split.capitalize()} holds {len(truth):,} examples of {count:,} groups: were other groups drawn, the "
        f"accuracy of {best.cell.fusion} would be {mean:.1f} [{low:.1f}, {high:.1f}]."
    ]


def _gain(task: Task, done: Sequence[Row]) -> list[str]:
    """The best fusion's gain over the best single modality; both are chosen on validation, and compared on test.

    Where test was not predicted they are compared on what chose them, which the sentence says.
    """
    metric = primary_metric(task.target)
    sign = 1 if higher_is_better(metric) else -1
    fused = [row for row in done if row.cell.level != "baseline"]
    single = [row for row in done if row.cell.fusion in unimodal_names(task)]
    if not fused or not single or not task.chooses:
        return []
    best, alone = _best(fused), _best(single)
    gains = sign * (best.scores(best.split) - alone.scores(best.split))
    if metric in tables.PERCENT:
        (mean, low, high), unit = (f"{100 * value:+.1f}" for value in interval(gains)), "points"
    else:
        (mean, low, high), unit = (tables.in_unit(value, "+") for value in interval(gains)), metric
    bounds = f" [{low}, {high}]" if len(best.runs) > 1 else ""
    names = f"{best.cell.fusion} over {alone.cell.fusion}"
    where = "" if best.split == "test" else " and compared on it"
    return [f"Gain of {names}, each the best of its kind on validation{where}: {mean}{bounds} {unit}, paired by seed."]


def _best(rows: Sequence[Row]) -> Row:
    """The best on validation, of a task's rows that are done."""
    sign = 1 if higher_is_better(primary_metric(rows[0].task.target)) else -1
    return max(rows, key=lambda row: sign * row.scores("validation").mean())


def _median(values: Sequence) -> float | None:
    numbers = [value for value in values if value is not None]
    return type(numbers[0])(np.median(numbers)) if numbers else None


def _tasks(rows: Sequence[Row]) -> list[Task]:
    """The rows' tasks, in order, each once."""
    return list({row.task.title: row.task for row in rows}.values())
