"""A few latents that read all tokens."""

import flax.linen as nn

from mmjax.config import DEFAULTS
from mmjax.fusion.model.tokens import Attending, learned_tokens, project
from mmjax.layers.attention import join_tokens


class Perceiver(Attending):
    """F = mean of norm(latents), after `perceiver_rounds` in which they read all tokens and then each other.

    The tokens are [W_1 H_1 + e_1; ...; W_M H_M + e_M], e_i a learned embedding of the modality. A round is a block
    whose queries are the `latents` and whose keys and values are the tokens, then `latent_layers` blocks on the latents
    alone; rounds do not share parameters. The cost is linear in the number of tokens. With nothing present the latents
    speak for themselves. No positions are added: the order of steps is what the encoders made of it.

    References:
      Jaegle et al., Perceiver: General Perception with Iterative Attention, ICML 2021, section 3.
    """

    latents: int = DEFAULTS.latents
    latent_layers: int = DEFAULTS.latent_layers
    perceiver_rounds: int = DEFAULTS.perceiver_rounds

    @nn.compact
    def __call__(self, sequences, masks, train=False):
        """Sequences, modality -> [B, T_i, d_i], and masks, modality -> [B, T_i], to F [B, width]."""
        tokens = join_tokens(list(project(sequences, masks, self.width).values()))
        latents, every = learned_tokens(self, "latents", self.latents, self.width, tokens.mask.shape[0])
        for turn in range(self.perceiver_rounds):
            latents = self.block(f"read_{turn}")(latents, every, train, *tokens)
            for layer in range(self.latent_layers):
                latents = self.block(f"think_{turn}_{layer}")(latents, every, train)
        return nn.LayerNorm(name="norm")(latents).mean(1)
