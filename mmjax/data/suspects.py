"""Numbers that tell the target almost alone, and absences that tell of it: a leak more often than a finding.

A number is judged by the simplest rule that there is: its values on half of train are cut into bins of equally many
examples, every bin takes the class that is most frequent in it, and the other half tests it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mmjax.types import Batch, ModalitySpec, Task

ALONE = 0.98  # accuracy of one number that no honest one has; and it leaves a fifth of the majority's errors at most
CORRELATED = 0.99  # the same for values: absolute rank correlation of a number and the target
TELLS = 0.2  # how far the classes' shares differ (total variation) between who has a modality and who lacks it
CHANCE = 1e-3  # such a difference is spoken of if chance makes it less often
LEAST = 50  # examples in each half below which nothing is said
MOST_ROWS = 5_000  # examples of train that are looked at
MOST_NUMBERS = 2_000  # numbers of a modality that are looked at, evenly over it


class Suspect(NamedTuple):
    """The number of a modality that tells most of the target.

    Attributes:
      modality: where it is.
      number: its place in an example of it, flattened; of sequences and video, the feature whose mean over valid steps
        it is; of tokens, the id whose occurrence it is.
      target: which of the values or labels it tells, 0 where there is one.
      score: accuracy of the rule on one number; for values, absolute rank correlation.
      alone: whether that is more than an honest number has.
    """

    modality: str
    number: int
    target: int
    score: float
    alone: bool


def suspects_of(task: Task) -> list[Suspect]:
    """One for each modality and value that is predicted; none where train is too small to say."""
    train = task.splits["train"]
    rows = np.random.default_rng(0).permutation(train.size)[:MOST_ROWS]
    if len(rows) < 2 * LEAST:
        return []
    suspects = []
    for spec in task.modalities:
        numbers, places = _numbers(spec, train, rows)
        for told, target in enumerate(np.atleast_2d(train.target[rows].T)):
            scores, least = _scores(task, numbers, target)
            place = int(scores.argmax())
            score = float(scores[place])
            suspects.append(Suspect(spec.name, int(places[place]), told, score, score >= least))
    return suspects


def absence_tells(task: Task) -> Iterator[tuple[str, float]]:
    """Modality and total variation of the classes' shares between who has it and who lacks it, where that tells."""
    from scipy.stats import chi2_contingency

    train = task.splits["train"]
    if task.target.kind not in ("binary", "multiclass"):
        return
    for spec in task.modalities:
        there = train.present[spec.name]
        if there.all() or not there.any():
            continue
        counts = np.stack([np.bincount(train.target[rows], minlength=task.target.classes) for rows in (there, ~there)])
        shares = counts / counts.sum(axis=1, keepdims=True)
        far = float(np.abs(shares[0] - shares[1]).sum() / 2)
        if far >= TELLS and chi2_contingency(counts[:, counts.any(axis=0)]).pvalue < CHANCE:
            yield spec.name, far


def _numbers(spec: ModalitySpec, batch: Batch, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[rows, numbers] of a modality, and which of its numbers they are."""
    values = batch.inputs[spec.name]
    if spec.kind == "tokens":
        ids, counts = np.unique(values[rows], return_counts=True)
        ids = np.sort(ids[np.argsort(-counts)][:MOST_NUMBERS])  # a rare word tells little of all examples
        columns = np.minimum(np.searchsorted(ids, values[rows]), len(ids) - 1)
        columns = np.where(ids[columns] == values[rows], columns, len(ids))
        occurs = np.zeros((len(rows), len(ids) + 1), np.int8)
        np.put_along_axis(occurs, columns, 1, axis=1)
        return occurs[:, :-1], ids
    if spec.kind in ("sequence", "video"):
        steps = np.maximum(batch.lengths[spec.name][rows], 1)
        values = np.stack([values[row].sum(axis=0) for row in rows]).reshape(len(rows), -1) / steps[:, None]
        rows = slice(None)
    else:
        values = values.reshape(len(values), -1)
    places = np.linspace(0, values.shape[1] - 1, min(values.shape[1], MOST_NUMBERS)).astype(int)
    return values[rows][:, places], places


def _scores(task: Task, numbers: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, float]:
    """[numbers] how well each tells the target, and from where on that is too well."""
    if not task.target.classes:
        return _correlations(numbers, target), CORRELATED
    target = target.astype(int)
    majority = np.bincount(target).max() / len(target)
    return _accuracies(numbers, target), max(ALONE, majority + 0.8 * (1 - majority))


def _accuracies(numbers: np.ndarray, target: np.ndarray) -> np.ndarray:
    """[numbers] accuracy of the rule on each number; the first half of the examples fits it, the second tests it."""
    classes = int(target.max()) + 1
    half = len(target) // 2
    fitted, tested = numbers[:half], numbers[half:]
    bins = min(4 * classes, len(fitted) // 5)
    edges = np.quantile(fitted, np.linspace(0, 1, bins + 1)[1:-1], axis=0, method="inverted_cdf")
    scores = np.empty(numbers.shape[1])
    for place in range(numbers.shape[1]):
        own = np.unique(edges[:, place])
        counts = np.zeros((len(own) + 1, classes), int)
        np.add.at(counts, (np.searchsorted(own, fitted[:, place]), target[:half]), 1)
        rule = counts.argmax(axis=1)
        scores[place] = (rule[np.searchsorted(own, tested[:, place])] == target[half:]).mean()
    return scores


def _correlations(numbers: np.ndarray, target: np.ndarray) -> np.ndarray:
    """[numbers] absolute rank correlation with the target; 0 for one that is constant."""
    from scipy.stats import rankdata

    ranks, wanted = (rankdata(values, axis=0) - (len(target) + 1) / 2 for values in (numbers, target[:, None]))
    norms = np.sqrt((ranks**2).sum(axis=0) * (wanted**2).sum())
    return np.abs((ranks * wanted).sum(axis=0)) / np.where(norms, norms, np.inf)
