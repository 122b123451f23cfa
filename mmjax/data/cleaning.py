"""What is odd about a task's data: missing, constant, twice there, out of balance, or telling too much.

Everything is computed from the splits as models see them. Nothing is changed: a reader of results is warned.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter

import numpy as np

from mmjax.types import SPLITS, Batch, Task

RARE = 0.02  # a class with a smaller share of train is hardly learnt
LOPSIDED = 0.8  # a class with a larger share makes accuracy say little
SHIFTED = 0.1  # total variation of the classes' shares between train and test above which one speaks of a shift
REPEATED = 0.01  # share of test that stands in train too, above which scores are too good
CONSTANT = 0.25  # share of a modality's numbers that never change
TELLING = (
    0.98  # area under the ROC curve of one number for one class against the rest, that no honest feature has alone
)
ABSENCE_TELLS = 0.2  # how far the share of a class changes where a modality is absent
MOST_COLUMNS = 4_096  # numbers of a modality that are looked at one by one
MOST_ROWS = 5_000  # examples of train by which numbers are judged one by one


@dataclasses.dataclass(frozen=True)
class CleaningReport:
    """What was found.

    Attributes:
      absent: modality -> split -> share of examples without it.
      constant: modality -> share of its numbers that are the same in all of train.
      repeated: split -> share of its examples that stand in that split before, all modalities alike.
      shared: split -> share of its examples that stand in train, of "validation" and "test".
      contradicted: share of train's examples that stand there with another target.
      shares: split -> share of each class, empty for a target without classes.
      telling: (modality, place, class, area under the curve) of single numbers that tell a class almost alone.
      warnings: one sentence each, for tables' footers.
    """

    absent: dict[str, dict[str, float]]
    constant: dict[str, float]
    repeated: dict[str, float]
    shared: dict[str, float]
    contradicted: float
    shares: dict[str, list[float]]
    telling: tuple[tuple[str, int, int, float], ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict:
        """Plain values, as JSON takes them."""
        return dataclasses.asdict(self)

    def rows(self) -> list[tuple[str, list[str]]]:
        """Lines of a table: what, and a text for each split."""
        lines = [(f"{name} absent", [f"{of[s]:.1%}" for s in SPLITS]) for name, of in self.absent.items()]
        lines += [(f"{name} constant numbers", [f"{share:.1%}", "", ""]) for name, share in self.constant.items()]
        lines.append(("examples repeated", [f"{self.repeated[s]:.1%}" for s in SPLITS]))
        lines.append(("examples that are in train", ["", *(f"{self.shared[s]:.1%}" for s in SPLITS[1:])]))
        lines.append(("same inputs, other target", [f"{self.contradicted:.1%}", "", ""]))
        if self.shares:
            for words, pick in (("largest class", max), ("smallest class", min)):
                lines.append((words, [f"{pick(self.shares[s]):.1%}" for s in SPLITS]))
        return lines


def cleaning_report(task: Task) -> CleaningReport:
    """The report of a task."""
    names = [spec.name for spec in task.modalities]
    hashes = {split: _hashes(task.splits[split], names) for split in SPLITS}
    known = set(hashes["train"])
    absent = {n: {s: float(1 - task.splits[s].present[n].mean()) for s in SPLITS} for n in names}
    classes = task.target.kind in ("binary", "multiclass")
    report = CleaningReport(
        absent=absent,
        constant={name: _constant(task.splits["train"], name) for name in names},
        repeated={split: 1 - len(set(found)) / len(found) for split, found in hashes.items()},
        shared={split: float(np.mean([h in known for h in hashes[split]])) for split in SPLITS[1:]},
        contradicted=_contradicted(hashes["train"], task.splits["train"].target),
        shares={s: _shares(task, s) for s in SPLITS} if classes else {},
        telling=tuple(_telling(task)) if classes else (),
        warnings=(),
    )
    return dataclasses.replace(report, warnings=tuple(_warnings(task, report)))


def _hashes(batch: Batch, names: list[str]) -> list[bytes]:
    """A hash of each example's inputs: alike where all modalities are."""
    arrays = [np.ascontiguousarray(batch.inputs[name]) for name in names]
    return [hashlib.blake2b(b"".join(array[row].tobytes() for array in arrays), digest_size=16).digest()
            for row in range(batch.size)]  # fmt: skip


def _constant(train: Batch, name: str) -> float:
    values = train.inputs[name][train.present[name]]
    if values.dtype.kind != "f" or not len(values):
        return 0.0
    flat = values.reshape(len(values), -1)
    return float(np.mean(flat.max(axis=0) == flat.min(axis=0)))


def _contradicted(hashes: list[bytes], target: np.ndarray) -> float:
    told = {}
    for key, value in zip(hashes, target, strict=True):
        told.setdefault(key, set()).add(value.tobytes())
    return float(np.mean([len(told[key]) > 1 for key in hashes]))


def _shares(task: Task, split: str) -> list[float]:
    counts = np.bincount(task.splits[split].target, minlength=task.target.classes)
    return (counts / counts.sum()).tolist()


def _telling(task: Task):
    """Single numbers of vectors that tell one class from the rest almost alone, and are never so by chance."""
    from scipy.stats import rankdata

    train = task.splits["train"]
    rows = np.linspace(0, train.size - 1, min(train.size, MOST_ROWS)).astype(int)
    truth = train.target[rows]
    labels = [label for label, count in Counter(truth.tolist()).items() if count >= 20 and len(rows) - count >= 20]
    for spec in task.modalities:
        if spec.kind != "vector":
            continue
        values = train.inputs[spec.name][rows][:, :MOST_COLUMNS]
        ranks = rankdata(values, axis=0)
        for label in labels:
            hits = truth == label
            count = hits.sum()
            areas = (ranks[hits].sum(axis=0) - count * (count + 1) / 2) / (count * (len(rows) - count))
            areas = np.maximum(areas, 1 - areas)
            place = int(areas.argmax())
            if areas[place] >= TELLING:
                yield spec.name, place, label, float(areas[place])


def _warnings(task: Task, report: CleaningReport):
    for name, of in report.absent.items():
        if max(of.values()) > 0:
            yield f"{name} is absent in {of['train']:.0%} of train and {of['test']:.0%} of test"
            yield from _absence(task, report, name)
    for name, share in report.constant.items():
        if share >= CONSTANT:
            yield f"{share:.0%} of {name}'s numbers are constant in train"
    if report.shared["test"] >= REPEATED:
        yield f"{report.shared['test']:.1%} of test's examples stand in train too: its scores are too good"
    if report.contradicted >= REPEATED:
        yield f"{report.contradicted:.1%} of train's examples stand there with another target: none is right on all"
    if report.shares:
        train, test = (np.array(report.shares[split]) for split in ("train", "test"))
        if train.max() >= LOPSIDED:
            yield f"{train.max():.0%} of train are of one class: read balanced accuracy and macro F1, not accuracy"
        elif train.min() < RARE and task.target.classes <= 1 / RARE:
            yield f"a class has {train.min():.1%} of train: macro F1 says more than accuracy"
        shift = np.abs(train - test).sum() / 2
        # By chance alone the shares of n examples in K classes vary by about sqrt(K / (2 pi n)).
        chance = np.sqrt(task.target.classes / (2 * np.pi * min(task.splits[s].size for s in ("train", "test"))))
        if shift >= max(SHIFTED, 2 * chance):
            yield f"the classes' shares differ between train and test by {shift:.0%}"
    for name, place, label, area in report.telling:
        if task.target.classes <= 3:
            yield f"number {place} of {name} tells class {label} almost alone (AUC {area:.3f}): a leak?"


def _absence(task: Task, report: CleaningReport, name: str):
    """Whether who lacks a modality tells of the class."""
    train = task.splits["train"]
    lacks = ~train.present[name]
    if not report.shares or min(lacks.sum(), (~lacks).sum()) < 20:
        return
    there, gone = (
        np.bincount(train.target[rows], minlength=task.target.classes) / rows.sum() for rows in (~lacks, lacks)
    )
    if np.abs(there - gone).sum() / 2 >= ABSENCE_TELLS:
        yield f"who lacks {name} is of other classes: its absence alone tells of the target"
