"""Feature level: D = h(g(E_1, ..., E_M)).

Every class here is a flax module `g(embeddings, present=None) -> F`, embeddings modality -> [B, d_i],
present modality -> [B] bool, for any M >= 1 and any B; an absent row's embedding is never read. `present` has every
modality of `embeddings`, or an InputError says which it lacks; others that it has are ignored. `Early` alone joins the
inputs, before an encoder.
"""

from mmjax.fusion.feature.compact_bilinear import MCB
from mmjax.fusion.feature.concat import Concat
from mmjax.fusion.feature.deep_sets import DeepSets
from mmjax.fusion.feature.early import Early
from mmjax.fusion.feature.gates import GMU, Film, KielaGate, NLGate
from mmjax.fusion.feature.hadamard import MFB, MFH, MLB
from mmjax.fusion.feature.low_rank_tensor import LowRankTensor
from mmjax.fusion.feature.multiplicative import Multiplicative
from mmjax.fusion.feature.mutan import Block, Mutan
from mmjax.fusion.feature.product_latent import ProductLatent
from mmjax.fusion.feature.sums import Attention, Sum, Weighted
from mmjax.fusion.feature.tensor import Tensor

FEATURE = {
    "early": Early,
    "concat": Concat,
    "sum": Sum,
    "weighted": Weighted,
    "attention": Attention,
    "gmu": GMU,
    "kiela_gate": KielaGate,
    "film": Film,
    "mlb": MLB,
    "mfb": MFB,
    "mfh": MFH,
    "mcb": MCB,
    "mutan": Mutan,
    "block": Block,
    "tensor": Tensor,
    "low_rank_tensor": LowRankTensor,
    "multiplicative": Multiplicative,
    "nl_gate": NLGate,
    "deep_sets": DeepSets,
    "product_latent": ProductLatent,
}
