"""g: every way of fusing, by level.

To add one: a class in a file of its level's folder, and its line in that level's registry.
"""

from mmjax.errors import lookup
from mmjax.fusion.decision import (
    DECISION,
    Borda,
    CalibratedMean,
    Confidence,
    Confusion,
    Energy,
    Entropy,
    Evidential,
    EvidentialAverage,
    EvidentialPseudo,
    Max,
    Mean,
    Median,
    Min,
    NaiveBayes,
    Product,
    Stacking,
    Vote,
    WeightedMean,
)
from mmjax.fusion.feature import (
    FEATURE,
    GMU,
    MCB,
    MFB,
    MFH,
    MLB,
    Attention,
    Block,
    Concat,
    DeepSets,
    Early,
    Film,
    KielaGate,
    LowRankTensor,
    Multiplicative,
    Mutan,
    NLGate,
    ProductLatent,
    Sum,
    Tensor,
    Weighted,
)  # fmt: skip
from mmjax.fusion.model import (
    MMTM,
    MODEL,
    Bottleneck,
    CentralNet,
    CoAttention,
    CrossAttention,
    FusionSearch,
    Hierarchical,
    Memory,
    MixtureOfExperts,
    MulT,
    Perceiver,
    TokenTransformer,
)

LEVELS = {"feature": FEATURE, "decision": DECISION, "model": MODEL}
FUSIONS = FEATURE | DECISION | MODEL


def level_of(name: str) -> str:
    """The level of a fusion: "feature", "decision" or "model"."""
    lookup(FUSIONS, "fusion", name)
    return next(level for level, registry in LEVELS.items() if name in registry)
