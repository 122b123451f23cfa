"""Error bars and tests of difference, as pure functions of scores.

Seeds are paired across cells: score s of every cell comes from the same seed, so differences
are taken seed by seed.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 2_000


class Interval(NamedTuple):
    """A mean and its confidence interval."""

    mean: float
    low: float
    high: float


class Comparison(NamedTuple):
    """A cell against a reference: mean paired difference, its interval, and p-values (NaN for one seed)."""

    difference: Interval
    p: float
    p_holm: float


def interval(values) -> Interval:
    """The mean of [S] scores and Student's 95% interval; of one score, the score itself.

    The interval speaks of retraining with other seeds on this same data, and may pass a
    metric's own bounds where seeds are few.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"scores of shape {values.shape}: one or more in a row are expected")
    mean = float(values.mean())
    if values.size == 1:
        return Interval(mean, mean, mean)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, values.size - 1) * stats.sem(values))
    return Interval(mean, mean - half, mean + half)


def clustered(values, groups) -> Interval:
    """The mean of [n] values, and its 95% interval were other groups of the same kind drawn, each with all it has.

    Percentiles of a bootstrap of whole groups: examples of one patient or video are alike, so an
    interval that counted examples would be too narrow.

    Args:
      values: [n], e.g. whether an example is decided rightly.
      groups: [n], which group it belongs to; two groups or more.
    """
    values, (_, place) = np.asarray(values, np.float64), np.unique(groups, return_inverse=True)
    sums, sizes = np.bincount(place, values), np.bincount(place)
    if len(sizes) < 2:
        raise ValueError("values of one group: two groups or more are expected")
    found = stats.bootstrap(
        (sums, sizes),
        lambda sums, sizes, axis: sums.sum(axis=axis) / sizes.sum(axis=axis),
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        paired=True,
        rng=np.random.default_rng(0),
    ).confidence_interval
    return Interval(float(values.mean()), float(found.low), float(found.high))


def ties(logits: np.ndarray) -> float:
    """The share of decisions between several classes [n, K] whose two largest numbers are one; 0 of single outputs."""
    if logits.shape[1] < 2:
        return 0.0
    second, first = np.sort(logits, axis=1)[:, -2:].T
    return float(np.mean(first == second))


def compare(scores, reference) -> list[Comparison]:
    """Each cell against one reference by the paired t-test, with Holm's correction over the cells.

    Args:
      scores: [S, C], C cells under S seeds.
      reference: [S], under the same seeds.

    Returns:
      One Comparison a cell, in order; a positive difference means a higher score than the reference's.
    """
    differences = np.asarray(scores, np.float64) - np.asarray(reference, np.float64)[:, None]
    p_values = [_paired_p(column) for column in differences.T]
    corrected = holm(p_values)
    return [Comparison(interval(d), p, q) for d, p, q in zip(differences.T, p_values, corrected, strict=True)]


def holm(p_values) -> list[float]:
    """P-values that keep the chance of any false claim among them at the level read off.

    NaN (no test was possible) stays NaN and does not count as a test.

    References: Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979.
    """
    p_values = np.asarray(p_values, np.float64)
    corrected = np.full_like(p_values, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1)
    return corrected.tolist()


def _paired_p(differences: np.ndarray) -> float:
    if len(differences) < 2:
        return np.nan
    if np.ptp(differences) == 0:
        # Without spread t is 0 / 0 or infinite.
        return 1.0 if differences[0] == 0 else 0.0
    return float(stats.ttest_1samp(differences, 0).pvalue)
