"""Classical models on plain features: what every deep row of a table is read against."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import scipy.special

from mmjax.errors import lookup
from mmjax.evaluation.features import fit_features
from mmjax.types import Task

STRENGTHS = (0.001, 0.01, 0.1, 1.0, 10.0)  # C of logistic regression, of which validation chooses
TREES = 200  # of a forest
DRAWN = 10_000  # examples that a tree draws at most: of 50,000, two hundred trees take a quarter of an hour to grow
TREES_OF_BOOSTING = 500  # over all classes, of which each has one a round
ROUNDS = (5, 100)  # least and most of boosting; the fewer, the longer its steps
FASTEST = 0.3  # step of boosting at most
RIDGE = 1.0  # what its leaves are held back by: those of a few sure examples would be without bound
LEAF = 20  # examples that a leaf of boosting has at least, where classes are not rarer
LEAST_PROBABILITY = 1e-6  # a forest's shares of votes can be 0


@dataclasses.dataclass(frozen=True)
class Classical:
    """A classical baseline.

    Attributes:
      fit: (x, y, x_validation, y_validation, classes or 0, seed) -> a function of x to probabilities [n, classes], or
        to values [n].
      average: whether each modality has a model of its own, whose decisions are averaged.
      seeded: whether the seed changes anything.
    """

    fit: Callable
    average: bool
    seeded: bool = False


def fit_classical(name: str, task: Task, seed: int) -> dict[str, np.ndarray]:
    """A baseline fitted on train, strengths chosen on validation, and what it says.

    Args:
      name: one of CLASSICAL.
      task: any.
      seed: of the forest's draws.

    Returns:
      "validation", "test" -> logits [n, K].
    """
    model = lookup(CLASSICAL, "classical baseline", name)
    x = _features(task)
    if not model.average:
        joined = {split: {"all": np.concatenate(list(of.values()), axis=1)} for split, of in x.items()}
        return _fit_parts(
            model, task, joined, {s: {"all": np.ones(b.size, bool)} for s, b in task.splits.items()}, seed
        )
    return _fit_parts(model, task, x, {split: batch.present for split, batch in task.splits.items()}, seed)


_LAST: list = []  # the task that was asked for last, and its features: one baseline asks for them after the other


def _features(task: Task) -> dict[str, dict[str, np.ndarray]]:
    """split -> modality -> plain features."""
    if not _LAST or _LAST[0] is not task:
        features = {spec.name: fit_features(task, spec.name) for spec in task.modalities}
        _LAST[:] = [task, {s: {n: of(batch) for n, of in features.items()} for s, batch in task.splits.items()}]
    return _LAST[1]


def _fit_parts(model: Classical, task: Task, x: Mapping, present: Mapping, seed: int) -> dict[str, np.ndarray]:
    """One model a part, each fitted where its part is present; what they say is averaged over the parts that are."""
    target, classes = task.target, task.target.classes
    columns = {split: batch.target.reshape(batch.size, -1) for split, batch in task.splits.items()}
    said = {split: [] for split in ("validation", "test")}
    for column in range(columns["train"].shape[1]):
        y = {split: values[:, column] for split, values in columns.items()}
        outputs = {}
        for part in x["train"]:
            rows = {split: present[split][part] for split in ("train", "validation")}
            predict = model.fit(
                x["train"][part][rows["train"]], y["train"][rows["train"]],
                x["validation"][part][rows["validation"]], y["validation"][rows["validation"]], classes, seed,
            )  # fmt: skip
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


def _linear(x, y, x_validation, y_validation, classes: int, seed: int) -> Callable:
    """Logistic or ridge regression; validation's loss chooses how strong it is held back."""
    from sklearn.linear_model import LogisticRegression, Ridge

    if not classes:
        models = [Ridge(alpha=1 / strength).fit(x, y) for strength in STRENGTHS]
        return min(models, key=lambda model: np.mean((model.predict(x_validation) - y_validation) ** 2)).predict
    if len(np.unique(y)) == 1:
        return _constant(y[0], classes)
    model, best, found = LogisticRegression(warm_start=True, max_iter=200, tol=1e-3), np.inf, None
    for strength in STRENGTHS:
        model.set_params(C=strength)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            warnings.simplefilter("ignore", UserWarning)  # 200 rounds are enough for a baseline
            model.fit(x, y)
        predict = _with_all_classes(model.predict_proba, model.classes_, classes)
        loss = -np.mean(np.log(np.clip(_of_truth(predict(x_validation), y_validation), LEAST_PROBABILITY, 1)))
        if loss < best:
            best, found = loss, (model.coef_.copy(), model.intercept_.copy())
    model.coef_, model.intercept_ = found
    return _with_all_classes(model.predict_proba, model.classes_, classes)


def _forest(x, y, x_validation, y_validation, classes: int, seed: int) -> Callable:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    drawn = min(len(x), DRAWN)
    if not classes:
        return RandomForestRegressor(TREES, max_samples=drawn, random_state=seed).fit(x, y).predict
    model = RandomForestClassifier(TREES, max_samples=drawn, random_state=seed).fit(x, y)
    return _with_all_classes(model.predict_proba, model.classes_, classes)


def _boosting(x, y, x_validation, y_validation, classes: int, seed: int) -> Callable:
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
