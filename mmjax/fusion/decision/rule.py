"""What every rule at the decision level says of itself."""

import flax.linen as nn

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
