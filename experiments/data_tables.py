"""What is known of a task's data, as tables in the terminal."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mmjax.data.cleaning import cleaning_report
from mmjax.types import SPLITS, Task


def print_task(task: Task):
    """Modalities, target and splits, as they were understood."""
    console = Console(emoji=False)
    sizes = ", ".join(f"{task.splits[split].size:,} {split}" for split in SPLITS)
    console.print(f"{task.name}: {sizes}", markup=False, highlight=False)
    # Names are a user's: as Text they are shown as they stand, whatever would be markup.
    shown = Table("modality", "kind", "shape", *(f"in {split}" for split in SPLITS))
    for spec in task.modalities:
        shape = " x ".join(map(str, spec.shape)) + (f", {spec.vocabulary:,} ids" if spec.vocabulary else "")
        shape += f", {spec.rate:g} Hz" if spec.rate else ""
        there = (f"{task.splits[split].present[spec.name].mean():.0%}" for split in SPLITS)
        shown.add_row(Text(spec.name), spec.kind, shape, *there)
    console.print(shown)
    console.print(_target_table(task))
    if task.groups:
        groups = {split: set(task.groups[split].tolist()) for split in SPLITS}
        counts = ", ".join(f"{len(groups[split]):,} {split}" for split in SPLITS)
        shared = sum(map(len, groups.values())) - len(set().union(*groups.values()))
        console.print(f"groups: {counts}; {shared or 'none'} in two splits", markup=False, highlight=False)
    for warning in task.warnings:
        console.print(f"warning: {warning}", markup=False, highlight=False)


def print_report(task: Task):
    """The cleaning report, and what must be known of it."""
    console = Console(emoji=False)
    report = cleaning_report(task)
    shown = Table("what", *SPLITS)
    for what, values in report.rows():
        shown.add_row(Text(what), *values)
    console.print(f"{task.name}: cleaning report", markup=False, highlight=False)
    console.print(shown)
    for warning in report.warnings or ("nothing that a reader of results must know",):
        console.print(warning, markup=False, highlight=False)


def _target_table(task: Task) -> Table:
    shown = Table(f"target, {task.target.kind}", *SPLITS)
    if task.target.classes and task.target.kind != "multilabel":
        counts = [np.bincount(task.splits[split].target, minlength=task.target.classes) for split in SPLITS]
        names = task.class_names or tuple(map(str, range(task.target.classes)))
        for label, name in enumerate(names):
            shown.add_row(Text(name), *(f"{count[label]:,}" for count in counts))
        return shown
    for column in range(task.target.size):
        values = [task.splits[split].target[:, column] for split in SPLITS]
        shown.add_row(f"value {column}", *(f"{v.mean():.3g} ± {v.std():.3g}" for v in values))
    return shown
