"""How the modalities fare against each other: what each says of D alone, and how fast its encoder moves."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import optax

from mmjax.training.losses import task_loss
from mmjax.types import Array, Batch, TargetSpec


def lone_subsets(modalities: int) -> np.ndarray:
    """[M + 1, M] bool: each modality alone, then none."""
    return np.concatenate([np.eye(modalities, dtype=bool), np.zeros((1, modalities), bool)])


def contributions(subsets: Array) -> Array:
    """l_u [M, B, K], what modality u alone adds to D: D({u}) - (M - 1) / M * D({}).

    For concatenated embeddings and a linear decoder that is W_u h_u + b / M (Peng et al., CVPR 2022, equation 8).

    Args:
      subsets: [M + 1, B, K] D of `lone_subsets`.
    """
    modalities = len(subsets) - 1
    return subsets[:-1] - (modalities - 1) / modalities * subsets[-1]


def truth_scores(target: TargetSpec, logits: Array, batch: Batch) -> Array:
    """s_u [M]: sum over a batch of the likelihood exp(-L(l_u)), which of a class is its probability.

    Args:
      logits: [M, B, K].
    """
    return jnp.stack([(jnp.exp(-task_loss(target, l, batch.target)) * batch.weight).sum() for l in logits])


def ratios(scores: Array) -> Array:
    """rho_u [M]: a score over the mean of the others' (for two modalities Peng et al., equation 9)."""
    others = (scores.sum() - scores) / (len(scores) - 1)
    return scores / jnp.maximum(others, 1e-12)


def discrepancy_ratios(target: TargetSpec, names: tuple[str, ...], subsets: Array, batch: Batch) -> dict[str, Array]:
    """Modality -> rho_u: above 1 for one whose own say fits the truth better than that of the others.

    Args:
      names: of the modalities, in the order of the masks.
      subsets: D of `lone_subsets`.
    """
    values = ratios(truth_scores(target, contributions(subsets), batch))
    return {name: values[place] for place, name in enumerate(names)}


def gradient_norms(gradient: dict, names: tuple[str, ...]) -> dict[str, Array]:
    """Modality -> the norm of its encoder's part of a gradient; 0 where it has none of its own."""
    parts = {name: gradient.get(f"encoders_{name}", {}) for name in names}
    return {name: optax.tree.norm(part) if part else jnp.float32(0) for name, part in parts.items()}
