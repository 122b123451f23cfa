"""Heads that a training strategy needs and a model has not: thrown away when training ends."""

import math

import flax.linen as nn
import jax.numpy as jnp

from mmjax.decoders.dense import Dense, Mlp
from mmjax.types import Array


class ThrowawayHeads(nn.Module):
    """A dense head on every embedding it is called with.

    Attributes:
      outputs: K.
    """

    outputs: int

    @nn.compact
    def __call__(self, embeddings: dict[str, Array]) -> dict[str, Array]:
        """Embeddings, key -> [B, d], to logits, key -> [B, K]."""
        return {key: Dense(self.outputs, name=key)(h, False) for key, h in sorted(embeddings.items())}


class Projections(nn.Module):
    """P_i h_i of every embedding: linear, into one space.

    Attributes:
      size: of the projections.
    """

    size: int

    @nn.compact
    def __call__(self, embeddings: dict[str, Array]) -> dict[str, Array]:
        """Embeddings, key -> [B, d], to projections, key -> [B, size]."""
        return {key: nn.Dense(self.size, use_bias=False, name=key)(h) for key, h in sorted(embeddings.items())}


class Directions(nn.Module):
    """Projections of length 1, and how sharply their cosines tell pairs apart.

    Attributes:
      size: of the projections.
    """

    size: int

    @nn.compact
    def __call__(self, embeddings: dict[str, Array]) -> tuple[dict[str, Array], Array]:
        """Embeddings, key -> [B, d], to directions, key -> [B, size], and one over the temperature.

        References: Radford et al., ICML 2021, sections 2.3 and 2.5 (which starts at 1 / 0.07, and ends at 100).
        """
        projections = Projections(self.size, name="projections")(embeddings)
        log_scale = self.param("log_scale", nn.initializers.constant(math.log(1 / 0.07)), ())
        # A maximum of squares, as a length of 0 has no gradient.
        lengths = {k: jnp.sqrt(jnp.maximum((p**2).sum(-1, keepdims=True), 1e-12)) for k, p in projections.items()}
        return {k: p / lengths[k] for k, p in projections.items()}, jnp.minimum(jnp.exp(log_scale), 100.0)


class Generator(nn.Module):
    """A code z ~ N(mu(F), sigma(F)^2), and every modality made of it.

    Attributes:
      sizes: (modality, how many numbers are made of it).
      width: of the code, and of the hidden layer between it and a modality.
    """

    sizes: tuple[tuple[str, int], ...]
    width: int

    @nn.compact
    def __call__(self, fused: Array, noise: Array | None = None) -> tuple[Array, Array, dict[str, Array]]:
        """F [B, d] and standard normal noise [B, width] (none: z is mu), to mu, log sigma^2 and modality -> [B, size].

        References: Kingma and Welling, ICLR 2014, equation 10.
        """
        mean = nn.Dense(self.width, name="mean")(fused)
        log_variance = nn.Dense(self.width, name="log_variance")(fused)
        code = mean if noise is None else mean + jnp.exp(log_variance / 2) * noise
        return mean, log_variance, {key: Mlp(size, width=self.width, name=key)(code, False) for key, size in self.sizes}
