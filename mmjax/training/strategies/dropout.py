"""Modalities left out at random."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from mmjax.model import PARTS
from mmjax.training.strategies.goal import Goal, Phase, Setting
from mmjax.types import Array, Batch


class ModalityDropout(Goal):
    """L(D) of examples that keep each of their modalities with probability 1 - p, and always one.

    An example that would keep none keeps one of those it has, each equally likely. Nothing is scaled up for what is
    left out, since every fusion has its own way with what an example lacks.

    References: Neverova et al., ModDrop, TPAMI 2016, where each modality is dropped by itself.
    """

    def see(self, batch: Batch, keys: Array) -> Batch:
        names = self.setting.names
        present = jnp.stack([batch.present[name] for name in names], axis=1)
        draws = jax.vmap(lambda key: jax.random.uniform(key, (len(names),)))(keys)
        highest = jnp.where(present, draws, -1).max(axis=1, keepdims=True)
        # Whatever is kept of an example that keeps any, its highest draw is among it.
        kept = present & ((draws >= self.setting.config.modality_dropout) | (draws == highest))
        return batch._replace(present={**batch.present, **{name: kept[:, i] for i, name in enumerate(names)}})


def modality_dropout(setting: Setting, parts: frozenset[str]) -> tuple[Phase, ...]:
    """One phase."""
    return (Phase("modality_dropout", PARTS, ModalityDropout(setting), setting.config.epochs),)
