"""Functional entropy: D is to depend on every modality."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax

from mmjax.layers.precision import at_least_float32
from mmjax.model import PARTS
from mmjax.training.strategies.goal import Goal, Phase, Seen, Setting
from mmjax.types import Array, TargetSpec

SMALLEST = 1e-6  # of f, below which its gradient over it is rounding
FLOOR = 1e-3  # added to I_i, so that 1 / I_i and its gradient stay finite when D forgets a modality


class FunctionalEntropy(Goal):
    """L + lambda * ||(1 / I_1, ..., 1 / I_M)||_2, I_i the functional Fisher information of modality i.

    I_i = mean of |grad_i f|^2 / f over the rows that have modality i, where f is the cross-entropy between D of a row
    and D of the same row with noise added to what every encoder starts from, and grad_i is by modality i's noise. By
    the log-Sobolev inequality I_i bounds the functional entropy of f. The noise has the standard deviation that each
    number has over the batch; it is drawn once a row, three to ten times by the authors.

    The authors divide the gradients of the batch's mean f by that mean; here each row's gradient by its own f, as the
    equation has it, so that I_i does not depend on the size of the batch.

    References: Gat et al., NeurIPS 2020; https://github.com/itaigat/removing-bias-in-multi-modal-classifiers.
    """

    def losses(self, seen: Seen):
        terms = self.setting.config.information_weight * jnp.linalg.norm(1 / (self.information(seen) + FLOOR))
        return (self.plain_loss(seen) + terms,), {}

    def information(self, seen: Seen) -> Array:
        """I [M]."""
        setting = self.setting
        rows = {name: seen.batch.present[name] * seen.batch.weight for name in setting.names}
        noise = jax.lax.stop_gradient(self.perturbations(seen, rows))

        def functional(noise):
            f = disagreement(setting.target, seen.outputs.logits, seen.again(noise).logits)
            return (f * seen.batch.weight).sum(), jnp.maximum(f, SMALLEST)

        gradients, f = jax.grad(functional, has_aux=True)(noise)
        squares = {name: (g**2).reshape(len(f), -1).sum(1) for name, g in gradients.items()}
        sums = {name: ((squares[name] / f * rows[name]).sum(), rows[name].sum()) for name in setting.names}
        sums = setting.over_devices(sums)
        return jnp.stack([sums[name][0] / jnp.maximum(sums[name][1], 1) for name in setting.names])

    def perturbations(self, seen: Seen, rows) -> dict[str, Array]:
        """Noise as `Seen.again` takes it; rows: modality -> [B] weights."""
        noise = {}
        for place, (name, starts) in enumerate(sorted(seen.starts().items())):
            weights = rows[name].reshape(-1, *(1,) * (starts.ndim - 1))
            sums = self.setting.over_devices([(weights * starts**power).sum(0) for power in (0, 1, 2)])
            mean, square = (each / jnp.maximum(sums[0], 1) for each in sums[1:])
            keys = jax.vmap(jax.random.fold_in, (0, None))(seen.keys, place)
            standard = jax.vmap(lambda key, shape=starts.shape[1:]: jax.random.normal(key, shape))(keys)
            noise[name] = jnp.sqrt(jnp.maximum(square - mean**2, 0)) * standard
        return noise


def disagreement(target: TargetSpec, clean: Array, perturbed: Array) -> Array:
    """f [B]: cross-entropy of D of a perturbed input by that of the clean one; over labels the mean.

    Args:
      clean, perturbed: logits [B, K].
    """
    clean, perturbed = at_least_float32(clean), at_least_float32(perturbed)
    if target.kind == "multiclass":
        return optax.softmax_cross_entropy(perturbed, jax.nn.softmax(clean))
    return optax.sigmoid_binary_cross_entropy(perturbed, jax.nn.sigmoid(clean)).mean(-1)


def functional_entropy(setting: Setting, parts: frozenset[str]) -> tuple[Phase, ...]:
    """One phase, with what D gets of every modality beside the loss."""
    return (Phase("functional_entropy", PARTS, FunctionalEntropy(setting), setting.config.epochs),)
