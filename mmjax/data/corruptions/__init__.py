"""Corruptions: what goes wrong with a modality after training, at eleven levels, 0 for nothing.

Every one is a pure function of values, level and seed. The same seed makes the same draws at every level, so that
levels differ in how much is wrong and not in where. Padding and absent examples stay as they are.
"""

from __future__ import annotations

import numpy as np

from mmjax.data.corruptions import image, pairing, sequence, sound, tokens, vector
from mmjax.data.corruptions.contract import LEVELS, Draw
from mmjax.errors import InputError, lookup
from mmjax.types import Batch, ModalitySpec

ANY = {"missing": pairing.missing, "misaligned": pairing.misaligned}
CORRUPTIONS = {
    "image": {
        "noise": image.noise, "blur": image.blur, "contrast": image.contrast, "occlusion": image.occlusion,
        "rotation": image.rotation,
    },
    "video": {
        "noise": image.noise, "blur": image.blur, "contrast": image.contrast, "occlusion": image.occlusion,
        "rotation": image.rotation, "dropped_steps": sequence.dropped_steps,
    },
    "waveform": {
        "noise": sound.noise, "dropped_segments": sound.dropped_segments, "reverberation": sound.reverberation,
        "clipping": sound.clipping,
    },
    "tokens": {"drop": tokens.drop, "swap": tokens.swap, "typos": tokens.typos},
    "sequence": {"dropped_steps": sequence.dropped_steps, "jitter": sequence.jitter, "drift": sequence.drift},
    "vector": {"noise": vector.noise, "dropped": vector.dropped, "permuted": vector.permuted},
    "points": {"jitter": sequence.jitter, "dropped_steps": sequence.dropped_steps},
}  # fmt: skip


def corruptions_of(spec: ModalitySpec) -> list[str]:
    """Names of what can go wrong with a modality."""
    return [*CORRUPTIONS[spec.kind], *ANY]


def spread_of(train: Batch, spec: ModalitySpec) -> np.ndarray:
    """The deviation of each feature over train's examples and valid steps, by which noise is measured; [features].

    Of an image one number a channel, of sound one number.
    """
    values = train.inputs[spec.name][train.present[spec.name]].astype(np.float64)
    if spec.kind in ("sequence", "points"):
        lengths = train.lengths[spec.name][train.present[spec.name]]
        values = values[np.arange(spec.shape[0]) < lengths[:, None]]
    values = values.reshape(-1, 1) if spec.kind == "waveform" else values.reshape(-1, values.shape[-1])
    return values.std(axis=0)


def corrupt(
    batch: Batch, spec: ModalitySpec, corruption: str, level: int, seed: int, spread: np.ndarray | None = None
) -> Batch:
    """A split of which one modality is corrupted.

    Args:
      batch: as NumPy.
      spec: the modality.
      corruption: a name of `corruptions_of(spec)`.
      level: 0 (nothing) to 10.
      seed: of the draws; they are the same at every level.
      spread: `spread_of` train, where noise is asked for; None measures noise in units of 1.

    Raises:
      InputError: for an unknown corruption or level.
    """
    apply = lookup(CORRUPTIONS[spec.kind] | ANY, f"corruption of kind {spec.kind!r}", corruption)
    if level not in range(LEVELS):
        raise InputError(f"level {level} of corruption {corruption!r} is not accepted: give 0 to {LEVELS - 1}")
    if level == 0:
        return batch
    name, values = spec.name, batch.inputs[spec.name]
    lengths = batch.lengths.get(name)
    spread = np.ones(1) if spread is None else spread
    draw = Draw(values, lengths, batch.present[name], level / (LEVELS - 1), np.random.default_rng(seed), spread, spec)
    changed, new_lengths, present = apply(draw)
    changed = np.where(_inside(draw, present), changed, values).astype(values.dtype)
    lost = batch.present[name] & ~present
    changed[lost] = 0
    if lengths is not None:
        new_lengths = np.where(present, new_lengths, 0).astype(np.int32)
        changed[np.arange(values.shape[1]) >= new_lengths[:, None]] = 0
        batch = batch._replace(lengths={**batch.lengths, name: new_lengths})
    inputs, presents = {**batch.inputs, name: changed}, {**batch.present, name: present}
    return batch._replace(inputs=inputs, present=presents)


def _inside(draw: Draw, present: np.ndarray) -> np.ndarray:
    """Where values may change: in examples that are there, before or now."""
    rows = draw.present | present
    return rows.reshape(-1, *[1] * (draw.values.ndim - 1))
