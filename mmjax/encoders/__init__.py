"""Encoders f_i: from a modality's raw input to its embedding E_i."""

from mmjax.encoders.dense import Identity, Linear, Mlp

ENCODERS = {
    "identity": Identity,
    "linear": Linear,
    "mlp": Mlp,
}
