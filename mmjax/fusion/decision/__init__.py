"""Decision level: D = g(h_1(E_1), ..., h_M(E_M)).

Every class here is a flax module `g(logits, present=None) -> log p`, logits modality -> [B, K] over K >= 2
classes, present modality -> [B] bool as at the feature level; they work in float32 or better, whatever the logits are
of. `Rule` says what else is asked of it.
"""

from mmjax.fusion.decision.averages import CalibratedMean, Mean, WeightedMean
from mmjax.fusion.decision.ballots import Borda, Vote
from mmjax.fusion.decision.certainty import Confidence, Energy, Entropy
from mmjax.fusion.decision.confusion import Confusion
from mmjax.fusion.decision.evidential import Evidential, EvidentialAverage, EvidentialPseudo
from mmjax.fusion.decision.order import Max, Median, Min
from mmjax.fusion.decision.product import NaiveBayes, Product
from mmjax.fusion.decision.stacking import Stacking

DECISION = {
    "mean": Mean,
    "weighted_mean": WeightedMean,
    "product": Product,
    "naive_bayes": NaiveBayes,
    "max": Max,
    "min": Min,
    "median": Median,
    "vote": Vote,
    "borda": Borda,
    "stacking": Stacking,
    "confidence": Confidence,
    "entropy": Entropy,
    "energy": Energy,
    "calibrated_mean": CalibratedMean,
    "confusion": Confusion,
    "evidential": Evidential,
    "evidential_pseudo": EvidentialPseudo,
    "evidential_average": EvidentialAverage,
}
