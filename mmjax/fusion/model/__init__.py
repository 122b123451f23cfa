"""Model level: (f_1, ..., f_M) run stage by stage, g between, and D = h(g(f, X)).

Every class here is a flax module. Where its attribute `joins` is "sequences" it works on what the encoders made,
`g(sequences, masks, train=False) -> F`, sequences modality -> [B, T_i, d_i] and masks modality -> [B, T_i] (False on
padding, and everywhere for an absent modality); those that join modalities pair by pair ask for two or more. Where it
is "stages" it runs the encoders itself, `g(encoders, features, train=False) -> (F, encoded)`; where "embeddings" it is
called as at the feature level. `heads_per_modality` says whether its loss wants a decoder on every modality's embedding
besides, and a method `with_penalty` gives F and what its loss adds; `whole_batch` says that this is no mean over
examples.
"""

from mmjax.fusion.model.bottleneck import Bottleneck
from mmjax.fusion.model.centralnet import CentralNet
from mmjax.fusion.model.coattention import CoAttention
from mmjax.fusion.model.cross_attention import CrossAttention
from mmjax.fusion.model.fusion_search import FusionSearch
from mmjax.fusion.model.hierarchical import Hierarchical
from mmjax.fusion.model.memory import Memory
from mmjax.fusion.model.mixture_of_experts import MixtureOfExperts
from mmjax.fusion.model.mmtm import MMTM
from mmjax.fusion.model.mult import MulT
from mmjax.fusion.model.perceiver import Perceiver
from mmjax.fusion.model.token_transformer import TokenTransformer

MODEL = {
    "token_transformer": TokenTransformer,
    "cross_attention": CrossAttention,
    "mult": MulT,
    "coattention": CoAttention,
    "mmtm": MMTM,
    "centralnet": CentralNet,
    "bottleneck": Bottleneck,
    "perceiver": Perceiver,
    "mixture_of_experts": MixtureOfExperts,
    "memory": Memory,
    "hierarchical": Hierarchical,
    "fusion_search": FusionSearch,
}
