"""What every rule at the decision level says of itself."""

from collections.abc import Mapping

import flax.linen as nn

from mmjax.fusion.presence import settle
from mmjax.layers.precision import at_least_float32
from mmjax.types import Array

CLASSIFICATION = ("binary", "multiclass", "multilabel")


class Rule(nn.Module):
    """A flax module `g(logits, present=None) -> log p`; a rule overrides what is otherwise for it.

    Attributes:
      trained: whether the modalities' models are trained through it. If not, it is a rule over models that were
        trained one by one, and its parameters, if it has any, are what `fit(logits, present, truth)` makes of the
        validation decisions.
      evidential: whether it has `evidence(logits, present)`, and `penalty(evidence, present)` of its loss.
      pseudo_view: whether one more view, on all embeddings side by side, is to be among the logits.
      targets: the kinds of target it is defined for.
    """

    trained = False
    evidential = False
    pseudo_view = False
    targets = CLASSIFICATION


def settle_decisions(
    logits: Mapping[str, Array], present: Mapping[str, Array] | None
) -> tuple[dict[str, Array], Array]:
    """`settle` of decisions, in float32 whatever precision they were made in.

    Eight bits lose what a product of probabilities or of evidence says of many classes: of a hundred, the two that are
    ahead are the same number in a fifth of all cases.
    """
    return settle({name: at_least_float32(l) for name, l in logits.items()}, present)
