"""Decoders h: from the fused embedding F (or a modality's own) to logits D, which are float32 or better."""

from mmjax.decoders.convolutional import Cnn
from mmjax.decoders.dense import Dense, Mlp
from mmjax.decoders.recurrent import Rnn

DECODERS = {
    "dense": Dense,
    "mlp": Mlp,
    "cnn": Cnn,
    "rnn": Rnn,
}
