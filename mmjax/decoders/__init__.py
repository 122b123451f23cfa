"""Decoders h: from the fused embedding F (or a modality's own) to logits D."""

from mmjax.decoders.dense import Dense

DECODERS = {
    "dense": Dense,
}
