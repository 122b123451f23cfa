"""f, g and h composed: D = h(g(f(X))), by level.

Pure functions of theta = {theta_i, theta_f, theta_d}: `initialise` makes it, `model.apply` uses it, and
`part_of` says which of the three a parameter belongs to.
"""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from mmjax.config import Config
from mmjax.decoders import DECODERS
from mmjax.encoders import ENCODERS
from mmjax.errors import InputError, lookup
from mmjax.fusion import FUSIONS, level_of
from mmjax.fusion.decision.evidential import log_mean
from mmjax.layers.pooling import masked_mean
from mmjax.registry import build
from mmjax.types import Batch, Encoded, ModalitySpec, Outputs, TargetSpec

PARTS = ("encoders", "fusion", "decoder")


class MultimodalModel(nn.Module):
    """One cell's model.

    Attributes:
      modalities: those that are fused; a unimodal model has one.
      target: what is predicted.
      fusion: a name in FUSIONS.
      config: sizes.
      axis_name: axis of the devices that split the batch, if any do.
    """

    modalities: tuple[ModalitySpec, ...]
    target: TargetSpec
    fusion: str
    config: Config
    axis_name: str | None = None

    def setup(self):
        names = [spec.name for spec in self.modalities]
        level = level_of(self.fusion)
        self.encoders = {
            spec.name: self._build(ENCODERS, "encoder", self.config.encoder_of(spec.name, spec.kind), spec=spec)
            for spec in self.modalities
        }
        self.g = self._build(FUSIONS, "fusion", self.fusion, regression=self.target.kind == "regression")
        outputs = self.target.outputs
        if level == "decision" and self.g.evidential:
            # Evidence is for each class, so a yes-or-no decision takes two outputs.
            outputs *= self.target.classes if self.target.kind != "multiclass" else 1
        if level != "decision":
            self.h = self._build(DECODERS, "decoder", self.config.decoder, outputs=outputs)
        if level == "decision" or (level == "model" and self.g.heads_per_modality):
            self.heads = {n: self._build(DECODERS, "decoder", self.config.decoder, outputs=outputs) for n in names}

    def _build(self, registry, kind, name, **fields):
        return build(registry, kind, name, self.config, axis_name=self.axis_name, **fields)

    def __call__(self, batch: Batch, train: tuple[str, ...] = ()) -> Outputs:
        """D and what led to it.

        Args:
          batch: may hold more modalities than the model's.
          train: the PARTS that are in training (dropout, batch statistics); none in evaluation.
        """
        level = level_of(self.fusion)
        present = {spec.name: batch.present[spec.name] for spec in self.modalities}
        train_encoders, train_fusion, train_decoder = (part in train for part in PARTS)
        if level == "model" and self.g.joins == "stages":
            features = {n: encoder.start(*self._inputs(batch, n)) for n, encoder in self.encoders.items()}
            fused, encoded = self.g(self.encoders, features, train_encoders)
        else:
            encoded = {n: self._encode(batch, n, train_encoders) for n in self.encoders}
        embeddings = {n: jnp.where(present[n][:, None], e.pooled, 0) for n, e in encoded.items()}
        if level == "feature":
            fused = self.g(embeddings, present)
        elif level == "model" and self.g.joins == "sequences":
            masks = {n: e.mask & present[n][:, None] for n, e in encoded.items()}
            fused = self.g({n: e.sequence for n, e in encoded.items()}, masks, train_fusion)
        if level == "decision":
            logits = {n: self.heads[n](h, train_decoder) for n, h in embeddings.items()}
            return self._decide(logits, embeddings, present)
        heads = {n: self.heads[n](h, train_decoder) for n, h in embeddings.items()} if hasattr(self, "heads") else {}
        return Outputs(self.h(fused, train_decoder), fused, embeddings, heads, {}, jnp.float32(0))

    def encode(self, batch: Batch, train: tuple[str, ...] = ()) -> dict:
        """h_i [B, d_i] by modality, each encoder alone, whatever the fusion does between their stages."""
        encoded = {n: self._encode(batch, n, "encoders" in train) for n in self.encoders}
        return {n: jnp.where(batch.present[n][:, None], e.pooled, 0) for n, e in encoded.items()}

    def _encode(self, batch, name, train) -> Encoded:
        """E_i; where only its sequence is fused h_i is that sequence's mean, and no parameter is made for another."""
        encoder = self.encoders[name]
        if level_of(self.fusion) != "model" or self.g.joins == "stages":
            return encoder(*self._inputs(batch, name), train)
        features = encoder.start(*self._inputs(batch, name))
        for index in range(encoder.stages):
            features = encoder.stage(index, features, train)
        sequence, mask = encoder.tokens(features)
        return Encoded(sequence, mask, masked_mean(sequence, mask))

    def _inputs(self, batch, name):
        """What an encoder takes: inputs, length, and the rows that are worth reading."""
        return batch.inputs[name], batch.lengths.get(name), batch.present[name] & (batch.weight > 0)

    def _decide(self, logits, embeddings, present):
        """Decision level, where a rule with evidence speaks of each modality's belief too."""
        if not self.g.evidential:
            return Outputs(decide(self.target, self.g, logits, present), None, embeddings, logits, {}, jnp.float32(0))
        pairs = {n: l.reshape(-1, self.target.classes) for n, l in logits.items()}
        evidence = self.g.evidence(pairs, _present_rows(self.target, present))
        views = {n: _lower(self.target, log_mean(evidence[n])) for n in logits}
        return Outputs(
            _lower(self.target, log_mean(evidence["fused"])), None, embeddings, views, evidence, jnp.float32(0)
        )


class ThrowawayHeads(nn.Module):
    """A dense head on every embedding it is called with, for the stages of training that end before the decoder."""

    outputs: int

    @nn.compact
    def __call__(self, embeddings):
        """Embeddings, key -> [B, d], to logits, key -> [B, K]."""
        return {key: DECODERS["dense"](self.outputs, name=key)(h, False) for key, h in sorted(embeddings.items())}


def decide(target: TargetSpec, rule, logits: dict, present: dict):
    """D [B, K] of the modalities' logits [B, K] by `rule(logits, present)`, whatever the target.

    A rule knows decisions between classes alone, [N, C >= 2]: a yes or no with log-odds l is one between the logits
    (0, l), and K labels of B examples are N = B K of them. Regression hands over the values.
    """
    if target.kind == "regression":
        return rule(logits, present)
    return _lower(target, rule({n: _lift(target, l) for n, l in logits.items()}, _present_rows(target, present)))


def _lift(target, logits):
    if target.kind == "multiclass":
        return logits
    column = logits.reshape(-1, 1)
    return jnp.concatenate([jnp.zeros_like(column), column], axis=-1)


def _lower(target, log_probabilities):
    """The inverse of `_lift`: log-odds again."""
    if target.kind == "multiclass":
        return log_probabilities
    return (log_probabilities[:, 1] - log_probabilities[:, 0]).reshape(-1, target.size)


def _present_rows(target, present):
    return {n: jnp.repeat(p, target.size) if target.kind == "multilabel" else p for n, p in present.items()}


def build_model(modalities, target: TargetSpec, fusion: str, config: Config, axis_name: str | None = None):
    """The model of a fusion, or of "unimodal/<modality>".

    Raises:
      InputError: for an unknown name, or a fusion that is not defined for the target.
    """
    if fusion.startswith("unimodal/"):
        by_name = {spec.name: spec for spec in modalities}
        modalities, fusion = (lookup(by_name, "modality", fusion.removeprefix("unimodal/")),), "concat"
    accepted = getattr(lookup(FUSIONS, "fusion", fusion), "targets", (target.kind,))
    if target.kind not in accepted:
        raise InputError(f"fusion {fusion!r} is not defined for a {target.kind} target: it takes {', '.join(accepted)}")
    return MultimodalModel(tuple(modalities), target, fusion, config, axis_name)


def initialise(model: nn.Module, key: jax.Array, *inputs) -> dict:
    """The variables of a module: theta under "params", running statistics under "batch_stats" (may be empty)."""
    variables = model.init({"params": key, "dropout": key}, *inputs)
    return {"params": variables["params"], "batch_stats": variables.get("batch_stats", {})}


def part_of(name: str) -> str:
    """Which of PARTS the parameters under a top-level name of theta belong to."""
    if name.startswith("encoders_"):
        return "encoders"
    return "fusion" if name == "g" else "decoder"
