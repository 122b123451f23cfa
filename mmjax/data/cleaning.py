"""What is odd about a task's data: missing, constant, twice there, out of balance, or telling too much.

Everything is computed from the splits as models see them. Nothing is changed: a reader of results is warned.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mmjax.data.duplicates import ABSENT, contradicted, keys_of, repeated, shared
from mmjax.data.suspects import Suspect, absence_tells, suspects_of
from mmjax.data.twins import near_twins
from mmjax.types import SPLITS, Batch, ModalitySpec, Task

RARE = 0.02  # a class with a smaller share of train is hardly learnt, and does not show in accuracy
LOPSIDED = 0.8  # a class with a larger share makes accuracy say little
SHIFTED = 0.1  # total variation of the classes' shares between train and test above which one speaks of a shift
REPEATED = 0.01  # share of a split that stands in train too, above which scores are too good
FEW = 3  # fewer examples are no more than chance, in a table of a few categories
LONG = 8  # words from which on two texts are not alike by chance
OWN = 0.9  # share of different values in train above which an equal one is the same photograph or recording


@dataclasses.dataclass(frozen=True)
class CleaningReport:
    """What was found.

    Attributes:
      absent: modality -> split -> share of examples without it.
      constant: modality -> share of its numbers that are the same in all of train.
      repeated: split -> share of its examples that stand in that split before, all modalities alike.
      shared: split -> share of its examples that stand in train, all modalities alike.
      shared_alone: modality -> split -> share of its values, of texts the longer ones, that stand in train.
      distinct: modality -> share of these that are the first of their kind in train.
      contradicted: split -> share of its examples of whose inputs train has another target.
      shares: split -> share of each class; empty for a target without classes.
      groups_in_two: groups (patients, speakers) of which two splits have examples.
      telling: the number of each modality that tells most of the target, and how much.
      absence_tells: modality -> total variation of the classes between who has it and who lacks it, where that tells.
      warnings: one sentence each, for tables' footers.
    """

    absent: Mapping[str, Mapping[str, float]]
    constant: Mapping[str, float]
    repeated: Mapping[str, float]
    shared: Mapping[str, float]
    shared_alone: Mapping[str, Mapping[str, float]]
    distinct: Mapping[str, float]
    contradicted: Mapping[str, float]
    shares: Mapping[str, Sequence[float]]
    groups_in_two: int
    telling: tuple[Suspect, ...]
    absence_tells: Mapping[str, float]
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict:
        """Plain values, as JSON takes them."""
        return dataclasses.asdict(self) | {"telling": [each._asdict() for each in self.telling]}

    def rows(self) -> list[tuple[str, list[str]]]:
        """Lines of a table: what, and a text for each split."""
        lines = [(f"{name} absent", _percents(of)) for name, of in self.absent.items()]
        lines += [(f"{name}: constant numbers", _percents({"train": share})) for name, share in self.constant.items()]
        lines += [(f"{name}: values that are in train", _percents(of)) for name, of in self.shared_alone.items()]
        lines.append(("examples that are in train", _percents(self.shared)))
        lines.append(("examples repeated", _percents(self.repeated)))
        lines.append(("same inputs as in train, other target", _percents(self.contradicted)))
        if self.shares:
            for words, pick in (("largest class", max), ("smallest class", min)):
                lines.append((words, _percents({split: pick(shares) for split, shares in self.shares.items()})))
        for each in self.telling:
            lines.append((f"{each.modality}: number {each.number} alone", [f"{each.score:.3f}", "", ""]))
        return lines


def cleaning_report(task: Task) -> CleaningReport:
    """The report of a task."""
    names = [spec.name for spec in task.modalities]
    keys = {name: {split: keys_of(task.splits[split], name) for split in SPLITS} for name in names}
    joint = {split: [b"|".join(each) for each in zip(*(keys[name][split] for name in names))] for split in SPLITS}
    alone = {spec.name: _unmistakable(task, spec, keys[spec.name]) for spec in task.modalities}
    truth = {split: task.splits[split].target for split in SPLITS}
    report = CleaningReport(
        absent={name: {s: float(1 - task.splits[s].present[name].mean()) for s in SPLITS} for name in names},
        constant={name: _constant(task.splits["train"], name) for name in names},
        repeated={split: repeated(found) for split, found in joint.items()},
        shared={split: shared(joint[split], joint["train"]) for split in SPLITS[1:]},
        shared_alone={n: {s: shared(of[s], of["train"]) for s in SPLITS[1:]} for n, of in alone.items()},
        distinct={name: 1 - repeated(of["train"]) for name, of in alone.items()},
        contradicted={s: contradicted(joint[s], truth[s], joint["train"], truth["train"]) for s in SPLITS},
        shares={split: _shares(task, split) for split in SPLITS} if _has_classes(task) else {},
        groups_in_two=_groups_in_two(task.groups),
        telling=tuple(suspects_of(task)),
        absence_tells=dict(absence_tells(task)),
    )
    return dataclasses.replace(report, warnings=tuple(_warnings(task, report)))


def _has_classes(task: Task) -> bool:
    return task.target.kind in ("binary", "multiclass")


def _unmistakable(task: Task, spec: ModalitySpec, keys: Mapping[str, list[bytes]]) -> Mapping[str, list[bytes]]:
    """A modality's keys, without those of texts that are so short that others have the same words by chance."""
    if spec.kind != "tokens":
        return keys
    lengths = {split: task.splits[split].lengths[spec.name] for split in SPLITS}
    return {s: [key if n >= LONG else ABSENT for key, n in zip(keys[s], lengths[s], strict=True)] for s in SPLITS}


def _percents(shares: Mapping[str, float]) -> list[str]:
    return [f"{shares[split]:.1%}" if split in shares else "" for split in SPLITS]


def _constant(train: Batch, name: str) -> float:
    values = train.inputs[name][train.present[name]]
    flat = values.reshape(len(values), -1)
    return float(np.mean(flat.max(axis=0) == flat.min(axis=0))) if flat.size else 1.0


def _shares(task: Task, split: str) -> list[float]:
    counts = np.bincount(task.splits[split].target, minlength=task.target.classes)
    return (counts / counts.sum()).tolist()


def _groups_in_two(groups: Mapping[str, np.ndarray]) -> int:
    seen = np.concatenate([np.unique(groups[split]) for split in groups]) if groups else np.empty(0)
    return int((np.unique(seen, return_counts=True)[1] > 1).sum())


def _warnings(task: Task, report: CleaningReport) -> Iterator[str]:
    """What a reader of results must know; the rest is in the report alone."""
    for name, of in report.absent.items():
        if max(of.values()) > 0:
            yield f"{name} is absent in {of['train']:.0%} of train and {of['test']:.0%} of test"
    yield from near_twins(task.class_names)
    for name in report.absence_tells:
        yield f"who lacks {name} is of other classes, so that its absence alone tells of the target"
    yield from (f"{name} is the same in all of train" for name, share in report.constant.items() if share == 1)
    yield from _shared_warnings(task, report)
    if report.groups_in_two:
        yield f"{report.groups_in_two} groups have examples in two splits, so that scores are too good"
    if report.contradicted["train"] >= REPEATED:
        yield (
            f"{report.contradicted['train']:.1%} of train's examples stand there with another target too, "
            "so that no rule is right on all"
        )
    if report.shares:
        yield from _balance_warnings(task, report)
    for each in report.telling:
        if each.alone:
            told = f"value {each.target} of the target" if task.target.size > 1 and not report.shares else "the target"
            yield (
                f"number {each.number} of {each.modality} tells {told} of train almost alone ({each.score:.3f}): "
                "a leak, or features learnt from train's labels"
            )


def _shared_warnings(task: Task, report: CleaningReport) -> Iterator[str]:
    """Examples, or photographs and recordings, that are in train too."""
    effects = {"test": "scores are too good", "validation": "what is chosen by it favours what fits train"}
    least = {split: max(REPEATED, FEW / task.splits[split].size) for split in effects}
    for split, effect in effects.items():
        if report.shared[split] >= least[split]:
            yield f"{report.shared[split]:.1%} of {split}'s examples stand in train too, so that {effect}"
    for spec in task.modalities:
        found = report.shared_alone[spec.name]["test"]
        # Short vectors of numbers and categories are alike by chance.
        own = spec.kind != "vector" and report.distinct[spec.name] >= OWN
        if own and found >= max(least["test"], 2 * report.shared["test"]):
            yield f"{found:.1%} of test have {spec.name} in common with an example of train"


def _balance_warnings(task: Task, report: CleaningReport) -> Iterator[str]:
    train, test = (np.array(report.shares[split]) for split in ("train", "test"))
    if train.max() >= LOPSIDED:
        yield f"{train.max():.0%} of train are of one class: read balanced accuracy and macro F1, not accuracy"
    elif train.min() < RARE and task.target.classes <= 1 / (2 * RARE):
        yield f"a class has {train.min():.1%} of train: macro F1 says more than accuracy"
    shift = np.abs(train - test).sum() / 2
    # By chance alone the shares of n examples in K classes vary by about sqrt(K / (2 pi n)).
    chance = np.sqrt(task.target.classes / (2 * np.pi * min(task.splits[s].size for s in ("train", "test"))))
    if shift >= max(SHIFTED, 2 * chance):
        yield f"the classes' shares differ between train and test by {shift:.0%}"
