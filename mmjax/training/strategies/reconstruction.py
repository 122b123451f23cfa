"""Reconstruction: F is to keep what the inputs were."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from mmjax.decoders.heads import Generator
from mmjax.encoders.encoder import cleaned
from mmjax.model import PARTS
from mmjax.training.strategies.goal import Goal, Phase, Seen, Setting
from mmjax.types import Array, Batch, ModalitySpec


class Reconstruction(Goal):
    """L + reconstruction_weight * sum_i R_i + kl_weight * KL(q(z | F) || N(0, I)).

    z is sampled from q, a normal distribution that F determines, and every modality is made of it again. R_i is 0 where
    an example lacks the modality. Without the divergence q would lose its width, and z be no code: its weight is above
    0.

    This is what the models below have in common that can stand beside any F: one infers z from an expert for each
    modality (MVAE), the other adds factors of each modality's own (MFM), and both are fusions.

    References: Wu and Goodman, NeurIPS 2018, equation 2 (MVAE); Tsai et al., ICLR 2019, equation 3 (MFM).
    """

    def __init__(self, setting: Setting):
        super().__init__(setting)
        sizes = tuple((spec.name, spec.vocabulary or math.prod(spec.shape)) for spec in setting.modalities)
        self.heads = Generator(sizes, setting.config.width)

    def bases(self, outputs):
        return (outputs.fused,)

    def noise(self, keys):
        return (jax.vmap(lambda key: jax.random.normal(key, (self.setting.config.width,)))(keys),)

    def losses(self, seen: Seen):
        config = self.setting.config
        mean, log_variance, made = seen.heads
        errors = sum(error(spec, made[spec.name], seen.batch) for spec in self.setting.modalities)
        loss = self.plain_loss(seen) + config.reconstruction_weight * errors
        return (loss + config.kl_weight * divergence(mean, log_variance),), {}


def error(spec: ModalitySpec, made: Array, batch: Batch) -> Array:
    """R_i [B], a mean over what of an example is data: squared error; of tokens the negative log-likelihood, each drawn
    from one distribution over the vocabulary, whatever their order.

    Args:
      made: [B, numbers of an example], or [B, vocabulary].
    """
    present = batch.present[spec.name]
    features = cleaned(spec, batch.inputs[spec.name], batch.lengths.get(spec.name), present)
    values = features.values
    data = present if features.mask is None else features.mask
    if spec.vocabulary:
        wrong = -jnp.take_along_axis(jax.nn.log_softmax(made), values, axis=-1)
    else:
        wrong = (made.reshape(values.shape) - values) ** 2
        data = jnp.broadcast_to(data.reshape(data.shape + (1,) * (values.ndim - data.ndim)), values.shape)
    axes = tuple(range(1, wrong.ndim))
    return jnp.where(data, wrong, 0).sum(axes) / jnp.maximum(data.sum(axes), 1)


def divergence(mean: Array, log_variance: Array) -> Array:
    """KL(N(mu, sigma^2) || N(0, I)) [B], of [B, d]; Kingma and Welling, ICLR 2014, appendix B."""
    return (mean**2 + jnp.exp(log_variance) - 1 - log_variance).sum(-1) / 2


def reconstruction(setting: Setting, parts: frozenset[str]) -> tuple[Phase, ...]:
    """One phase, with the inputs made of F beside the loss."""
    return (Phase("reconstruction", PARTS, Reconstruction(setting), setting.config.epochs),)
