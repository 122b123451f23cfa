"""From records of cells to tables: a pure function, the same bytes for the same records.

A record is a dict: `task`; `level` ("baseline", "feature", "decision" or "model"); `fusion`;
`strategy`; `split`, of which figures are ("test" where it is not said), the same for all; `seeds`, their number;
`metrics`, name -> one value a seed; `parameters`,
`train_samples_per_second` and `inference_samples_per_second`, each a number or None; `epochs_trained`, where strategies
differ: median over seeds, or None; `width` and `budget`, where budgets were
matched: the cell's, and its budget over the reference's, or None; `gap_to_bayes`, where the best accuracy is known:
points below it, or None; `tuned`, where hyper-parameters were searched: name -> the value chosen; `status` ("done",
"1 of 3 seeds diverged", "failed: ...", "not applicable: ...").
A figure that does not exist is left empty.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.escaping import escape_csv, escape_latex, escape_markdown
from benchmarks.statistics import interval
from mmjax.evaluation.classical import CLASSICAL
from mmjax.evaluation.metrics import METRICS, higher_is_better

LEVELS = ("baseline", "feature", "decision", "model")
PERCENT = ("accuracy", "balanced_accuracy", "macro_f1", "micro_f1")
RATES = ("train_samples_per_second", "inference_samples_per_second")
_OPTIONAL = {
    "epochs_trained": ",.0f",
    "width": ",.0f",
    "budget": ".2f",
    "gap_to_bayes": ".1f",
}  # columns that are there if any record has them, and their format
_METRIC_ORDER = tuple(dict.fromkeys(name for names in METRICS.values() for name in names))


@dataclasses.dataclass(frozen=True)
class Section:
    """One task's table as people read it.

    Attributes:
      task: its name.
      score: the heading of the metric that comes first; "" if there is none.
      cells: the rows' texts, ready to print; the columns' names are their headings.
      best: of the same shape, whether that figure is the task's best.
      notes: lines for the footer.
      split: of which figures are.
    """

    task: str
    score: str
    cells: pd.DataFrame
    best: pd.DataFrame
    notes: tuple[str, ...]
    split: str = "test"

    def rows(self) -> list[tuple[list[str], list[bool]]]:
        """Each row's texts, and which of them are the best."""
        return list(zip(self.cells.to_numpy().tolist(), self.best.to_numpy().tolist(), strict=True))


def table(records: Iterable[Mapping]) -> pd.DataFrame:
    """One row a cell: tasks in order of appearance, in each the baselines, then the levels.

    Returns:
      Columns task, level, fusion, strategy, split (if any record has it), seeds, then <metric>_mean, _low and _high
      (Student's 95% interval over seeds) of every metric that any record has, parameters, the two rates
      in samples a second, epochs_trained, width, budget and gap_to_bayes (if any record has them), the tuned
      hyper-parameters (of all records), status.

    Raises:
      ValueError: for records of several splits.
    """
    records = list(records)
    split_of(records)
    tasks = list(dict.fromkeys(record["task"] for record in records))
    records.sort(key=lambda record: (tasks.index(record["task"]), *_rank(record)))
    present = dict.fromkeys(name for record in records for name in record["metrics"])
    ordered = [*(name for name in _METRIC_ORDER if name in present), *(n for n in present if n not in _METRIC_ORDER)]
    optional = [name for name in _OPTIONAL if any(name in record for record in records)]
    tuned = list(dict.fromkeys(name for record in records for name in record.get("tuned", ())))
    whole = {
        name: "Int64" for name in ("seeds", "parameters", "width") if name != "width" or name in (*optional, *tuned)
    }
    return pd.DataFrame([_row(record, ordered, optional, tuned) for record in records]).astype(whole)


def sections(records: Iterable[Mapping], notes: Mapping[str, Sequence[str]] | None = None) -> list[Section]:
    """The tables that people read, one a task.

    The metric that comes first carries its interval, the others their mean; those of PERCENT are
    in percent. The best of a column is marked, the oracle apart: it is a ceiling, not a method.

    Args:
      records: of cells.
      notes: task -> lines for its footer.
    """
    records = list(records)
    whole, split = table(records), split_of(records)
    tasks = whole["task"].unique()
    return [_section(task, whole[whole["task"] == task], (notes or {}).get(task, ()), split) for task in tasks]


def split_of(records: Iterable[Mapping]) -> str:
    """The split of which all records' figures are.

    Raises:
      ValueError: if they are of several.
    """
    splits = {record.get("split", "test") for record in records} or {"test"}
    if len(splits) > 1:
        raise ValueError(f"figures of the splits {', '.join(sorted(splits))} do not go into one table")
    return splits.pop()


def csv(records: Iterable[Mapping]) -> str:
    """`table` as CSV; no name in it is a formula to a spreadsheet."""
    whole = table(records)
    names = {name: whole[name].map(escape_csv) for name in ("task", "level", "fusion", "strategy", "status")}
    return whole.assign(**names).to_csv(index=False, lineterminator="\n")


def markdown(parts: Iterable[Section]) -> str:
    """The sections as Markdown, the best in bold."""
    blocks = []
    for part in parts:
        cells = part.cells.map(escape_markdown)
        cells = cells.mask(part.best, "**" + cells + "**")
        lines = [list(cells.columns), ["---"] * cells.shape[1], *cells.to_numpy().tolist()]
        grid = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        notes = "\n".join(f"- {escape_markdown(note)}" for note in part.notes)
        blocks += [f"## {escape_markdown(part.task)}", grid, notes]
    return "\n\n".join(block for block in blocks if block) + "\n"


def latex(parts: Iterable[Section]) -> str:
    """The sections as LaTeX tables for the package booktabs, the best in bold."""
    blocks = []
    for part in parts:
        cells = part.cells.map(escape_latex)
        cells = cells.mask(part.best, r"\textbf{" + cells + "}").rename(columns=escape_latex)
        tabular = cells.to_latex(index=False, escape=False, column_format="l" * cells.shape[1])
        notes = "".join(f"\\par {escape_latex(note)}\n" for note in part.notes)
        caption = f"\\caption{{{escape_latex(part.task)}: {part.split} split, mean and 95\\% interval over seeds.}}\n"
        blocks.append(f"\\begin{{table}}\n\\centering\n{caption}{tabular}\\footnotesize\n{notes}\\end{{table}}\n")
    return "\n".join(blocks)


def terminal_table(records: Iterable[Mapping]):
    """All tasks in one `rich.table.Table` of 80 columns, level by level: the first metric alone, its best in green."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Column, Table
    from rich.text import Text

    records = list(records)
    several = len({record["strategy"] for record in records if record["strategy"]}) > 1
    caption = f"mean [95% interval over seeds] on {split_of(records)}; rates in samples a second"
    first = Column("fusion, strategy" if several else "fusion", overflow="fold")
    shown = Table(first, box=SIMPLE_HEAD, pad_edge=False, caption=caption)
    shown.add_column("score", justify="right", min_width=len("99.9 [99.9, 99.9]"))
    for heading in ("parameters", "train/s", "infer/s"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for part in sections(records):
        shown.add_section()
        shown.add_row(Text(part.task, style="bold"), Text(part.score, style="bold"))
        level = None
        for (_, cells), best in zip(part.cells.iterrows(), part.best.get(part.score, part.best["status"]), strict=True):
            if cells["level"] != level:
                level = cells["level"]
                shown.add_row(Text(level, style="dim italic"))
            name = ", ".join(filter(None, [cells["fusion"], cells["strategy"] if several else ""]))
            score = Text(cells.get(part.score) or cells["status"], style="bold green" if best else "")
            figures = cells[["parameters", *map(_heading, RATES)]]
            shown.add_row(Text(f"  {name}"), score, *figures)
            if cells.get(part.score) and cells["status"] != "done":
                shown.add_row("", Text(cells["status"], style="dim italic"))
    return shown


def write(records: Iterable[Mapping], directory: Path, notes: Mapping[str, Sequence[str]] | None = None):
    """Writes table.csv, table.md and table.tex into a directory that exists."""
    records = list(records)
    parts = sections(records, notes)
    for name, text in {"table.csv": csv(records), "table.md": markdown(parts), "table.tex": latex(parts)}.items():
        (directory / name).write_text(text, encoding="utf-8", newline="\n")


def in_unit(value: float, sign: str = "") -> str:
    """Three decimals; three digits of what these would not show, as an error in a small unit."""
    return f"{value:{sign}.3f}" if value == 0 or abs(value) >= 0.1 else f"{value:{sign}.3g}"


def _rank(record: Mapping) -> tuple[int, int]:
    """A row's place within its task; equals keep the order in which they came."""
    baseline = {"majority": 0, **dict.fromkeys(CLASSICAL, 2), "oracle": 3}.get(record["fusion"], 1)
    return LEVELS.index(record["level"]), baseline if record["level"] == "baseline" else 0


def _row(record: Mapping, metrics: Sequence[str], optional: Sequence[str], tuned: Sequence[str]) -> dict:
    names = ("task", "level", "fusion", "strategy", "split", "seeds")
    row = {name: record[name] for name in names if name != "split" or name in record}
    for name in metrics:
        values = record["metrics"].get(name, ())
        bounds = interval(values) if len(values) else (np.nan,) * 3
        # A dozen digits would only carry rounding, which differs between machines.
        row |= {f"{name}_{bound}": _rounded(v) for bound, v in zip(("mean", "low", "high"), bounds, strict=True)}
    row["parameters"] = record["parameters"]
    for name in RATES:
        row[name] = np.nan if record[name] is None else round(record[name], 1)
    for name in optional:
        row[name] = np.nan if record.get(name) is None else round(record[name], 4)
    row |= {name: record.get("tuned", {}).get(name, np.nan) for name in tuned}
    return row | {"status": record["status"]}


def _rounded(value: float) -> float:
    """To six decimals, or six digits of what is below 0.1."""
    return round(value, 6) if abs(value) >= 0.1 else float(f"{value:.6g}")


def _section(task: str, rows: pd.DataFrame, notes: Sequence[str], split: str) -> Section:
    names = [column.removesuffix("_mean") for column in rows if column.endswith("_mean")]
    names = [name for name in names if rows[f"{name}_mean"].notna().any()]
    cells = rows[["level", "fusion", "strategy", "seeds"]].astype("string").fillna("")
    best = pd.DataFrame(False, cells.index, cells.columns)
    contest = rows[rows["fusion"] != "oracle"]
    for place, name in enumerate(names):
        bounds = ("mean", "low", "high") if place == 0 else ("mean",)
        heading = _score_heading(name, split)
        cells[heading] = [_score(name, values) for values in rows[[f"{name}_{bound}" for bound in bounds]].to_numpy()]
        scores = contest[f"{name}_mean"]
        winner = scores.max() if higher_is_better(name) else scores.min()
        best[heading] = rows.index.isin(scores.index[scores == winner])
    for name in ("parameters", *RATES):
        cells[_heading(name)] = ["" if pd.isna(value) else f"{value:,.0f}" for value in rows[name]]
    columns = list(rows)
    for name in columns[columns.index(RATES[-1]) + 1 : columns.index("status")]:
        digits = _OPTIONAL.get(name, ".3g")
        cells[_heading(name)] = ["" if pd.isna(value) else f"{value:{digits}}" for value in rows[name]]
    cells["status"] = rows["status"]
    best = best.reindex(columns=cells.columns, fill_value=False)
    score = _score_heading(names[0], split) if names else ""
    return Section(task, score, cells.reset_index(drop=True), best.reset_index(drop=True), tuple(notes), split)


def _score_heading(name: str, split: str) -> str:
    return _heading(name) if split == "test" else f"{split} {_heading(name)}"


def _heading(name: str) -> str:
    words = name.replace("samples_per_second", "samples/s").replace("_", " ").replace("bayes", "Bayes")
    return f"{words} %" if name in PERCENT else words


def _score(name: str, values: np.ndarray) -> str:
    """`mean`, or `mean [low, high]`; of one seed there is no interval to show."""
    if np.isnan(values[0]):
        return ""
    texts = [f"{100 * value:.1f}" if name in PERCENT else in_unit(value) for value in values]
    return texts[0] if len(set(values)) == 1 else f"{texts[0]} [{', '.join(texts[1:])}]"
