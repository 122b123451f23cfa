"""A phase's forward pass: in training with everything its goal asks for, in evaluation without."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from mmjax.model import MultimodalModel
from mmjax.training.strategies.goal import Phase, Seen
from mmjax.types import Array, Batch, Outputs


class Forward:
    """Pure functions of parameters, statistics and a batch, in the precision of the config."""

    def __init__(self, model: MultimodalModel, phase: Phase, precision: str):
        self.model, self.phase, self.goal, self.precision = model, phase, phase.goal, precision
        self.names = sorted(spec.name for spec in model.modalities)

    def evaluate(self, params: Any, batch_stats: Any, batch: Batch) -> Outputs:
        """Without dropout, with running statistics."""
        method = "encode" if self.goal.encoders_alone else "__call__"
        return _cast(self.model.apply(*self._cast(params, batch_stats, batch), method=method), "float32")

    def heads(self, params: Any, outputs: Outputs, *noise) -> Any:
        """What the goal's heads say, None without any; in training with the goal's `noise`."""
        if self.goal.heads is None:
            return None
        return self.goal.heads.apply({"params": params}, *self.goal.bases(outputs), *noise)

    def subsets(self, params: Any, batch_stats: Any, batch: Batch, masks: Array) -> Array:
        """D [N, B, K] of subsets of the modalities, [N, M] bool over their sorted names; in evaluation."""
        variables, batch = self._cast(params, batch_stats, batch)
        encoded = self.model.apply(variables, batch, method="read")
        return self._subsets(variables, encoded, batch, masks, (), {})

    def train(
        self, params, batch_stats, heads, batch: Batch, dropout: Array, annealing: Array, memory: Any, keys: Array
    ) -> tuple[Seen, Any]:
        """What the goal sees, and the batch statistics after.

        Args:
          dropout: a key, the same on all devices.
          annealing, memory, keys: as Seen has them.
        """
        variables, cast_batch = self._cast(params, batch_stats, batch)
        rngs = {"dropout": dropout}
        parts = self.phase.trains

        def apply(variables, *arguments, method):
            return self.model.apply(variables, *arguments, method=method, mutable=["batch_stats"], rngs=rngs)

        def again(noise):
            noise = _cast(noise, self.precision)
            return _cast(apply(variables, cast_batch, parts, noise, method="__call__")[0], "float32")

        def starts():
            return _cast(self.model.apply(variables, cast_batch, method="starts"), "float32")

        subsets = None
        if self.goal.encoders_alone:
            outputs, changed = apply(variables, cast_batch, parts, method="encode")
        else:
            encoded, changed = apply(variables, cast_batch, parts, method="read")
            variables = variables | changed
            outputs, changed = apply(variables, encoded, cast_batch, parts, method="join")
            if len(self.goal.subsets):
                subsets = self._subsets(variables, encoded, cast_batch, self.goal.subsets, parts, rngs)
        outputs = _cast(outputs, "float32")
        said = self.heads(heads, outputs, *self.goal.noise(keys))
        seen = Seen(outputs, said, subsets, batch, annealing, memory, keys, again, starts)
        return seen, (variables | changed)["batch_stats"]

    def _subsets(self, variables, encoded, batch, masks, parts, rngs):
        def of(mask):
            present = {name: batch.present[name] & mask[place] for place, name in enumerate(self.names)}
            lone = batch._replace(present=batch.present | present)
            outputs, _ = self.model.apply(
                variables, encoded, lone, parts, method="join", mutable=["batch_stats"], rngs=rngs
            )
            return outputs.logits.astype(jnp.float32)

        return jax.vmap(of)(jnp.asarray(masks))

    def _cast(self, params, batch_stats, batch):
        variables = {"params": _cast(params, self.precision), "batch_stats": batch_stats}
        return variables, batch._replace(inputs=_cast(batch.inputs, self.precision))


def _cast(tree, precision: str):
    """Floating arrays of a tree in another precision."""
    return jax.tree.map(lambda x: x.astype(precision) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree)
