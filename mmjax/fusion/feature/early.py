"""Early fusion: the inputs themselves are joined, and one encoder reads them."""

import math
from collections.abc import Mapping

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.encoders.encoder import cleaned
from mmjax.layers.flatten import flatten
from mmjax.types import JOINED, Array, ModalitySpec


class Early(nn.Module):
    """X = the inputs side by side: step by step where all are sequences of the same T, else all of them flattened.

    Ids become embeddings first, which are all that it learns. Whatever is absent, or a padded step, is 0; a joined
    step is valid where any modality's is.

    Attributes:
      modalities: what is joined, in the order of their names.
      token_size: width of a token's embedding.
    """

    modalities: tuple[ModalitySpec, ...]
    token_size: int = DEFAULTS.token_size
    joins = "inputs"

    @property
    def spec(self) -> ModalitySpec:
        """The joined modality, as an encoder meets it."""
        sizes = [(*spec.shape, self.token_size) if spec.kind == "tokens" else spec.shape for spec in self.modalities]
        if self._aligned():
            return ModalitySpec(JOINED, "sequence", (sizes[0][0], sum(size[1] for size in sizes)))
        return ModalitySpec(JOINED, "vector", (sum(map(math.prod, sizes)),))

    @nn.compact
    def __call__(self, inputs: Mapping[str, Array], lengths: Mapping[str, Array], present: Mapping[str, Array]):
        """What the encoder reads.

        Args:
          inputs: modality -> [B, *shape].
          lengths: modality -> [B] valid steps, of those that have any.
          present: modality -> [B] bool.

        Returns:
          [B, *spec.shape], and [B] valid steps (None for a vector).
        """
        parts, steps = [], []
        for spec in sorted(self.modalities, key=lambda spec: spec.name):
            length, here = lengths.get(spec.name), present[spec.name]
            values, mask, _ = cleaned(spec, inputs[spec.name], length, here)
            if spec.kind == "tokens":
                values = nn.Embed(spec.vocabulary, self.token_size, name=f"embed_{spec.name}")(values)
                values = jnp.where(mask[:, :, None], values, 0)
            parts.append(values if self._aligned() else flatten(values))
            steps.append(jnp.where(here, values.shape[1] if length is None else length, 0))
        return jnp.concatenate(parts, axis=-1), jnp.stack(steps).max(0) if self._aligned() else None

    def _aligned(self) -> bool:
        in_steps = all(spec.kind in ("tokens", "sequence") for spec in self.modalities)
        return in_steps and len({spec.shape[0] for spec in self.modalities}) == 1
