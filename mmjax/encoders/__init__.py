"""Encoders f_i: from a modality's raw input to its embedding E_i."""

from mmjax.encoders.bag import Embedding
from mmjax.encoders.convolutional import Cnn, LeNet
from mmjax.encoders.dense import Identity, Linear, Mlp
from mmjax.encoders.log_mel import LogMel
from mmjax.encoders.points import PointNet
from mmjax.encoders.recurrent import Gru, Lstm
from mmjax.encoders.residual import ResNet
from mmjax.encoders.tcn import Tcn
from mmjax.encoders.transformer import Transformer
from mmjax.encoders.video import Video

ENCODERS = {
    "identity": Identity,
    "linear": Linear,
    "mlp": Mlp,
    "cnn": Cnn,
    "lenet": LeNet,
    "resnet": ResNet,
    "embedding": Embedding,
    "lstm": Lstm,
    "gru": Gru,
    "tcn": Tcn,
    "transformer": Transformer,
    "log_mel": LogMel,
    "pointnet": PointNet,
    "video": Video,
}
