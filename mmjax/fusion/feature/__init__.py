"""Feature level: D = h(g(E_1, ..., E_M)).

Every class here is a flax module `g(embeddings, present=None) -> F`, embeddings modality -> [B, d_i],
present modality -> [B] bool, for any M >= 2; an absent row's embedding is never read.
"""

from mmjax.fusion.feature.concat import Concat
from mmjax.fusion.feature.gmu import GMU
from mmjax.fusion.feature.low_rank_tensor import LowRankTensor
from mmjax.fusion.feature.weighted import Weighted

FEATURE = {
    "concat": Concat,
    "weighted": Weighted,
    "gmu": GMU,
    "low_rank_tensor": LowRankTensor,
}
