"""Losses, one value an example, so that weights and devices can divide the sum as they must; in float32 or better."""

import jax.numpy as jnp
import optax

from mmjax.layers.flatten import flatten
from mmjax.layers.precision import at_least_float32
from mmjax.layers.special import digamma_difference, dirichlet_term
from mmjax.training.units import to_learned, to_own
from mmjax.types import Array, Outputs, TargetSpec


def task_loss(target: TargetSpec, logits: Array, truth: Array) -> Array:
    """Negative log-likelihood of the truth [B]; squared error for regression; a mean over K outputs.

    Args:
      logits: [B, K]; for regression in the unit that models learn in.
      truth: [B] int32 (binary, multiclass) or [B, K] float32 (multilabel; regression, in the target's own unit).
    """
    logits = at_least_float32(logits)
    if target.kind == "multiclass":
        return optax.softmax_cross_entropy_with_integer_labels(logits, truth)
    truth = truth.reshape(logits.shape)
    if target.kind == "regression":
        return optax.squared_error(logits, to_learned(target, truth)).mean(-1)
    return optax.sigmoid_binary_cross_entropy(logits, truth.astype(logits.dtype)).mean(-1)


def score(target: TargetSpec, logits: Array, truth: Array) -> Array:
    """What an epoch is chosen by, higher is better, [B]: right or wrong (accuracy), or minus the absolute error.

    Logits and truth are as `task_loss` takes them; the error is in the target's own unit.
    """
    logits = at_least_float32(logits)
    if target.kind == "multiclass":
        return (logits.argmax(-1) == truth).astype(jnp.float32)
    truth = truth.reshape(logits.shape)
    if target.kind == "regression":
        return -jnp.abs(to_own(target, logits) - truth).mean(-1)
    return ((logits > 0) == (truth > 0.5)).astype(jnp.float32).mean(-1)


def dirichlet_cross_entropy(evidence: Array, truth: Array) -> Array:
    """Expected cross-entropy of the truth under Dir(evidence + 1): digamma(S) - digamma(alpha_y), [N].

    References: Han et al., ICLR 2021, equation 8.
    """
    evidence = at_least_float32(evidence)
    others = jnp.where(_is_wrong(evidence, truth), evidence + 1, 0).sum(-1)
    true_evidence = jnp.take_along_axis(evidence, truth[:, None], axis=-1)[:, 0]
    return digamma_difference(true_evidence + 1, others)


def dirichlet_divergence(evidence: Array, truth: Array) -> Array:
    """KL(Dir(alpha~) || Dir(1)), alpha~ the parameters with the true class's evidence removed, [N].

    With e_k the wrong classes' evidence and E its sum, the equation's log Gamma and digamma functions group into
    T(E; K) - sum_k T(e_k; 1), T(x; s) = log Gamma(s + x) - log Gamma(s) - x (digamma(s + x) - 1), of which none is
    larger than K log(1 + E), whereas E log E is what the equation adds and takes away.

    References: Han et al., ICLR 2021, equation 9.
    """
    evidence = at_least_float32(evidence)
    wrong = jnp.where(_is_wrong(evidence, truth), evidence, 0)
    return dirichlet_term(wrong.sum(-1), evidence.shape[-1]) - dirichlet_term(wrong, 1).sum(-1)


def _is_wrong(evidence: Array, truth: Array) -> Array:
    """Which classes [N, K] are not the true one."""
    return jnp.arange(evidence.shape[-1]) != truth[:, None]


def evidential_loss(target: TargetSpec, evidence: dict[str, Array], truth: Array, annealing: Array) -> Array:
    """Sum over views and their fusion of cross-entropy + annealing * divergence, [B].

    Args:
      evidence: view -> [B, C], or [B * K, 2] for K labels.
      annealing: min(1, epoch / T), the divergence's weight.

    References: Han et al., ICLR 2021, equations 10 and 11.
    """
    rows = truth.reshape(-1).astype(jnp.int32)
    # View by view: stacked into one array the same sums take twice the time, since XLA fuses less of them.
    losses = sum(
        dirichlet_cross_entropy(e, rows) + annealing * dirichlet_divergence(e, rows) for e in evidence.values()
    )
    return flatten(losses.reshape(truth.shape)).mean(-1)


def objective(target: TargetSpec, outputs: Outputs, truth: Array, annealing: Array, auxiliary_weight: float) -> Array:
    """What training minimises on a model's outputs, [B]: L(D), with what the fusion adds to it.

    Evidence has its own loss; a model-level fusion with heads adds lambda * sum_i L(l_i).
    """
    if outputs.evidence:
        return evidential_loss(target, outputs.evidence, truth, annealing) + outputs.penalty
    own = sum(task_loss(target, logits, truth) for logits in outputs.modality_logits.values())
    return task_loss(target, outputs.logits, truth) + auxiliary_weight * own + outputs.penalty
