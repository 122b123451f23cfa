"""Decision level: D = g(h_1(E_1), ..., h_M(E_M)).

Every class here is a flax module `g(logits, present=None) -> log p`, logits modality -> [B, K] over K >= 2
classes, present modality -> [B] bool. Its class attributes say how it is used: `trained`, whether the modalities'
models are trained through it (else it is a rule over models trained one by one, its parameters fitted on validation);
`evidential`, whether its heads give evidence; `targets`, the kinds of target it is defined for.
"""

from mmjax.fusion.decision.averages import Mean, WeightedMean
from mmjax.fusion.decision.evidential import Evidential
from mmjax.fusion.decision.product import Product

DECISION = {
    "mean": Mean,
    "weighted_mean": WeightedMean,
    "product": Product,
    "evidential": Evidential,
}
