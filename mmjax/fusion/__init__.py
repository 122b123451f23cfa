"""g: every way of fusing, by level.

To add one: a class in a file of its level's folder, and its line in that level's registry.
"""

from mmjax.errors import lookup
from mmjax.fusion.decision import DECISION, Evidential, Mean, Product, WeightedMean
from mmjax.fusion.feature import FEATURE, GMU, Concat, LowRankTensor, Weighted
from mmjax.fusion.model import MMTM, MODEL, Bottleneck, CentralNet, CrossAttention

LEVELS = {"feature": FEATURE, "decision": DECISION, "model": MODEL}
FUSIONS = FEATURE | DECISION | MODEL

__all__ = [
    "DECISION", "FEATURE", "FUSIONS", "LEVELS", "MODEL", "level_of",
    "Bottleneck", "CentralNet", "Concat", "CrossAttention", "Evidential", "GMU", "LowRankTensor", "MMTM", "Mean",
    "Product", "Weighted", "WeightedMean",
]  # fmt: skip


def level_of(name: str) -> str:
    """The level of a fusion: "feature", "decision" or "model"."""
    lookup(FUSIONS, "fusion", name)
    return next(level for level, registry in LEVELS.items() if name in registry)
