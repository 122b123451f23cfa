"""Making embeddings narrow enough for fusions whose size is the product of theirs."""

import flax.linen as nn

from mmjax.errors import InputError
from mmjax.types import Array


def narrowed(embeddings: dict[str, Array], features: int, project: bool, refusal: str) -> dict[str, Array]:
    """Embeddings of at most `features`; a wider one is projected to that many, to be called in a compact module.

    Args:
      embeddings: modality -> [B, d_i], 0 where absent; the projection has no bias, and leaves that so.
      features: the widest allowed.
      project: whether to project; otherwise too wide a one is refused.
      refusal: what the error says, before the modality.

    Raises:
      InputError: for an embedding that is too wide, where it is not projected; or if `features` is below 1.
    """
    wide = [name for name, h in embeddings.items() if h.shape[-1] > features]
    if wide and (features < 1 or not project):
        sizes = ", ".join(f"{name} {h.shape[-1]}" for name, h in embeddings.items())
        raise InputError(
            f"{refusal}, and the embeddings are {sizes}: give narrower ones (config.width), or a higher limit"
        )
    return {
        name: nn.Dense(features, use_bias=False, name=f"narrow_{name}")(h) if name in wide else h
        for name, h in embeddings.items()
    }
