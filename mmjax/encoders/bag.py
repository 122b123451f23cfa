"""The encoder that reads tokens in no order."""

import flax.linen as nn

from mmjax.config import DEFAULTS
from mmjax.encoders.encoder import Encoder
from mmjax.encoders.steps import steps, token_embedding
from mmjax.layers.dropout import Dropout
from mmjax.layers.pooling import masked_mean
from mmjax.types import Array, Encoded, Features


class Embedding(Encoder):
    """A bag of embeddings: h = mean over the valid tokens of W e_t + b; the projection is the stage.

    References:
      Joulin et al., "Bag of tricks for efficient text classification", arXiv:1607.01759, 2016, section 2.
    """

    accepts = frozenset({"tokens"})
    stages = 1

    width: int = DEFAULTS.width
    token_size: int = DEFAULTS.token_size
    dropout: float = DEFAULTS.dropout

    def setup(self):
        self.embedding = token_embedding(self.spec, self.token_size)
        self.dense = nn.Dense(self.width)
        self.drop = Dropout(self.dropout, self.axis_name)

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return steps(self.spec, self.embedding, inputs, length, valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        return features._replace(values=self.drop(self.dense(features.values), train))

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return features.values, features.mask

    def finish(self, features: Features, train: bool) -> Encoded:
        return Encoded(*self.tokens(features), masked_mean(features.values, features.mask))
