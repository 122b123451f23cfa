"""Gradient modulation: the modality that is ahead learns more slowly, and leaves the others something to explain."""

from __future__ import annotations

from itertools import product
from math import comb, log

import jax
import jax.numpy as jnp
import numpy as np

from mmjax.model import PARTS
from mmjax.training.losses import task_loss
from mmjax.training.monitor import contributions, lone_subsets
from mmjax.training.strategies.goal import Goal, Phase, Seen, Setting
from mmjax.types import Array

WORST = -log(1e-8)  # what a row's loss counts at most in agm's scores, as in the authors' code
LEAD = 10.0  # what tau - r counts at most, so that kappa stays finite


class OnTheFly(Goal):
    """OGM: the gradient of an encoder whose modality is ahead is scaled down, by k_u = 1 - tanh(alpha rho_u).

    rho_u, s_u over the mean of the others', is of the means of the truth's likelihood under l_u over the rows that have
    u: with no row lacking any, the ratio of equation 9. `enhanced` is OGM-GE: noise N(0, std(g)^2), as large as the
    gradient before it was scaled, is added to every array of it, whether scaled or not.

    The authors' code does so to kernels of convolutions alone, and not after epoch 50; here to all of an encoder, and
    always. An optimiser that divides by the gradient's size, as Adam does, undoes most of the scaling.

    References: Peng et al., CVPR 2022, equations 8 to 12; https://github.com/GeWu-Lab/OGM-GE_CVPR2022.
    """

    def __init__(self, setting: Setting, enhanced: bool):
        super().__init__(setting)
        self.enhanced = enhanced
        self.subsets = lone_subsets(len(setting.names))

    def losses(self, seen: Seen):
        likelihoods = jnp.exp(-_own_losses(self.setting, contributions(seen.subsets), seen))
        return (self.plain_loss(seen),), _sums(self.setting, likelihoods, seen)

    def combine(self, gradients, observed, memory, key, step):
        (gradient,) = gradients
        factors = self.factors(observed)
        model = dict(gradient["model"])
        for place, name in enumerate(self.setting.names):
            encoder = f"encoders_{name}"
            if encoder in model:
                model[encoder] = self._modulated(model[encoder], factors[place], jax.random.fold_in(key, place))
        return {**gradient, "model": model}, memory

    def factors(self, observed) -> Array:
        """k_u [M], 1 for a modality that is not ahead (equation 10)."""
        met = observed["rows"] > 0
        means = _means(observed, jnp.float32(0))
        others = (means.sum() - means) / jnp.maximum(met.sum() - 1, 1)
        # One that no row has is neither ahead nor behind, nor is one that all rows have alone.
        rho = jnp.where(met & (met.sum() > 1), means / jnp.maximum(others, 1e-12), 1)
        return jnp.where(rho > 1, 1 - jnp.tanh(self.setting.config.ogm_alpha * rho), 1)

    def _modulated(self, gradient, factor, key):
        if not self.enhanced:
            return jax.tree.map(lambda g: factor * g, gradient)
        arrays, form = jax.tree.flatten(gradient)
        keys = jax.random.split(key, len(arrays))
        return form.unflatten(
            [factor * g + g.std() * jax.random.normal(k, g.shape) for g, k in zip(arrays, keys, strict=True)]
        )


class Adaptive(Goal):
    """AGM: the gradient of L(D) through what a modality contributes to D is scaled by kappa_m, up or down.

    phi_m is the modality's Shapley value of D, with D({}) shared equally, so that sum_m phi_m = D; s_m the mean of
    L(phi_m) over the batch's rows that have it; r_m = exp(mean over the others of s_m' - s_m) how far it is ahead;
    tau_m the same of the scores' running means, before this batch; and kappa_m = exp(alpha (tau_m - r_m)). The loss
    keeps its value, and what a fusion adds to L(D) its gradient; so does a loss on evidence, beside which L(D) only
    counts by kappa - 1.

    The scores are of the whole batch, all devices' rows. An absent modality stands for the authors' input of zeros,
    and D of subsets is computed in training, where theirs is in evaluation.

    References: Li et al., ICCV 2023, section 3.1; https://github.com/lihong2303/AGM.
    """

    def __init__(self, setting: Setting):
        super().__init__(setting)
        masks, self.shares = shapley(len(setting.names))
        self.subsets = masks[:-1]  # of the last, all of them, D is known

    def remember(self, outputs, previous):
        return jnp.zeros(len(self.setting.names))

    def losses(self, seen: Seen):
        target, truth = self.setting.target, seen.batch.target
        phi = self.attributions(seen)
        observed = _sums(self.setting, jnp.minimum(_own_losses(self.setting, phi, seen), WORST), seen)
        scores = _means(self.setting.over_devices(observed), seen.memory)
        kappa = jax.lax.stop_gradient(self.factors(scores, seen.memory))[:, None, None]
        scaled = phi + (kappa - 1) * (phi - jax.lax.stop_gradient(phi))
        # It is 0; its gradient is what kappa adds to that of L(D).
        change = task_loss(target, scaled.sum(0), truth) - task_loss(target, phi.sum(0), truth)
        return (self.plain_loss(seen) + change,), observed

    def attributions(self, seen: Seen) -> Array:
        """phi [M, B, K]."""
        return jnp.tensordot(self.shares, jnp.concatenate([seen.subsets, seen.outputs.logits[None]]), 1)

    def factors(self, scores: Array, running: Array) -> Array:
        """kappa [M], of the scores of a batch and their running means."""
        return jnp.exp(self.setting.config.agm_alpha * jnp.minimum(_lead(running) - _lead(scores), LEAD))

    def combine(self, gradients, observed, memory, key, step):
        return gradients[0], memory + (_means(observed, memory) - memory) / (step + 1)


def shapley(modalities: int) -> tuple[np.ndarray, np.ndarray]:
    """The subsets with any modality in them, the whole set last, and what each counts in a modality's Shapley value.

    A subset of size s counts 1 / (M C(M-1, s-1)) for those in it and -1 / (M C(M-1, s)) for the others. The empty one
    would count -1 / M, which sharing its value equally takes back.

    Returns:
      Masks [2^M - 1, M] bool, and shares [M, 2^M - 1] float32.
    """
    masks = np.array(sorted(product((False, True), repeat=modalities), key=sum)[1:])
    shares = [
        [
            1 / comb(modalities - 1, mask.sum() - 1) if mask[m] else -1 / comb(modalities - 1, mask.sum())
            for mask in masks
        ]
        for m in range(modalities)
    ]
    return masks, np.float32(shares) / modalities


def _lead(scores):
    """exp(mean over the others of s_m' - s_m) [M]."""
    count = len(scores)
    return jnp.exp((scores.sum() - count * scores) / (count - 1))


def _own_losses(setting: Setting, logits: Array, seen: Seen) -> Array:
    """L [M, B] of logits [M, B, K]."""
    return jnp.stack([task_loss(setting.target, own, seen.batch.target) for own in logits])


def _sums(setting: Setting, values: Array, seen: Seen) -> dict[str, Array]:
    """Sums [M] of values [M, B] over the rows that have the modality, and how many these are."""
    rows = jnp.stack([seen.batch.present[name] * seen.batch.weight for name in setting.names])
    return {"scores": (values * rows).sum(1), "rows": rows.sum(1)}


def _means(sums: dict[str, Array], otherwise: Array) -> Array:
    return jnp.where(sums["rows"] > 0, sums["scores"] / jnp.maximum(sums["rows"], 1), otherwise)


def ogm(setting: Setting, parts: frozenset[str]) -> tuple[Phase, ...]:
    """On-the-fly gradient modulation."""
    return (Phase("ogm", PARTS, OnTheFly(setting, enhanced=False), setting.config.epochs),)


def ogm_ge(setting: Setting, parts: frozenset[str]) -> tuple[Phase, ...]:
    """On-the-fly gradient modulation with generalisation enhancement."""
    return (Phase("ogm_ge", PARTS, OnTheFly(setting, enhanced=True), setting.config.epochs),)


def agm(setting: Setting, parts: frozenset[str]) -> tuple[Phase, ...]:
    """Adaptive gradient modulation."""
    return (Phase("agm", PARTS, Adaptive(setting), setting.config.epochs),)
