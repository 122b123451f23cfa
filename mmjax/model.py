"""f, g and h composed: D = h(g(f(X))), by level.

Pure functions of theta = {theta_i, theta_f, theta_d}: `initialise` makes it, `model.apply` uses it, and
`part_of` says which of the three a parameter belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping

import flax.linen as nn
import jax
import jax.numpy as jnp

from mmjax.config import Config
from mmjax.decoders import DECODERS
from mmjax.encoders import ENCODERS
from mmjax.encoders.encoder import kept
from mmjax.errors import InputError, lookup
from mmjax.fusion import FUSIONS, level_of
from mmjax.fusion.decision.evidential import log_mean
from mmjax.fusion.decision.targets import decide, lower, present_rows
from mmjax.layers.pooling import masked_mean
from mmjax.registry import build
from mmjax.types import JOINED, PSEUDO, RESERVED, Array, Batch, Encoded, Features, ModalitySpec, Outputs, TargetSpec

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
        target, level = self.target, level_of(self.fusion)
        regression = target.kind == "regression"
        self.g = self._build(FUSIONS, "fusion", self.fusion, regression=regression, modalities=self.modalities)
        read = (self.g.spec,) if self._joins == "inputs" else self.modalities
        self.encoders = {
            spec.name: self._build(ENCODERS, "encoder", self.config.encoder_of(spec.name, spec.kind), spec=spec)
            for spec in read
        }
        outputs, heads = target.outputs, [spec.name for spec in self.modalities]
        if level != "decision":
            self.h = self._build(DECODERS, "decoder", self.config.decoder, outputs=outputs)
            heads = heads if getattr(self.g, "heads_per_modality", False) else []
        elif self.g.evidential:
            # Evidence is for each class, so a yes-or-no decision takes two outputs.
            outputs *= target.classes if target.kind != "multiclass" else 1
            heads += [PSEUDO] if self.g.pseudo_view else []
        self.heads = {n: self._build(DECODERS, "decoder", self.config.decoder, outputs=outputs) for n in heads}

    def _build(self, registry, kind, name, **fields):
        return build(registry, kind, name, self.config, axis_name=self.axis_name, **fields)

    @property
    def _joins(self) -> str:
        """What g takes: "inputs", "stages", "sequences", "embeddings" or "decisions"."""
        return "decisions" if level_of(self.fusion) == "decision" else getattr(self.g, "joins", "embeddings")

    def __call__(self, batch: Batch, train: tuple[str, ...] = (), noise: Mapping[str, Array] | None = None) -> Outputs:
        """D and what led to it.

        Args:
          batch: may hold more modalities than the model's.
          train: the PARTS that are in training (dropout, batch statistics); none in evaluation.
          noise: modality -> what is added to the values that its encoder starts from (`starts`), if anything is.
        """
        return self.join(self.read(batch, train, noise), batch, train, noise)

    def read(self, batch: Batch, train: tuple[str, ...] = (), noise=None) -> dict[str, Encoded]:
        """E_i by modality; {} where g runs the encoders itself, or joins what they read."""
        if self._joins in ("stages", "inputs"):
            return {}
        return {n: self._encode(batch, n, "encoders" in train, noise) for n in self.encoders}

    def join(self, encoded: dict[str, Encoded], batch: Batch, train: tuple[str, ...] = (), noise=None) -> Outputs:
        """D from what was read, of the modalities that `batch` has present: they may be fewer than those read."""
        present = self._present(batch)
        train_encoders, train_fusion, train_decoder = (part in train for part in PARTS)
        penalty = jnp.float32(0)
        if self._joins == "stages":
            features = {n: self._started(batch, n, noise) for n in self.encoders}
            fused, encoded = self.g(self.encoders, features, train_encoders)
        elif self._joins == "inputs":
            encoded = {n: self._encode(batch, n, train_encoders, noise) for n in self.encoders}
        embeddings = {n: jnp.where(present[n][:, None], e.pooled, 0) for n, e in encoded.items()}
        if self._joins == "decisions":
            return self._decide(embeddings, present, train_decoder)
        if self._joins == "inputs":
            (fused,) = embeddings.values()
        elif self._joins == "sequences":
            masks = {n: e.mask & present[n][:, None] for n, e in encoded.items()}
            fused = self.g({n: e.sequence for n, e in encoded.items()}, masks, train_fusion)
        elif self._joins == "embeddings" and hasattr(self.g, "with_penalty"):
            counted = {n: p & (batch.weight > 0) for n, p in present.items()}
            fused, penalty = self.g.with_penalty(embeddings, counted)
        elif self._joins == "embeddings":
            fused = self.g(embeddings, present)
        heads = {n: head(embeddings[n], train_decoder) for n, head in self.heads.items()}
        return Outputs(self.h(fused, train_decoder), fused, embeddings, heads, {}, penalty)

    def encode(self, batch: Batch, train: tuple[str, ...] = ()) -> Outputs:
        """h_i by modality and nothing else, each encoder alone, whatever the fusion does between their stages."""
        present = self._present(batch)
        encoded = {n: self._encode(batch, n, "encoders" in train) for n in self.encoders}
        embeddings = {n: jnp.where(present[n][:, None], e.pooled, 0) for n, e in encoded.items()}
        return Outputs(None, None, embeddings, {}, {}, jnp.float32(0))

    def starts(self, batch: Batch) -> dict[str, Array]:
        """What each encoder starts from [B, ...], floating: of tokens their embeddings, of anything else its values."""
        return {n: self._started(batch, n).values for n in self.encoders}

    def _encode(self, batch, name, train, noise=None) -> Encoded:
        """E_i; where only its sequence is fused h_i is that sequence's mean, and no parameter is made for another."""
        encoder, features = self.encoders[name], self._started(batch, name, noise)
        for index in range(encoder.stages):
            features = encoder.stage(index, features, train)
        if self._joins != "sequences":
            return encoder.finish(features, train)
        sequence, mask = encoder.tokens(features)
        return Encoded(sequence, mask, masked_mean(sequence, mask))

    def _started(self, batch, name, noise=None) -> Features:
        """What stage 0 takes, with noise where there is data."""
        features = self.encoders[name].start(*self._inputs(batch, name))
        if noise is None:
            return features
        data = features.valid if features.mask is None else features.mask
        return features._replace(values=kept(features.values + noise[name], data))

    def _inputs(self, batch, name):
        """What an encoder takes: inputs, length, and the rows that are worth reading."""
        present = self._present(batch)
        if self._joins == "inputs":
            values, length = self.g(batch.inputs, batch.lengths, present)
        else:
            values, length = batch.inputs[name], batch.lengths.get(name)
        return values, length, present[name] & (batch.weight > 0)

    def _present(self, batch):
        """Which rows have each modality; the joined inputs, and the pseudo view, are there where any modality is."""
        present = {spec.name: batch.present[spec.name] for spec in self.modalities}
        return present | dict.fromkeys((JOINED, PSEUDO), jnp.stack(list(present.values())).any(0))

    def _decide(self, embeddings, present, train):
        """Decision level, where a rule with evidence speaks of each view's belief too."""
        views = dict(embeddings)
        if PSEUDO in self.heads:
            views[PSEUDO] = jnp.concatenate([embeddings[n] for n in sorted(embeddings)], axis=-1)
        logits = {n: head(views[n], train) for n, head in self.heads.items()}
        present = {n: present[n] for n in logits}
        if not self.g.evidential:
            return Outputs(decide(self.target, self.g, logits, present), None, embeddings, logits, {}, jnp.float32(0))
        rows = present_rows(self.target, present)
        batch_size = len(next(iter(logits.values())))
        evidence = self.g.evidence({n: l.reshape(-1, self.target.classes) for n, l in logits.items()}, rows)
        labels = self.target.size if self.target.kind == "multilabel" else 1
        penalty = self.g.penalty(evidence, rows).reshape(batch_size, labels).mean(-1)
        decisions = {n: lower(self.target, log_mean(e)) for n, e in evidence.items()}
        return Outputs(decisions.pop("fused"), None, embeddings, decisions, evidence, penalty)


def build_model(modalities, target: TargetSpec, fusion: str, config: Config, axis_name: str | None = None):
    """The model of a fusion, or of "unimodal/<modality>".

    Raises:
      InputError: for an unknown name, a modality with a reserved name, or a fusion that is not defined for the target.
    """
    for spec in modalities:
        if spec.name in RESERVED:
            raise InputError(
                f"modality {spec.name!r} has a name that is taken: give one other than {', '.join(RESERVED)}"
            )
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
    return {"params": variables.get("params", {}), "batch_stats": variables.get("batch_stats", {})}


def part_of(name: str) -> str:
    """Which of PARTS the parameters under a top-level name of theta belong to."""
    if name.startswith("encoders_"):
        return "encoders"
    return "fusion" if name == "g" else "decoder"
