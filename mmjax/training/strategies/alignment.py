"""Alignment: what the encoders make of one example is to agree, pair by pair of modalities."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

import jax
import jax.numpy as jnp

from mmjax.decoders.heads import Directions, Projections
from mmjax.layers.precision import at_least_float32
from mmjax.model import PARTS
from mmjax.training.strategies.goal import Goal, Phase, Seen, Setting
from mmjax.types import Array

FREEDOM = 4  # degrees of freedom that cca wants for each of its projections
LEAST_BATCH = FREEDOM + 1  # of cca


class Contrastive(Goal):
    """L + weight * the mean over pairs of modalities of InfoNCE between directions of their embeddings.

    The temperature is learned. Rows of all devices are each other's negatives; those that lack a modality of the pair
    take no part.

    References: Radford et al., ICML 2021, section 2.3; van den Oord et al., 2018, equation 4.
    """

    def __init__(self, setting: Setting):
        super().__init__(setting)
        self.heads = Directions(setting.config.alignment_size)

    def losses(self, seen: Seen):
        directions, scale = seen.heads
        term = _mean_over_pairs(self.setting, directions, seen, lambda a, b, both: info_nce(a, b, scale, both))
        return (self.plain_loss(seen) + self.setting.config.contrastive_weight * term,), {}


class Canonical(Goal):
    """L - weight * the mean over pairs of modalities of the total correlation of projections of their embeddings.

    Covariances are of the batch, all devices' rows that have both modalities. Centred, N rows have N - 1 degrees of
    freedom, of which a side of d numbers spans d. So of two sides that have nothing to do with each other the squared
    canonical correlations have mean d / (N - 1), and 2 d - (N - 1) of them are 1 whatever the numbers: 16 projections
    of 16 rows "correlate" at 14.8 of 16. Projections are as many as leave chance a quarter: `alignment_size`, but at
    most (batch_size - 1) / 4. A pair of modalities of which a batch has no more than 2 d + 1 rows with both (the last
    batch of an epoch is smaller) adds nothing.

    References: Andrew et al., ICML 2013, section 3 (deep CCA).
    """

    def __init__(self, setting: Setting):
        super().__init__(setting)
        self.size = min(setting.config.alignment_size, (setting.config.batch_size - 1) // FREEDOM)
        self.heads = Projections(self.size)

    def losses(self, seen: Seen):
        def correlation(first, second, both):
            total = total_correlation(first, second, both, self.setting.config.cca_ridge)
            return jnp.where(both.sum() > 2 * self.size + 1, total, 0)

        term = _mean_over_pairs(self.setting, seen.heads, seen, correlation)
        return (self.plain_loss(seen) - self.setting.config.cca_weight * term,), {}


def info_nce(first: Array, second: Array, scale: Array, counts: Array) -> Array:
    """Cross-entropy of telling which row of one side belongs to a row of the other, mean over rows and both ways; 0
    without rows.

    Args:
      first, second: [N, d].
      scale: one over the temperature.
      counts: [N] bool, the rows that take part.
    """
    logits = scale * at_least_float32(first) @ at_least_float32(second).T
    own = jnp.diagonal(logits)
    # The lowest finite number: a row of -inf alone has no gradient.
    logits = jnp.where(counts[:, None] & counts, logits, jnp.finfo(logits.dtype).min)
    losses = (jax.nn.logsumexp(logits, axis=0) + jax.nn.logsumexp(logits, axis=1)) / 2 - own
    return jnp.where(counts, losses, 0).sum() / jnp.maximum(counts.sum(), 1)


def total_correlation(first: Array, second: Array, counts: Array, ridge: float) -> Array:
    """The sum of the canonical correlations of two sides: the nuclear norm of S_11^-1/2 S_12 S_22^-1/2.

    Args:
      first, second: [N, d].
      counts: [N] bool, the rows that take part.
      ridge: added to the variances of both sides, above 0.
    """
    number = counts.sum()

    def centred(rows):
        rows = jnp.where(counts[:, None], at_least_float32(rows), 0)
        return jnp.where(counts[:, None], rows - rows.sum(0) / jnp.maximum(number, 1), 0)

    def whitened(rows):
        """L^-1 rows', for S = L L': any root of S gives the same singular values."""
        variance = rows.T @ rows / jnp.maximum(number - 1, 1) + ridge * jnp.eye(rows.shape[1])
        return jax.scipy.linalg.solve_triangular(jnp.linalg.cholesky(variance), rows.T, lower=True)

    return nuclear_norm(whitened(centred(first)) @ whitened(centred(second)).T / jnp.maximum(number - 1, 1))


@jax.custom_jvp
def nuclear_norm(matrix: Array) -> Array:
    """The sum of the singular values.

    Its derivative is that of equation 11 of Andrew et al., U V', finite where singular values coincide or are 0, of
    which the singular vectors' own derivatives are not; of those that are 0 nothing is moved.
    """
    return jnp.linalg.svd(matrix, compute_uv=False).sum()


@nuclear_norm.defjvp
def _nuclear_norm_jvp(primals, tangents):
    left, values, right = jnp.linalg.svd(*primals, full_matrices=False)
    direction = (left * (values > 1e-6)) @ right
    return values.sum(), (direction * tangents[0]).sum()


def _mean_over_pairs(
    setting: Setting, projections: Mapping[str, Array], seen: Seen, term: Callable[[Array, Array, Array], Array]
) -> Array:
    """The mean over pairs of modalities of a term of (first [N, d], second [N, d], rows that have both [N])."""
    batch = seen.batch
    projections, present, weight = setting.all_rows((dict(projections), dict(batch.present), batch.weight))
    pairs = list(combinations(setting.names, 2))
    return sum(term(projections[a], projections[b], present[a] & present[b] & (weight > 0)) for a, b in pairs) / len(
        pairs
    )


def contrastive(setting: Setting, parts: frozenset[str]) -> tuple[Phase, ...]:
    """One phase, with InfoNCE beside the loss."""
    return (Phase("contrastive", PARTS, Contrastive(setting), setting.config.epochs),)


def cca(setting: Setting, parts: frozenset[str]) -> tuple[Phase, ...]:
    """One phase, with canonical correlation beside the loss."""
    return (Phase("cca", PARTS, Canonical(setting), setting.config.epochs),)
