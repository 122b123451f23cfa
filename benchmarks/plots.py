"""Figures as PNG files: the same bytes for the same figures' data and Matplotlib version."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # or it tells of a home folder that it does without

from matplotlib.figure import Figure  # noqa: E402

from benchmarks.statistics import interval  # noqa: E402
from mmjax.evaluation.metrics import METRICS  # noqa: E402

# Okabe and Ito's palette, which colour-blind readers can tell apart.
COLOURS = {"train": "#0072B2", "validation": "#D55E00"}
LEVEL_STYLES = {
    "baseline": ("#555555", "s"),
    "feature": ("#0072B2", "o"),
    "decision": ("#E69F00", "^"),
    "model": ("#009E73", "D"),
}


def learning_curves(history: Sequence[Sequence[Mapping]], title: str, path: Path):
    """Loss and accuracy by epoch on training and validation data, mean and 95% band over seeds.

    Args:
      history: one list a seed, of one dict an evaluation: `epoch`, `train_loss`,
        `validation_loss`, and `train_accuracy` and `validation_accuracy` (or `_error`). A seed
        that stopped early has a shorter list; from there on the mean is of the others. What a
        dict lacks, or is not finite, is not drawn. Where it has a `phase`, a line ends with its
        phase, since the next one's loss is another.
      title: printed above.
      path: of the PNG, 1000 x 400 pixels.
    """
    evaluations = pd.DataFrame([{"phase": "", **evaluation} for seed in history for evaluation in seed])
    evaluations = evaluations.replace([np.inf, -np.inf], np.nan)
    score = "error" if "validation_error" in evaluations else "accuracy"
    figure, panels = _figure(title, panels=2)
    for panel, quantity in zip(panels, ("loss", score), strict=True):
        for split, colour in COLOURS.items():
            if (column := f"{split}_{quantity}") in evaluations:
                _bands(panel, evaluations[["phase", "epoch", column]].dropna(), colour, split)
        # Student's interval knows no bounds; what is drawn does.
        low, high = panel.get_ylim()
        panel.set(
            xlabel="epoch", ylabel=quantity, ylim=(max(low, -0.02), min(high, 1.02 if quantity == "accuracy" else high))
        )
        if panel.lines:
            panel.legend(frameon=False)
    _save(figure, path)


def accuracy_against_throughput(records: Iterable[Mapping], title: str, path: Path, split: str = "test"):
    """Each cell of one task as a point: training samples a second, and its score with 95% interval.

    Args:
      records: of cells, as in `benchmarks.tables`; those without a rate or score are left out.
      title: printed above.
      path: of the PNG, 1000 x 600 pixels.
      split: of which the scores are.
    """
    records = [record for record in records if record["train_samples_per_second"] and record["metrics"]]
    figure, (panel,) = _figure(title, panels=1)
    first = {name for names in METRICS.values() for name in names[:1]}
    for level, (colour, marker) in LEVEL_STYLES.items():
        label = level
        for record in (record for record in records if record["level"] == level):
            score = next(name for name in record["metrics"] if name in first)
            mean, low, high = interval(record["metrics"][score])
            place = (record["train_samples_per_second"], mean)
            panel.errorbar(*place, [[mean - low], [high - mean]], fmt=marker, color=colour, capsize=3, label=label)
            where = {"xytext": (6, 4), "textcoords": "offset points", "fontsize": 8}
            panel.annotate(record["fusion"], place, **where, parse_math=False)
            panel.set_ylabel(f"{score} on {split}")
            label = None
    panel.set(xscale="log", xlabel="training samples per second")
    if records:
        panel.legend(frameon=False)
    _save(figure, path)


def _figure(title: str, panels: int):
    figure = Figure(figsize=(10, 4 if panels == 2 else 6), dpi=100, layout="constrained")
    figure.suptitle(title, parse_math=False)  # a name may hold dollar signs
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
        panel.grid(alpha=0.3)
    return figure, axes


def _bands(panel, points: pd.DataFrame, colour: str, label: str):
    """The mean over seeds of the last column by epoch, with its interval; a line a phase."""
    for number, (_, phase) in enumerate(points.groupby("phase", sort=False)):
        by_epoch = {epoch: interval(values) for epoch, values in phase.groupby("epoch")[phase.columns[-1]]}
        means, lows, highs = zip(*by_epoch.values(), strict=True)
        panel.plot(by_epoch.keys(), means, color=colour, label=label if number == 0 else None)
        panel.fill_between(by_epoch.keys(), lows, highs, color=colour, alpha=0.2, linewidth=0)


def _save(figure: Figure, path: Path):
    # Matplotlib's version, which it writes by default, would make equal figures differ.
    figure.savefig(path, format="png", metadata={"Software": None})
