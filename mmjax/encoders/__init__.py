"""Encoders f_i: from a modality's raw input to its embedding E_i."""

from mmjax.encoders.convolutional import Cnn, LeNet
from mmjax.encoders.dense import Identity, Linear, Mlp
from mmjax.encoders.recurrent import Gru, Lstm

ENCODERS = {
    "identity": Identity,
    "linear": Linear,
    "mlp": Mlp,
    "cnn": Cnn,
    "lenet": LeNet,
    "lstm": Lstm,
    "gru": Gru,
}
