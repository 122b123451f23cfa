"""A few latents that read all tokens."""

import flax.linen as nn

from mmjax.config import DEFAULTS
from mmjax.fusion.model.tokens import learned_tokens, project
from mmjax.layers.attention import TransformerBlock, join_tokens


class Perceiver(nn.Module):
    """F = mean of norm(latents), after `perceiver_rounds` in which they read all tokens and then each other.

    The tokens are [W_1 H_1 + e_1; ...; W_M H_M + e_M], e_i a learned embedding of the modality. A round is a block
    whose queries are the `latents` and whose keys and values are the tokens, then `latent_layers` blocks on the latents
    alone; rounds do not share parameters. The cost is linear in the number of tokens. With nothing present the latents
    speak for themselves. No positions are added: the order of steps is what the encoders made of it.

    References:
      Jaegle et al., Perceiver: General Perception with Iterative Attention, ICML 2021, section 3.
    """

    width: int = DEFAULTS.width
    heads: int = DEFAULTS.heads
    latents: int = DEFAULTS.latents
    latent_layers: int = DEFAULTS.latent_layers
    perceiver_rounds: int = DEFAULTS.perceiver_rounds
    dropout: float = DEFAULTS.dropout
    axis_name: str | None = None
    joins = "sequences"
    heads_per_modality = False

    @nn.compact
    def __call__(self, sequences, masks, train=False):
        """Sequences, modality -> [B, T_i, d_i], and masks, modality -> [B, T_i], to F [B, width]."""
        tokens = join_tokens(list(project(sequences, masks, self.width).values()))
        latents, every = learned_tokens(self, "latents", self.latents, self.width, tokens.mask.shape[0])
        for turn in range(self.perceiver_rounds):
            latents = self._block(f"read_{turn}")(latents, every, train, *tokens)
            for layer in range(self.latent_layers):
                latents = self._block(f"think_{turn}_{layer}")(latents, every, train)
        return nn.LayerNorm(name="norm")(latents).mean(1)

    def _block(self, name):
        return TransformerBlock(self.width, self.heads, self.dropout, self.axis_name, name=name)
