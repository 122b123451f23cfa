"""What every rule at the decision level says of itself."""

from collections.abc import Mapping

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from mmjax.errors import InputError
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

    Raises:
      InputError: as `settle`; for decisions that are not [B, K] with one K.
    """
    _require_one_size(logits)
    return settle({name: at_least_float32(l) for name, l in logits.items()}, present)


def settle_validation(
    logits: Mapping[str, Array], present: Mapping[str, Array] | None, truth: Array, regression: bool = False
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], np.ndarray]:
    """What a rule is fitted to, as arrays of NumPy in the order of the modalities' names.

    Args:
      logits: modality -> [n, K].
      present: modality -> [n] bool; None says that all are.
      truth: [n] classes 0 to K - 1; of regression values [n, K].
      regression: whether these are values.

    Returns:
      Logits, presence and truth.

    Raises:
      InputError: as `settle_decisions`; for no example, and for a truth that does not fit the decisions.
    """
    _, rows = settle_decisions(logits, present)
    names, truth = sorted(logits), np.asarray(truth)
    size, outputs = logits[names[0]].shape
    if not size:
        raise InputError("a rule is fitted to no example: give one or more")
    wanted = (size, outputs) if regression else (size,)
    if truth.shape != wanted:
        raise InputError(f"truth has shape {truth.shape}: give {wanted}, as the logits have {size} examples")
    if not regression and (truth.dtype.kind not in "iu" or truth.min() < 0 or truth.max() >= outputs):
        wrong = truth if truth.dtype.kind not in "iu" else truth[(truth < 0) | (truth >= outputs)]
        raise InputError(f"truth holds {wrong[0]!s}: give whole numbers from 0 to {outputs - 1}, a class each")
    presence = dict(zip(names, np.asarray(rows).T, strict=True))
    return {name: np.asarray(logits[name]) for name in names}, presence, truth


def _require_one_size(logits: Mapping[str, Array]):
    """Refuses decisions that are not [B, K] with one K."""
    for name in sorted(logits):
        first = min(logits)
        if jnp.ndim(logits[name]) != 2 or jnp.shape(logits[name])[1] != jnp.shape(logits[first])[1]:
            other = f", and {first} {jnp.shape(logits[first])}" if name != first else ""
            raise InputError(
                f"logits[{name!r}] has shape {jnp.shape(logits[name])}{other}: give (examples, classes), of all "
                "modalities the same"
            )
