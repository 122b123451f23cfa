"""Classical models on plain features: what every deep row of a table is read against."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import scipy.special

from mmjax.errors import lookup
from mmjax.evaluation.features import fit_features
from mmjax.training.folds import folds_of
from mmjax.types import Task

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)  # C of logistic regression, of which one is chosen
TREES = 200  # of a forest
DRAWN = 10_000  # examples that a tree draws at most: of 50,000, two hundred trees take a quarter of an hour to grow
TREES_OF_BOOSTING = 500  # over all classes, of which each has one a round
ROUNDS = (5, 100)  # least and most of boosting; the fewer, the longer its steps
FASTEST = 0.3  # step of boosting at most
RIDGE = 1.0  # what its leaves are held back by: those of a few sure examples would be without bound
LEAF = 20  # examples that a leaf of boosting has at least, where classes are not rarer
LEAST_PROBABILITY = 1e-6  # a forest's shares of votes can be 0


class Trial(NamedTuple):
    """What a strength is judged by: fitted on one part, its loss is taken on the other."""

    x: np.ndarray
    y: np.ndarray
    x_held_out: np.ndarray
    y_held_out: np.ndarray


@dataclasses.dataclass(frozen=True)
class Classical:
    """A classical baseline.

    Attributes:
      fit: (x, y, trials, classes or 0, seed) -> a function of x to probabilities [n, classes], or to values [n].
      average: whether each modality has a model of its own, whose decisions are averaged.
      seeded: whether the seed changes anything.
    """

    fit: Callable
    average: bool
    seeded: bool = False


def fit_classical(
    name: str, task: Task, seed: int, splits: Sequence[str] = ("validation", "test")
) -> dict[str, np.ndarray]:
    """A baseline fitted on train, and what it says.

    Strengths are chosen on validation; where that may not choose, on folds of train.

    Args:
      name: one of CLASSICAL.
      task: any.
      seed: of the forest's draws.
      splits: which are predicted; no other but train and validation is read.

    Returns:
      split -> logits [n, K], of those splits.
    """
    model = lookup(CLASSICAL, "classical baseline", name)
    read = dict.fromkeys(("train", "validation", *splits))
    x = {split: _features(task, split) for split in read}
    if not model.average:
        x = {split: {"all": np.concatenate(list(of.values()), axis=1)} for split, of in x.items()}
        present = {split: {"all": np.ones(task.splits[split].size, bool)} for split in read}
    else:
        present = {split: task.splits[split].present for split in read}
    return _fit_parts(model, task, x, present, seed, splits)


# The task that was asked for last, its features' functions and what they made: one baseline asks after the other.
_LAST: list = []


def _features(task: Task, split: str) -> dict[str, np.ndarray]:
    """modality -> plain features of a split."""
    if not _LAST or _LAST[0] is not task:
        _LAST[:] = [task, {spec.name: fit_features(task, spec.name) for spec in task.modalities}, {}]
    _, features, made = _LAST
    if split not in made:
        made[split] = {name: of(task.splits[split]) for name, of in features.items()}
    return made[split]


def _fit_parts(model: Classical, task: Task, x: Mapping, present: Mapping, seed: int, splits) -> dict[str, np.ndarray]:
    """One model a part, each fitted where its part is present; what they say is averaged over the parts that are."""
    target, classes = task.target, task.target.classes
    columns = {s: task.splits[s].target.reshape(task.splits[s].size, -1) for s in ("train", "validation")}
    folds = None if task.chooses else folds_of(task, "train")
    said = {split: [] for split in splits}
    for column in range(columns["train"].shape[1]):
        y = {split: values[:, column] for split, values in columns.items()}
        outputs = {}
        for part in x["train"]:
            rows = {split: present[split][part] for split in y}
            of_part = {split: (x[split][part][rows[split]], y[split][rows[split]]) for split in y}
            trials = _trials(*of_part["train"], *of_part["validation"], None if folds is None else folds[rows["train"]])
            predict = model.fit(*of_part["train"], trials, classes, seed)
            outputs[part] = {split: predict(x[split][part]) for split in said}
        for split, values in said.items():
            weights = np.stack([present[split][part] for part in outputs]).astype(float)
            weights = np.where(weights.any(axis=0), weights, 1.0)
            stacked = np.stack([outputs[part][split] for part in outputs])
            weights = weights.reshape(*weights.shape, *[1] * (stacked.ndim - 2))
            values.append((weights * stacked).sum(axis=0) / weights.sum(axis=0))
    return {split: _logits(target.kind, values) for split, values in said.items()}


def _logits(kind: str, columns: list[np.ndarray]) -> np.ndarray:
    """Logits [n, K] of what was said of each column: probabilities, or values."""
    if kind == "regression":
        return np.stack(columns, axis=1)
    if kind == "multiclass":
        return np.log(np.clip(columns[0], LEAST_PROBABILITY, None))
    positive = np.stack([column[:, 1] for column in columns], axis=1)
    return scipy.special.logit(np.clip(positive, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY))


def _trials(x, y, x_validation, y_validation, folds: np.ndarray | None) -> list[Trial]:
    """Validation, by what is fitted on train; of folds of train each, by what is fitted on the others."""
    if folds is None:
        return [Trial(x, y, x_validation, y_validation)]
    kept = [folds != fold for fold in np.unique(folds)]
    return [Trial(x[rows], y[rows], x[~rows], y[~rows]) for rows in kept if rows.any()]


def _linear(x, y, trials: Sequence[Trial], classes: int, seed: int) -> Callable:
    """Logistic or ridge regression; the loss of what is held out chooses how strong it is held back."""
    paths = [list(_path(trial.x, trial.y, classes)) for trial in trials]
    losses = [[_loss(model, trial, classes) for model in path] for path, trial in zip(paths, trials, strict=True)]
    best = int(np.argmin(np.sum(losses, axis=0))) if losses else 0
    whole = paths[0] if trials and trials[0].x is x else list(_path(x, y, classes))
    return whole[best]


def _path(x, y, classes: int) -> Iterator[Callable]:
    """Models of each of STRENGTHS, as functions of x."""
    from sklearn.linear_model import LogisticRegression, Ridge

    start = None
    for strength in STRENGTHS:
        if not classes:
            yield Ridge(alpha=1 / strength).fit(x, y).predict
        elif len(np.unique(y)) == 1:
            yield _constant(y[0], classes)
        else:
            model = LogisticRegression(C=strength, warm_start=True, max_iter=200, tol=1e-3)
            if start is not None:  # from the model that was held back more, few rounds are left
                model.coef_, model.intercept_, model.classes_ = start
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)
                warnings.simplefilter("ignore", UserWarning)  # 200 rounds are enough for a baseline
                model.fit(x, y)
            start = model.coef_.copy(), model.intercept_.copy(), model.classes_
            yield _with_all_classes(model.predict_proba, model.classes_, classes)


def _loss(predict: Callable, trial: Trial, classes: int) -> float:
    """Summed over what a trial holds out: squared errors, or negative log-likelihoods."""
    if not len(trial.x_held_out):
        return 0.0
    said = predict(trial.x_held_out)
    if not classes:
        return float(np.sum((said - trial.y_held_out) ** 2))
    return float(-np.sum(np.log(np.clip(_of_truth(said, trial.y_held_out), LEAST_PROBABILITY, 1))))


def _forest(x, y, trials: Sequence[Trial], classes: int, seed: int) -> Callable:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    drawn = min(len(x), DRAWN)
    if not classes:
        return RandomForestRegressor(TREES, max_samples=drawn, random_state=seed).fit(x, y).predict
    model = RandomForestClassifier(TREES, max_samples=drawn, random_state=seed).fit(x, y)
    return _with_all_classes(model.predict_proba, model.classes_, classes)


def _boosting(x, y, trials: Sequence[Trial], classes: int, seed: int) -> Callable:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    rounds = int(np.clip(TREES_OF_BOOSTING // (classes if classes > 2 else 1), *ROUNDS))
    common = {
        "max_iter": rounds,
        "learning_rate": min(FASTEST, 10 / rounds),
        "l2_regularization": RIDGE,
        "early_stopping": False,
        "max_bins": 64,
    }
    if not classes:
        return HistGradientBoostingRegressor(random_state=seed, **common).fit(x, y).predict
    if len(np.unique(y)) == 1:
        return _constant(y[0], classes)
    rarest = np.unique(y, return_counts=True)[1].min()
    least = int(np.clip(rarest // 2, 1, LEAF))  # a leaf that needs more examples than a class has never splits it off
    model = HistGradientBoostingClassifier(random_state=seed, min_samples_leaf=least, **common).fit(x, y)
    return _with_all_classes(model.predict_proba, model.classes_, classes)


def _with_all_classes(predict: Callable, known: np.ndarray, classes: int) -> Callable:
    """Probabilities [n, classes] of a model that saw some of the classes."""

    def probabilities(x: np.ndarray) -> np.ndarray:
        values = np.zeros((len(x), classes))
        values[:, known.astype(int)] = predict(x)
        return values

    return probabilities


def _constant(label, classes: int) -> Callable:
    return lambda x: np.tile(np.eye(classes)[int(label)], (len(x), 1))


def _of_truth(probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.take_along_axis(probabilities, truth.astype(int)[:, None], axis=1)


CLASSICAL = {
    "logistic_regression": Classical(_linear, average=False),
    "random_forest": Classical(_forest, average=False, seeded=True),
    "gradient_boosting": Classical(_boosting, average=False),
    "late_logistic": Classical(_linear, average=True),
    "late_forest": Classical(_forest, average=True, seeded=True),
    "late_boosting": Classical(_boosting, average=True),
}
