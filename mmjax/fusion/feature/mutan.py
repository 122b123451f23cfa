"""Tucker fusion with a core of low rank, whole or in blocks."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.errors import InputError
from mmjax.fusion.feature.hadamard import product_of_present
from mmjax.fusion.presence import settle
from mmjax.types import Array


class Mutan(nn.Module):
    """F = sum_r prod_i (A_ir W_i h_i): a Tucker decomposition of the multilinear map, its core of rank R.

    The product goes over the modalities present. Each of the R products starts with variance 1/R, so that F has
    variance 1 for embeddings of variance 1, whatever M.

    References:
      Ben-younes et al., MUTAN: Multimodal Tucker Fusion for Visual Question Answering, ICCV 2017, equation 8.
    """

    width: int = DEFAULTS.width
    rank: int = DEFAULTS.rank

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        return _tucker(self, embeddings, present, chunks=1)


class Block(nn.Module):
    """F = [F_1; ...; F_C]: the projections W_i h_i are cut into C chunks, and each fused by a rank-R core of its own.

    The core of the whole is thus block-diagonal. One chunk is `Mutan`.

    Raises:
      InputError: for a width that the chunks do not divide.

    References:
      Ben-younes et al., BLOCK: Bilinear Superdiagonal Fusion, AAAI 2019, equations 4 to 8.
    """

    width: int = DEFAULTS.width
    rank: int = DEFAULTS.rank
    chunks: int = DEFAULTS.chunks

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        if self.width % self.chunks:
            raise InputError(f"chunks = {self.chunks} is not accepted by block: give a divisor of width ({self.width})")
        return _tucker(self, embeddings, present, self.chunks)


def _tucker(module: nn.Module, embeddings, present, chunks: int) -> Array:
    """The fusion of every chunk of the projections, side by side."""
    embeddings, present = settle(embeddings, present)
    size = module.width // chunks
    initial = nn.initializers.normal(module.rank ** (-0.5 / len(embeddings)) * size**-0.5)
    factors = {}
    for name, h in embeddings.items():
        projected = nn.Dense(module.width, use_bias=False, name=f"project_{name}")(h).reshape(-1, chunks, size)
        core = module.param(f"core_{name}", initial, (chunks, size, module.rank, size))
        factors[name] = jnp.einsum("bcs,csrw->bcrw", projected, core)
    return product_of_present(factors, present).sum(2).reshape(-1, module.width)
